//! What is stored of a secret: its MAC under a pepper that the database never sees.

use std::fmt;

use ring::hmac;

use super::text::ApiKeySecret;
use crate::compare;
use crate::keys::{KeyList, NamedKey};

/// The MAC of a secret and the pepper it was made with.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredMac {
    /// Which pepper.
    pub pepper_id: String,
    /// HMAC-SHA-256 of the secret's characters, 32 bytes.
    pub mac: Vec<u8>,
}

impl fmt::Debug for StoredMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredMac({}:[redacted])", self.pepper_id)
    }
}

/// The peppers of API keys (`COMANDA_API_KEY_PEPPERS`): the first makes new MACs, all verify.
#[derive(Clone, Debug)]
pub struct ApiKeyPeppers(KeyList);

impl ApiKeyPeppers {
    /// From the setting's keys.
    pub fn new(peppers: KeyList) -> Self {
        Self(peppers)
    }

    /// What to store of a secret.
    pub fn mac(&self, secret: &ApiKeySecret) -> StoredMac {
        let pepper = self.0.current();
        StoredMac {
            pepper_id: pepper.id().to_owned(),
            mac: tag(pepper, secret).as_ref().to_vec(),
        }
    }

    /// Whether this MAC was made of this secret. One made with a pepper that is gone fits no secret any more.
    pub(super) fn fits(&self, secret: &ApiKeySecret, stored: &StoredMac) -> bool {
        self.0
            .iter()
            .find(|pepper| pepper.id() == stored.pepper_id)
            .is_some_and(|pepper| compare::equal(tag(pepper, secret).as_ref(), &stored.mac))
    }

    /// Whether this MAC was made with the first pepper.
    pub(super) fn is_current(&self, stored: &StoredMac) -> bool {
        self.0.current().id() == stored.pepper_id
    }
}

fn tag(pepper: &NamedKey, secret: &ApiKeySecret) -> hmac::Tag {
    let key = hmac::Key::new(hmac::HMAC_SHA256, pepper.secret());
    hmac::sign(&key, secret.expose().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::text::parse;
    use super::*;
    use crate::encoding::base64url;
    use crate::keys::testing::list;

    const KEY: &str = "cmd_live_041061050r3gg28a_No287qEH4uQv9vBo5cxQTXAw02KFtzjuPbCrH1FrBEB2px0jH";

    fn secret() -> ApiKeySecret {
        parse(KEY).unwrap().secret
    }

    #[test]
    fn the_test_vector_holds() {
        let stored = ApiKeyPeppers::new(list(&[7])).mac(&secret());
        assert_eq!(stored.pepper_id, "1");
        assert_eq!(
            base64url(&stored.mac),
            "o-KTtzyich3eqfozInWcMC51Yfe8DQlkrGINOsLqjoQ"
        );
    }

    #[test]
    fn nothing_printed_holds_a_mac() {
        let peppers = ApiKeyPeppers::new(list(&[65]));
        let printed = format!("{peppers:?} {:?}", peppers.mac(&secret()));
        assert_eq!(
            printed,
            "ApiKeyPeppers(KeyList { current: 1:[redacted], older: [] }) StoredMac(1:[redacted])"
        );
    }

    #[test]
    fn a_mac_of_another_length_fits_nothing() {
        let peppers = ApiKeyPeppers::new(list(&[7]));
        for mac in [Vec::new(), peppers.mac(&secret()).mac[..31].to_vec()] {
            let stored = StoredMac {
                pepper_id: "1".to_owned(),
                mac,
            };
            assert!(!peppers.fits(&secret(), &stored));
        }
    }
}
