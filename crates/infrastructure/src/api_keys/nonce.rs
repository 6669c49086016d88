//! That a signed request is new: its nonce is claimed once.
//!
//! What changes something claims it in the transaction of the effect, so that neither a restart nor another process nor
//! the loss of Redis lets it pass twice. What only reads claims it in Redis, and in the database where there is no
//! Redis or it does not answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use comanda_domain::Timestamp;
use comanda_domain::breaker::BreakerOpen;
use comanda_domain::ids::{ApiKeyId, TenantId};
use comanda_security::signing::Nonce;
use deadpool_redis::redis;
use uuid::Uuid;

use crate::breaker::CircuitBreaker;
use crate::redis::{Redis, RedisError, keys};

/// How long a nonce is remembered: longer than any signature holds.
pub(super) const REMEMBERED: Duration = Duration::from_mins(10);

/// The nonce of one request. Clones are of the same request, and claim it together.
#[derive(Debug, Clone)]
pub struct NonceClaim {
    pub(super) tenant: TenantId,
    key: ApiKeyId,
    nonce: Nonce,
    /// The request, as the claim knows it again.
    request: Uuid,
    kept: Arc<AtomicBool>,
}

impl NonceClaim {
    pub(super) fn new(tenant: TenantId, key: ApiKeyId, nonce: Nonce, request: Uuid) -> Self {
        Self {
            tenant,
            key,
            nonce,
            request,
            kept: Arc::default(),
        }
    }

    /// Whether it has been claimed for good.
    pub fn is_kept(&self) -> bool {
        self.kept.load(Ordering::Relaxed)
    }

    /// It has been claimed for good.
    pub(crate) fn keep(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }

    /// The statement that claims it or fails. A nonce has no character that could end a text.
    pub(crate) fn sql(&self, now: Timestamp) -> String {
        format!(
            "EXECUTE claim_nonce('{}', '{}', '{}', '{}', '{}');",
            self.tenant.0,
            self.key.0,
            self.nonce.as_str(),
            self.request,
            now.to_rfc3339()
        )
    }
}

/// Why Redis could not say whether a nonce is new.
#[derive(Debug, thiserror::Error)]
pub(super) enum Silent {
    #[error(transparent)]
    Redis(#[from] RedisError),
    #[error(transparent)]
    Open(#[from] BreakerOpen),
}

/// The nonces of what only reads, in Redis.
#[derive(Clone)]
pub(super) struct SharedNonces {
    redis: Redis,
    breaker: Arc<CircuitBreaker>,
}

impl SharedNonces {
    pub(super) fn new(redis: Redis, breaker: CircuitBreaker) -> Self {
        Self {
            redis,
            breaker: Arc::new(breaker),
        }
    }

    /// Whether the nonce was new, and is claimed now.
    pub(super) async fn claim(&self, claim: &NonceClaim) -> Result<bool, Silent> {
        let mut command = redis::cmd("SET");
        command
            .arg(keys::nonce(claim.key, claim.nonce.as_str()))
            .arg(claim.request.to_string())
            .arg("NX")
            .arg("EX")
            .arg(REMEMBERED.as_secs());
        let asking = async {
            let answer: Option<String> = self.redis.ask("nonce", &command).await?;
            Ok(answer.is_some())
        };
        self.breaker
            .call(|error| matches!(error, Silent::Redis(_)), asking)
            .await
    }
}
