//! From the staged row to every screen (`events.md` 5).
//!
//! ```text
//! business transaction ─► outbox_stage ─► sequencer ─► event_log ─► publisher ─► bus ─► feed ─► sockets, streams
//!       (commit)         (commit order)  (one leader)  (the truth)              (a copy)  └─ holes ◄── event_log
//! ```

mod bell;
pub mod bus;
pub mod log;
mod logged;
pub mod sequencer;
pub mod verify;

pub use bell::Bell;
pub use bus::{BusError, EventBus};
pub use logged::LoggedEvent;
