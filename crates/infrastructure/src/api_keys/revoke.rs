//! The end of a key: everywhere within a second. The key stays in the list, for whoever looks at what it did.

use comanda_domain::audit::AuditEntry;
use comanda_domain::ids::ApiKeyId;
use comanda_security::policy::{Action, Principal, Resource, authorize};

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
        who: &Principal,
        id: ApiKeyId,
        seen: Option<i64>,
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
                    let row = decide(row, act, who, seen)?;
                    let view = api_key(&row, &branches, act.now);
                    Ok(Stored::new(200, &view)?.version(row.version))
                },
            )
            .await?;
        // Other processes learn of it within a second.
        self.known.forget_all();
        Ok(outcome)
    }
}

fn decide(
    row: ApiKeyRow,
    act: &mut Act<'_>,
    who: &Principal,
    seen: Option<i64>,
) -> Result<ApiKeyRow, Refusal> {
    let permit = authorize(who, Action::ApiKeyManage, &Resource::of_tenant(act.ask.tenant))?;
    if seen.is_some_and(|seen| seen != row.version) {
        return Err(Refusal::PreconditionFailed {
            version: row.version,
            current: serde_json::Value::Null,
        });
    }
    if row.revoked_at.is_some() {
        return Ok(row);
    }
    let revoked = ApiKeyRow {
        revoked_at: Some(act.now),
        revoked_by: permit.actor().id,
        version: row.version.saturating_add(1),
        ..row
    };
    act.rows.update(&revoked);
    act.end(Ended::KeyId(revoked.id.into()));
    let entry = AuditEntry::new(Action::ApiKeyManage.as_str(), "api_key", revoked.id)
        .set("key_id", revoked.key_id.clone())
        .moved("state", "active", "revoked");
    act.trace(None, &entry);
    Ok(revoked)
}
