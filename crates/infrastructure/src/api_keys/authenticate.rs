//! Judging a key that somebody presents.

use std::net::IpAddr;
use std::time::Instant;

use comanda_domain::Timestamp;
use comanda_security::api_key::{
    Accepted, KeyId, KeyRefusal, PresentedKey, StoredApiKey, StoredMac, UsedSecret, parse, validate,
};
use comanda_security::hash::sha256;
use comanda_security::policy::ApiKeyPrincipal;
use tracing::warn;

use super::known::{Known, StoredKey};
use super::{ApiKeyService, secrets, store};
use crate::db::Locks;
use crate::refusal::Refusal;
use crate::staff::rows::ACTIVE;

/// Why a key does not open anything.
#[derive(Debug, thiserror::Error)]
pub enum KeyDenied {
    /// The key itself; the client learns only that its time is over, or that it is not accepted.
    #[error(transparent)]
    Key(#[from] KeyRefusal),
    /// It could not be found out, or the restaurant is suspended.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// A key that was accepted.
#[derive(Debug, Clone)]
pub struct ProvenKey {
    /// Who asks.
    pub principal: ApiKeyPrincipal,
    /// When the secret stops working, if it was replaced.
    pub ends: Option<Timestamp>,
    /// When the key or this secret stops working, if ever.
    pub good_until: Option<Timestamp>,
}

impl ProvenKey {
    pub(super) fn new(key: &StoredApiKey, ends: Option<Timestamp>) -> Self {
        Self {
            principal: key.principal(),
            ends,
            good_until: ends.into_iter().chain(key.expires_at).min(),
        }
    }
}

impl ApiKeyService {
    /// Who presents this key from this address. A damaged key costs no query, and so does one that was looked up
    /// within the last second, or was wrong within the last ten.
    ///
    /// # Errors
    /// [`KeyDenied`].
    pub async fn authenticate(&self, presented: &str, ip: Option<IpAddr>) -> Result<ProvenKey, KeyDenied> {
        let outcome = self.judge(presented, ip).await;
        let result = match &outcome {
            Ok(proven) if proven.ends.is_none() => "ok",
            Ok(_) => "ok_previous",
            Err(KeyDenied::Key(refusal)) => refusal.as_str(),
            Err(KeyDenied::Refused(Refusal::TenantSuspended)) => "suspended",
            Err(KeyDenied::Refused(_)) => "unavailable",
        };
        metrics::counter!("comanda_api_key_validations_total", "result" => result).increment(1);
        outcome
    }

    async fn judge(&self, text: &str, ip: Option<IpAddr>) -> Result<ProvenKey, KeyDenied> {
        let presented = parse(text).map_err(KeyRefusal::from)?;
        // From before the query: what is read may change while it is under way.
        let asked_at = Instant::now();
        let digest = sha256(&[text.as_bytes()]);
        if self.known.is_wrong(&digest, asked_at) {
            return Err(KeyRefusal::Unknown.into());
        }
        let (mut known, mut is_fresh) = self.known_key(&presented.key_id, asked_at).await?;
        let now = self.db.sources().now();
        let mut outcome = self.fits(&presented, &known, ip, now);
        if outcome == Err(KeyRefusal::Unknown) && known.key.is_some() && !is_fresh {
            // The key may have got another secret within the last second.
            known = self.look_up(&presented.key_id, asked_at).await?;
            is_fresh = true;
            outcome = self.fits(&presented, &known, ip, now);
        }
        if outcome == Err(KeyRefusal::Unknown) {
            self.known.remember_wrong(digest, asked_at);
        }
        let accepted = outcome?;
        let stored = known.key.ok_or(KeyRefusal::Unknown)?;
        if !stored.tenant_active {
            return Err(Refusal::TenantSuspended.into());
        }
        let (ends, rewrite) = match accepted.used {
            UsedSecret::Current => (None, accepted.rewrite),
            // It ends soon, with the pepper it was made with.
            UsedSecret::Previous { valid_until } => (Some(valid_until), None),
        };
        if is_fresh {
            self.note_use(&stored, rewrite, now);
        }
        Ok(ProvenKey::new(&stored.key, ends))
    }

    fn fits(
        &self,
        presented: &PresentedKey,
        known: &Known,
        ip: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Accepted, KeyRefusal> {
        let stored = known.key.as_ref().ok_or(KeyRefusal::Unknown)?;
        validate(&self.peppers, presented, &stored.key, ip, now)
    }

    /// The key as it was within the last second, and whether it was looked up only now.
    pub(super) async fn known_key(&self, id: &KeyId, asked_at: Instant) -> Result<(Known, bool), Refusal> {
        match self.known.get(id, asked_at) {
            Some(known) => Ok((known, false)),
            None => Ok((self.look_up(id, asked_at).await?, true)),
        }
    }

    pub(super) async fn look_up(&self, id: &KeyId, asked_at: Instant) -> Result<Known, Refusal> {
        let tenant = self
            .db
            .directory(async |conn| Ok(store::tenant_of(conn, id).await?))
            .await?;
        let found = match tenant {
            Some(tenant) => {
                self.db
                    .read(tenant, async |conn| Ok(store::presented(conn, tenant, id).await?))
                    .await?
            }
            None => None,
        };
        let key = match found {
            Some(((row, branches), status)) => Some(StoredKey {
                last_used_at: row.last_used_at,
                signing: secrets::of(&self.seal, &row)?,
                key: row.into_stored(branches)?,
                tenant_active: status == ACTIVE,
            }),
            None => None,
        };
        let known = Known { key, asked_at };
        self.known.put(id.clone(), known.clone());
        Ok(known)
    }

    /// Keeps in the background that the key was used, and its MAC under the current pepper; the request does not wait
    /// for it, and goes on without it. At most once a minute and key, unless there is a MAC to keep.
    pub(super) fn note_use(&self, stored: &StoredKey, rewrite: Option<StoredMac>, now: Timestamp) {
        let is_noted = stored
            .last_used_at
            .is_some_and(|at| now < at + store::NOTED_EVERY);
        if is_noted && rewrite.is_none() {
            return;
        }
        let key = &stored.key;
        let rewrite: Option<(StoredMac, StoredMac)> = rewrite.map(|new| (key.current.clone(), new));
        let (db, id, shown) = (self.db.clone(), key.id, key.key_id.clone());
        let ask = self.ask_of_system(key.tenant);
        tokio::task::spawn_local(async move {
            let noted = db
                .transact(
                    &ask,
                    Locks::none(),
                    async |conn| {
                        let rewrite = rewrite.as_ref().map(|(old, new)| (old, new));
                        Ok(store::used(conn, ask.tenant, id, now, rewrite).await?)
                    },
                    |_, done, _| done,
                )
                .await;
            if let Err(error) = noted {
                warn!(%error, key = %shown, "api_key.use_not_kept");
            }
        });
    }
}
