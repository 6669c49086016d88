//! Named persons of a session, with or without a phone.

mod facts;
mod register;
mod update;

pub use facts::{AllergenMode, Device, Diet, Diner, Preferences};
pub use register::{
    AddGuest, DeviceChange, GuestFacts, MAX_DINERS, PALETTE, Register, RegisterError, RegisterFacts,
    Registered, add_guest, register_diner,
};
pub use update::{DinerUpdated, UpdateDiner, update_diner};
