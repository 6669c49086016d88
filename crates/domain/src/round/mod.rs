//! One order of a session, from placing to serving.

mod cancel;
mod facts;
#[cfg(test)]
pub(crate) mod fixtures;
mod freeze;
#[cfg(test)]
mod laws;
mod moves;
mod place;
mod place_for_table;
mod progress;
mod status;
mod step;
mod void_item;

pub use cancel::{CancelRoundError, CheckState, NO_REASON, RoundCanceled, TakeBackFacts, cancel_round};
pub use facts::{ItemModifier, ItemVoid, Round, RoundItem, RoundSource};
pub use moves::{MoveRoundError, RoundTarget, confirm, move_round, submit};
pub use place::{
    MAX_LINES, PlaceFacts, PlaceRound, PlaceRoundError, RefusedLine, RoundPlaced, Selection, place_round,
};
pub use place_for_table::{PlaceForTable, TableItem, place_round_for_table};
pub(crate) use progress::Progress;
pub use progress::{RoundFacts, RoundMoved};
pub use status::{ROUND_TRANSITIONS, RoundStatus, RoundTransition};
pub use void_item::{ItemVoided, VoidItem, VoidItemError, void_item};

pub use crate::machine::Who;
