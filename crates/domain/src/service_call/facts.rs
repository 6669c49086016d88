//! What a service call is.

use crate::Timestamp;
use crate::actor::Stamp;
use crate::enums::text_enum;
use crate::ids::{BranchId, DinerId, ServiceCallId, SessionId};

text_enum! {
    /// What the diner wants.
    CallType {
        /// Somebody to come.
        Waiter = "waiter",
        /// Help with paying.
        PaymentHelp = "payment_help",
        /// Anything else.
        Other = "other",
    }
}

text_enum! {
    /// Where a call stands.
    CallStatus {
        /// Nobody has reacted yet.
        Open = "open",
        /// Somebody is on the way.
        Acked = "acked",
        /// Done.
        Closed = "closed",
        /// Taken back, or ended with the session.
        Canceled = "canceled",
    }
}

/// A diner asking for a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceCall {
    /// The call.
    pub id: ServiceCallId,
    /// The branch.
    pub branch_id: BranchId,
    /// The session.
    pub session_id: SessionId,
    /// What is wanted.
    pub call_type: CallType,
    /// Where it stands.
    pub status: CallStatus,
    /// In the diner's words.
    pub note: Option<String>,
    /// Who asked.
    pub raised_by: Option<DinerId>,
    /// How often they asked again.
    pub reminder_count: i32,
    /// When they last did.
    pub last_reminder_at: Option<Timestamp>,
    /// When it was raised.
    pub opened_at: Timestamp,
    /// When somebody reacted.
    pub acked: Option<Stamp>,
    /// When it ended; canceling writes this stamp too.
    pub closed: Option<Stamp>,
    /// Rises by one with each update.
    pub version: i64,
}
