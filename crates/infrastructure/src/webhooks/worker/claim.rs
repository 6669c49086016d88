//! Taking what is due, fairly: tenants in turn, few of one receiver at once, one of a receiver and branch.

use chrono::{DateTime, Utc};
use comanda_domain::webhook::{IN_FLIGHT_OF_TENANT, LEASE};
use diesel::sql_types::{BigInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use tracing::warn;
use uuid::Uuid;

use super::WebhookWorker;
use crate::db::{Conn, DbError};
use crate::schema::webhook_delivery;
use crate::webhooks::rows::DeliveryRow;

/// One claims at a time, so that what it counts cannot change meanwhile. The number is ours, and arbitrary.
const ALONE: &str = "SELECT pg_advisory_xact_lock(7166472119795269633)";

/// Of each receiver and branch that has nothing under way, the first by number that is due; of those as many as the
/// receiver takes, and of those as many as the tenant may have.
const CLAIM: &str = "
WITH flying AS MATERIALIZED (
    SELECT tenant_id, endpoint_id, branch_id FROM webhook_delivery WHERE status = 'pending' AND lease_until > $1),
next AS (
    SELECT e.tenant_id, e.id AS endpoint_id, e.concurrency, d.id, d.next_attempt_at
      FROM webhook_endpoint e
      JOIN webhook_branch b ON b.tenant_id = e.tenant_id AND b.endpoint_id = e.id
     CROSS JOIN LATERAL (
        SELECT id, next_attempt_at FROM webhook_delivery
         WHERE tenant_id = e.tenant_id AND endpoint_id = e.id AND branch_id = b.branch_id AND status = 'pending'
           AND next_attempt_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)
         ORDER BY seq NULLS FIRST, id LIMIT 1) d
     WHERE e.enabled AND e.deleted_at IS NULL
       AND NOT EXISTS (SELECT FROM flying f
            WHERE f.tenant_id = e.tenant_id AND f.endpoint_id = e.id AND f.branch_id = b.branch_id)),
of_endpoint AS (
    SELECT n.*, row_number() OVER (PARTITION BY tenant_id, endpoint_id ORDER BY next_attempt_at, id)
         + (SELECT count(*) FROM flying f WHERE f.tenant_id = n.tenant_id AND f.endpoint_id = n.endpoint_id) AS place
      FROM next n),
of_tenant AS (
    SELECT o.*, row_number() OVER (PARTITION BY tenant_id ORDER BY next_attempt_at, id)
         + (SELECT count(*) FROM flying f WHERE f.tenant_id = o.tenant_id) AS turn
      FROM of_endpoint o WHERE place <= concurrency),
picked AS (
    SELECT d.tenant_id, d.id FROM webhook_delivery d JOIN of_tenant t ON t.tenant_id = d.tenant_id AND t.id = d.id
     WHERE t.turn <= $2 AND d.status = 'pending'
       AND d.next_attempt_at <= $1 AND (d.lease_until IS NULL OR d.lease_until <= $1)
     ORDER BY t.turn, t.next_attempt_at, t.id LIMIT $3 FOR UPDATE OF d SKIP LOCKED)
UPDATE webhook_delivery d
   SET lease_owner = $4, lease_until = $5, attempt = d.attempt + 1, fence = d.fence + 1
  FROM picked p WHERE d.tenant_id = p.tenant_id AND d.id = p.id
RETURNING d.*";

const GIVE_BACK: &str = "UPDATE webhook_delivery SET lease_owner = NULL, lease_until = NULL, fence = fence + 1 \
     WHERE tenant_id = $1 AND id = $2 AND fence = $3 AND status = 'pending'";

/// A delivery that is ours until its lease ends.
#[derive(Debug, Clone, diesel::QueryableByName)]
#[diesel(table_name = webhook_delivery, check_for_backend(diesel::pg::Pg))]
pub struct Claimed {
    pub(super) tenant_id: Uuid,
    pub(super) id: Uuid,
    pub(super) endpoint_id: Uuid,
    pub(super) branch_id: Uuid,
    pub(super) event_id: Uuid,
    pub(super) event_type: String,
    pub(super) body: String,
    pub(super) traceparent: Option<String>,
    pub(super) attempt: i32,
    pub(super) fence: i64,
    pub(super) created_at: DateTime<Utc>,
}

impl Claimed {
    /// As somebody without a lease holds it.
    pub(super) fn of(row: DeliveryRow) -> Self {
        Self {
            tenant_id: row.tenant_id,
            id: row.id,
            endpoint_id: row.endpoint_id,
            branch_id: row.branch_id,
            event_id: row.event_id,
            event_type: row.event_type,
            body: row.body,
            traceparent: row.traceparent,
            attempt: row.attempt,
            fence: row.fence,
            created_at: row.created_at,
        }
    }

    /// Whether this is the same claim.
    pub(super) fn is(&self, other: &Self) -> bool {
        (self.tenant_id, self.id, self.fence) == (other.tenant_id, other.id, other.fence)
    }
}

impl WebhookWorker {
    /// Takes at most `most` deliveries that are due. The claim itself counts as the attempt, so that a crash counts.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn claim(&self, most: usize) -> Result<Vec<Claimed>, DbError> {
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        if limit == 0 {
            return Ok(Vec::new());
        }
        let now = self.relay.sources().now();
        self.relay
            .transact(async |conn: Conn<'_>| {
                diesel::sql_query(ALONE).execute(&mut &*conn).await?;
                Ok(diesel::sql_query(CLAIM)
                    .bind::<Timestamptz, _>(now)
                    .bind::<BigInt, _>(i64::from(IN_FLIGHT_OF_TENANT))
                    .bind::<BigInt, _>(limit)
                    .bind::<Text, _>(self.relay.instance())
                    .bind::<Timestamptz, _>(now + LEASE)
                    .load(&mut &*conn)
                    .await?)
            })
            .await
    }

    /// Lets others have what was not finished. What is not given back is free when its lease ends.
    pub(super) async fn give_back(&self, held: &[Claimed]) {
        for claimed in held {
            let given = self
                .relay
                .transact(async |conn: Conn<'_>| {
                    diesel::sql_query(GIVE_BACK)
                        .bind::<SqlUuid, _>(claimed.tenant_id)
                        .bind::<SqlUuid, _>(claimed.id)
                        .bind::<BigInt, _>(claimed.fence)
                        .execute(&mut &*conn)
                        .await?;
                    Ok::<_, DbError>(())
                })
                .await;
            if let Err(error) = given {
                warn!(%error, "webhooks.give_back");
            }
        }
    }
}
