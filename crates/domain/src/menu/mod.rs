//! What a branch offers, and what of it a guest may see and order.

mod alerts;
mod availability;
mod facts;
mod filter;
#[cfg(test)]
pub(crate) mod fixtures;
mod orderable;

pub use alerts::allergen_alerts;
pub use availability::{AvailabilityFacts, AvailabilitySet, SetAvailability, set_availability};
pub use facts::{
    Allergen, Availability, MenuCategory, MenuGroup, MenuOption, MenuProduct, Presence, ProductAllergens,
    Station,
};
pub use filter::{
    FilteredCategory, FilteredGroup, FilteredMenu, FilteredOption, FilteredProduct, MenuFacts, MenuFilter,
    filter_menu, filter_product,
};
pub use orderable::{
    BranchMenu, ChoiceProblem, ChosenOption, LineAllergens, LineProblem, LineRefused, MAX_MODIFIERS,
    OrderableLine, merged_modifiers, orderable,
};
pub(crate) use orderable::{chosen_amount, chosen_options, line_allergens};
