//! The five headers of a signed request.

use std::fmt;

use super::request::SignatureRefusal;
use crate::api_key::KeyId;
use crate::encoding::{base64url, from_hex_exact, hex};
use crate::entropy::{Entropy, EntropyError, fresh};

/// The header with the id of the key.
pub const KEY_ID: &str = "X-Key-Id";
/// The header with the time of signing, in seconds since 1970.
pub const TIMESTAMP: &str = "X-Timestamp";
/// The header that makes each attempt another one.
pub const NONCE: &str = "X-Nonce";
/// The header with the version of the scheme.
pub const SIGNATURE_VERSION: &str = "X-Signature-Version";
/// The header with the signature.
pub const SIGNATURE: &str = "X-Signature";

/// All of them, each exactly once.
pub const SIGNED_HEADERS: [&str; 5] = [KEY_ID, TIMESTAMP, NONCE, SIGNATURE_VERSION, SIGNATURE];

/// The one version of the scheme.
pub const VERSION: &str = "1";

const NONCE_CHARS: std::ops::RangeInclusive<usize> = 16..=64;
const NONCE_BYTES: usize = 16;

/// What makes an attempt another one than all before: 16 to 64 of `[A-Za-z0-9_-]`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Nonce(String);

impl Nonce {
    /// Reads one. Nothing if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let usable = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b'-';
        (NONCE_CHARS.contains(&text.len()) && text.bytes().all(usable)).then(|| Self(text.to_owned()))
    }

    /// 128 random bits.
    ///
    /// # Errors
    /// [`EntropyError`] when there is no randomness.
    pub fn fresh(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        Ok(Self(base64url(fresh::<NONCE_BYTES>(entropy)?)))
    }

    /// Its characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The headers of a signed request, well formed. Whether they are genuine, only [`verify`](super::verify) can tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedHeaders {
    /// Whose key.
    pub key_id: KeyId,
    /// When it was signed, in seconds since 1970; not negative.
    pub timestamp: i64,
    /// Which attempt.
    pub nonce: Nonce,
    /// HMAC-SHA-256 of the canonical form.
    pub signature: [u8; 32],
}

impl SignedHeaders {
    /// Finds the five among the headers of a request, in any order and case. Each must be there once and have its one
    /// spelling, so that none can be changed without changing the signature.
    ///
    /// # Errors
    /// [`SignatureRefusal::Missing`], [`SignatureRefusal::Repeated`] or [`SignatureRefusal::Malformed`].
    pub fn read(headers: &[(&str, &str)]) -> Result<Self, SignatureRefusal> {
        let key_id = only(headers, KEY_ID)?;
        let timestamp = only(headers, TIMESTAMP)?;
        let nonce = only(headers, NONCE)?;
        let version = only(headers, SIGNATURE_VERSION)?;
        let signature = only(headers, SIGNATURE)?;
        if version != VERSION {
            return Err(SignatureRefusal::Malformed(SIGNATURE_VERSION));
        }
        Ok(Self {
            key_id: KeyId::parse(key_id).map_err(|_| SignatureRefusal::Malformed(KEY_ID))?,
            timestamp: seconds(timestamp).ok_or(SignatureRefusal::Malformed(TIMESTAMP))?,
            nonce: Nonce::parse(nonce).ok_or(SignatureRefusal::Malformed(NONCE))?,
            signature: from_hex_exact(signature).ok_or(SignatureRefusal::Malformed(SIGNATURE))?,
        })
    }

    /// The headers as they are sent.
    pub fn pairs(&self) -> [(&'static str, String); 5] {
        [
            (KEY_ID, self.key_id.to_string()),
            (TIMESTAMP, self.timestamp.to_string()),
            (NONCE, self.nonce.as_str().to_owned()),
            (SIGNATURE_VERSION, VERSION.to_owned()),
            (SIGNATURE, hex(&self.signature)),
        ]
    }
}

fn only<'a>(headers: &[(&str, &'a str)], wanted: &'static str) -> Result<&'a str, SignatureRefusal> {
    let mut values = headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case(wanted))
        .map(|(_, value)| *value);
    let value = values.next().ok_or(SignatureRefusal::Missing(wanted))?;
    match values.next() {
        Some(_) => Err(SignatureRefusal::Repeated(wanted)),
        None => Ok(value),
    }
}

/// Without sign and leading zeros.
fn seconds(text: &str) -> Option<i64> {
    let seconds: i64 = text.parse().ok()?;
    (seconds >= 0 && seconds.to_string() == text).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;
    use crate::entropy::testing::Dry;

    fn genuine() -> Vec<(&'static str, String)> {
        let signed = SignedHeaders {
            key_id: KeyId::parse("041061050r3gg28a").unwrap(),
            timestamp: 1_800_000_000,
            nonce: Nonce::parse("0123456789abcdef").unwrap(),
            signature: [0xab; 32],
        };
        signed.pairs().to_vec()
    }

    fn read(headers: &[(&'static str, String)]) -> Result<SignedHeaders, SignatureRefusal> {
        let pairs: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        SignedHeaders::read(&pairs)
    }

    #[test]
    fn headers_round_trip_in_any_order() {
        let mut headers = genuine();
        let signed = read(&headers).unwrap();
        assert_eq!(signed.pairs().to_vec(), headers);
        headers.reverse();
        headers.push(("accept", "*/*".to_owned()));
        assert_eq!(read(&headers), Ok(signed.clone()));
        let lower: Vec<(String, String)> = headers
            .iter()
            .map(|(name, value)| (name.to_lowercase(), value.clone()))
            .collect();
        let pairs: Vec<(&str, &str)> = lower
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(SignedHeaders::read(&pairs), Ok(signed));
    }

    #[test]
    fn each_is_there_exactly_once() {
        for at in 0..5 {
            let mut headers = genuine();
            let (name, value) = headers.remove(at);
            assert_eq!(read(&headers), Err(SignatureRefusal::Missing(name)));
            headers.extend([(name, value.clone()), (name, value)]);
            assert_eq!(read(&headers), Err(SignatureRefusal::Repeated(name)));
        }
    }

    #[test]
    fn each_has_one_spelling() {
        let mac = "ab".repeat(32);
        for (at, wrong) in [
            (0, ""),
            (0, "041061050R3GG28A"),
            (0, "041061050r3gg28"),
            (0, "041061050r3gg28u"),
            (1, ""),
            (1, "-1"),
            (1, "+1800000000"),
            (1, "01800000000"),
            (1, "1800000000.0"),
            (1, " 1800000000"),
            (1, "9223372036854775808"),
            (2, "0123456789abcde"),
            (2, &"a".repeat(65)),
            (2, "0123456789abcde="),
            (2, "0123456789abcdé"),
            (3, ""),
            (3, "2"),
            (3, "01"),
            (4, &mac[2..]),
            (4, &mac.to_uppercase()),
            (4, &format!("{}g", &mac[1..])),
            (4, &format!("{mac}00")),
        ] {
            let mut headers = genuine();
            headers[at].1 = wrong.to_owned();
            let name = headers[at].0;
            assert_eq!(
                read(&headers),
                Err(SignatureRefusal::Malformed(name)),
                "{name}: {wrong}"
            );
        }
    }

    #[test]
    fn nonces_are_fresh() {
        let entropy = SystemEntropy::new();
        let nonce = Nonce::fresh(&entropy).unwrap();
        assert_eq!(Nonce::parse(nonce.as_str()), Some(nonce.clone()));
        assert_ne!(nonce, Nonce::fresh(&entropy).unwrap());
        assert!(Nonce::fresh(&Dry).is_err());
        assert!(Nonce::parse(&"Z".repeat(64)).is_some());
    }
}
