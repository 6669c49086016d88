//! What a session is.

use crate::Timestamp;
use crate::actor::Stamp;
use crate::enums::text_enum;
use crate::ids::{BranchId, SessionId, TableId, UserId};

text_enum! {
    /// Where a visit stands.
    SessionStatus {
        /// The party orders.
        Open = "open",
        /// The check is out; ordering is closed.
        Paying = "paying",
        /// The party has left.
        Closed = "closed",
    }
}

text_enum! {
    /// How a visit ended.
    CloseReason {
        /// Everything was paid.
        Paid = "paid",
        /// Nothing was ever billed.
        Empty = "empty",
        /// Ended by a manager.
        Forced = "forced",
    }
}

/// One visit of one party, found by its table while it lives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// The session.
    pub id: SessionId,
    /// Its branch.
    pub branch_id: BranchId,
    /// Where the party sits now.
    pub table_id: TableId,
    /// Where the visit stands.
    pub status: SessionStatus,
    /// Carried by guests' tokens; raising it makes older ones useless.
    pub seating: i32,
    /// Four digits that admit further phones where the branch asks for them.
    pub join_code: String,
    /// How many came.
    pub party_size: Option<i32>,
    /// A remark of the staff.
    pub note: Option<String>,
    /// Who serves.
    pub assigned_waiter_id: Option<UserId>,
    /// Rises with every cart change.
    pub cart_version: i64,
    /// The number that the next round gets.
    pub next_round_number: i32,
    /// When and by whom it was opened.
    pub opened: Stamp,
    /// When it went to paying, while it pays.
    pub paying: Option<Stamp>,
    /// When it closed.
    pub closed: Option<Stamp>,
    /// How it ended.
    pub close_reason: Option<CloseReason>,
    /// The last operation on it.
    pub last_activity_at: Timestamp,
    /// Rises by one with each update, cart and round counter excepted.
    pub version: i64,
}
