//! Telling a restaurant that a receiver was switched off: `webhook.disabled`, one for each of its branches.

use comanda_domain::Timestamp;
use comanda_domain::event::EventName;
use comanda_domain::ids::{BranchId, EventId, IdSource, WebhookId};
use comanda_domain::webhook::DisableReason;
use diesel::sql_types::Jsonb;
use diesel_async::RunQueryDsl;
use serde_json::json;

use crate::db::{Conn, DbError, Relay, Row};
use crate::outbox::{OutboxRow, shard};
use crate::webhooks::rows::EndpointRow;
use crate::webhooks::store::with_branches;

/// Stages the events in the transaction that switches the receiver off.
pub(super) async fn announce(
    relay: &Relay,
    conn: Conn<'_>,
    endpoint: &EndpointRow,
    reason: DisableReason,
    now: Timestamp,
) -> Result<(), DbError> {
    let found = with_branches(conn, vec![endpoint.clone()]).await?;
    let rows: Vec<OutboxRow> = found
        .iter()
        .flat_map(|endpoint| &endpoint.branches)
        .map(|branch| row(relay, endpoint, *branch, reason, now))
        .collect();
    let columns = OutboxRow::COLUMNS.join(", ");
    let values = serde_json::to_value(&rows)
        .map_err(|error| diesel::result::Error::SerializationError(error.into()))?;
    diesel::sql_query(format!(
        "INSERT INTO outbox_stage ({columns}) \
         SELECT {columns} FROM jsonb_populate_recordset(NULL::outbox_stage, $1)"
    ))
    .bind::<Jsonb, _>(values)
    .execute(&mut &*conn)
    .await?;
    Ok(())
}

fn row(
    relay: &Relay,
    endpoint: &EndpointRow,
    branch: BranchId,
    reason: DisableReason,
    now: Timestamp,
) -> OutboxRow {
    let id: EventId = relay.sources().ids().next();
    let webhook = WebhookId(endpoint.id).to_string();
    OutboxRow {
        tenant_id: endpoint.tenant_id,
        branch_id: Some(branch.0),
        shard: shard(endpoint.tenant_id, branch.0, relay.shards()),
        event_id: id.0,
        type_: EventName::WebhookDisabled.event_type(),
        subject: webhook.clone(),
        session_id: None,
        sector_id: None,
        attributes: None,
        data: json!({
            "actor": { "kind": "system", "id": null, "name": null },
            "aggregate": { "type": "webhook", "id": webhook, "version": endpoint.version },
            "branch_id": branch, "session_id": null, "sector_id": null, "table": null,
            "webhook_id": webhook, "reason": reason.as_str(),
        }),
        occurred_at: now,
        numbered: true,
    }
}
