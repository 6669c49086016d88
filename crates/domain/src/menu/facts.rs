//! The menu of one branch, as loaded.

use crate::Timestamp;
use crate::diner::Diet;
use crate::enums::text_enum;
use crate::ids::{AllergenId, CategoryId, ModifierGroupId, ModifierOptionId, ProductId};
use crate::text::I18n;

text_enum! {
    /// Where a dish is made.
    Station {
        /// Drinks.
        Bar = "bar",
        /// Hot dishes.
        HotKitchen = "hot_kitchen",
        /// Cold dishes.
        ColdKitchen = "cold_kitchen",
        /// The grill.
        Grill = "grill",
        /// Desserts.
        Pastry = "pastry",
        /// Anything else.
        Other = "other",
    }
}

text_enum! {
    /// What is declared of a dish and an allergen. No declaration means *undeclared*.
    Presence {
        /// It is an ingredient.
        Contains = "contains",
        /// Traces are possible.
        MayContain = "may_contain",
        /// Declared free.
        FreeFrom = "free_from",
    }
}

/// An allergen of the tenant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Allergen {
    /// The allergen.
    pub id: AllergenId,
    /// Its code, such as `milk`.
    pub code: String,
    /// Its name.
    pub name: I18n,
    /// One of the fourteen of Regulation (EU) 1169/2011, annex II.
    pub is_regulated: bool,
}

/// The kitchen's "sold out" switch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Availability {
    /// The switch.
    pub available: bool,
    /// When a switched-off entry comes back by itself.
    pub unavailable_until: Option<Timestamp>,
}

impl Availability {
    /// Whether it can be had now: a past `unavailable_until` counts as available.
    pub fn at(self, now: Timestamp) -> bool {
        self.available || self.unavailable_until.is_some_and(|until| until <= now)
    }
}

/// Declared allergens of a product or an option: codes, sorted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProductAllergens {
    /// Ingredients.
    pub contains: Vec<String>,
    /// Possible traces.
    pub may_contain: Vec<String>,
    /// Declared free.
    pub free_from: Vec<String>,
}

/// A category that is shown in the branch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MenuCategory {
    /// The category.
    pub id: CategoryId,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: I18n,
    /// Sort order.
    pub position: i32,
}

/// A product as the branch offers it.
///
/// `on_menu` is false when management took it off, the category is hidden or deleted, or the product is deleted;
/// a product without a row in the branch is absent from the facts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MenuProduct {
    /// The product.
    pub id: ProductId,
    /// Its code.
    pub code: String,
    /// Its category.
    pub category_id: CategoryId,
    /// Its name.
    pub name: I18n,
    /// What it is.
    pub description: Option<I18n>,
    /// A picture.
    pub image_url: Option<String>,
    /// Sort order within its category.
    pub position: i32,
    /// Where it is made: its own station, else its category's.
    pub station: Station,
    /// Ways of eating that it satisfies.
    pub diets: Vec<Diet>,
    /// Price in minor units.
    pub price_amount: i64,
    /// Shown and orderable at all.
    pub on_menu: bool,
    /// Sold out or not.
    pub availability: Availability,
    /// Declared allergens.
    pub allergens: ProductAllergens,
    /// Its choices, in order of position.
    pub groups: Vec<MenuGroup>,
}

/// A choice of a product.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MenuGroup {
    /// The group.
    pub id: ModifierGroupId,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: I18n,
    /// How many must be chosen, counting quantities.
    pub min_select: i32,
    /// How many may be chosen, counting quantities.
    pub max_select: i32,
    /// The live options that the branch offers, in order of position.
    pub options: Vec<MenuOption>,
}

/// One answer to a choice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MenuOption {
    /// The option.
    pub id: ModifierOptionId,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: I18n,
    /// Price in minor units.
    pub price_amount: i64,
    /// How often it may be chosen.
    pub max_qty: i32,
    /// Sold out or not.
    pub availability: Availability,
    /// Declared allergens.
    pub allergens: ProductAllergens,
}
