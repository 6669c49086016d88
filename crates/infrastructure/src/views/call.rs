use comanda_domain::service_call::ServiceCall;
use serde::Serialize;
use utoipa::ToSchema;

use super::{ActorView, TableRef, stamped_by, time};
use crate::people::People;

/// A guest asking for a person.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CallView {
    /// Its id.
    pub id: String,
    /// The branch.
    pub branch_id: String,
    /// The visit.
    pub session_id: String,
    /// Where the party sits now.
    pub table: Option<TableRef>,
    /// `waiter`, `payment_help` or `other`.
    #[serde(rename = "type")]
    pub call_type: String,
    /// `open`, `acked`, `closed` or `canceled`.
    pub status: String,
    /// In the guest's words.
    pub note: Option<String>,
    /// Who asked.
    pub raised_by_diner_id: Option<String>,
    /// How often they asked again.
    pub reminder_count: i32,
    /// When it was raised.
    pub opened_at: String,
    /// When somebody reacted.
    pub acked_at: Option<String>,
    /// Who reacted.
    pub acked_by: Option<ActorView>,
    /// When it ended.
    pub closed_at: Option<String>,
    /// Who ended it.
    pub closed_by: Option<ActorView>,
    /// Rises with each update.
    pub version: i64,
}

/// A call with its names.
pub fn call(call: &ServiceCall, table: Option<&TableRef>, people: &People) -> CallView {
    CallView {
        id: call.id.to_string(),
        branch_id: call.branch_id.to_string(),
        session_id: call.session_id.to_string(),
        table: table.cloned(),
        call_type: call.call_type.to_string(),
        status: call.status.to_string(),
        note: call.note.clone(),
        raised_by_diner_id: call.raised_by.map(|id| id.to_string()),
        reminder_count: call.reminder_count,
        opened_at: time(call.opened_at),
        acked_at: call.acked.map(|stamp| time(stamp.at)),
        acked_by: call.acked.map(|stamp| stamped_by(&stamp, people)),
        closed_at: call.closed.map(|stamp| time(stamp.at)),
        closed_by: call.closed.map(|stamp| stamped_by(&stamp, people)),
        version: call.version,
    }
}
