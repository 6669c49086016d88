//! Signing a request, and judging one.

use comanda_domain::Timestamp;

use super::canonical::{InvalidQuery, SignableRequest, Stamp, canonical_form};
use super::headers::{Nonce, SignedHeaders, VERSION};
use super::secret::SigningSecret;
use crate::api_key::KeyId;
use crate::compare;

/// How old a signature may be, in seconds.
pub const PAST: i64 = 300;
/// How far a signature may be from the future, in seconds.
pub const AHEAD: i64 = 30;

/// Why a signed request is refused. For logs and metrics; the client learns only that it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SignatureRefusal {
    /// This header is missing.
    #[error("the header {0} is missing")]
    Missing(&'static str),
    /// This header is there twice.
    #[error("the header {0} is given twice")]
    Repeated(&'static str),
    /// This header has a value that it cannot have.
    #[error("the header {0} is malformed")]
    Malformed(&'static str),
    /// Signed too long ago.
    #[error("signed too long ago")]
    TooOld,
    /// Signed in the future.
    #[error("signed in the future")]
    TooNew,
    /// The query cannot be read.
    #[error(transparent)]
    Query(#[from] InvalidQuery),
    /// Signed with another secret, or changed since.
    #[error("the signature does not fit")]
    Mismatch,
}

impl SignatureRefusal {
    /// The reason, as logs and metric labels write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing(_) => "missing",
            Self::Repeated(_) => "repeated",
            Self::Malformed(_) => "malformed",
            Self::TooOld => "too_old",
            Self::TooNew => "too_new",
            Self::Query(_) => "query",
            Self::Mismatch => "mismatch",
        }
    }
}

/// Signs the requests of one key.
#[derive(Clone, Debug)]
pub struct RequestSigner {
    key_id: KeyId,
    secret: SigningSecret,
}

impl RequestSigner {
    /// For this key, with its signing secret.
    pub fn new(key_id: KeyId, secret: SigningSecret) -> Self {
        Self { key_id, secret }
    }

    /// The headers to send with the request. Every attempt needs a fresh `nonce`.
    ///
    /// # Errors
    /// [`InvalidQuery`] for a query that nobody could accept.
    pub fn sign(
        &self,
        request: &SignableRequest<'_>,
        now: Timestamp,
        nonce: Nonce,
    ) -> Result<SignedHeaders, InvalidQuery> {
        let method = request.method.to_ascii_uppercase();
        let request = SignableRequest {
            method: &method,
            ..*request
        };
        let mut signed = SignedHeaders {
            key_id: self.key_id.clone(),
            timestamp: now.timestamp().max(0),
            nonce,
            signature: [0; 32],
        };
        let mac = self.secret.mac(&signed.covers(&request)?);
        signed.signature.copy_from_slice(mac.as_ref());
        Ok(signed)
    }
}

impl SignedHeaders {
    /// The canonical form of the request with these headers: the bytes under the signature.
    ///
    /// # Errors
    /// [`InvalidQuery`] for a query that cannot be read.
    pub fn covers(&self, request: &SignableRequest<'_>) -> Result<Vec<u8>, InvalidQuery> {
        canonical_form(
            request,
            &Stamp {
                version: VERSION,
                timestamp: &self.timestamp.to_string(),
                nonce: self.nonce.as_str(),
                key_id: self.key_id.as_str(),
            },
        )
    }

    /// Whether they were signed at most [`PAST`] seconds ago, and at most [`AHEAD`] seconds ahead of us.
    ///
    /// # Errors
    /// [`SignatureRefusal::TooOld`] or [`SignatureRefusal::TooNew`].
    pub fn in_time(&self, now: Timestamp) -> Result<(), SignatureRefusal> {
        let age = now.timestamp().saturating_sub(self.timestamp);
        if age > PAST {
            Err(SignatureRefusal::TooOld)
        } else if age < -AHEAD {
            Err(SignatureRefusal::TooNew)
        } else {
            Ok(())
        }
    }
}

/// With which of the key's `secrets` (its live ones, the newest first) the request was signed, as an index into them.
///
/// Whether the key lives and whether the nonce is unused are the caller's to find out. An empty list of secrets
/// accepts nothing.
///
/// # Errors
/// [`SignatureRefusal`] says why not.
pub fn verify(
    signed: &SignedHeaders,
    request: &SignableRequest<'_>,
    secrets: &[SigningSecret],
    now: Timestamp,
) -> Result<usize, SignatureRefusal> {
    signed.in_time(now)?;
    let canonical = signed.covers(request)?;
    // Every secret is tried, also once one has fitted.
    let fits: Vec<bool> = secrets
        .iter()
        .map(|secret| compare::equal(secret.mac(&canonical).as_ref(), &signed.signature))
        .collect();
    fits.iter()
        .position(|fits| *fits)
        .ok_or(SignatureRefusal::Mismatch)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    const GET: SignableRequest<'static> = SignableRequest {
        method: "GET",
        path: "/v1/integration/me",
        query: "b=2&a=1",
        body: b"",
    };
    const SIGNED_AT: i64 = 1_800_000_000;

    fn at(seconds: i64) -> Timestamp {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn secret(byte: u8) -> SigningSecret {
        SigningSecret::from_bytes(&[byte; 32]).unwrap()
    }

    fn signed(byte: u8) -> SignedHeaders {
        let key_id = KeyId::parse("041061050r3gg28a").unwrap();
        let nonce = Nonce::parse("0123456789abcdef").unwrap();
        RequestSigner::new(key_id, secret(byte))
            .sign(&GET, at(SIGNED_AT), nonce)
            .unwrap()
    }

    #[test]
    fn each_live_secret_verifies() {
        let now = at(SIGNED_AT);
        let secrets = [secret(2), secret(1)];
        assert_eq!(verify(&signed(2), &GET, &secrets, now), Ok(0));
        assert_eq!(verify(&signed(1), &GET, &secrets, now), Ok(1));
        assert_eq!(
            verify(&signed(3), &GET, &secrets, now),
            Err(SignatureRefusal::Mismatch)
        );
        assert_eq!(
            verify(&signed(1), &GET, &[], now),
            Err(SignatureRefusal::Mismatch)
        );
    }

    #[test]
    fn signatures_live_for_minutes() {
        let check = |now| verify(&signed(1), &GET, &[secret(1)], at(now));
        for now in [SIGNED_AT - 30, SIGNED_AT, SIGNED_AT + 300] {
            assert_eq!(check(now), Ok(0), "{now}");
        }
        assert_eq!(check(SIGNED_AT + 301), Err(SignatureRefusal::TooOld));
        assert_eq!(check(SIGNED_AT - 31), Err(SignatureRefusal::TooNew));
    }

    #[test]
    fn queries_may_be_spelt_otherwise_on_the_way() {
        let check = |query| {
            let request = SignableRequest { query, ..GET };
            verify(&signed(1), &request, &[secret(1)], at(SIGNED_AT))
        };
        assert_eq!(check("a=%31&&b=2"), Ok(0));
        assert_eq!(check("a=1"), Err(SignatureRefusal::Mismatch));
        assert_eq!(check("a=1&b=2%"), Err(SignatureRefusal::Query(InvalidQuery)));
    }

    #[test]
    fn methods_are_signed_in_upper_case() {
        let lower = SignableRequest { method: "get", ..GET };
        let key_id = KeyId::parse("041061050r3gg28a").unwrap();
        let nonce = Nonce::parse("0123456789abcdef").unwrap();
        let again = RequestSigner::new(key_id, secret(1))
            .sign(&lower, at(SIGNED_AT), nonce)
            .unwrap();
        assert_eq!(again, signed(1));
        let refused = verify(&again, &lower, &[secret(1)], at(SIGNED_AT));
        assert_eq!(refused, Err(SignatureRefusal::Mismatch));
    }
}
