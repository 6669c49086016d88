//! Changing a receiver, and giving it another secret. Both apply from the next attempt on.

use chrono::TimeDelta;
use comanda_domain::audit::AuditEntry;
use comanda_domain::event::TypeFilters;
use comanda_domain::ids::{BranchId, WebhookId};
use comanda_security::policy::{Action, ApiKeyPrincipal};

use super::create::{BY_HAND, branch_row};
use super::rows::EndpointRow;
use super::store::Endpoint;
use super::{WebhookService, allowed, secrets, store, texts};
use crate::db::{Act, Ask, Locks};
use crate::idempotency::Stored;
use crate::refusal::Refusal;
use crate::views;

/// How long the secret before the present one goes on signing.
const OVERLAP: TimeDelta = TimeDelta::hours(24);

/// What changes; the rest stays.
#[derive(Debug, Clone, Default)]
pub struct WebhookPatch {
    /// Where.
    pub url: Option<String>,
    /// What it is told.
    pub event_types: Option<TypeFilters>,
    /// Of which branches, in ascending order.
    pub branches: Option<Vec<BranchId>>,
    /// On or off.
    pub enabled: Option<bool>,
}

impl WebhookService {
    /// Changes a receiver. What waits for a branch that it does not want any more is skipped.
    ///
    /// # Errors
    /// `scope_missing`, `not_found`, `precondition_failed`, `webhook_url_forbidden`.
    pub async fn change(
        &self,
        ask: &Ask,
        who: &ApiKeyPrincipal,
        id: WebhookId,
        seen: Option<i64>,
        patch: &WebhookPatch,
    ) -> Result<Stored, Refusal> {
        allowed(who, ask.tenant, patch.branches.as_deref().unwrap_or_default())?;
        let url = match &patch.url {
            Some(url) => Some(self.outbound.judge(url).await?.as_str().to_owned()),
            None => None,
        };
        let now = self.db.sources().now();
        self.db
            .write(
                ask,
                Locks::webhook(id),
                async |conn| {
                    let found = store::one(conn, ask.tenant, id).await?;
                    let endpoint = found.ok_or(Refusal::NotFound)?;
                    allowed(who, ask.tenant, &endpoint.branches)?;
                    if let Some(branches) = &patch.branches {
                        let live = store::live_branches(conn, ask.tenant, branches).await?;
                        if branches.iter().any(|branch| !live.contains(branch)) {
                            return Err(Refusal::NotFound);
                        }
                        let gone = missing(&endpoint.branches, branches);
                        store::skip(conn, ask.tenant, id, Some(&gone), now).await?;
                    }
                    Ok(endpoint)
                },
                |endpoint, act| decide(endpoint, act, seen, url.as_deref(), patch),
            )
            .await
    }

    /// A fresh secret: 200 with it. The one before goes on signing beside it for 24 hours; one that did so already
    /// ends.
    ///
    /// # Errors
    /// `scope_missing`, `not_found`.
    pub async fn rotate_secret(
        &self,
        ask: &Ask,
        who: &ApiKeyPrincipal,
        id: WebhookId,
    ) -> Result<Stored, Refusal> {
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
                |Endpoint { row, branches }, act| {
                    let (secret, sealed_secret) = secrets::fresh(&self.seal, row.tenant_id, row.id)?;
                    let row = EndpointRow {
                        previous_sealed_secret: Some(row.sealed_secret),
                        previous_valid_until: Some(act.now + OVERLAP),
                        sealed_secret,
                        version: row.version.saturating_add(1),
                        ..row
                    };
                    act.rows.update(&row);
                    let entry = AuditEntry::new(Action::WebhookManage.as_str(), "webhook", row.id)
                        .set("secret", "rotated".to_owned());
                    act.trace(None, &entry);
                    let endpoint = Endpoint { row, branches };
                    let view = views::issued_webhook(&endpoint, &secret, act.now);
                    Ok(Stored::new(200, &view)?.version(endpoint.row.version))
                },
            )
            .await
    }
}

/// What is in the first list only.
fn missing(some: &[BranchId], others: &[BranchId]) -> Vec<BranchId> {
    some.iter()
        .filter(|branch| !others.contains(branch))
        .copied()
        .collect()
}

fn decide(
    endpoint: Endpoint,
    act: &mut Act<'_>,
    seen: Option<i64>,
    url: Option<&str>,
    patch: &WebhookPatch,
) -> Result<Stored, Refusal> {
    let Endpoint { row, branches } = endpoint;
    if seen.is_some_and(|seen| seen != row.version) {
        let version = row.version;
        let present = views::webhook(&Endpoint { row, branches }, act.now);
        return Err(Refusal::PreconditionFailed {
            version,
            current: crate::stored::json(&present),
        });
    }
    let before = row.clone();
    let mut row = EndpointRow {
        url: url.map_or(row.url.clone(), str::to_owned),
        event_types: patch.event_types.as_ref().map_or(row.event_types.clone(), texts),
        version: row.version.saturating_add(1),
        ..row
    };
    match patch.enabled {
        Some(true) if !row.enabled => row = row.enabled(),
        Some(false) if row.enabled => row = row.disabled(BY_HAND, act.now),
        _ => {}
    }
    act.rows.update(&row);
    let wanted = patch.branches.clone().unwrap_or_else(|| branches.clone());
    for branch in missing(&branches, &wanted) {
        let gone = branch_row(&row, branch, act);
        act.rows.delete(&gone);
    }
    for branch in missing(&wanted, &branches) {
        let new = branch_row(&row, branch, act);
        act.rows.insert(&new);
    }
    let mut entry = AuditEntry::new(Action::WebhookManage.as_str(), "webhook", row.id);
    for (field, old, new) in [
        ("url", before.url, row.url.clone()),
        (
            "event_types",
            before.event_types.join(" "),
            row.event_types.join(" "),
        ),
        ("enabled", before.enabled.to_string(), row.enabled.to_string()),
    ] {
        if old != new {
            entry = entry.moved(field, old, new);
        }
    }
    act.trace(None, &entry);
    let endpoint = Endpoint {
        row,
        branches: wanted,
    };
    Ok(Stored::new(200, &views::webhook(&endpoint, act.now))?.version(endpoint.row.version))
}
