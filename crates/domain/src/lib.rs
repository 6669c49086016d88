//! What Comanda decides.
//!
//! Every rule of the restaurant lives here as a pure function: it receives facts that were already loaded, a
//! command, the time and a source of ids, and returns an outcome or a typed error. Nothing here does I/O, reads
//! a clock or draws a random number, so a property test can run millions of dinners.
#![warn(missing_docs)]

pub mod actor;
pub mod audit;
pub mod backoff;
pub mod billing;
pub mod branch;
pub mod breaker;
pub mod business_day;
pub mod cart;
pub mod cursor;
pub mod dead_letter;
pub mod diner;
pub mod enums;
pub mod event;
pub mod ids;
pub mod kitchen;
pub mod machine;
pub mod menu;
pub mod money;
pub mod round;
pub mod service_call;
pub mod session;
pub mod shift;
pub mod table;
pub mod text;
pub mod webhook;

/// An instant in UTC.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
