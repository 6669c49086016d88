//! Named persons of a session, with or without a phone.

mod facts;

pub use facts::{AllergenMode, Device, Diet, Diner, Preferences};
