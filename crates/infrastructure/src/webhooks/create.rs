//! A new receiver. Its secret is in this answer and never again.

use comanda_domain::audit::AuditEntry;
use comanda_domain::event::TypeFilters;
use comanda_domain::ids::{BranchId, IdSource, WebhookId};
use comanda_domain::webhook::EndpointHealth;
use comanda_security::policy::{Action, ApiKeyPrincipal};

use super::rows::{EndpointRow, WebhookBranchRow, in_flight};
use super::store::Endpoint;
use super::{WebhookService, allowed, secrets, store, texts};
use crate::db::{Act, Ask, Locks};
use crate::idempotency::Stored;
use crate::refusal::Refusal;
use crate::views;

/// Receivers of one tenant.
const MOST: i64 = 20;

/// What a receiver shall be.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// Where.
    pub url: String,
    /// What it is told.
    pub event_types: TypeFilters,
    /// Of which branches, in ascending order.
    pub branches: Vec<BranchId>,
    /// Or it waits until it is switched on.
    pub enabled: bool,
}

impl WebhookService {
    /// Makes a receiver: 201 with its secret.
    ///
    /// # Errors
    /// `scope_missing`, `webhook_url_forbidden`, `not_found` for a branch that the key does not act in,
    /// `validation_failed` beyond 20 receivers.
    pub async fn create(
        &self,
        ask: &Ask,
        who: &ApiKeyPrincipal,
        new: &NewWebhook,
    ) -> Result<Stored, Refusal> {
        allowed(who, ask.tenant, &new.branches)?;
        let url = self.outbound.judge(&new.url).await?.as_str().to_owned();
        self.db
            .write(
                ask,
                Locks::none(),
                async |conn| {
                    let count = store::count_for_one_more(conn, ask.tenant).await?;
                    let live = store::live_branches(conn, ask.tenant, &new.branches).await?;
                    Ok((count, live))
                },
                |(count, live), act| {
                    if new.branches.iter().any(|branch| !live.contains(branch)) {
                        return Err(Refusal::NotFound);
                    }
                    if count >= MOST {
                        return Err(Refusal::Invalid {
                            pointer: String::new(),
                            code: "too_large",
                            detail: format!("at most {MOST} webhooks"),
                        });
                    }
                    self.record(act, new, &url)
                },
            )
            .await
    }

    fn record(&self, act: &mut Act<'_>, new: &NewWebhook, url: &str) -> Result<Stored, Refusal> {
        let tenant = act.ask.tenant;
        let id: WebhookId = act.ids.next();
        let (secret, sealed_secret) = secrets::fresh(&self.seal, tenant.0, id.0)?;
        let row = EndpointRow {
            tenant_id: tenant.0,
            id: id.0,
            url: url.to_owned(),
            event_types: texts(&new.event_types),
            enabled: true,
            disabled_at: None,
            disabled_reason: None,
            sealed_secret,
            previous_sealed_secret: None,
            previous_valid_until: None,
            failing_since: None,
            concurrency: in_flight(EndpointHealth::default()),
            version: 1,
            created_at: act.now,
            deleted_at: None,
        };
        let row = if new.enabled {
            row
        } else {
            row.disabled(BY_HAND, act.now)
        };
        act.rows.insert(&row);
        for branch in &new.branches {
            act.rows.insert(&branch_row(&row, *branch, act));
        }
        let entry = AuditEntry::new(Action::WebhookManage.as_str(), "webhook", id.0)
            .set("url", row.url.clone())
            .set("event_types", row.event_types.join(" "));
        act.trace(None, &entry);
        let endpoint = Endpoint {
            row,
            branches: new.branches.clone(),
        };
        let view = views::issued_webhook(&endpoint, &secret, act.now);
        Ok(Stored::new(201, &view)?
            .version(endpoint.row.version)
            .location(format!("{}{id}", act.ask.found_at)))
    }
}

/// Why a receiver is off that somebody switched off.
pub(super) const BY_HAND: &str = "by_hand";

pub(super) fn branch_row(endpoint: &EndpointRow, branch: BranchId, act: &Act<'_>) -> WebhookBranchRow {
    WebhookBranchRow {
        tenant_id: endpoint.tenant_id,
        endpoint_id: endpoint.id,
        branch_id: branch.0,
        created_at: act.now,
    }
}
