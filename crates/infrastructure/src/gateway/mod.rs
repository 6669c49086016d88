//! Every screen knows at once: who listens in this process, and what they are told (`events.md` 4, 7, 8).
//!
//! ```text
//! feed ─► hub ─► room of the branch ─► queue of each connection ─► socket, stream
//!           └─ recent events ◄─ what was missed ─► log
//! ```

mod admission;
mod cover;
mod door;
mod hub;
mod list;
mod member;
mod membership;
mod queue;
mod recent;
mod room;
mod run;
mod shared;
mod signal;
pub(crate) mod source;
mod subscribe;
mod told;

pub use admission::Admitted;
pub use door::{Door, Entry};
pub use hub::{Hub, Tending};
pub use list::{EventService, Listed, Listing};
pub use member::{Counted, Member};
pub use membership::Membership;
pub use queue::{Ended, Message, Queue, QueueLimits};
pub use room::At;
pub use run::Gateway;
pub use shared::{Rendered, SharedEvent};
pub use subscribe::Wish;
