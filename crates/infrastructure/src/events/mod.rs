//! From the staged row to every screen (`events.md` 5).
//!
//! ```text
//! business transaction ─► outbox_stage ─► sequencer ─► event_log ─► publisher ─► bus ─► feed ─► sockets, streams
//!       (commit)         (commit order)  (one leader)  (the truth)              (a copy)  └─ holes ◄── event_log
//! ```

mod bell;
pub mod bus;
pub mod catalogue;
mod document;
mod epoch;
mod feed;
mod former;
pub mod log;
mod logged;
mod publisher;
mod redact;
pub mod render;
mod replay;
mod ring;
mod sequencer;
mod signals;
mod status;
mod upkeep;
pub mod verify;
pub mod workers;

pub use bell::{Bell, carry, listen};
pub use bus::{BusError, EventBus};
pub use document::Document;
pub use epoch::{EpochError, NewEpoch, new_epoch};
pub use feed::{Feed, Lateness, Listener};
pub use logged::LoggedEvent;
pub use publisher::Publisher;
pub use replay::{ReplayError, Replayed, replay};
pub use sequencer::{Leadership, Sequenced, Sequencer};
pub use signals::Signals;
pub use status::{LogStatus, ShardStatus, status};
pub use upkeep::{drop_old_days, prepare_days};

/// A position or a count as metrics show it.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "no log gets to 2^53 events of a shard"
)]
pub(crate) fn gauge(number: i64) -> f64 {
    number as f64
}
