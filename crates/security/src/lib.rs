//! What Comanda trusts.
//!
//! Passwords, tokens, printed codes, list cursors, the hashing of requests and the authorisation table, as pure
//! functions over bytes, a given time and given entropy. Nothing here reads a clock, a setting or a socket, and
//! this crate is the only user of `ring`. Whatever cannot be decoded is *invalid*: never a panic.
#![warn(missing_docs)]

mod compare;
mod encoding;

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
pub mod tokens;

pub use encoding::Unwritable;
pub use entropy::{Entropy, EntropyError, SystemEntropy};
pub use secrecy::{ExposeSecret, SecretString};
