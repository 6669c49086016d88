//! The text of a key.

use std::fmt;

use comanda_domain::ids::base32;
use secrecy::{ExposeSecret, SecretString};

use super::base62;
use super::crc32::crc32;
use crate::entropy::{Entropy, EntropyError, fresh};

/// What every key matches, as a regular expression for secret scanners and for redaction.
pub const API_KEY_PATTERN: &str = "^cmd_(live|test)_[0-9a-hjkmnp-tv-z]{16}_[0-9A-Za-z]{49}$";

const PREFIX: &str = "cmd";
const KEY_ID_CHARS: usize = 16;
const KEY_ID_BYTES: usize = 10;
const SECRET_CHARS: usize = 43;
const SECRET_BYTES: usize = 32;
const CHECK_CHARS: usize = 6;

/// Not a key of ours: of another shape, or damaged. No database need be asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not an API key")]
pub struct Malformed;

/// Not the id of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a key id")]
pub struct InvalidKeyId;

/// On which side a key works; a tenant's mark never changes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum KeyEnvironment {
    /// For tenants in earnest.
    Live,
    /// For tenants created as sandbox.
    Test,
}

impl KeyEnvironment {
    /// The name, as it is stored and written in keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Live, Self::Test]
            .into_iter()
            .find(|environment| environment.as_str() == text)
    }
}

/// By which a key is found: 80 random bits in 16 characters. No secret.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// Reads an id in its one spelling.
    ///
    /// # Errors
    /// [`InvalidKeyId`] for every other text.
    pub fn parse(text: &str) -> Result<Self, InvalidKeyId> {
        if text.len() == KEY_ID_CHARS && text.bytes().all(is_base32) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidKeyId)
        }
    }

    /// The 16 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn fresh(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let bytes = fresh::<KEY_ID_BYTES>(entropy)?;
        let bits = bytes.iter().fold(0, |bits, byte| (bits << 8) | u128::from(*byte));
        // 80 bits are the last 16 of the characters that 128 bits take.
        let text = base32(bits);
        Ok(Self(text.chars().skip(text.len() - KEY_ID_CHARS).collect()))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The secret of a key, 43 characters. Only its MAC is stored.
#[derive(Clone)]
pub struct ApiKeySecret(SecretString);

impl ApiKeySecret {
    fn fresh(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let bytes = fresh::<SECRET_BYTES>(entropy)?;
        Ok(Self(base62::encode(&bytes, SECRET_CHARS).into()))
    }

    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for ApiKeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeySecret([redacted])")
    }
}

/// A well-formed key that someone sent. Whether it is genuine, only [`validate`](super::validate) can tell.
#[derive(Clone, Debug)]
pub struct PresentedKey {
    /// The side that it names.
    pub environment: KeyEnvironment,
    /// By which its row is found.
    pub key_id: KeyId,
    /// What proves it.
    pub secret: ApiKeySecret,
}

/// A key made just now.
#[derive(Clone, Debug)]
pub struct IssuedKey {
    /// By which it will be found.
    pub key_id: KeyId,
    /// Of which the MAC is to be stored.
    pub secret: ApiKeySecret,
    /// The whole key, for the one answer that hands it out.
    pub text: SecretString,
}

/// A fresh key.
///
/// # Errors
/// [`EntropyError`] when there is no randomness.
pub fn issue(environment: KeyEnvironment, entropy: &dyn Entropy) -> Result<IssuedKey, EntropyError> {
    reissue(environment, KeyId::fresh(entropy)?, entropy)
}

/// A fresh secret for a key that keeps its id.
///
/// # Errors
/// [`EntropyError`] when there is no randomness.
pub fn reissue(
    environment: KeyEnvironment,
    key_id: KeyId,
    entropy: &dyn Entropy,
) -> Result<IssuedKey, EntropyError> {
    let secret = ApiKeySecret::fresh(entropy)?;
    let mut text = format!("{PREFIX}_{}_{key_id}_{}", environment.as_str(), secret.expose());
    text.push_str(&checksum(&text));
    Ok(IssuedKey {
        key_id,
        secret,
        text: text.into(),
    })
}

/// Reads a key in its one spelling and checks that it is not damaged. Asks nobody.
///
/// # Errors
/// [`Malformed`] for every other text.
pub fn parse(presented: &str) -> Result<PresentedKey, Malformed> {
    let split = presented.len().checked_sub(CHECK_CHARS).ok_or(Malformed)?;
    let (body, check) = presented.split_at_checked(split).ok_or(Malformed)?;
    let mut parts = body.split('_');
    let (Some(PREFIX), Some(environment), Some(key_id), Some(secret), None) = (
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
    ) else {
        return Err(Malformed);
    };
    let environment = KeyEnvironment::parse(environment).ok_or(Malformed)?;
    let key_id = KeyId::parse(key_id).map_err(|_| Malformed)?;
    if secret.len() != SECRET_CHARS || !secret.bytes().all(|c| c.is_ascii_alphanumeric()) {
        return Err(Malformed);
    }
    if check != checksum(body) {
        return Err(Malformed);
    }
    Ok(PresentedKey {
        environment,
        key_id,
        secret: ApiKeySecret(secret.into()),
    })
}

/// Crockford's digits in lower case: no `i`, `l`, `o` and `u`.
fn is_base32(c: u8) -> bool {
    matches!(c, b'0'..=b'9' | b'a'..=b'h' | b'j' | b'k' | b'm' | b'n' | b'p'..=b't' | b'v'..=b'z')
}

fn checksum(body: &str) -> String {
    base62::encode(&crc32(body.as_bytes()).to_be_bytes(), CHECK_CHARS)
}

#[cfg(test)]
pub(super) mod testing {
    use std::sync::Mutex;

    use crate::entropy::{Entropy, EntropyError};

    /// Gives these bytes, one after the other, and then no more.
    pub(crate) struct Given(Mutex<Vec<u8>>);

    impl Given {
        pub(crate) fn new(parts: &[&[u8]]) -> Self {
            Self(Mutex::new(parts.concat()))
        }
    }

    impl Entropy for Given {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            let mut left = self.0.lock().unwrap();
            if left.len() < bytes.len() {
                return Err(EntropyError);
            }
            let rest = left.split_off(bytes.len());
            bytes.copy_from_slice(&left);
            *left = rest;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::testing::Given;
    use super::*;
    use crate::entropy::SystemEntropy;
    use crate::entropy::testing::{Counting, Dry};

    fn key(environment: KeyEnvironment, id: [u8; 10], secret: [u8; 32]) -> IssuedKey {
        issue(environment, &Given::new(&[&id, &secret])).unwrap()
    }

    fn counting<const N: usize>(from: u8) -> [u8; N] {
        std::array::from_fn(|i| from + u8::try_from(i).unwrap())
    }

    #[test]
    fn the_test_vectors_hold() {
        let text = "cmd_live_041061050r3gg28a_No287qEH4uQv9vBo5cxQTXAw02KFtzjuPbCrH1FrBEB2px0jH";
        let issued = key(KeyEnvironment::Live, counting(1), counting(100));
        assert_eq!(issued.text.expose_secret(), text);
        assert_eq!(issued.key_id.as_str(), "041061050r3gg28a");

        let zeros = format!("cmd_test_{}_{}0yWThG", "0".repeat(16), "0".repeat(43));
        let issued = key(KeyEnvironment::Test, [0; 10], [0; 32]);
        assert_eq!(issued.text.expose_secret(), zeros);
    }

    #[test]
    fn a_new_secret_keeps_the_id() {
        let entropy = SystemEntropy::new();
        let first = issue(KeyEnvironment::Live, &entropy).unwrap();
        let second = reissue(KeyEnvironment::Live, first.key_id.clone(), &entropy).unwrap();
        assert_eq!(second.key_id, first.key_id);
        assert_ne!(second.secret.expose(), first.secret.expose());
        assert_ne!(
            issue(KeyEnvironment::Live, &entropy).unwrap().key_id,
            first.key_id
        );
    }

    #[test]
    fn no_randomness_means_no_key() {
        assert!(issue(KeyEnvironment::Live, &Dry).is_err());
    }

    #[test]
    fn nothing_printed_holds_the_secret() {
        let issued = issue(KeyEnvironment::Live, &Counting::default()).unwrap();
        let presented = parse(issued.text.expose_secret()).unwrap();
        let printed = format!("{issued:?} {presented:?}");
        assert!(printed.contains(issued.key_id.as_str()), "{printed}");
        assert!(!printed.contains(issued.secret.expose()), "{printed}");
    }

    #[test]
    fn other_shapes_are_refused_although_the_checksum_holds() {
        let id = "0".repeat(16);
        let secret = "0".repeat(43);
        for body in [
            format!("cmd_prod_{id}_{secret}"),
            format!("CMD_live_{id}_{secret}"),
            format!("cmd_live_{}_{secret}", id.replace('0', "O")),
            format!("cmd_live_{}_{secret}", id.replace('0', "u")),
            format!("cmd_live_{id}0_{secret}"),
            format!("cmd_live_{id}_0{secret}"),
            format!("cmd_live_{id}_{}", &secret[1..]),
            format!("cmd_live_{id}_-{}", &secret[1..]),
            format!("cmd_live_{id}_é{}", &secret[2..]),
            format!("cmd_live_{id}_{secret}_"),
            format!("cmd_live_{id}{secret}"),
            String::new(),
        ] {
            let text = format!("{body}{}", checksum(&body));
            assert_eq!(parse(&text).unwrap_err(), Malformed, "{text}");
        }
    }

    fn any_environment() -> impl Strategy<Value = KeyEnvironment> {
        prop::sample::select(vec![KeyEnvironment::Live, KeyEnvironment::Test])
    }

    proptest! {
        #[test]
        fn keys_round_trip_and_match_the_pattern(environment in any_environment(), id: [u8; 10], secret: [u8; 32]) {
            let issued = key(environment, id, secret);
            let text = issued.text.expose_secret();
            prop_assert_eq!(text.len(), 75);
            prop_assert!(Regex::new(API_KEY_PATTERN).unwrap().is_match(text), "{}", text);
            let presented = parse(text).unwrap();
            prop_assert_eq!(presented.environment, environment);
            prop_assert_eq!(&presented.key_id, &issued.key_id);
            prop_assert_eq!(presented.secret.expose(), issued.secret.expose());
        }

        #[test]
        fn different_bytes_are_different_keys(one: ([u8; 10], [u8; 32]), other: ([u8; 10], [u8; 32])) {
            let live = KeyEnvironment::Live;
            let (a, b) = (key(live, one.0, one.1), key(live, other.0, other.1));
            prop_assert_eq!(one == other, a.text.expose_secret() == b.text.expose_secret());
        }

        #[test]
        fn what_is_read_matches_the_pattern(text in "\\PC{0,80}|cmd_(live|test)_[0-9a-z]{16}_[0-9A-Za-z]{49}") {
            if parse(&text).is_ok() {
                prop_assert!(Regex::new(API_KEY_PATTERN).unwrap().is_match(&text), "{}", text);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]

        #[test]
        fn every_slip_of_the_pen_is_refused(environment in any_environment(), id: [u8; 10], secret: [u8; 32]) {
            let issued = key(environment, id, secret);
            let text = issued.text.expose_secret();
            for at in 0..text.len() {
                let (before, after) = text.split_at(at);
                let (found, behind) = after.split_at(1);
                for c in (b' '..=b'~').map(char::from).filter(|c| !found.starts_with(*c)) {
                    let typo = format!("{before}{c}{behind}");
                    prop_assert!(parse(&typo).is_err(), "{}", typo);
                }
                let lost = format!("{before}{behind}");
                prop_assert!(parse(&lost).is_err(), "{}", lost);
                let doubled = format!("{before}{found}{after}");
                prop_assert!(parse(&doubled).is_err(), "{}", doubled);
                if let Some(next) = behind.chars().next().filter(|next| !found.starts_with(*next)) {
                    let swapped = format!("{before}{next}{found}{}", &behind[1..]);
                    prop_assert!(parse(&swapped).is_err(), "{}", swapped);
                }
            }
        }
    }
}
