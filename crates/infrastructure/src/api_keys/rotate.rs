//! Another secret for a key; the one before goes on working for a while.

use comanda_domain::Timestamp;
use comanda_domain::audit::AuditEntry;
use comanda_domain::ids::{ApiKeyId, BranchId};
use comanda_security::SystemEntropy;
use comanda_security::api_key::{IssuedKey, Overlap, reissue};
use comanda_security::policy::Action;
use comanda_security::signing::SigningSecret;

use super::manager::KeyManager;
use super::rows::ApiKeyRow;
use super::{ApiKeyService, secrets, store};
use crate::db::{Act, Ask, Locks};
use crate::idempotency::Stored;
use crate::outbox::Ended;
use crate::refusal::Refusal;
use crate::views::issued_key;

/// How a key gets another secret.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rotation {
    /// How long the secret before goes on working.
    pub overlap: Overlap,
    /// Also while the secret before the present one still works, which then ends.
    pub force: bool,
}

impl ApiKeyService {
    /// Gives a key another secret: 200 with the whole key. Its id, scopes, branches, addresses and end stay.
    ///
    /// # Errors
    /// `forbidden`, `not_found`, `precondition_failed`, `api_key_wrong_state`.
    pub async fn rotate(
        &self,
        ask: &Ask,
        who: &KeyManager<'_>,
        id: ApiKeyId,
        seen: Option<i64>,
        rotation: Rotation,
    ) -> Result<Stored, Refusal> {
        let outcome = self
            .db
            .write(
                ask,
                Locks::api_key(id),
                async |conn| {
                    let found = store::one(conn, ask.tenant, id).await?;
                    found.ok_or(Refusal::NotFound)
                },
                |(row, branches), act| {
                    who.may(act.ask.tenant)?;
                    super::unchanged(&row, seen)?;
                    let key = row.clone().into_stored(branches.clone())?;
                    let until = key.rotation(rotation.overlap, rotation.force, act.now)?;
                    // Who listens with a secret that ends now is to come again with one that works.
                    let one_ends =
                        until.is_none() || key.previous.is_some_and(|old| act.now < old.valid_until);
                    act.end(if one_ends {
                        Ended::KeyId(id)
                    } else {
                        Ended::RotatedKeyId(id)
                    });
                    self.renew(row, &branches, until, act, who)
                },
            )
            .await?;
        self.known.forget(id);
        Ok(outcome)
    }

    fn renew(
        &self,
        row: ApiKeyRow,
        branches: &[BranchId],
        until: Option<Timestamp>,
        act: &mut Act<'_>,
        who: &KeyManager<'_>,
    ) -> Result<Stored, Refusal> {
        let key = row.clone().into_stored(Vec::new())?;
        let issued = reissue(key.environment, key.key_id, &SystemEntropy::new())
            .map_err(|error| Refusal::Internal(error.to_string()))?;
        let (signing, sealed) = if row.requires_signature {
            let (secret, sealed) = secrets::fresh(&self.seal, row.tenant_id, &row.key_id)?;
            (Some(secret), Some(sealed))
        } else {
            (None, None)
        };
        let renewed = self.replaced(row, &issued, sealed, until);
        act.rows.update(&renewed);
        let entry = AuditEntry::new(Action::ApiKeyManage.as_str(), "api_key", renewed.id)
            .set("key_id", renewed.key_id.clone())
            .set("secret", "rotated".to_owned());
        who.trace(act, &entry);
        let signing = signing.as_ref().map(SigningSecret::text);
        let view = issued_key(&renewed, branches, act.now, &issued.text, signing.as_ref());
        Ok(Stored::new(200, &view)?.version(renewed.version))
    }

    /// The row with the new secret in the place of the present one, and that one in the place of the one before.
    fn replaced(
        &self,
        row: ApiKeyRow,
        issued: &IssuedKey,
        sealed: Option<Vec<u8>>,
        until: Option<Timestamp>,
    ) -> ApiKeyRow {
        let mac = self.peppers.mac(&issued.secret);
        ApiKeyRow {
            previous_mac: until.map(|_| row.secret_mac),
            previous_pepper_id: until.map(|_| row.pepper_id),
            previous_valid_until: until,
            previous_sealed_signing_secret: until.and(row.sealed_signing_secret),
            secret_mac: mac.mac,
            pepper_id: mac.pepper_id,
            sealed_signing_secret: sealed,
            version: row.version.saturating_add(1),
            ..row
        }
    }
}
