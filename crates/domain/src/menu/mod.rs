//! What a branch offers, and what of it a guest may see and order.

mod facts;

pub use facts::{
    Allergen, Availability, MenuCategory, MenuGroup, MenuOption, MenuProduct, Presence, ProductAllergens,
    Station,
};
