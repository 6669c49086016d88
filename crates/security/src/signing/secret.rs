//! The secret that signs the requests of one API key.

use std::fmt;

use ring::hmac;
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use crate::encoding::{base64url, from_base64url_exact};
use crate::entropy::{Entropy, EntropyError, fresh};

/// How every signing secret begins.
pub const SIGNING_SECRET_PREFIX: &str = "cmds_";

const SECRET_LEN: usize = 32;

/// Not a signing secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a signing secret")]
pub struct InvalidSigningSecret;

/// 256 bits that its owner and we have; never sent again once it was handed out.
#[derive(Clone)]
pub struct SigningSecret(SecretSlice<u8>);

impl SigningSecret {
    /// A fresh secret.
    ///
    /// # Errors
    /// [`EntropyError`] when there is no randomness.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        Ok(Self(fresh::<SECRET_LEN>(entropy)?.to_vec().into()))
    }

    /// From its 32 bytes, as they were sealed.
    ///
    /// # Errors
    /// [`InvalidSigningSecret`] for another number of bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidSigningSecret> {
        if bytes.len() == SECRET_LEN {
            Ok(Self(bytes.to_vec().into()))
        } else {
            Err(InvalidSigningSecret)
        }
    }

    /// Reads `cmds_<base64url>` in its one spelling.
    ///
    /// # Errors
    /// [`InvalidSigningSecret`] for everything else.
    pub fn parse(text: &str) -> Result<Self, InvalidSigningSecret> {
        text.strip_prefix(SIGNING_SECRET_PREFIX)
            .and_then(from_base64url_exact::<SECRET_LEN>)
            .map(|bytes| Self(bytes.to_vec().into()))
            .ok_or(InvalidSigningSecret)
    }

    /// Its bytes, to be sealed.
    pub fn bytes(&self) -> &[u8] {
        self.0.expose_secret()
    }

    /// `cmds_<base64url>`, for the one answer that hands it out.
    pub fn text(&self) -> SecretString {
        format!("{SIGNING_SECRET_PREFIX}{}", base64url(self.bytes())).into()
    }

    pub(super) fn mac(&self, canonical: &[u8]) -> hmac::Tag {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, self.bytes()), canonical)
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::testing::{Counting, Dry};

    #[test]
    fn secrets_round_trip_in_one_spelling() {
        let secret = SigningSecret::generate(&Counting::default()).unwrap();
        let text = secret.text();
        let text = text.expose_secret();
        assert_eq!(text, &format!("cmds_{}", "A".repeat(43)));
        assert_eq!(SigningSecret::parse(text).unwrap().bytes(), secret.bytes());
        assert_eq!(
            SigningSecret::from_bytes(&[7; 32]).unwrap().bytes(),
            [7; 32].as_slice()
        );
        for other in [
            "",
            "cmds_",
            &text[5..],
            &format!("{text}="),
            &format!("{}B", &text[..text.len() - 1]),
            &text.replace("cmds_", "whsec_"),
        ] {
            assert_eq!(
                SigningSecret::parse(other).unwrap_err(),
                InvalidSigningSecret,
                "{other}"
            );
        }
        assert!(SigningSecret::from_bytes(&[7; 31]).is_err());
        assert!(SigningSecret::generate(&Dry).is_err());
    }

    #[test]
    fn nothing_printed_holds_it() {
        let secret = SigningSecret::from_bytes(&[65; 32]).unwrap();
        assert_eq!(format!("{secret:?}"), "SigningSecret([redacted])");
    }
}
