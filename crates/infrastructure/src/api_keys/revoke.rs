//! The end of a key: everywhere within a second. The key stays in the list, for whoever looks at what it did.

use comanda_domain::audit::AuditEntry;
use comanda_domain::ids::ApiKeyId;
use comanda_security::policy::Action;

use super::manager::KeyManager;
use super::rows::ApiKeyRow;
use super::{ApiKeyService, store};
use crate::db::{Act, Ask, Locks};
use crate::idempotency::Stored;
use crate::outbox::Ended;
use crate::refusal::Refusal;
use crate::views::api_key;

impl ApiKeyService {
    /// Revokes a key; one that is revoked already stays as it is.
    ///
    /// # Errors
    /// `forbidden`, `not_found`, `precondition_failed`.
    pub async fn revoke(
        &self,
        ask: &Ask,
        who: &KeyManager<'_>,
        id: ApiKeyId,
        seen: Option<i64>,
        reason: Option<&str>,
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
                    let row = decide(row, act, who, seen, reason)?;
                    let view = api_key(&row, &branches, act.now);
                    Ok(Stored::new(200, &view)?.version(row.version))
                },
            )
            .await?;
        // Other processes learn of it within a second.
        self.known.forget(id);
        Ok(outcome)
    }
}

fn decide(
    row: ApiKeyRow,
    act: &mut Act<'_>,
    who: &KeyManager<'_>,
    seen: Option<i64>,
    reason: Option<&str>,
) -> Result<ApiKeyRow, Refusal> {
    let by = who.may(act.ask.tenant)?;
    super::unchanged(&row, seen)?;
    if row.revoked_at.is_some() {
        return Ok(row);
    }
    let revoked = ApiKeyRow {
        revoked_at: Some(act.now),
        revoked_by: by.map(|user| user.0),
        version: row.version.saturating_add(1),
        ..row
    };
    act.rows.update(&revoked);
    act.end(Ended::KeyId(revoked.id.into()));
    let entry = AuditEntry::new(Action::ApiKeyManage.as_str(), "api_key", revoked.id)
        .because(reason.map(str::to_owned))
        .set("key_id", revoked.key_id.clone())
        .moved("state", "active", "revoked");
    who.trace(act, &entry);
    Ok(revoked)
}
