//! Dead letters on the real database.

mod by_hand;
mod crowd;
mod dying;
mod morgue;
mod processing;
mod stats;
