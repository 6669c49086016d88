//! Telling a restaurant that a key is about to end: `api_key.expiring`, once, one for each of its branches.

use chrono::TimeDelta;
use comanda_domain::Timestamp;
use comanda_domain::event::EventName;
use comanda_domain::ids::{ApiKeyId, BranchId, EventId, IdSource, TenantId};
use serde_json::json;

use super::rows::ApiKeyRow;
use super::{ApiKeyService, store};
use crate::db::{Act, Locks};
use crate::outbox::{OutboxRow, shard};
use crate::refusal::Refusal;
use crate::views::time;

/// How long before.
const BEFORE: TimeDelta = TimeDelta::days(7);

impl ApiKeyService {
    /// Tells of the keys of a tenant that end within seven days and of which nobody was told yet. Gives their number.
    ///
    /// # Errors
    /// A failure of the database; nobody is told then, and the next run tells.
    pub async fn announce_expiring(&self, tenant: TenantId) -> Result<usize, Refusal> {
        let now = self.db.sources().now();
        self.db
            .transact(
                &self.ask_of_system(tenant),
                Locks::none(),
                // Marked in the transaction that tells: of two at once, the second finds nothing.
                async |conn| Ok(store::mark_expiring(conn, tenant, now, now + BEFORE).await?),
                |_, found, act| {
                    let found = found?;
                    for (row, branches) in &found {
                        for branch in branches {
                            let event = event(act, row, *branch, now);
                            act.rows.insert(&event);
                        }
                    }
                    Ok(found.len())
                },
            )
            .await
    }
}

fn event(act: &mut Act<'_>, key: &ApiKeyRow, branch: BranchId, now: Timestamp) -> OutboxRow {
    let id: EventId = act.ids.next();
    let key_id = ApiKeyId(key.id).to_string();
    OutboxRow {
        tenant_id: key.tenant_id,
        branch_id: Some(branch.0),
        shard: shard(key.tenant_id, branch.0, act.shards()),
        event_id: id.0,
        type_: EventName::ApiKeyExpiring.event_type(),
        subject: key_id.clone(),
        session_id: None,
        sector_id: None,
        attributes: None,
        data: json!({
            "actor": { "kind": "system", "id": null, "name": null },
            "aggregate": { "type": "api_key", "id": key_id, "version": key.version },
            "branch_id": branch, "session_id": null, "sector_id": null, "table": null,
            "key_id": key_id, "name": key.name, "expires_at": key.expires_at.map(time),
        }),
        occurred_at: now,
        numbered: true,
    }
}
