//! What Comanda trusts.
//!
//! Passwords, tokens, API keys, signed requests and webhooks, sealed secrets, printed codes, list cursors, the hashing of
//! requests, the addresses we may call and the authorisation table, as pure functions over bytes, a given time and
//! given entropy. Nothing here reads a clock, a setting or a socket, and this crate is the only user of `ring`.
//! Whatever cannot be decoded is *invalid*: never a panic.
#![warn(missing_docs)]

mod compare;
mod encoding;

pub mod address;
pub mod api_key;
pub mod codes;
pub mod cursor;
pub mod device;
pub mod entropy;
pub mod hash;
pub mod jwt;
pub mod keys;
pub mod password;
pub mod policy;
pub mod refresh;
pub mod seal;
pub mod signing;
pub mod tokens;

pub use encoding::Unwritable;
pub use entropy::{Entropy, EntropyError, SystemEntropy};
pub use secrecy::{ExposeSecret, SecretString};
