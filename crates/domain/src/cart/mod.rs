//! The shared list of lines that a session is about to order.

mod change;
mod facts;
mod price;
mod sharing;

pub use change::{
    AddLine, CartChange, CartChanged, CartCommand, CartError, CartFacts, ChangeLine, MAX_CART_LINES,
    MAX_NOTES, MAX_QTY, change_cart,
};
pub use facts::{CartLine, ChosenModifier, Sharing};
pub use price::{CartView, PricedLine, read_cart};
pub use sharing::{SharingError, may_change, sharers_for};
