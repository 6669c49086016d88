//! One visit of one party at a table.

mod close;
mod facts;
#[cfg(test)]
pub(crate) mod fixtures;
mod guards;
mod open;
mod reopen;
mod status;

pub use close::{CloseError, CloseFacts, Closed, close_session};
pub use facts::{CloseReason, Session, SessionStatus};
pub use guards::{SessionClosed, SessionNotOpen, require_live, require_open};
pub use open::{
    OpenError, OpenForStaff, OpenForStaffError, OpenOrJoin, Opened, OpenedOrJoined, ScanFacts,
    StaffOpenFacts, open_for_staff, open_or_join,
};
pub use reopen::{CheckEnd, ReopenError, ReopenFacts, Reopened, reopen_session};
pub use status::SESSION_TRANSITIONS;
