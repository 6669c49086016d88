//! Queries over receivers and deliveries.

use std::collections::BTreeMap;

use comanda_domain::ids::{BranchId, DeliveryId, EventId, TenantId, WebhookId};
use comanda_security::hash::sha256;
use diesel::sql_types::BigInt;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::rows::{AttemptRow, DeliveryRow, EndpointRow, PENDING, SKIPPED};
use crate::db::{Conn, DbError};
use crate::events::LoggedEvent;
use crate::schema::{
    branch, event_epoch, event_log, webhook_attempt, webhook_branch, webhook_delivery, webhook_endpoint,
};

/// A receiver with the branches whose events it gets.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) row: EndpointRow,
    /// In ascending order.
    pub(crate) branches: Vec<BranchId>,
}

/// A receiver that has not been deleted.
pub(super) async fn one(
    conn: Conn<'_>,
    tenant: TenantId,
    id: WebhookId,
) -> Result<Option<Endpoint>, DbError> {
    let row: Option<EndpointRow> = webhook_endpoint::table
        .filter(webhook_endpoint::tenant_id.eq(tenant.0))
        .filter(webhook_endpoint::id.eq(id.0))
        .filter(webhook_endpoint::deleted_at.is_null())
        .select(EndpointRow::as_select())
        .first(&mut &*conn)
        .await
        .optional()?;
    let Some(row) = row else {
        return Ok(None);
    };
    let mut endpoints = with_branches(conn, vec![row]).await?;
    Ok(endpoints.pop())
}

/// The tenant's receivers, newest first.
pub(super) async fn all(conn: Conn<'_>, tenant: TenantId) -> Result<Vec<Endpoint>, DbError> {
    let rows: Vec<EndpointRow> = webhook_endpoint::table
        .filter(webhook_endpoint::tenant_id.eq(tenant.0))
        .filter(webhook_endpoint::deleted_at.is_null())
        .order(webhook_endpoint::id.desc())
        .select(EndpointRow::as_select())
        .load(&mut &*conn)
        .await?;
    with_branches(conn, rows).await
}

/// Receivers with their branches, in the given order.
pub(super) async fn with_branches(conn: Conn<'_>, rows: Vec<EndpointRow>) -> Result<Vec<Endpoint>, DbError> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let tenants: Vec<Uuid> = rows.iter().map(|row| row.tenant_id).collect();
    let found: Vec<(Uuid, Uuid)> = webhook_branch::table
        .filter(webhook_branch::tenant_id.eq_any(tenants))
        .filter(webhook_branch::endpoint_id.eq_any(ids))
        .order((webhook_branch::endpoint_id, webhook_branch::branch_id))
        .select((webhook_branch::endpoint_id, webhook_branch::branch_id))
        .load(&mut &*conn)
        .await?;
    let mut branches: BTreeMap<Uuid, Vec<BranchId>> = BTreeMap::new();
    for (endpoint, branch) in found {
        branches.entry(endpoint).or_default().push(branch.into());
    }
    Ok(rows
        .into_iter()
        .map(|row| Endpoint {
            branches: branches.remove(&row.id).unwrap_or_default(),
            row,
        })
        .collect())
}

/// How many receivers a tenant has. Until the transaction ends, nobody else makes one.
pub(super) async fn count_for_one_more(conn: Conn<'_>, tenant: TenantId) -> Result<i64, DbError> {
    let digest = sha256(&[b"webhook_endpoint", tenant.0.as_bytes()]);
    let mut first = [0; 8];
    first.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    diesel::sql_query("SELECT pg_advisory_xact_lock($1)")
        .bind::<BigInt, _>(i64::from_be_bytes(first))
        .execute(&mut &*conn)
        .await?;
    Ok(webhook_endpoint::table
        .filter(webhook_endpoint::tenant_id.eq(tenant.0))
        .filter(webhook_endpoint::deleted_at.is_null())
        .count()
        .get_result(&mut &*conn)
        .await?)
}

/// Which of these branches live.
pub(super) async fn live_branches(
    conn: Conn<'_>,
    tenant: TenantId,
    branches: &[BranchId],
) -> Result<Vec<BranchId>, DbError> {
    let ids: Vec<Uuid> = branches.iter().map(|id| id.0).collect();
    let live: Vec<Uuid> = branch::table
        .filter(branch::tenant_id.eq(tenant.0))
        .filter(branch::id.eq_any(ids))
        .filter(branch::deleted_at.is_null())
        .select(branch::id)
        .load(&mut &*conn)
        .await?;
    Ok(live.into_iter().map(BranchId).collect())
}

/// Settles what waits for a receiver as skipped: of these branches, or all of it.
pub(super) async fn skip(
    conn: Conn<'_>,
    tenant: TenantId,
    id: WebhookId,
    branches: Option<&[BranchId]>,
    now: comanda_domain::Timestamp,
) -> Result<(), DbError> {
    let waiting = webhook_delivery::table
        .filter(webhook_delivery::tenant_id.eq(tenant.0))
        .filter(webhook_delivery::endpoint_id.eq(id.0))
        .filter(webhook_delivery::status.eq(PENDING));
    let settled = (
        webhook_delivery::status.eq(SKIPPED),
        webhook_delivery::next_attempt_at.eq(None::<chrono::DateTime<chrono::Utc>>),
        webhook_delivery::lease_owner.eq(None::<String>),
        webhook_delivery::lease_until.eq(None::<chrono::DateTime<chrono::Utc>>),
        // Whoever sends it at this moment has lost it.
        webhook_delivery::fence.eq(webhook_delivery::fence + 1),
        webhook_delivery::settled_at.eq(Some(now)),
    );
    match branches {
        None => {
            diesel::update(waiting).set(settled).execute(&mut &*conn).await?;
        }
        Some(branches) => {
            let ids: Vec<Uuid> = branches.iter().map(|id| id.0).collect();
            diesel::update(waiting.filter(webhook_delivery::branch_id.eq_any(ids)))
                .set(settled)
                .execute(&mut &*conn)
                .await?;
        }
    }
    Ok(())
}

/// A delivery, locked: nobody claims it meanwhile.
pub(super) async fn delivery(
    conn: Conn<'_>,
    tenant: TenantId,
    id: DeliveryId,
) -> Result<Option<DeliveryRow>, DbError> {
    Ok(webhook_delivery::table
        .filter(webhook_delivery::tenant_id.eq(tenant.0))
        .filter(webhook_delivery::id.eq(id.0))
        .select(DeliveryRow::as_select())
        .for_update()
        .first(&mut &*conn)
        .await
        .optional()?)
}

/// Deliveries of a receiver, newest first.
pub(super) async fn deliveries(
    conn: Conn<'_>,
    tenant: TenantId,
    id: WebhookId,
    status: Option<&str>,
    before: Option<DeliveryId>,
    limit: i64,
) -> Result<Vec<(DeliveryRow, Vec<AttemptRow>)>, DbError> {
    let mut query = webhook_delivery::table
        .filter(webhook_delivery::tenant_id.eq(tenant.0))
        .filter(webhook_delivery::endpoint_id.eq(id.0))
        .select(DeliveryRow::as_select())
        .into_boxed();
    if let Some(status) = status {
        query = query.filter(webhook_delivery::status.eq(status));
    }
    if let Some(before) = before {
        query = query.filter(webhook_delivery::id.lt(before.0));
    }
    let rows: Vec<DeliveryRow> = query
        .order(webhook_delivery::id.desc())
        .limit(limit)
        .load(&mut &*conn)
        .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut attempts = attempts(conn, tenant, &ids).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let own = attempts.remove(&row.id).unwrap_or_default();
            (row, own)
        })
        .collect())
}

/// The kept attempts at deliveries, in their order.
pub(super) async fn attempts(
    conn: Conn<'_>,
    tenant: TenantId,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, Vec<AttemptRow>>, DbError> {
    let rows: Vec<AttemptRow> = webhook_attempt::table
        .filter(webhook_attempt::tenant_id.eq(tenant.0))
        .filter(webhook_attempt::delivery_id.eq_any(ids))
        .order((webhook_attempt::delivery_id, webhook_attempt::id))
        .select(AttemptRow::as_select())
        .load(&mut &*conn)
        .await?;
    let mut attempts: BTreeMap<Uuid, Vec<AttemptRow>> = BTreeMap::new();
    for row in rows {
        attempts.entry(row.delivery_id).or_default().push(row);
    }
    Ok(attempts)
}

/// A part of a branch's numbers: behind the first and before the second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub(super) branch: BranchId,
    pub(super) after: i64,
    pub(super) before: Option<i64>,
}

/// The deliveries of a range, locked.
pub(super) async fn deliveries_of_range(
    conn: Conn<'_>,
    tenant: TenantId,
    id: WebhookId,
    range: Range,
    limit: i64,
) -> Result<Vec<DeliveryRow>, DbError> {
    Ok(webhook_delivery::table
        .filter(webhook_delivery::tenant_id.eq(tenant.0))
        .filter(webhook_delivery::endpoint_id.eq(id.0))
        .filter(webhook_delivery::branch_id.eq(range.branch.0))
        .filter(webhook_delivery::seq.gt(range.after))
        .filter(webhook_delivery::seq.lt(range.before.unwrap_or(i64::MAX)))
        .order(webhook_delivery::id)
        .limit(limit)
        .select(DeliveryRow::as_select())
        .for_update()
        .load(&mut &*conn)
        .await?)
}

/// The events of a range that are still kept, and the epoch.
pub(super) async fn events_of_range(
    conn: Conn<'_>,
    tenant: TenantId,
    range: Range,
    limit: i64,
) -> Result<(Vec<LoggedEvent>, String), DbError> {
    let events = event_log::table
        .filter(event_log::tenant_id.eq(tenant.0))
        .filter(event_log::branch_id.eq(range.branch.0))
        .filter(event_log::seq.gt(range.after))
        .filter(event_log::seq.lt(range.before.unwrap_or(i64::MAX)))
        .order(event_log::seq)
        .limit(limit)
        .select(LoggedEvent::as_select())
        .load(&mut &*conn)
        .await?;
    let epoch = event_epoch::table
        .select(event_epoch::epoch)
        .first(&mut &*conn)
        .await?;
    Ok((events, epoch))
}

/// How deliveries name their event.
pub(super) fn webhook_id(event: Uuid) -> String {
    EventId(event).to_string()
}
