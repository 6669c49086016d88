//! An event as the log keeps it and the bus carries it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Document;
use crate::schema::event_log;

/// A row of the log. It is rendered for whoever may see it only at the very end.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Serialize,
    Deserialize,
    diesel::Queryable,
    diesel::QueryableByName,
    diesel::Selectable,
)]
#[diesel(table_name = event_log, check_for_backend(diesel::pg::Pg))]
pub struct LoggedEvent {
    /// Whose.
    pub tenant_id: Uuid,
    /// Where; nothing for internal events of no branch.
    pub branch_id: Option<Uuid>,
    /// Which part of the log.
    pub shard: i32,
    /// The gapless position there.
    pub pos: i64,
    /// The gapless number in the branch; nothing for internal events.
    pub seq: Option<i64>,
    /// Unique; the same in every transport and retry.
    pub event_id: Uuid,
    /// `dev.comanda.round.submitted.v1`
    #[serde(rename = "type")]
    #[diesel(column_name = type_)]
    pub type_: String,
    /// The id of the object, as it travels.
    pub subject: String,
    /// The visit, if one is concerned.
    pub session_id: Option<Uuid>,
    /// The sector of its table.
    pub sector_id: Option<Uuid>,
    /// `correlationid`, `traceparent`, `tracestate`, `causationid`.
    pub attributes: Option<Document>,
    /// The object and what goes with it, complete.
    pub data: Document,
    /// When the operation decided.
    pub occurred_at: DateTime<Utc>,
    /// When it got its number.
    pub recorded_at: DateTime<Utc>,
}
