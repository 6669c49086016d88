//! The end of a receiver: what waits for it is skipped.

use comanda_domain::audit::AuditEntry;
use comanda_domain::ids::WebhookId;
use comanda_security::policy::{Action, ApiKeyPrincipal};

use super::rows::EndpointRow;
use super::{WebhookService, allowed, store};
use crate::db::{Ask, Locks};
use crate::idempotency::Stored;
use crate::refusal::Refusal;

impl WebhookService {
    /// Deletes a receiver: 204.
    ///
    /// # Errors
    /// `scope_missing`, `not_found`.
    pub async fn delete(&self, ask: &Ask, who: &ApiKeyPrincipal, id: WebhookId) -> Result<(), Refusal> {
        allowed(who, ask.tenant, &[])?;
        let now = self.db.sources().now();
        self.db
            .write(
                ask,
                Locks::webhook(id),
                async |conn| {
                    let found = store::one(conn, ask.tenant, id).await?;
                    let endpoint = found.ok_or(Refusal::NotFound)?;
                    allowed(who, ask.tenant, &endpoint.branches)?;
                    store::skip(conn, ask.tenant, id, None, now).await?;
                    Ok(endpoint.row)
                },
                |row, act| {
                    let row = EndpointRow {
                        deleted_at: Some(act.now),
                        version: row.version.saturating_add(1),
                        ..row
                    };
                    act.rows.update(&row);
                    let entry = AuditEntry::new(Action::WebhookManage.as_str(), "webhook", row.id)
                        .set("deleted", row.url);
                    act.trace(None, &entry);
                    Ok(Stored {
                        status: 204,
                        version: None,
                        location: None,
                        body: Vec::new(),
                        replayed: false,
                    })
                },
            )
            .await
            .map(drop)
    }
}
