//! Reading receivers: those of which every branch is the key's.

use comanda_domain::ids::WebhookId;
use comanda_security::policy::ApiKeyPrincipal;

use super::{WebhookService, allowed, store};
use crate::db::Ask;
use crate::refusal::Refusal;
use crate::views::{WebhookView, webhook};

impl WebhookService {
    /// The receivers that the key may manage, newest first; at most 20.
    ///
    /// # Errors
    /// `scope_missing`.
    pub async fn list(&self, ask: &Ask, who: &ApiKeyPrincipal) -> Result<Vec<WebhookView>, Refusal> {
        allowed(who, ask.tenant, &[])?;
        let found = self
            .db
            .read(ask.tenant, async |conn| Ok(store::all(conn, ask.tenant).await?))
            .await?;
        let now = self.db.sources().now();
        Ok(found
            .iter()
            .filter(|endpoint| allowed(who, ask.tenant, &endpoint.branches).is_ok())
            .map(|endpoint| webhook(endpoint, now))
            .collect())
    }

    /// One receiver and its version.
    ///
    /// # Errors
    /// `scope_missing`, `not_found`.
    pub async fn one(
        &self,
        ask: &Ask,
        who: &ApiKeyPrincipal,
        id: WebhookId,
    ) -> Result<(WebhookView, i64), Refusal> {
        allowed(who, ask.tenant, &[])?;
        let found = self
            .db
            .read(ask.tenant, async |conn| {
                Ok(store::one(conn, ask.tenant, id).await?)
            })
            .await?;
        let endpoint = found.ok_or(Refusal::NotFound)?;
        allowed(who, ask.tenant, &endpoint.branches)?;
        Ok((webhook(&endpoint, self.db.sources().now()), endpoint.row.version))
    }
}
