//! Judging a signed request. The order is that of `security.md` 8.1: headers, key and address, time, signature; what
//! the key may is judged by the use case.

use std::net::IpAddr;
use std::time::Instant;

use comanda_domain::Timestamp;
use comanda_domain::ids::IdSource;
use comanda_security::api_key::KeyRefusal;
use comanda_security::signing::{SignableRequest, SignatureRefusal, SignedHeaders, SigningSecret, verify};
use tracing::warn;

use super::known::{Known, StoredKey};
use super::nonce::NonceClaim;
use super::{ApiKeyService, ProvenKey};
use crate::db::{DbError, Locks};
use crate::refusal::Refusal;

/// Why a signed request is refused. The client learns only that it is.
#[derive(Debug, thiserror::Error)]
pub enum SignatureDenied {
    /// The signature itself.
    #[error(transparent)]
    Signature(#[from] SignatureRefusal),
    /// The key that should have signed.
    #[error(transparent)]
    Key(#[from] KeyRefusal),
    /// The key does not sign.
    #[error("the key does not sign")]
    NotSigning,
    /// The request was made before.
    #[error("replayed")]
    Replayed,
    /// It could not be found out, or the restaurant is suspended.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl SignatureDenied {
    /// As the metric writes it.
    fn as_str(&self) -> &'static str {
        match self {
            Self::Signature(refusal) => refusal.as_str(),
            Self::Key(refusal) => refusal.as_str(),
            Self::NotSigning => "not_signing",
            Self::Replayed => "replayed",
            Self::Refused(Refusal::TenantSuspended) => "suspended",
            Self::Refused(_) => "unavailable",
        }
    }
}

/// A request that its key signed.
#[derive(Debug, Clone)]
pub struct ProvenRequest {
    /// Who asks.
    pub key: ProvenKey,
    /// What must not have been used before.
    pub nonce: NonceClaim,
}

impl ApiKeyService {
    /// Whether a signed request is worth reading its body: its headers, its key, its time.
    ///
    /// # Errors
    /// [`SignatureDenied`].
    pub async fn announced(
        &self,
        headers: &[(&str, &str)],
        ip: Option<IpAddr>,
    ) -> Result<SignedHeaders, SignatureDenied> {
        let judged = async {
            let signed = SignedHeaders::read(headers)?;
            let (known, _) = self.known_key(&signed.key_id, Instant::now()).await?;
            let now = self.db.sources().now();
            usable(&known, ip, now)?;
            signed.in_time(now)?;
            Ok(signed)
        };
        judged.await.inspect_err(count)
    }

    /// Who signed this request.
    ///
    /// # Errors
    /// [`SignatureDenied`].
    pub async fn proven(
        &self,
        signed: &SignedHeaders,
        request: &SignableRequest<'_>,
        ip: Option<IpAddr>,
    ) -> Result<ProvenRequest, SignatureDenied> {
        let proven = self.prove(signed, request, ip).await.inspect_err(count)?;
        let result = if proven.key.ends.is_some() {
            "ok_previous"
        } else {
            "ok"
        };
        metrics::counter!("comanda_request_signatures_total", "result" => result).increment(1);
        Ok(proven)
    }

    async fn prove(
        &self,
        signed: &SignedHeaders,
        request: &SignableRequest<'_>,
        ip: Option<IpAddr>,
    ) -> Result<ProvenRequest, SignatureDenied> {
        let asked_at = Instant::now();
        let (mut known, mut is_fresh) = self.known_key(&signed.key_id, asked_at).await?;
        let now = self.db.sources().now();
        let mut outcome = signer(&known, signed, request, ip, now);
        if matches!(
            outcome,
            Err(SignatureDenied::Signature(SignatureRefusal::Mismatch))
        ) && !is_fresh
        {
            // The key may have got another secret within the last second.
            known = self.look_up(&signed.key_id, asked_at).await?;
            is_fresh = true;
            outcome = signer(&known, signed, request, ip, now);
        }
        let (stored, ends) = outcome?;
        if !stored.tenant_active {
            return Err(Refusal::TenantSuspended.into());
        }
        if is_fresh {
            self.note_use(stored, None, now);
        }
        let key = &stored.key;
        let request = self.db.sources().ids().uuid();
        Ok(ProvenRequest {
            key: ProvenKey::new(key, ends),
            nonce: NonceClaim::new(key.tenant, key.id, signed.nonce.clone(), request),
        })
    }

    /// Claims the nonce of a request that changes nothing.
    ///
    /// # Errors
    /// [`SignatureDenied::Replayed`]; whatever keeps it from being found out.
    pub async fn claim_for_reading(&self, claim: &NonceClaim) -> Result<(), SignatureDenied> {
        if let Some(shared) = &self.nonces {
            match shared.claim(claim).await {
                Ok(true) => return Ok(()),
                Ok(false) => {
                    count(&SignatureDenied::Replayed);
                    return Err(SignatureDenied::Replayed);
                }
                Err(error) => warn!(%error, "nonces.redis"),
            }
        }
        self.claim_for_good(claim).await
    }

    /// Claims a nonce in the database, also if this request has claimed it already.
    ///
    /// # Errors
    /// [`SignatureDenied::Replayed`]; whatever keeps it from being found out.
    pub async fn claim_for_good(&self, claim: &NonceClaim) -> Result<(), SignatureDenied> {
        let mut ask = self.ask_of_system(claim.tenant);
        ask.nonce = Some(claim.clone());
        let claimed = self
            .db
            .transact(&ask, Locks::none(), async |_| Ok(()), |_, facts, _| facts)
            .await;
        claimed.map_err(|refusal| {
            let denied = match refusal {
                Refusal::Database(DbError::NonceUsed) => SignatureDenied::Replayed,
                other => SignatureDenied::Refused(other),
            };
            count(&denied);
            denied
        })
    }
}

fn count(denied: &SignatureDenied) {
    metrics::counter!("comanda_request_signatures_total", "result" => denied.as_str()).increment(1);
}

/// The key, if it lives and signs.
fn usable(known: &Known, ip: Option<IpAddr>, now: Timestamp) -> Result<&StoredKey, SignatureDenied> {
    let stored = known.key.as_ref().ok_or(KeyRefusal::Unknown)?;
    stored.key.may_be_used(ip, now)?;
    if stored.signing.is_empty() {
        return Err(SignatureDenied::NotSigning);
    }
    Ok(stored)
}

/// The key, if one of its live secrets signed; and when that secret ends, if it was replaced.
fn signer<'a>(
    known: &'a Known,
    signed: &SignedHeaders,
    request: &SignableRequest<'_>,
    ip: Option<IpAddr>,
    now: Timestamp,
) -> Result<(&'a StoredKey, Option<Timestamp>), SignatureDenied> {
    let stored = usable(known, ip, now)?;
    let live = || {
        stored
            .signing
            .iter()
            .filter(|secret| secret.until.is_none_or(|until| now < until))
    };
    let secrets: Vec<SigningSecret> = live().map(|live| live.secret.clone()).collect();
    let which = verify(signed, request, &secrets, now)?;
    Ok((stored, live().nth(which).and_then(|live| live.until)))
}
