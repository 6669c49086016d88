//! Device tokens: `cmdd_<43 characters>`, 256 random bits by which a remembered phone proves itself.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use crate::encoding::{SECRET_CHARS, base64url, from_base64url_exact};
use crate::entropy::{Entropy, EntropyError, fresh};
use crate::hash::sha256;

/// How every device token begins.
pub const DEVICE_PREFIX: &str = "cmdd_";

/// Not a device token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a device token")]
pub struct InvalidDeviceToken;

/// A well-formed device token. Whether it is genuine, only its stored hash can tell.
#[derive(Clone)]
pub struct DeviceToken(SecretString);

impl DeviceToken {
    /// A fresh token.
    ///
    /// # Errors
    /// [`EntropyError`] when there is no randomness.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let secret = base64url(fresh::<32>(entropy)?);
        Ok(Self(format!("{DEVICE_PREFIX}{secret}").into()))
    }

    /// Reads a token in its one spelling.
    ///
    /// # Errors
    /// [`InvalidDeviceToken`] for every other text.
    pub fn parse(text: &str) -> Result<Self, InvalidDeviceToken> {
        let secret = text.strip_prefix(DEVICE_PREFIX).ok_or(InvalidDeviceToken)?;
        if secret.len() != SECRET_CHARS || from_base64url_exact::<32>(secret).is_none() {
            return Err(InvalidDeviceToken);
        }
        Ok(Self(text.into()))
    }

    /// The text, for the one answer that hands it out.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What is stored of it: SHA-256 of the text.
    pub fn hash(&self) -> [u8; 32] {
        sha256(&[self.expose().as_bytes()])
    }
}

impl fmt::Debug for DeviceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceToken([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::testing::{Counting, Dry};

    #[test]
    fn tokens_are_read_as_written() {
        let entropy = Counting::default();
        let token = DeviceToken::generate(&entropy).unwrap();
        assert_eq!(token.expose(), format!("cmdd_{}", "A".repeat(43)));
        assert_eq!(DeviceToken::parse(token.expose()).unwrap().hash(), token.hash());
        assert_ne!(DeviceToken::generate(&entropy).unwrap().hash(), token.hash());
        assert_eq!(format!("{token:?}"), "DeviceToken([redacted])");
    }

    #[test]
    fn other_texts_are_refused() {
        let good = "A".repeat(43);
        for text in [
            String::new(),
            good.clone(),
            format!("cmdr_{good}"),
            format!("cmdd_{good}A"),
            format!("cmdd_{}", &good[1..]),
            format!("cmdd_{}B", &good[1..]),
            format!("cmdd_{good}="),
        ] {
            assert!(DeviceToken::parse(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_randomness_means_no_token() {
        assert!(DeviceToken::generate(&Dry).is_err());
    }
}
