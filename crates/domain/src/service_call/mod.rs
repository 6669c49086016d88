//! A diner asking for a person.

mod facts;
mod moves;
mod raise;
mod status;

pub use facts::{CallStatus, CallType, ServiceCall};
pub(crate) use moves::cancel_with_session;
pub use moves::{CallMove, CallMoved, MoveCallError, move_call};
pub use raise::{CallRaised, REMINDER_PAUSE, RaiseCall, RaiseCallError, RaiseFacts, raise_call};
pub use status::CALL_TRANSITIONS;
