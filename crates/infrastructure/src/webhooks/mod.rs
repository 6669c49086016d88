//! Webhooks: who wants which events where, and what became of each delivery (`events.md` 9).
//!
//! Receivers are managed here; [`worker`] delivers. A delivery is work handed over by the database: whoever holds its
//! lease sends it, and only whoever holds its fence records what came of it.

mod body;
mod change;
mod create;
mod delete;
mod deliveries;
mod outbound;
mod read;
mod replay;
mod retry;
pub(crate) mod rows;
mod secrets;
pub(crate) mod store;
mod test;
pub mod worker;

use comanda_domain::event::TypeFilters;
use comanda_domain::ids::{BranchId, TenantId};
use comanda_security::policy::{Action, ApiKeyPrincipal, Principal, Resource, authorize};
use comanda_security::seal::SealKeys;

pub use change::WebhookPatch;
pub use create::NewWebhook;
pub use outbound::Outbound;
pub use replay::Replay;

use crate::db::Db;
use crate::refusal::Refusal;

/// The receivers of integrations and their deliveries.
#[derive(Clone)]
pub struct WebhookService {
    db: Db,
    seal: SealKeys,
    outbound: Outbound,
    public_url: String,
}

impl WebhookService {
    /// Over this database. `public_url` stands in bodies.
    pub fn new(db: Db, seal: SealKeys, outbound: Outbound, public_url: &str) -> Self {
        Self {
            db,
            seal,
            outbound,
            public_url: public_url.to_owned(),
        }
    }
}

/// Whether the key may manage receivers of these branches; of a receiver that also gets events of others it must
/// know nothing.
fn allowed(key: &ApiKeyPrincipal, tenant: TenantId, branches: &[BranchId]) -> Result<(), Refusal> {
    let principal = Principal::ApiKey(key.clone());
    let _permit = authorize(&principal, Action::WebhookManage, &Resource::of_tenant(tenant))?;
    for branch in branches {
        let _permit = authorize(
            &principal,
            Action::WebhookManage,
            &Resource::of_branch(tenant, *branch),
        )?;
    }
    Ok(())
}

/// The filters as they are stored.
fn texts(filters: &TypeFilters) -> Vec<String> {
    filters.0.iter().map(ToString::to_string).collect()
}
