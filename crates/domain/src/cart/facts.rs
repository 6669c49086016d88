//! What a cart line is.

use crate::enums::text_enum;
use crate::ids::{CartLineId, DinerId, ModifierOptionId, ProductId};

text_enum! {
    /// Who a line belongs to.
    Sharing {
        /// One diner.
        Own = "own",
        /// The named diners.
        Group = "group",
        /// Everyone.
        Table = "table",
    }
}

/// A chosen option, as often as wanted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ChosenModifier {
    /// The option.
    pub option_id: ModifierOptionId,
    /// How often.
    pub qty: i32,
}

/// One line of the cart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CartLine {
    /// The line.
    pub id: CartLineId,
    /// Its owner.
    pub diner_id: DinerId,
    /// What is wanted.
    pub product_id: ProductId,
    /// How often, 1..99.
    pub qty: i32,
    /// Who it belongs to.
    pub sharing: Sharing,
    /// The named diners of a `group` line, at least two; empty otherwise. In order of id.
    pub sharers: Vec<DinerId>,
    /// Chosen options, in order of id.
    pub modifiers: Vec<ChosenModifier>,
    /// A wish to the kitchen, may be empty.
    pub notes: String,
}
