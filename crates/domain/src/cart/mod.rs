//! The shared list of lines that a session is about to order.

mod facts;

pub use facts::{CartLine, ChosenModifier, Sharing};
