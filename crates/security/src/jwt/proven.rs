//! Signatures that have been verified, so that a phone's next request costs a hash and not a curve.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::hash::sha256;

/// How many tokens are remembered: 128 KiB.
const PLACES: usize = 4096;

/// What stands for one token.
type Digest = [u8; 32];

/// Tokens whose signature is known to be good, by their SHA-256. Each has one place, which it shares with others:
/// the latest of them stands there. It says nothing of their claims, which are judged each time.
pub(super) struct Proven(Mutex<Vec<Digest>>);

impl Proven {
    /// Of a process that has seen none.
    pub fn new() -> Self {
        Self(Mutex::new(vec![[0; 32]; PLACES]))
    }

    /// Whether `verify` finds the token good, or found it good before.
    ///
    /// # Errors
    /// What `verify` says against it; it is asked again the next time.
    pub fn or_else<E>(&self, token: &str, verify: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let digest = sha256(&[token.as_bytes()]);
        let [first, second, ..] = digest;
        let place = usize::from(u16::from_be_bytes([first, second])) % PLACES;
        let at = |change: &dyn Fn(&mut Digest) -> bool| {
            let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            places.get_mut(place).is_some_and(change)
        };
        if at(&|known| *known == digest) {
            return Ok(());
        }
        verify()?;
        at(&|known| {
            *known = digest;
            true
        });
        Ok(())
    }
}

impl fmt::Debug for Proven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proven")
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_good_token_is_verified_once_and_a_bad_one_each_time() {
        let proven = Proven::new();
        let asked = Cell::new(0);
        let verify = |token: &str, good: bool| {
            proven.or_else(token, || {
                asked.set(asked.get() + 1);
                if good { Ok(()) } else { Err(()) }
            })
        };
        assert_eq!(verify("a.b.c", true), Ok(()));
        assert_eq!(verify("a.b.c", false), Ok(()), "known to be good");
        assert_eq!(asked.get(), 1);
        for _ in 0..2 {
            assert_eq!(verify("a.b.d", false), Err(()));
        }
        assert_eq!(asked.get(), 3);
    }

    proptest! {
        /// However many tokens share the places, none passes that was never found good.
        #[test]
        fn only_what_was_found_good_passes(tokens in prop::collection::vec(("[a-c]{1,3}", any::<bool>()), 0..64)) {
            let proven = Proven::new();
            let mut good = std::collections::BTreeSet::new();
            for (token, is_good) in tokens {
                let passed = proven.or_else(&token, || if is_good { Ok(()) } else { Err(()) }).is_ok();
                prop_assert_eq!(passed, is_good || good.contains(&token));
                if passed {
                    good.insert(token);
                }
            }
        }
    }
}
