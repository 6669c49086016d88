//! A diner asking for a person.

mod facts;

pub use facts::{CallStatus, CallType, ServiceCall};
