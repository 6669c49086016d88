//! One visit of one party at a table.

mod facts;

pub use facts::{CloseReason, Session, SessionStatus};
