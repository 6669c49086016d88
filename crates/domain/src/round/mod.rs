//! One order of a session, from placing to serving.

mod facts;
mod status;

pub use facts::{ItemModifier, ItemVoid, Round, RoundItem, RoundSource};
pub use status::{ROUND_TRANSITIONS, RoundStatus, RoundTransition, Who};
