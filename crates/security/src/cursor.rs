//! Cursors of lists: opaque to clients, signed, and good only for the list and filter they were made for.

use std::fmt;

use ring::hmac;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::compare;
use crate::encoding::{Unwritable, base64url, from_base64url};
use crate::hash::framed;
use crate::keys::{MacKeys, MasterKeys};

const MAC_LEN: usize = 16;
/// Longest cursor that is looked at, in characters.
pub const CURSOR_MAX: usize = 2048;

/// Why a cursor is refused; a client learns only that it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CursorError {
    /// Not base64url, too short or too long.
    #[error("the cursor is malformed")]
    Malformed,
    /// Made by someone else, or for another list, tenant or filter.
    #[error("the cursor was not made for this list")]
    Forged,
    /// Ours, but with a position that this version does not understand.
    #[error("the cursor holds no position of this list")]
    Unreadable,
}

/// The keys of list cursors, derived from the master keys: the first signs, all verify.
#[derive(Clone)]
pub struct CursorKeys(MacKeys);

impl CursorKeys {
    /// From the master keys.
    pub fn new(master: &MasterKeys) -> Self {
        Self(master.derive("comanda.cursor.v1"))
    }

    /// Writes a cursor. `context` is what it is bound to, in a fixed order: tenant, list, filter.
    ///
    /// # Errors
    /// [`Unwritable`] when `position` does not go into JSON, such as a map with keys that are no texts.
    pub fn sign<T: Serialize>(&self, context: &[&str], position: &T) -> Result<String, Unwritable> {
        let mut bytes = serde_json::to_vec(position).map_err(|_| Unwritable)?;
        let mac = tag(&self.0.current, context, &bytes);
        bytes.extend(mac.as_ref().iter().take(MAC_LEN));
        Ok(base64url(bytes))
    }

    /// Reads a cursor made for the same context.
    ///
    /// # Errors
    /// [`CursorError`] for everything else.
    pub fn verify<T: DeserializeOwned>(&self, context: &[&str], cursor: &str) -> Result<T, CursorError> {
        if cursor.len() > CURSOR_MAX {
            return Err(CursorError::Malformed);
        }
        let bytes = from_base64url(cursor).ok_or(CursorError::Malformed)?;
        let split = bytes.len().checked_sub(MAC_LEN).ok_or(CursorError::Malformed)?;
        let (position, presented) = bytes.split_at_checked(split).ok_or(CursorError::Malformed)?;
        let genuine = self.0.iter().any(|key| {
            let expected = tag(key, context, position);
            expected
                .as_ref()
                .get(..MAC_LEN)
                .is_some_and(|mac| compare::equal(mac, presented))
        });
        if !genuine {
            return Err(CursorError::Forged);
        }
        serde_json::from_slice(position).map_err(|_| CursorError::Unreadable)
    }
}

fn tag(key: &hmac::Key, context: &[&str], position: &[u8]) -> hmac::Tag {
    let context: Vec<&[u8]> = context.iter().map(|part| part.as_bytes()).collect();
    hmac::sign(key, &framed(&[&framed(&context), position]))
}

impl fmt::Debug for CursorKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CursorKeys([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::keys::testing::master;

    #[test]
    fn a_cursor_is_bound_to_its_context() {
        let keys = CursorKeys::new(&master(&[1]));
        let cursor = keys
            .sign(&["tnt_a", "rounds", "status=ready"], &(7, "x"))
            .unwrap();
        let read = |context: &[&str]| keys.verify::<(i64, String)>(context, &cursor);
        assert_eq!(
            read(&["tnt_a", "rounds", "status=ready"]),
            Ok((7, "x".to_owned()))
        );
        assert_eq!(
            read(&["tnt_b", "rounds", "status=ready"]),
            Err(CursorError::Forged)
        );
        assert_eq!(read(&["tnt_a", "rounds", ""]), Err(CursorError::Forged));
        assert_eq!(read(&["tnt_a", "roundsstatus=ready"]), Err(CursorError::Forged));
        assert_eq!(
            keys.verify::<bool>(&["tnt_a", "rounds", "status=ready"], &cursor),
            Err(CursorError::Unreadable)
        );
    }

    #[test]
    fn an_older_master_key_still_verifies() {
        let cursor = CursorKeys::new(&master(&[1])).sign(&["a"], &1).unwrap();
        assert_eq!(CursorKeys::new(&master(&[2, 1])).verify(&["a"], &cursor), Ok(1));
        assert_eq!(
            CursorKeys::new(&master(&[2])).verify::<i64>(&["a"], &cursor),
            Err(CursorError::Forged)
        );
    }

    #[test]
    fn what_is_no_cursor_is_malformed() {
        let keys = CursorKeys::new(&master(&[1]));
        for text in ["", "abc", "not a cursor", &"A".repeat(CURSOR_MAX + 1)] {
            assert_eq!(
                keys.verify::<i64>(&[], text),
                Err(CursorError::Malformed),
                "{text}"
            );
        }
        assert_eq!(format!("{keys:?}"), "CursorKeys([redacted])");
    }

    proptest! {
        #[test]
        fn any_flipped_bit_is_refused(position: (i64, u64), bit in 0_usize..128) {
            let keys = CursorKeys::new(&master(&[3]));
            let cursor = keys.sign(&["list"], &position).unwrap();
            prop_assert_eq!(keys.verify::<(i64, u64)>(&["list"], &cursor), Ok(position));
            let mut bytes = from_base64url(&cursor).unwrap();
            let bit = bit % (bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(keys.verify::<(i64, u64)>(&["list"], &base64url(bytes)), Err(CursorError::Forged));
        }
    }
}
