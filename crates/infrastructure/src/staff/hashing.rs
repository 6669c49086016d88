//! Passwords are hashed beside the runtime, a few at a time: a flood of logins must not starve the process.

use std::sync::Arc;

use comanda_security::SystemEntropy;
use comanda_security::password::{PasswordHasher, Refused};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use crate::refusal::Refusal;

/// Hashes at once.
const AT_ONCE: usize = 2;
/// Those who wait for their turn.
const QUEUE: usize = 32;

/// The hasher and its queue.
#[derive(Clone)]
pub(super) struct Hashing {
    hasher: Arc<PasswordHasher>,
    /// Everyone in the room, waiting or served.
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

/// A password that was right.
pub(super) struct Right {
    /// Made with the parameters of now, where the stored one was not.
    pub(super) rehash: Option<String>,
}

impl Hashing {
    pub(super) fn new(hasher: PasswordHasher) -> Self {
        Self {
            hasher: Arc::new(hasher),
            places: Arc::new(Semaphore::new(AT_ONCE + QUEUE)),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Compares a password with the stored one; without one, costs the same.
    pub(super) async fn verify(
        &self,
        password: SecretString,
        stored: Option<String>,
    ) -> Result<Result<Right, Refused>, Refusal> {
        self.run(move |hasher| {
            let verified = hasher.verify(password.expose_secret(), stored.as_deref())?;
            // Not being able to improve a hash is no reason to refuse a right password.
            let rehash = verified
                .needs_rehash
                .then(|| hasher.hash(password.expose_secret(), &SystemEntropy::new()).ok())
                .flatten();
            Ok(Right { rehash })
        })
        .await
    }

    /// Hashes a new password.
    pub(super) async fn hash(&self, password: SecretString) -> Result<String, Refusal> {
        self.run(move |hasher| hasher.hash(password.expose_secret(), &SystemEntropy::new()))
            .await?
            .map_err(|error| Refusal::Internal(error.to_string()))
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&PasswordHasher) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let place = self
            .places
            .clone()
            .try_acquire_owned()
            .map_err(|_| Refusal::Busy)?;
        let turn = self
            .turns
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| Refusal::Busy)?;
        let hasher = self.hasher.clone();
        tokio::task::spawn_blocking(move || {
            let outcome = work(&hasher);
            // Held by the work and not by who asked: a client that hangs up does not make room for another hash.
            drop((place, turn));
            outcome
        })
        .await
        .map_err(|error| Refusal::Internal(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use comanda_security::password::PasswordParams;
    use futures_util::future::{self, join_all};

    use super::*;

    fn hashing() -> Hashing {
        let params = PasswordParams {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        };
        Hashing::new(PasswordHasher::new(params, &SystemEntropy::new()).unwrap())
    }

    #[tokio::test]
    async fn right_wrong_and_nobody() {
        let hashing = hashing();
        let stored = hashing.hash("correct horse".into()).await.unwrap();
        let ask = |password: &str, stored: Option<&String>| hashing.verify(password.into(), stored.cloned());
        assert!(
            ask("correct horse", Some(&stored))
                .await
                .unwrap()
                .is_ok_and(|right| right.rehash.is_none())
        );
        assert_eq!(
            ask("wrong horse", Some(&stored)).await.unwrap().err(),
            Some(Refused::WrongPassword)
        );
        assert_eq!(
            ask("correct horse", None).await.unwrap().err(),
            Some(Refused::UnknownUser)
        );
    }

    #[tokio::test]
    async fn a_hash_of_other_parameters_is_made_anew() {
        let old = hashing();
        let stored = old.hash("correct horse".into()).await.unwrap();
        let params = PasswordParams {
            memory_kib: 128,
            passes: 1,
            lanes: 1,
        };
        let new = Hashing::new(PasswordHasher::new(params, &SystemEntropy::new()).unwrap());
        let right = new
            .verify("correct horse".into(), Some(stored))
            .await
            .unwrap()
            .ok()
            .unwrap();
        assert!(right.rehash.unwrap().contains("m=128"));
    }

    #[tokio::test]
    async fn a_flood_is_turned_away_and_then_served_again() {
        let hashing = hashing();
        // Nobody is served while the test counts who got a place.
        let turns = hashing.turns.clone().acquire_many_owned(2).await.unwrap();
        let flood = join_all((0..100).map(|_| hashing.verify("x".into(), None)));
        let release = async {
            tokio::task::yield_now().await;
            drop(turns);
        };
        let (outcomes, ()) = future::join(flood, release).await;
        let busy = outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Err(Refusal::Busy)))
            .count();
        assert_eq!(busy, 100 - AT_ONCE - QUEUE);
        assert!(hashing.verify("x".into(), None).await.is_ok());
        assert_eq!(hashing.places.available_permits(), AT_ONCE + QUEUE);
    }
}
