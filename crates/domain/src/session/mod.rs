//! One visit of one party at a table.

mod facts;
#[cfg(test)]
pub(crate) mod fixtures;

pub use facts::{CloseReason, Session, SessionStatus};
