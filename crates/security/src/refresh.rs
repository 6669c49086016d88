//! Refresh tokens: `cmdr_<family in 26 characters>_<43 characters>`.
//!
//! The first token of a login is random; each successor is an HMAC of the token presented. So neither a dump of
//! the database, which holds hashes only, nor the key alone yields a token, and two tabs that refresh at once
//! receive the same successor.

use std::fmt;

use comanda_domain::ids::{FamilyId, base32, parse_base32};
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::compare;
use crate::encoding::{base64url, from_base64url_exact};
use crate::entropy::{Entropy, EntropyError, fresh};
use crate::hash::sha256;
use crate::keys::{MacKeys, MasterKeys};

/// How every refresh token begins.
pub const REFRESH_PREFIX: &str = "cmdr_";

/// Not a refresh token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a refresh token")]
pub struct InvalidRefreshToken;

/// A well-formed refresh token. Whether it is genuine, only its stored hash can tell.
#[derive(Clone)]
pub struct RefreshToken {
    family: FamilyId,
    text: SecretString,
}

impl RefreshToken {
    /// Reads a token in its one spelling.
    ///
    /// # Errors
    /// [`InvalidRefreshToken`] for every other text.
    pub fn parse(text: &str) -> Result<Self, InvalidRefreshToken> {
        let rest = text.strip_prefix(REFRESH_PREFIX).ok_or(InvalidRefreshToken)?;
        let (family, secret) = rest.split_once('_').ok_or(InvalidRefreshToken)?;
        let family = parse_base32(family).ok_or(InvalidRefreshToken)?;
        from_base64url_exact::<32>(secret).ok_or(InvalidRefreshToken)?;
        Ok(Self {
            family: FamilyId(Uuid::from_u128(family)),
            text: text.into(),
        })
    }

    fn new(family: FamilyId, secret: &[u8]) -> Self {
        let text = format!(
            "{REFRESH_PREFIX}{}_{}",
            base32(family.0.as_u128()),
            base64url(secret)
        );
        Self {
            family,
            text: text.into(),
        }
    }

    /// The login it belongs to.
    pub fn family(&self) -> FamilyId {
        self.family
    }

    /// The text, for the one answer that hands it out.
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }

    /// What is stored of it: SHA-256 of the text.
    pub fn hash(&self) -> [u8; 32] {
        sha256(&[self.expose().as_bytes()])
    }

    /// Whether this is the token that was stored as `hash`.
    pub fn has_hash(&self, hash: &[u8]) -> bool {
        compare::equal(&self.hash(), hash)
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RefreshToken({}, [redacted])", self.family)
    }
}

/// The keys of successors, derived from the master keys.
#[derive(Clone)]
pub struct RefreshKeys(MacKeys);

impl RefreshKeys {
    /// From the master keys.
    pub fn new(master: &MasterKeys) -> Self {
        Self(master.derive("comanda.refresh.v1"))
    }

    /// The first token of a login.
    ///
    /// # Errors
    /// [`EntropyError`] when there is no randomness.
    pub fn first(family: FamilyId, entropy: &dyn Entropy) -> Result<RefreshToken, EntropyError> {
        Ok(RefreshToken::new(family, &fresh::<32>(entropy)?))
    }

    /// The token that takes the place of the presented one.
    pub fn successor(&self, presented: &RefreshToken) -> RefreshToken {
        successor(&self.0.current, presented)
    }

    /// The successor that was handed out for the presented token, told by its stored hash. It is found under an
    /// older master key as well, so a rotation of the key in between does no harm.
    pub fn successor_with_hash(&self, presented: &RefreshToken, stored: &[u8]) -> Option<RefreshToken> {
        self.0
            .iter()
            .map(|key| successor(key, presented))
            .find(|token| compare::equal(&token.hash(), stored))
    }
}

fn successor(key: &hmac::Key, presented: &RefreshToken) -> RefreshToken {
    let tag = hmac::sign(key, presented.expose().as_bytes());
    RefreshToken::new(presented.family, tag.as_ref())
}

impl fmt::Debug for RefreshKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshKeys([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::entropy::SystemEntropy;
    use crate::keys::testing::master;

    fn first() -> RefreshToken {
        RefreshKeys::first(FamilyId(Uuid::from_u128(5)), &SystemEntropy::new()).unwrap()
    }

    #[test]
    fn tokens_are_read_as_written() {
        let token = first();
        let text = token.expose();
        assert!(text.starts_with("cmdr_00000000000000000000000005_"));
        assert_eq!(text.len(), 5 + 26 + 1 + 43);
        let read = RefreshToken::parse(text).unwrap();
        assert_eq!((read.family(), read.hash()), (token.family(), token.hash()));
        assert_ne!(first().expose(), text);
        assert!(read.has_hash(&token.hash()) && !read.has_hash(&first().hash()) && !read.has_hash(&[]));
    }

    #[test]
    fn both_tabs_receive_the_same_successor() {
        let keys = RefreshKeys::new(&master(&[1]));
        let token = first();
        let next = keys.successor(&token);
        assert_eq!(next.hash(), keys.successor(&token).hash());
        assert_eq!(next.family(), token.family());
        assert_ne!(next.hash(), token.hash());
        assert_ne!(next.hash(), keys.successor(&next).hash());
        assert!(RefreshToken::parse(next.expose()).is_ok());
    }

    #[test]
    fn the_successor_survives_a_rotation_of_the_key() {
        let (old, new) = (
            RefreshKeys::new(&master(&[1])),
            RefreshKeys::new(&master(&[2, 1])),
        );
        let token = first();
        let handed_out = old.successor(&token);
        assert_ne!(new.successor(&token).hash(), handed_out.hash());
        let again = new.successor_with_hash(&token, &handed_out.hash()).unwrap();
        assert_eq!(again.expose(), handed_out.expose());
        assert!(new.successor_with_hash(&token, &token.hash()).is_none());
    }

    #[test]
    fn other_texts_are_refused() {
        let good = first().expose().to_owned();
        let cut = &good[..good.len() - 1];
        let padded = format!("{good}=");
        let loud = good.to_uppercase();
        for text in [
            "",
            "cmdr_",
            "cmdr__",
            "cmdd_x",
            cut,
            &padded,
            &loud,
            &good.replacen('r', "d", 1),
        ] {
            assert!(RefreshToken::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn printing_hides_the_secret() {
        let token = first();
        let secret = token.expose().rsplit_once('_').unwrap().1.to_owned();
        assert!(!format!("{token:?}").contains(&secret));
        assert_eq!(
            format!("{:?}", RefreshKeys::new(&master(&[1]))),
            "RefreshKeys([redacted])"
        );
    }

    proptest! {
        #[test]
        fn garbage_is_refused_without_panic(text in "cmdr_\\PC{0,80}") {
            prop_assert!(RefreshToken::parse(&text).is_err());
        }
    }
}
