//! Sending one delivery again, whatever became of it.

use comanda_domain::audit::AuditEntry;
use comanda_domain::dead_letter::Source;
use comanda_domain::ids::{DeliveryId, WebhookId};
use comanda_security::policy::{Action, ApiKeyPrincipal};

use super::{WebhookService, allowed, store};
use crate::db::{Ask, Locks};
use crate::dead_letters::{letters_of, resolved};
use crate::idempotency::Stored;
use crate::refusal::Refusal;
use crate::views;

impl WebhookService {
    /// Puts a delivery back, due at once and with the whole schedule before it: 200. Its dead letter, if there is
    /// one, is resolved.
    ///
    /// # Errors
    /// `scope_missing`, `not_found`.
    pub async fn retry(&self, ask: &Ask, who: &ApiKeyPrincipal, id: DeliveryId) -> Result<Stored, Refusal> {
        allowed(who, ask.tenant, &[])?;
        self.db
            .write(
                ask,
                Locks::webhook_of_delivery(id),
                async |conn| {
                    let found = store::delivery(conn, ask.tenant, id).await?;
                    let row = found.ok_or(Refusal::NotFound)?;
                    let endpoint = store::one(conn, ask.tenant, WebhookId(row.endpoint_id)).await?;
                    let endpoint = endpoint.ok_or(Refusal::NotFound)?;
                    allowed(who, ask.tenant, &endpoint.branches)?;
                    let attempts = store::attempts(conn, ask.tenant, &[row.id]).await?;
                    let letters = letters_of(conn, ask.tenant, Source::Webhook, &[id.to_string()]).await?;
                    Ok((row, attempts, letters))
                },
                |(row, mut attempts, letters), act| {
                    let before = row.status.clone();
                    let row = row.again(act.now);
                    act.rows.update(&row);
                    for letter in letters {
                        let letter = resolved(letter, by(who), act.now);
                        act.rows.update(&letter);
                    }
                    let entry = AuditEntry::new(Action::WebhookManage.as_str(), "webhook_delivery", row.id)
                        .moved("status", before, row.status.clone());
                    act.trace(Some(row.branch_id.into()), &entry);
                    let attempts = attempts.remove(&row.id).unwrap_or_default();
                    Stored::new(200, &views::delivery(&row, &attempts))
                },
            )
            .await
    }
}

/// Who took a letter's work back.
pub(super) fn by(who: &ApiKeyPrincipal) -> String {
    format!("api_key {}", who.id)
}
