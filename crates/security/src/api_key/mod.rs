//! API keys: how they read, how they are stored, and whether one may be used now.
//!
//! `cmd_<env>_<keyid>_<secret><crc32>`. The key id finds the row; the secret is stored only as HMAC-SHA-256 under a
//! pepper that the database never sees; the checksum lets damaged keys be refused without asking anyone.

mod base62;
mod crc32;
mod network;
mod peppers;
mod rotate;
mod text;
mod validate;

pub use ipnet::IpNet;
pub use network::{InvalidNetwork, parse_network};
pub use peppers::{ApiKeyPeppers, StoredMac};
pub use rotate::{Overlap, RotationRefusal};
pub use text::{
    API_KEY_PATTERN, ApiKeySecret, InvalidKeyId, IssuedKey, KeyEnvironment, KeyId, Malformed, PresentedKey,
    issue, parse, reissue,
};
pub use validate::{Accepted, KeyRefusal, PreviousMac, StoredApiKey, UsedSecret, validate};
