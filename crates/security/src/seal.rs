//! Secrets that must be read again, such as those that sign webhooks, sealed for the database: AES-256-GCM under a
//! key derived from the master keys.
//!
//! Sealed bytes: `1` (the format), the length of the key's id, the id, a random nonce of 12 bytes, the encrypted
//! secret with its tag. Whatever stands before the nonce, and the context, is authenticated: a sealed secret is good
//! only in the place it was sealed for.

use std::fmt;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::error::Unspecified;
use secrecy::{ExposeSecret, SecretSlice};

use crate::entropy::{Entropy, EntropyError, fresh};
use crate::hash::framed;
use crate::keys::MasterKeys;

const PURPOSE: &str = "comanda.seal.v1";
const FORMAT: u8 = 1;

/// Why nothing was sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SealError {
    /// No randomness for the nonce.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// More than the cipher takes, which is gigabytes.
    #[error("too long to be sealed")]
    TooLong,
}

/// Why sealed bytes were not opened.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OpenError {
    /// Not sealed by us.
    #[error("not sealed bytes")]
    Malformed,
    /// Sealed with a key that is not among the master keys any more.
    #[error("the key {0} is not known")]
    UnknownKey(String),
    /// Changed, or sealed for another place.
    #[error("changed or sealed for something else")]
    Tampered,
}

/// The keys that seal: the first seals, all open.
#[derive(Clone)]
pub struct SealKeys {
    current: SealKey,
    older: Vec<SealKey>,
}

#[derive(Clone)]
struct SealKey {
    id: String,
    secret: SecretSlice<u8>,
}

impl SealKeys {
    /// From the master keys.
    pub fn new(master: &MasterKeys) -> Self {
        let (current, older) = master.derive_each(PURPOSE, |id, secret| SealKey {
            id: id.to_owned(),
            secret: secret.to_vec().into(),
        });
        Self { current, older }
    }

    /// Seals. `context` is the place the secret is for, in a fixed order: tenant, kind, id.
    ///
    /// # Errors
    /// [`SealError`], mostly when there is no randomness.
    pub fn seal(
        &self,
        context: &[&[u8]],
        secret: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, SealError> {
        let head = self.current.head();
        let nonce = fresh::<NONCE_LEN>(entropy)?;
        let mut body = secret.to_vec();
        self.current
            .cipher()
            .and_then(|cipher| {
                let nonce = Nonce::assume_unique_for_key(nonce);
                cipher.seal_in_place_append_tag(nonce, associated(&head, context), &mut body)
            })
            .map_err(|_| SealError::TooLong)?;
        Ok([head.as_slice(), &nonce, &body].concat())
    }

    /// Opens what was sealed for the same context, with the key that the bytes name.
    ///
    /// # Errors
    /// [`OpenError`] for everything else.
    pub fn open(&self, context: &[&[u8]], sealed: &[u8]) -> Result<SecretSlice<u8>, OpenError> {
        let (id, rest) = read_head(sealed)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or(OpenError::Malformed)?;
        let key = std::iter::once(&self.current)
            .chain(&self.older)
            .find(|key| key.id == id)
            .ok_or_else(|| OpenError::UnknownKey(id.to_owned()))?;
        key.open(nonce, context, body).map_err(|_| OpenError::Tampered)
    }

    /// Whether the bytes name the key that seals now; others are to be sealed again before their key is dropped.
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        sealed.starts_with(&self.current.head())
    }
}

impl SealKey {
    /// What the sealed bytes begin with.
    fn head(&self) -> Vec<u8> {
        // Ids have 32 characters at most.
        let length = u8::try_from(self.id.len()).unwrap_or(u8::MAX);
        [&[FORMAT, length], self.id.as_bytes()].concat()
    }

    fn open(&self, nonce: &[u8], context: &[&[u8]], body: &[u8]) -> Result<SecretSlice<u8>, Unspecified> {
        let nonce = Nonce::try_assume_unique_for_key(nonce)?;
        let mut body = body.to_vec();
        let secret = self
            .cipher()?
            .open_in_place(nonce, associated(&self.head(), context), &mut body)?;
        Ok(secret.to_vec().into())
    }

    fn cipher(&self) -> Result<LessSafeKey, Unspecified> {
        UnboundKey::new(&AES_256_GCM, self.secret.expose_secret()).map(LessSafeKey::new)
    }
}

/// The id of the key, and what follows it.
fn read_head(sealed: &[u8]) -> Result<(&str, &[u8]), OpenError> {
    let [FORMAT, length, rest @ ..] = sealed else {
        return Err(OpenError::Malformed);
    };
    let (id, rest) = rest
        .split_at_checked(usize::from(*length))
        .ok_or(OpenError::Malformed)?;
    let id = std::str::from_utf8(id).map_err(|_| OpenError::Malformed)?;
    Ok((id, rest))
}

fn associated(head: &[u8], context: &[&[u8]]) -> Aad<Vec<u8>> {
    Aad::from(framed(&[PURPOSE.as_bytes(), head, &framed(context)]))
}

impl fmt::Debug for SealKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = std::iter::once(&self.current)
            .chain(&self.older)
            .map(|key| &key.id);
        f.debug_list().entries(ids).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::entropy::SystemEntropy;
    use crate::entropy::testing::{Counting, Dry};
    use crate::keys::KeyList;
    use crate::keys::testing::master;

    fn keys(bytes: &[u8]) -> SealKeys {
        SealKeys::new(&master(bytes))
    }

    /// Master keys of one repeated byte each, called by it.
    fn called(bytes: &[u8]) -> SealKeys {
        let entries: Vec<String> = bytes
            .iter()
            .map(|byte| format!("m{byte}:{}", crate::encoding::base64([*byte; 32])))
            .collect();
        let list = KeyList::parse(&entries.join(",").into()).unwrap();
        SealKeys::new(&MasterKeys::new(list))
    }

    fn opened(keys: &SealKeys, context: &[&[u8]], sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        keys.open(context, sealed)
            .map(|secret| secret.expose_secret().to_vec())
    }

    #[test]
    fn the_named_key_opens() {
        let sealed = called(&[1])
            .seal(&[b"a"], b"secret", &SystemEntropy::new())
            .unwrap();
        assert!(sealed.starts_with(b"\x01\x02m1"));
        let rotated = called(&[2, 1]);
        assert_eq!(opened(&rotated, &[b"a"], &sealed), Ok(b"secret".to_vec()));
        assert!(called(&[1]).is_current(&sealed) && !rotated.is_current(&sealed));
        assert_eq!(
            opened(&called(&[2]), &[b"a"], &sealed),
            Err(OpenError::UnknownKey("m1".to_owned()))
        );
        // A key of the same name but of other bytes.
        assert_eq!(
            opened(
                &keys(&[2]),
                &[b"a"],
                &keys(&[1]).seal(&[b"a"], b"secret", &Counting::default()).unwrap()
            ),
            Err(OpenError::Tampered)
        );
    }

    #[test]
    fn parts_of_a_context_do_not_run_together() {
        let keys = keys(&[1]);
        let sealed = keys
            .seal(&[b"ab", b"c"], b"secret", &Counting::default())
            .unwrap();
        assert_eq!(opened(&keys, &[b"ab", b"c"], &sealed), Ok(b"secret".to_vec()));
        let others: [&[&[u8]]; 5] = [
            &[b"a", b"bc"],
            &[b"abc"],
            &[b"ab", b"c", b""],
            &[b"c", b"ab"],
            &[],
        ];
        for other in others {
            assert_eq!(
                opened(&keys, other, &sealed),
                Err(OpenError::Tampered),
                "{other:?}"
            );
        }
    }

    #[test]
    fn the_same_secret_is_sealed_differently_each_time() {
        let (keys, entropy) = (keys(&[1]), SystemEntropy::new());
        let seal = || keys.seal(&[], b"secret", &entropy).unwrap();
        assert_ne!(seal(), seal());
    }

    #[test]
    fn no_randomness_means_nothing_sealed() {
        assert_eq!(
            keys(&[1]).seal(&[], b"secret", &Dry),
            Err(SealError::Entropy(EntropyError))
        );
    }

    #[test]
    fn printing_keys_shows_ids_only() {
        assert_eq!(format!("{:?}", called(&[65, 66])), "[\"m65\", \"m66\"]");
    }

    proptest! {
        #[test]
        fn secrets_come_back(secret: Vec<u8>, context: Vec<Vec<u8>>, key: u8) {
            let keys = keys(&[key]);
            let context: Vec<&[u8]> = context.iter().map(Vec::as_slice).collect();
            let sealed = keys.seal(&context, &secret, &SystemEntropy::new()).unwrap();
            prop_assert_eq!(opened(&keys, &context, &sealed), Ok(secret));
        }

        #[test]
        fn any_flipped_bit_and_any_cut_is_refused(secret in prop::collection::vec(any::<u8>(), 0..40)) {
            let keys = keys(&[1, 2]);
            let sealed = keys.seal(&[b"a"], &secret, &SystemEntropy::new()).unwrap();
            for bit in 0..sealed.len() * 8 {
                let mut flipped = sealed.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                prop_assert!(keys.open(&[b"a"], &flipped).is_err(), "bit {} of {:?}", bit, sealed);
            }
            for cut in 0..sealed.len() {
                prop_assert!(keys.open(&[b"a"], &sealed[..cut]).is_err(), "{} of {:?}", cut, sealed);
            }
        }

        #[test]
        fn garbage_is_refused_without_panic(bytes: Vec<u8>) {
            prop_assert!(keys(&[1]).open(&[], &bytes).is_err());
        }
    }
}
