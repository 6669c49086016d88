//! Signatures of outgoing webhooks, and the receiver's half: Standard Webhooks 1.0.0.
//!
//! Signed is `id.timestamp.body`: with HMAC-SHA-256 as `v1,<base64>` under a secret `whsec_<base64>`, or, read only,
//! with Ed25519 as `v1a,<base64>` of a public key `whpk_<base64>`.

use std::fmt;

use chrono::{DateTime, TimeDelta};
use comanda_domain::Timestamp;
use ring::{hmac, signature};
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use crate::compare;
use crate::encoding::{base64, from_any_base64};
use crate::entropy::{Entropy, EntropyError, fresh};

/// How every secret begins.
pub const WEBHOOK_SECRET_PREFIX: &str = "whsec_";
/// How every public key begins.
pub const WEBHOOK_PUBLIC_KEY_PREFIX: &str = "whpk_";
/// How far a time may be away from the receiver's, unless someone says otherwise.
pub const WEBHOOK_TOLERANCE: TimeDelta = TimeDelta::seconds(300);

/// The header with the id of the event.
pub const WEBHOOK_ID: &str = "webhook-id";
/// The header with the time of the attempt, in seconds since 1970.
pub const WEBHOOK_TIMESTAMP: &str = "webhook-timestamp";
/// The header with the signatures, one for each live secret.
pub const WEBHOOK_SIGNATURE: &str = "webhook-signature";

const SECRET_LEN: usize = 32;
const SECRET_LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;
const PUBLIC_KEY_LEN: usize = 32;
/// Receivers look at this many signatures.
const MAX_SIGNATURES: usize = 16;

/// Neither a webhook secret nor a public key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a webhook key")]
pub struct InvalidWebhookKey;

/// What signs the webhooks of one endpoint.
#[derive(Clone)]
pub struct WebhookSecret(SecretSlice<u8>);

impl WebhookSecret {
    /// A fresh secret of 256 bits.
    ///
    /// # Errors
    /// [`EntropyError`] when there is no randomness.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        Ok(Self(fresh::<SECRET_LEN>(entropy)?.to_vec().into()))
    }

    /// From its 24 to 64 bytes, as they were sealed.
    ///
    /// # Errors
    /// [`InvalidWebhookKey`] for another number of bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidWebhookKey> {
        if SECRET_LENGTHS.contains(&bytes.len()) {
            Ok(Self(bytes.to_vec().into()))
        } else {
            Err(InvalidWebhookKey)
        }
    }

    /// Reads `whsec_<base64>`.
    ///
    /// # Errors
    /// [`InvalidWebhookKey`] for everything else.
    pub fn parse(text: &str) -> Result<Self, InvalidWebhookKey> {
        let encoded = text
            .strip_prefix(WEBHOOK_SECRET_PREFIX)
            .ok_or(InvalidWebhookKey)?;
        Self::from_bytes(&from_any_base64(encoded).ok_or(InvalidWebhookKey)?)
    }

    /// Its bytes, to be sealed.
    pub fn bytes(&self) -> &[u8] {
        self.0.expose_secret()
    }

    /// `whsec_<base64>`, for the one answer that hands it out.
    pub fn text(&self) -> SecretString {
        format!("{WEBHOOK_SECRET_PREFIX}{}", base64(self.bytes())).into()
    }

    fn tag(&self, id: &str, timestamp: &str, body: &[u8]) -> hmac::Tag {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.bytes());
        hmac::sign(&key, &signed_content(id, timestamp, body))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret([redacted])")
    }
}

/// The value of `webhook-signature`: one signature for each secret, separated by spaces.
///
/// `id` must not contain a dot; ids of events never do. `sent_at` counts in whole seconds.
pub fn sign_webhook(secrets: &[WebhookSecret], id: &str, sent_at: Timestamp, body: &[u8]) -> String {
    let timestamp = sent_at.timestamp().to_string();
    let signatures: Vec<String> = secrets
        .iter()
        .map(|secret| format!("v1,{}", base64(secret.tag(id, &timestamp, body))))
        .collect();
    signatures.join(" ")
}

/// By what a receiver knows the sender.
#[derive(Clone, Debug)]
pub enum WebhookKey {
    /// The secret that both have.
    Secret(WebhookSecret),
    /// The sender's Ed25519 key.
    Public([u8; PUBLIC_KEY_LEN]),
}

impl WebhookKey {
    /// Reads `whsec_<base64>` or `whpk_<base64>`.
    ///
    /// # Errors
    /// [`InvalidWebhookKey`] for everything else.
    pub fn parse(text: &str) -> Result<Self, InvalidWebhookKey> {
        let Some(encoded) = text.strip_prefix(WEBHOOK_PUBLIC_KEY_PREFIX) else {
            return WebhookSecret::parse(text).map(Self::Secret);
        };
        let bytes = from_any_base64(encoded).ok_or(InvalidWebhookKey)?;
        bytes.try_into().map(Self::Public).map_err(|_| InvalidWebhookKey)
    }

    fn made(&self, given: &str, id: &str, timestamp: &str, body: &[u8]) -> bool {
        let Some((version, encoded)) = given.split_once(',') else {
            return false;
        };
        let Some(given) = from_any_base64(encoded) else {
            return false;
        };
        match (self, version) {
            (Self::Secret(secret), "v1") => compare::equal(secret.tag(id, timestamp, body).as_ref(), &given),
            (Self::Public(key), "v1a") => signature::UnparsedPublicKey::new(&signature::ED25519, key)
                .verify(&signed_content(id, timestamp, body), &given)
                .is_ok(),
            _ => false,
        }
    }
}

/// A webhook that its sender made, in time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    /// The id of the event, by which a receiver knows a repeat.
    pub id: String,
    /// When it was sent.
    pub timestamp: Timestamp,
}

/// Why a webhook is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WebhookError {
    /// This header is missing.
    #[error("the header {0} is missing")]
    Missing(&'static str),
    /// This header is there twice.
    #[error("the header {0} is given twice")]
    Repeated(&'static str),
    /// The id is empty or contains a dot, which would let it run into the time.
    #[error("the id is not usable")]
    BadId,
    /// The time is no number of seconds.
    #[error("the time is not a number of seconds")]
    BadTimestamp,
    /// The time is too far in the past.
    #[error("too old")]
    TooOld,
    /// The time is too far in the future.
    #[error("from the future")]
    TooNew,
    /// None of the signatures was made with one of the keys.
    #[error("no signature fits")]
    NoMatch,
}

/// Checks a webhook: with one of `keys`, at a time at most `tolerance` away from `now`
/// ([`WEBHOOK_TOLERANCE`] unless there is a reason).
///
/// `headers` are those of the request, in any order and case; `raw_body` is the body as it was received, before any
/// parsing.
///
/// # Errors
/// [`WebhookError`] says why not. An empty list of keys accepts nothing.
pub fn verify_webhook_signature(
    keys: &[WebhookKey],
    headers: &[(&str, &str)],
    raw_body: &[u8],
    now: Timestamp,
    tolerance: TimeDelta,
) -> Result<Verified, WebhookError> {
    let id = only(headers, WEBHOOK_ID)?;
    let seconds = only(headers, WEBHOOK_TIMESTAMP)?;
    let signatures = only(headers, WEBHOOK_SIGNATURE)?;
    if id.is_empty() || id.contains('.') {
        return Err(WebhookError::BadId);
    }
    let timestamp = in_time(seconds, now, tolerance)?;
    let genuine = signatures
        .split(' ')
        .take(MAX_SIGNATURES)
        .any(|given| keys.iter().any(|key| key.made(given, id, seconds, raw_body)));
    if !genuine {
        return Err(WebhookError::NoMatch);
    }
    Ok(Verified {
        id: id.to_owned(),
        timestamp,
    })
}

fn only<'a>(headers: &[(&str, &'a str)], wanted: &'static str) -> Result<&'a str, WebhookError> {
    let mut values = headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case(wanted))
        .map(|(_, value)| *value);
    let value = values.next().ok_or(WebhookError::Missing(wanted))?;
    match values.next() {
        Some(_) => Err(WebhookError::Repeated(wanted)),
        None => Ok(value),
    }
}

fn in_time(seconds: &str, now: Timestamp, tolerance: TimeDelta) -> Result<Timestamp, WebhookError> {
    if !seconds.bytes().all(|c| c.is_ascii_digit()) {
        return Err(WebhookError::BadTimestamp);
    }
    let timestamp = seconds
        .parse()
        .ok()
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .ok_or(WebhookError::BadTimestamp)?;
    let age = now.signed_duration_since(timestamp);
    if age > tolerance {
        Err(WebhookError::TooOld)
    } else if age < -tolerance {
        Err(WebhookError::TooNew)
    } else {
        Ok(timestamp)
    }
}

fn signed_content(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), timestamp.as_bytes(), body].join(&b'.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;
    use crate::entropy::SystemEntropy;
    use crate::entropy::testing::{Counting, Dry};

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SENT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn at(seconds: i64) -> Timestamp {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn check(signature: &str, now: i64) -> Result<Verified, WebhookError> {
        let sent = SENT.to_string();
        let headers = [
            ("webhook-id", ID),
            ("webhook-timestamp", sent.as_str()),
            ("webhook-signature", signature),
        ];
        let keys = [WebhookKey::parse(SECRET).unwrap()];
        verify_webhook_signature(&keys, &headers, BODY, at(now), WEBHOOK_TOLERANCE)
    }

    #[test]
    fn the_vector_of_the_standard_holds() {
        let secret = WebhookSecret::parse(SECRET).unwrap();
        assert_eq!(secret.text().expose_secret(), SECRET);
        assert_eq!(sign_webhook(&[secret], ID, at(SENT), BODY), SIGNATURE);
        let verified = Verified {
            id: ID.to_owned(),
            timestamp: at(SENT),
        };
        assert_eq!(check(SIGNATURE, SENT), Ok(verified));
    }

    #[test]
    fn one_of_several_signatures_will_do() {
        let other = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        for list in [
            format!("{other} {SIGNATURE}"),
            format!("{SIGNATURE} {other}"),
            format!("v2,x nonsense , v1, {SIGNATURE}"),
        ] {
            assert!(check(&list, SENT).is_ok(), "{list}");
        }
        for list in [
            String::new(),
            other.to_owned(),
            SIGNATURE.replace("v1,", "v1a,"),
            SIGNATURE.replace("v1,", "v2,"),
            SIGNATURE.replace("v1,", ""),
            SIGNATURE.replace(',', " "),
            format!("{} {SIGNATURE}", vec![other; MAX_SIGNATURES].join(" ")),
        ] {
            assert_eq!(check(&list, SENT), Err(WebhookError::NoMatch), "{list}");
        }
    }

    #[test]
    fn times_must_be_near() {
        for now in [SENT - 300, SENT + 300] {
            assert!(check(SIGNATURE, now).is_ok(), "{now}");
        }
        assert_eq!(check(SIGNATURE, SENT + 301), Err(WebhookError::TooOld));
        assert_eq!(check(SIGNATURE, SENT - 301), Err(WebhookError::TooNew));
    }

    #[test]
    fn headers_must_be_there_once_and_readable() {
        let keys = [WebhookKey::parse(SECRET).unwrap()];
        let check = |headers: &[(&str, &str)]| {
            verify_webhook_signature(&keys, headers, BODY, at(SENT), WEBHOOK_TOLERANCE).map(|_| ())
        };
        let (id, time, mac) = (
            ("Webhook-Id", ID),
            ("WEBHOOK-TIMESTAMP", "1614265330"),
            ("webhook-signature", SIGNATURE),
        );
        assert_eq!(check(&[mac, ("accept", "*/*"), time, id]), Ok(()));
        let cases: [(&[(&str, &str)], WebhookError); 11] = [
            (&[time, mac], WebhookError::Missing(WEBHOOK_ID)),
            (&[id, mac], WebhookError::Missing(WEBHOOK_TIMESTAMP)),
            (&[id, time], WebhookError::Missing(WEBHOOK_SIGNATURE)),
            (&[id, time, mac, id], WebhookError::Repeated(WEBHOOK_ID)),
            (&[id, time, mac, time], WebhookError::Repeated(WEBHOOK_TIMESTAMP)),
            (&[id, time, mac, mac], WebhookError::Repeated(WEBHOOK_SIGNATURE)),
            (&[("webhook-id", "msg.1"), time, mac], WebhookError::BadId),
            (&[("webhook-id", ""), time, mac], WebhookError::BadId),
            (
                &[id, ("webhook-timestamp", "+1614265330"), mac],
                WebhookError::BadTimestamp,
            ),
            (&[id, ("webhook-timestamp", ""), mac], WebhookError::BadTimestamp),
            (
                &[id, ("webhook-timestamp", "9223372036854775807"), mac],
                WebhookError::BadTimestamp,
            ),
        ];
        for (headers, error) in cases {
            assert_eq!(check(headers), Err(error), "{headers:?}");
        }
    }

    #[test]
    fn a_public_key_verifies_what_its_owner_signed() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
        let text = format!("whpk_{}", base64(pair.public_key().as_ref()));
        let signed = pair.sign(&signed_content(ID, "1614265330", BODY));
        let signature = format!("v1a,{}", base64(signed.as_ref()));
        let headers = [
            (WEBHOOK_ID, ID),
            (WEBHOOK_TIMESTAMP, "1614265330"),
            (WEBHOOK_SIGNATURE, &signature),
        ];
        let check = |key: &str, body: &[u8]| {
            let keys = [WebhookKey::parse(key).unwrap()];
            verify_webhook_signature(&keys, &headers, body, at(SENT), WEBHOOK_TOLERANCE).map(|_| ())
        };
        assert_eq!(check(&text, BODY), Ok(()));
        assert_eq!(check(&text, b"{}"), Err(WebhookError::NoMatch));
        assert_eq!(check(SECRET, BODY), Err(WebhookError::NoMatch));
        let other = format!("whpk_{}", base64([1; 32]));
        assert_eq!(check(&other, BODY), Err(WebhookError::NoMatch));
    }

    #[test]
    fn no_key_accepts_nothing() {
        let headers = [
            (WEBHOOK_ID, ID),
            (WEBHOOK_TIMESTAMP, "1614265330"),
            (WEBHOOK_SIGNATURE, SIGNATURE),
        ];
        let answer = verify_webhook_signature(&[], &headers, BODY, at(SENT), WEBHOOK_TOLERANCE);
        assert_eq!(answer, Err(WebhookError::NoMatch));
    }

    #[test]
    fn keys_have_a_prefix_and_a_length() {
        for bytes in [24, 32, 64] {
            assert!(
                WebhookKey::parse(&format!("whsec_{}", base64(vec![1; bytes]))).is_ok(),
                "{bytes}"
            );
        }
        for text in [
            String::new(),
            base64([1; 32]),
            "whsec_???".to_owned(),
            format!("whsec_{}", base64([1; 23])),
            format!("whsec_{}", base64([1; 65])),
            format!("whpk_{}", base64([1; 31])),
            format!("whsk_{}", base64([1; 32])),
        ] {
            assert_eq!(WebhookKey::parse(&text).unwrap_err(), InvalidWebhookKey, "{text}");
        }
        assert!(WebhookSecret::from_bytes(&[1; 23]).is_err());
    }

    #[test]
    fn secrets_are_fresh_and_do_not_print() {
        let entropy = Counting::default();
        let secret = WebhookSecret::generate(&entropy).unwrap();
        assert_eq!(
            secret.text().expose_secret(),
            &format!("whsec_{}", base64([0; 32]))
        );
        assert_eq!(WebhookSecret::generate(&entropy).unwrap().bytes(), [1; 32]);
        assert!(WebhookSecret::generate(&Dry).is_err());
        let printed = format!("{secret:?} {:?}", WebhookKey::Secret(secret.clone()));
        assert_eq!(
            printed,
            "WebhookSecret([redacted]) Secret(WebhookSecret([redacted]))"
        );
    }

    proptest! {
        #[test]
        fn what_is_signed_verifies_under_each_secret_and_nothing_else_does(
            id in "[a-z]{3}_[0-9a-z]{26}",
            sent in 0_i64..4_000_000_000,
            body in prop::collection::vec(any::<u8>(), 0..60),
            bit: prop::sample::Index,
        ) {
            let entropy = SystemEntropy::new();
            let secrets = [(); 2].map(|()| WebhookSecret::generate(&entropy).unwrap());
            let signature = sign_webhook(&secrets, &id, at(sent), &body);
            let check = |secret: &WebhookSecret, id: &str, sent: i64, body: &[u8]| {
                let sent = sent.to_string();
                let headers = [
                    (WEBHOOK_ID, id),
                    (WEBHOOK_TIMESTAMP, sent.as_str()),
                    (WEBHOOK_SIGNATURE, signature.as_str()),
                ];
                let keys = [WebhookKey::Secret(secret.clone())];
                verify_webhook_signature(&keys, &headers, body, at(sent.parse().unwrap()), WEBHOOK_TOLERANCE)
            };
            for secret in &secrets {
                let expected = Verified { id: id.clone(), timestamp: at(sent) };
                prop_assert_eq!(check(secret, &id, sent, &body), Ok(expected));
                prop_assert_eq!(check(secret, &format!("{id}x"), sent, &body), Err(WebhookError::NoMatch));
                prop_assert_eq!(check(secret, &id, sent + 1, &body), Err(WebhookError::NoMatch));
                let mut other = body.clone();
                other.push(0);
                prop_assert_eq!(check(secret, &id, sent, &other), Err(WebhookError::NoMatch));
                if !body.is_empty() {
                    let bit = bit.index(body.len() * 8);
                    let mut flipped = body.clone();
                    flipped[bit / 8] ^= 1 << (bit % 8);
                    prop_assert_eq!(check(secret, &id, sent, &flipped), Err(WebhookError::NoMatch));
                }
            }
            let stranger = WebhookSecret::generate(&entropy).unwrap();
            prop_assert_eq!(check(&stranger, &id, sent, &body), Err(WebhookError::NoMatch));
        }
    }
}
