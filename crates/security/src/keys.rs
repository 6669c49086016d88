//! Key material: lists of keys as the settings hold them, keys derived from them, and fresh ones.
//!
//! A setting reads `id:base64,id:base64`. The first key is current; the others still verify what they once
//! made, so a key is replaced by adding the new one, moving it to the front and dropping the old one.

use std::fmt;

use ring::hmac;
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use crate::compare;
use crate::encoding::{base64, from_any_base64};
use crate::entropy::{Entropy, EntropyError, fresh};

/// Bytes of every key that Comanda makes; shorter ones are refused.
pub const KEY_LEN: usize = 32;
/// Longest text of a key's id.
pub const KEY_ID_MAX: usize = 32;

/// Why a setting is no list of keys. Nothing of the keys themselves is told.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyListError {
    /// There is no key at all.
    #[error("no key given")]
    Empty,
    /// An entry lacks the colon between id and key. Positions count from one.
    #[error("entry {0} is not of the form id:base64")]
    Malformed(usize),
    /// An id is empty, too long or has other characters than letters, digits, `-` and `_`.
    #[error("the id of entry {0} is not usable")]
    BadId(usize),
    /// An id that must be a number from 0 to 255 is none.
    #[error("the id of entry {0} is not a number from 0 to 255")]
    BadNumber(usize),
    /// Two entries have this id.
    #[error("two keys have the id {0}")]
    DuplicateId(String),
    /// The two named entries hold the same key.
    #[error("the keys {0} and {1} are equal")]
    DuplicateKey(String, String),
    /// The key of this id is not base64.
    #[error("the key {0} is not base64")]
    BadBase64(String),
    /// The key of this id has fewer than [`KEY_LEN`] bytes.
    #[error("the key {id} has {got} bytes, at least {KEY_LEN} are needed")]
    TooShort {
        /// Which key.
        id: String,
        /// Its length in bytes.
        got: usize,
    },
    /// The key of this id is not of exactly [`KEY_LEN`] bytes, as every Ed25519 seed is.
    #[error("the key {0} is not a seed of {KEY_LEN} bytes")]
    BadSeed(String),
}

/// What makes a key unfit for a place where it matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Weakness {
    /// One byte over and over.
    #[error("repeats one byte")]
    RepeatedByte,
    /// Bytes that all can be typed: a word rather than random bytes.
    #[error("is a printable text")]
    Printable,
    /// Bytes that count up or down, as the examples in the documentation do.
    #[error("counts up or down")]
    Sequence,
    /// A key that everyone can read in a standard or in our tests.
    #[error("is a published example")]
    Published,
}

/// Random-looking keys that occur in our tests.
const PUBLISHED: &[&str] = &["nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="];

/// One key and its name.
#[derive(Clone)]
pub struct NamedKey {
    id: String,
    secret: SecretSlice<u8>,
}

impl NamedKey {
    /// Its name, which is no secret.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its bytes, at least [`KEY_LEN`].
    pub fn secret(&self) -> &[u8] {
        self.secret.expose_secret()
    }

    /// Whether another key has the same bytes.
    pub fn same_secret(&self, other: &Self) -> bool {
        compare::equal(self.secret(), other.secret())
    }

    /// Why this key must not be used in staging or production, if there is a reason.
    pub fn weakness(&self) -> Option<Weakness> {
        weakness(self.secret())
    }
}

impl fmt::Debug for NamedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:[redacted]", self.id)
    }
}

/// Why these bytes are unfit as a key, if there is a reason.
pub fn weakness(bytes: &[u8]) -> Option<Weakness> {
    let step = |by: u8| {
        bytes
            .iter()
            .zip(bytes.iter().skip(1))
            .all(|(a, b)| a.wrapping_add(by) == *b)
    };
    if step(0) {
        Some(Weakness::RepeatedByte)
    } else if step(1) || step(u8::MAX) {
        Some(Weakness::Sequence)
    } else if bytes.iter().all(|b| b.is_ascii_graphic() || *b == b' ') {
        Some(Weakness::Printable)
    } else if PUBLISHED.contains(&base64(bytes).as_str()) {
        Some(Weakness::Published)
    } else {
        None
    }
}

/// Keys of one purpose, the current one first; never empty.
#[derive(Clone, Debug)]
pub struct KeyList {
    current: NamedKey,
    older: Vec<NamedKey>,
}

impl KeyList {
    /// Reads `id:base64,id:base64`.
    ///
    /// # Errors
    /// [`KeyListError`] names the first entry that cannot be used.
    pub fn parse(text: &SecretString) -> Result<Self, KeyListError> {
        let mut keys: Vec<NamedKey> = Vec::new();
        let entries = text.expose_secret().split(',').map(str::trim);
        for (position, entry) in (1..).zip(entries) {
            if entry.is_empty() && text.expose_secret().trim().is_empty() {
                return Err(KeyListError::Empty);
            }
            let key = parse_key(position, entry)?;
            if keys.iter().any(|known| known.id == key.id) {
                return Err(KeyListError::DuplicateId(key.id));
            }
            if let Some(same) = keys.iter().find(|known| known.same_secret(&key)) {
                return Err(KeyListError::DuplicateKey(same.id.clone(), key.id));
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let current = keys.next().ok_or(KeyListError::Empty)?;
        Ok(Self {
            current,
            older: keys.collect(),
        })
    }

    /// The key that makes new things.
    pub fn current(&self) -> &NamedKey {
        &self.current
    }

    /// Every key, the current one first.
    pub fn iter(&self) -> impl Iterator<Item = &NamedKey> {
        std::iter::once(&self.current).chain(&self.older)
    }
}

fn parse_key(position: usize, entry: &str) -> Result<NamedKey, KeyListError> {
    let (id, encoded) = entry.split_once(':').ok_or(KeyListError::Malformed(position))?;
    let usable = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
    if id.is_empty() || id.len() > KEY_ID_MAX || !id.bytes().all(usable) {
        return Err(KeyListError::BadId(position));
    }
    let id = id.to_owned();
    let Some(bytes) = from_any_base64(encoded) else {
        return Err(KeyListError::BadBase64(id));
    };
    if bytes.len() < KEY_LEN {
        return Err(KeyListError::TooShort { id, got: bytes.len() });
    }
    Ok(NamedKey {
        id,
        secret: bytes.into(),
    })
}

/// A fresh key as base64, to be put into a setting.
///
/// # Errors
/// [`EntropyError`] when there is no randomness.
pub fn generate_key(entropy: &dyn Entropy) -> Result<SecretString, EntropyError> {
    Ok(base64(fresh::<KEY_LEN>(entropy)?).into())
}

/// A fresh list of one key, as a setting holds it: `id:base64`.
///
/// # Errors
/// [`EntropyError`] when there is no randomness.
pub fn generate_key_list(id: &str, entropy: &dyn Entropy) -> Result<SecretString, EntropyError> {
    let key = generate_key(entropy)?;
    Ok(format!("{id}:{}", key.expose_secret()).into())
}

const MASTER_SALT: &[u8] = b"comanda.master.v1";

/// HMAC-SHA-256 keys of one purpose.
#[derive(Clone)]
pub(crate) struct MacKeys {
    /// Makes new tags.
    pub(crate) current: hmac::Key,
    /// Still accepted.
    pub(crate) older: Vec<hmac::Key>,
}

impl MacKeys {
    /// Every key, the current one first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &hmac::Key> {
        std::iter::once(&self.current).chain(&self.older)
    }
}

/// The master keys, from which keys of single purposes are derived (HKDF, RFC 5869), so that one secret serves
/// many purposes and none of them can be turned against another.
#[derive(Clone)]
pub struct MasterKeys(KeyList);

impl MasterKeys {
    /// From the setting's keys.
    pub fn new(keys: KeyList) -> Self {
        Self(keys)
    }

    /// The HMAC-SHA-256 keys of one purpose.
    pub(crate) fn derive(&self, purpose: &str) -> MacKeys {
        MacKeys {
            current: derive(&self.0.current, purpose),
            older: self.0.older.iter().map(|key| derive(key, purpose)).collect(),
        }
    }

    /// What `make` makes of the id and the [`KEY_LEN`] bytes of each key of one purpose: of the current key, and of
    /// the older ones.
    pub(crate) fn derive_each<K>(&self, purpose: &str, make: impl Fn(&str, &[u8]) -> K) -> (K, Vec<K>) {
        let make = |key: &NamedKey| make(key.id(), expand(key, purpose).as_ref());
        (make(&self.0.current), self.0.older.iter().map(make).collect())
    }
}

fn derive(key: &NamedKey, purpose: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, expand(key, purpose).as_ref())
}

/// HKDF with SHA-256 for one block of output, which is two HMACs and cannot fail.
fn expand(key: &NamedKey, purpose: &str) -> hmac::Tag {
    let salt = hmac::Key::new(hmac::HMAC_SHA256, MASTER_SALT);
    let extracted = hmac::sign(&salt, key.secret());
    let mut expand = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, extracted.as_ref()));
    expand.update(purpose.as_bytes());
    expand.update(&[1]);
    expand.sign()
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MasterKeys").field(&self.0).finish()
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::{KeyList, MasterKeys};
    use crate::encoding::base64;

    /// A list of keys, each of one repeated byte; ids count from one.
    pub(crate) fn list(bytes: &[u8]) -> KeyList {
        let entries: Vec<String> = (1..)
            .zip(bytes)
            .map(|(id, byte)| format!("{id}:{}", base64([*byte; 32])))
            .collect();
        KeyList::parse(&entries.join(",").into()).unwrap()
    }

    pub(crate) fn master(bytes: &[u8]) -> MasterKeys {
        MasterKeys::new(list(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;
    use crate::entropy::testing::Counting;

    fn parse(text: &str) -> Result<KeyList, KeyListError> {
        KeyList::parse(&text.into())
    }

    #[test]
    fn a_list_keeps_its_order() {
        let text = format!("b:{}, a:{}", base64([1; 32]), base64([2; 40]));
        let keys = parse(&text).unwrap();
        assert_eq!(keys.current().id(), "b");
        assert_eq!(keys.current().secret(), [1; 32]);
        assert_eq!(keys.iter().map(NamedKey::id).collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn every_fault_has_its_error() {
        let good = base64([1; 32]);
        let other = base64([2; 32]);
        let long_id = "x".repeat(33);
        let cases = [
            (String::new(), KeyListError::Empty),
            ("  ".into(), KeyListError::Empty),
            (good.clone(), KeyListError::Malformed(1)),
            (format!("a:{good},"), KeyListError::Malformed(2)),
            (format!(":{good}"), KeyListError::BadId(1)),
            (format!("a b:{good}"), KeyListError::BadId(1)),
            (format!("{long_id}:{good}"), KeyListError::BadId(1)),
            (
                format!("a:{good},a:{other}"),
                KeyListError::DuplicateId("a".into()),
            ),
            (
                format!("a:{good},b:{good}"),
                KeyListError::DuplicateKey("a".into(), "b".into()),
            ),
            ("a:???".into(), KeyListError::BadBase64("a".into())),
            (
                format!("a:{}", base64([1; 31])),
                KeyListError::TooShort {
                    id: "a".into(),
                    got: 31,
                },
            ),
        ];
        for (text, error) in cases {
            assert_eq!(parse(&text).unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn nothing_printed_holds_a_key() {
        let keys = testing::list(b"AB");
        let printed = format!(
            "{keys:?} {:?} {:?}",
            keys.current(),
            MasterKeys::new(keys.clone())
        );
        assert!(printed.contains("1:[redacted]"), "{printed}");
        assert!(!printed.contains("AAAA") && !printed.contains("65, 65") && !printed.contains("QUFB"));
        let error = parse("a:c2VjcmV0").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("c2VjcmV0"));
    }

    #[test]
    fn weak_keys_are_told_apart() {
        let counting: Vec<u8> = (0..32).collect();
        let falling: Vec<u8> = (0..32).rev().collect();
        assert_eq!(weakness(&[7; 32]), Some(Weakness::RepeatedByte));
        assert_eq!(weakness(&counting), Some(Weakness::Sequence));
        assert_eq!(weakness(&falling), Some(Weakness::Sequence));
        assert_eq!(
            weakness(b"please change me before the start"),
            Some(Weakness::Printable)
        );
        let published = from_any_base64(PUBLISHED[0]).unwrap();
        assert_eq!(weakness(&published), Some(Weakness::Published));
        let key = generate_key_list("1", &SystemEntropy::new()).unwrap();
        assert_eq!(KeyList::parse(&key).unwrap().current().weakness(), None);
    }

    #[test]
    fn fresh_keys_come_from_the_given_entropy() {
        let entropy = Counting::default();
        let first = generate_key_list("1", &entropy).unwrap();
        assert_eq!(KeyList::parse(&first).unwrap().current().secret(), [0; 32]);
        assert_eq!(generate_key(&entropy).unwrap().expose_secret(), base64([1; 32]));
    }

    #[test]
    fn derived_keys_differ_by_purpose_and_master() {
        let tag = |key: &hmac::Key| hmac::sign(key, b"x").as_ref().to_vec();
        let tags = |purpose| {
            testing::master(&[1, 2])
                .derive(purpose)
                .iter()
                .map(tag)
                .collect::<Vec<_>>()
        };
        let (refresh, cursor) = (tags("refresh"), tags("cursor"));
        assert_eq!(refresh.len(), 2);
        assert_ne!(refresh[0], refresh[1]);
        assert_ne!(refresh, cursor);
        assert_eq!(refresh, tags("refresh"));
    }

    #[test]
    fn derivation_is_hkdf() {
        use ring::hkdf;
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, MASTER_SALT).extract(&[9; 32]);
        let expected: hmac::Key = extracted.expand(&[b"cursor"], hmac::HMAC_SHA256).unwrap().into();
        let derived = testing::master(&[9]).derive("cursor");
        assert_eq!(
            hmac::sign(&derived.current, b"x").as_ref(),
            hmac::sign(&expected, b"x").as_ref()
        );
    }
}
