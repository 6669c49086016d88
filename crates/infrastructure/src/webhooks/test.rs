//! Trying a receiver.

use comanda_domain::audit::AuditEntry;
use comanda_domain::ids::WebhookId;
use comanda_security::policy::{Action, ApiKeyPrincipal};

use super::body::Frame;
use super::{WebhookService, allowed, store};
use crate::db::{Ask, Locks};
use crate::idempotency::Stored;
use crate::refusal::Refusal;
use crate::views;

impl WebhookService {
    /// Sends something that is no event: 200 with the delivery, which is under way.
    ///
    /// # Errors
    /// `scope_missing`, `not_found`.
    pub async fn test(&self, ask: &Ask, who: &ApiKeyPrincipal, id: WebhookId) -> Result<Stored, Refusal> {
        allowed(who, ask.tenant, &[])?;
        self.db
            .write(
                ask,
                Locks::webhook(id),
                async |conn| {
                    let found = store::one(conn, ask.tenant, id).await?;
                    let endpoint = found.ok_or(Refusal::NotFound)?;
                    allowed(who, ask.tenant, &endpoint.branches)?;
                    Ok(endpoint)
                },
                |endpoint, act| {
                    let branch = *endpoint.branches.first().ok_or(Refusal::NotFound)?;
                    let frame = Frame {
                        epoch: "",
                        public_url: &self.public_url,
                        now: act.now,
                    };
                    let row = frame.test(act.ask.tenant, branch, &endpoint, &mut act.ids);
                    act.rows.insert(&row);
                    let entry = AuditEntry::new(Action::WebhookManage.as_str(), "webhook", id.0)
                        .set("tested", row.id.to_string());
                    act.trace(Some(branch), &entry);
                    Stored::new(200, &views::delivery(&row, &[]))
                },
            )
            .await
    }
}
