//! What became of the deliveries to a receiver.

use comanda_domain::ids::{DeliveryId, WebhookId};
use comanda_security::policy::ApiKeyPrincipal;

use super::{WebhookService, allowed, store};
use crate::db::Ask;
use crate::paging::{Page, Part};
use crate::refusal::Refusal;
use crate::views::{DeliveryView, delivery};

impl WebhookService {
    /// A page of the deliveries to a receiver, newest first, with what is kept of their attempts.
    ///
    /// # Errors
    /// `scope_missing`, `not_found`, `invalid_cursor`.
    pub async fn deliveries(
        &self,
        ask: &Ask,
        who: &ApiKeyPrincipal,
        id: WebhookId,
        status: Option<&str>,
        page: &Page<'_>,
    ) -> Result<Part<DeliveryView>, Refusal> {
        allowed(who, ask.tenant, &[])?;
        let before = page.position::<DeliveryId>()?;
        let limit = page.limit + 1;
        let found = self
            .db
            .read(ask.tenant, async |conn| {
                let endpoint = store::one(conn, ask.tenant, id).await?;
                let endpoint = endpoint.ok_or(Refusal::NotFound)?;
                allowed(who, ask.tenant, &endpoint.branches)?;
                Ok(store::deliveries(conn, ask.tenant, id, status, before, limit).await?)
            })
            .await?;
        page.part(
            found,
            |(row, _)| DeliveryId(row.id),
            |(row, attempts)| delivery(row, attempts),
        )
    }
}
