//! What a diner is.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::enums::text_enum;
use crate::ids::{BranchId, DeviceId, DinerId, SessionId, UserId};

text_enum! {
    /// How strictly excluded allergens are taken.
    AllergenMode {
        /// Hide what contains one.
        Contains = "contains",
        /// Also hide what may contain one.
        Traces = "traces",
        /// Keep only what is declared free from every one.
        DeclaredFree = "declared_free",
    }
}

text_enum! {
    /// A way of eating that a dish can satisfy.
    Diet {
        /// No meat or fish.
        Vegetarian = "vegetarian",
        /// Nothing from animals.
        Vegan = "vegan",
        /// No gluten.
        GlutenFree = "gluten_free",
        /// No milk.
        DairyFree = "dairy_free",
        /// Little salt.
        LowSodium = "low_sodium",
    }
}

/// What a guest eats and reads. Preferences raise alerts and never block an order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Preferences {
    /// Codes of allergens to avoid.
    pub exclude_allergens: Vec<String>,
    /// How strictly.
    pub mode: AllergenMode,
    /// Ways of eating.
    pub diets: Vec<Diet>,
    /// Preferred language tag.
    pub locale: Option<String>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            exclude_allergens: Vec::new(),
            mode: AllergenMode::Traces,
            diets: Vec::new(),
            locale: None,
        }
    }
}

/// One named person in a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diner {
    /// The diner.
    pub id: DinerId,
    /// The branch of the session.
    pub branch_id: BranchId,
    /// The session.
    pub session_id: SessionId,
    /// What the others call them.
    pub name: String,
    /// `#RRGGBB`.
    pub color: String,
    /// Chosen by the phone; makes registering repeatable; never shown to others.
    pub client_ref: Option<String>,
    /// The remembered phone.
    pub device_id: Option<DeviceId>,
    /// The waiter who added a guest without phone.
    pub registered_by_user_id: Option<UserId>,
    /// What they eat.
    pub preferences: Preferences,
    /// When they joined.
    pub joined_at: Timestamp,
    /// Rises by one with each update.
    pub version: i64,
}

/// A remembered phone of one tenant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// The device.
    pub id: DeviceId,
    /// Last saved preferences.
    pub preferences: Preferences,
    /// Last seen.
    pub last_seen_at: Timestamp,
    /// Set once it was forgotten.
    pub forgotten_at: Option<Timestamp>,
}
