//! What is known of keys: a key for a second, the promise of every revocation; that nobody has a key, for ten, so
//! that guessing costs no queries.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use comanda_domain::Timestamp;
use comanda_domain::ids::ApiKeyId;
use comanda_security::api_key::{KeyId, StoredApiKey};

use super::secrets::LiveSecret;

const BELIEVED: Duration = Duration::from_secs(1);
const UNKNOWN: Duration = Duration::from_secs(10);
/// Key ids that are remembered at most; beyond that, they are looked up more often.
const REMEMBERED: usize = 10_000;

/// A key as it was found.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// The key; none if nobody has it.
    pub(super) key: Option<StoredKey>,
    pub(super) asked_at: Instant,
}

/// A key and what is not of the key itself.
#[derive(Debug, Clone)]
pub(super) struct StoredKey {
    pub(super) key: StoredApiKey,
    pub(super) tenant_active: bool,
    /// What signs its requests, the newest first; none if it does not sign.
    pub(super) signing: Vec<LiveSecret>,
    /// When it was used last, as far as the row tells.
    pub(super) last_used_at: Option<Timestamp>,
}

impl Known {
    fn holds(&self, now: Instant) -> bool {
        let long = if self.key.is_some() { BELIEVED } else { UNKNOWN };
        self.asked_at + long > now
    }
}

#[derive(Default)]
pub(super) struct KnownKeys {
    found: Mutex<HashMap<KeyId, Known>>,
    /// SHA-256 of whole keys that nobody was given, and when they were presented.
    wrong: Mutex<HashMap<[u8; 32], Instant>>,
}

impl KnownKeys {
    fn all(&self) -> MutexGuard<'_, HashMap<KeyId, Known>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all_wrong(&self) -> MutexGuard<'_, HashMap<[u8; 32], Instant>> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this was presented within the last ten seconds and nobody had been given it. Secrets are random, so
    /// what is wrong never becomes right.
    pub(super) fn is_wrong(&self, digest: &[u8; 32], now: Instant) -> bool {
        self.all_wrong().get(digest).is_some_and(|at| *at + UNKNOWN > now)
    }

    pub(super) fn remember_wrong(&self, digest: [u8; 32], now: Instant) {
        let mut wrong = self.all_wrong();
        if wrong.len() >= REMEMBERED {
            wrong.retain(|_, at| *at + UNKNOWN > now);
            if wrong.len() >= REMEMBERED {
                wrong.clear();
            }
        }
        wrong.insert(digest, now);
    }

    pub(super) fn get(&self, id: &KeyId, now: Instant) -> Option<Known> {
        self.all().get(id).filter(|known| known.holds(now)).cloned()
    }

    pub(super) fn put(&self, id: KeyId, known: Known) {
        let mut all = self.all();
        if all.len() >= REMEMBERED && !all.contains_key(&id) {
            all.retain(|_, old| old.holds(known.asked_at));
            if all.len() >= REMEMBERED {
                all.clear();
            }
        }
        all.insert(id, known);
    }

    /// Looks a key up again at its next use.
    pub(super) fn forget(&self, id: ApiKeyId) {
        self.all()
            .retain(|_, known| known.key.as_ref().is_none_or(|stored| stored.key.id != id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> KeyId {
        KeyId::parse(&format!("{number:016}")).unwrap()
    }

    #[test]
    fn that_nobody_has_a_key_is_known_for_ten_seconds() {
        let (known, asked_at) = (KnownKeys::default(), Instant::now());
        known.put(id(1), Known { key: None, asked_at });
        assert!(
            known
                .get(&id(1), asked_at + Duration::from_millis(9_999))
                .is_some()
        );
        assert!(known.get(&id(1), asked_at + UNKNOWN).is_none());
    }

    #[test]
    fn memory_is_bounded() {
        let (known, asked_at) = (KnownKeys::default(), Instant::now());
        for number in 0..25_000 {
            known.put(id(number), Known { key: None, asked_at });
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&u64::try_from(number).unwrap().to_be_bytes());
            known.remember_wrong(digest, asked_at);
        }
        assert!(known.all().len() <= REMEMBERED && known.all_wrong().len() <= REMEMBERED);
    }

    #[test]
    fn what_was_wrong_is_known_for_ten_seconds() {
        let (known, asked_at) = (KnownKeys::default(), Instant::now());
        known.remember_wrong([1; 32], asked_at);
        assert!(known.is_wrong(&[1; 32], asked_at + Duration::from_millis(9_999)));
        assert!(!known.is_wrong(&[1; 32], asked_at + UNKNOWN) && !known.is_wrong(&[2; 32], asked_at));
    }
}
