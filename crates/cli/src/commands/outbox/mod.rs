//! `comanda outbox …`: the event log.

pub mod new_epoch;
pub mod replay;
pub mod stats;
pub mod verify;
