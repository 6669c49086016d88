//! Judging a key that somebody presents.

use std::net::IpAddr;
use std::time::Instant;

use comanda_domain::Timestamp;
use comanda_security::api_key::{
    Accepted, KeyId, KeyRefusal, PresentedKey, StoredMac, UsedSecret, parse, validate,
};
use comanda_security::policy::ApiKeyPrincipal;
use tracing::warn;

use super::known::{Known, StoredKey};
use super::{ApiKeyService, store};
use crate::audit::Caller;
use crate::db::{Ask, Locks};
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

impl ApiKeyService {
    /// Who presents this key from this address. A damaged key costs no query, and so does one that was looked up
    /// within the last second.
    ///
    /// # Errors
    /// [`KeyDenied`].
    pub async fn authenticate(
        &self,
        presented: &str,
        ip: Option<IpAddr>,
    ) -> Result<ApiKeyPrincipal, KeyDenied> {
        let outcome = self.judge(presented, ip).await;
        let result = match &outcome {
            Ok(accepted) if accepted.used == UsedSecret::Current => "ok",
            Ok(_) => "ok_previous",
            Err(KeyDenied::Key(refusal)) => refusal.as_str(),
            Err(KeyDenied::Refused(Refusal::TenantSuspended)) => "suspended",
            Err(KeyDenied::Refused(_)) => "unavailable",
        };
        metrics::counter!("comanda_api_key_validations_total", "result" => result).increment(1);
        outcome.map(|accepted| accepted.principal)
    }

    async fn judge(&self, presented: &str, ip: Option<IpAddr>) -> Result<Accepted, KeyDenied> {
        let presented = parse(presented).map_err(KeyRefusal::from)?;
        // From before the query: what is read may change while it is under way.
        let asked_at = Instant::now();
        let (known, is_fresh) = match self.known.get(&presented.key_id, asked_at) {
            Some(known) => (known, false),
            None => (self.look_up(&presented.key_id, asked_at).await?, true),
        };
        let stored = known.key.ok_or(KeyRefusal::Unknown)?;
        let now = self.db.sources().now();
        let accepted = validate(&self.peppers, &presented, &stored.key, ip, now)?;
        if !stored.tenant_active {
            return Err(Refusal::TenantSuspended.into());
        }
        // At most once a second and key, and only once a minute has passed since the row was written.
        let is_noted = stored
            .last_used_at
            .is_some_and(|at| now < at + store::NOTED_EVERY);
        if is_fresh && (!is_noted || accepted.rewrite.is_some()) {
            self.note_use(&presented, &stored, &accepted, now);
        }
        Ok(accepted)
    }

    async fn look_up(&self, id: &KeyId, asked_at: Instant) -> Result<Known, Refusal> {
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
                key: row.into_stored(branches)?,
                tenant_active: status == ACTIVE,
            }),
            None => None,
        };
        let known = Known { key, asked_at };
        self.known.put(id.clone(), known.clone());
        Ok(known)
    }

    /// Keeps in the background that the key was used; the request does not wait for it, and goes on without it.
    fn note_use(&self, presented: &PresentedKey, stored: &StoredKey, accepted: &Accepted, now: Timestamp) {
        let key = &stored.key;
        let rewrite: Option<(StoredMac, StoredMac)> = match accepted.used {
            UsedSecret::Current => accepted.rewrite.clone().map(|new| (key.current.clone(), new)),
            // It ends soon, with the pepper it was made with.
            UsedSecret::Previous { .. } => None,
        };
        let (db, id, shown) = (self.db.clone(), key.id, presented.key_id.clone());
        let ask = Ask {
            tenant: key.tenant,
            caller: Caller::system(),
            request_id: crate::db::request_id(&mut db.sources().ids()).to_string(),
            origin: crate::db::Origin::default(),
            language: None,
            found_at: "",
            idempotency: None,
        };
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
