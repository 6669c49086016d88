//! From the staged row to every screen (`events.md` 5).
//!
//! ```text
//! business transaction ─► outbox_stage ─► sequencer ─► event_log ─► publisher ─► bus ─► feed ─► sockets, streams
//!       (commit)         (commit order)  (one leader)  (the truth)              (a copy)  └─ holes ◄── event_log
//! ```

mod bell;
pub mod bus;
mod feed;
mod former;
pub mod log;
mod logged;
mod publisher;
mod ring;
mod sequencer;
mod upkeep;
pub mod verify;
pub mod workers;

pub use bell::{Bell, carry, listen};
pub use bus::{BusError, EventBus};
pub use feed::{Feed, Listener};
pub use logged::LoggedEvent;
pub use publisher::Publisher;
pub use sequencer::{Leadership, Sequenced, Sequencer};
pub use upkeep::{drop_old_days, prepare_days};

/// A position as metrics show it.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "no log gets to 2^53 events of a shard"
)]
fn gauge(number: i64) -> f64 {
    number as f64
}
