use serde::Serialize;
use utoipa::ToSchema;

use super::{MoneyView, NamedRef, PersonRef, RoundView, SessionView};

/// The party at a table, in short.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CardSessionView {
    /// The visit.
    pub id: String,
    /// When it began.
    pub opened_at: String,
    /// How many came.
    pub party_size: Option<i32>,
    /// Who serves.
    pub assigned_waiter: Option<PersonRef>,
    /// Nothing has happened for long.
    pub flagged_idle: bool,
}

/// How many rounds of the visit stand where.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct RoundCountsView {
    /// Await a waiter.
    pub pending: i64,
    /// Await the kitchen.
    pub confirmed: i64,
    /// Reached the kitchen.
    pub submitted: i64,
    /// Being made.
    pub in_kitchen: i64,
    /// Await serving.
    pub ready: i64,
}

/// The bill of the visit, in short.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CardCheckView {
    /// The check.
    pub id: String,
    /// Where it stands.
    pub status: String,
    /// What is still to be paid.
    pub due: MoneyView,
}

/// A table on the floor.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TableCardView {
    /// Its id.
    pub id: String,
    /// The branch.
    pub branch_id: String,
    /// What is printed on it.
    pub code: String,
    /// Seats.
    pub capacity: i32,
    /// Where it stands.
    pub sector: NamedRef,
    /// `free`, `open`, `paying` or `out_of_service`.
    pub status: String,
    /// The party that sits there.
    pub session: Option<CardSessionView>,
    /// Its unfinished rounds.
    pub rounds: RoundCountsView,
    /// Calls that nobody has reacted to.
    pub open_calls: i64,
    /// Its unsettled check.
    pub check: Option<CardCheckView>,
}

/// A table with everything about the party that sits there.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TableCardDetailView {
    /// The table.
    pub card: TableCardView,
    /// The live visit.
    pub session: Option<SessionView>,
    /// Its rounds, in order.
    pub rounds: Vec<RoundView>,
}
