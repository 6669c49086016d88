//! What workers gave up on, and what becomes of it (`events.md` 11). What may happen to a letter is decided by
//! [`comanda_domain::dead_letter`].

mod attempt;
mod bury;
mod by_hand;
mod export;
mod letter;
mod processor;
mod redrive;
mod report;
mod stats;
mod steps;
mod store;
mod trace;
mod work;

pub(crate) use bury::{Buried, bury, letters_of, resolved};
pub use by_hand::{Hand, Move, Moved, Target};
pub use letter::Letter;
pub(crate) use letter::LetterRow;
pub use processor::{DeadLetterProcessor, Run};
pub use redrive::{Effect, Handlers, Redrive, RedriveError};
pub use report::{Item, Outcome, Report};
pub use stats::{ClassCount, Conservation, Group, Stats, conservation, groups, stats};
pub use store::Filter;
pub use trace::Actor;
pub use work::process_regularly;
