//! Following the log, shard by shard: the deliveries of a part and the new place in the log are one transaction.

use std::collections::BTreeMap;
use std::ops::Range;

use comanda_domain::event::{EventName, TypeFilters};
use comanda_domain::ids::BranchId;
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Text};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use tracing::error;
use uuid::Uuid;

use super::{WebhookWorker, filters};
use crate::db::{Conn, DbError, Row};
use crate::events::{LoggedEvent, gauge};
use crate::schema::{event_epoch, event_log, webhook_endpoint};
use crate::webhooks::body::Frame;
use crate::webhooks::rows::{DeliveryRow, EndpointRow};
use crate::webhooks::store::{Endpoint, with_branches};

const CONSUMER: &str = "webhooks";
/// Events of one transaction.
const BATCH: i64 = 500;

/// A shard begins with what the log still holds; receivers get nothing from before their own time anyway.
const BEHIND: &str = "SELECT s.shard, s.pos - coalesce(c.pos, 0) AS number FROM event_shard s \
     LEFT JOIN event_consumer c ON c.shard = s.shard AND c.consumer = $1 \
     WHERE s.pos > coalesce(c.pos, 0) ORDER BY s.shard";
const ENROL: &str =
    "INSERT INTO event_consumer (consumer, shard) VALUES ($1, $2) ON CONFLICT (consumer, shard) DO NOTHING";
/// The lock is the fence: whoever does not hold it cannot move the cursor, and another worker is not waited for.
const HOLD: &str = "SELECT shard, pos AS number FROM event_consumer WHERE consumer = $1 AND shard = $2 \
     FOR UPDATE SKIP LOCKED";
/// The next part of a shard: where it ends, and whose events are in it.
const PART: &str = "SELECT max(pos) AS last, array_agg(DISTINCT tenant_id) AS tenants FROM \
     (SELECT pos, tenant_id FROM event_log WHERE shard = $1 AND pos > $2 ORDER BY pos LIMIT $3) AS next \
     HAVING count(*) > 0";
const ADVANCE: &str =
    "UPDATE event_consumer SET pos = $3, term = term + 1 WHERE consumer = $1 AND shard = $2";

#[derive(diesel::QueryableByName)]
struct OfShard {
    #[diesel(sql_type = Integer)]
    shard: i32,
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(diesel::QueryableByName)]
struct Part {
    #[diesel(sql_type = BigInt)]
    last: i64,
    #[diesel(sql_type = Array<diesel::sql_types::Uuid>)]
    tenants: Vec<Uuid>,
}

impl WebhookWorker {
    /// Goes on in every shard that has something new, and says over how many events it went.
    ///
    /// # Errors
    /// A failure of the database; what has been committed stays.
    pub async fn fan_out(&self) -> Result<usize, DbError> {
        let behind = self
            .relay
            .transact(async |conn| {
                let behind: Vec<OfShard> = diesel::sql_query(BEHIND)
                    .bind::<Text, _>(CONSUMER)
                    .load(&mut &*conn)
                    .await?;
                Ok::<_, DbError>(behind)
            })
            .await?;
        let lag: i64 = behind.iter().map(|shard| shard.number).sum();
        metrics::gauge!("comanda_event_consumer_lag", "consumer" => CONSUMER).set(gauge(lag));
        let mut count = 0;
        for OfShard { shard, .. } in behind {
            count += self
                .relay
                .transact(async |conn| self.advance(conn, shard).await)
                .await?;
        }
        Ok(count)
    }

    async fn advance(&self, conn: Conn<'_>, shard: i32) -> Result<usize, DbError> {
        diesel::sql_query(ENROL)
            .bind::<Text, _>(CONSUMER)
            .bind::<Integer, _>(shard)
            .execute(&mut &*conn)
            .await?;
        let held: Vec<OfShard> = diesel::sql_query(HOLD)
            .bind::<Text, _>(CONSUMER)
            .bind::<Integer, _>(shard)
            .load(&mut &*conn)
            .await?;
        let [cursor] = held.as_slice() else {
            return Ok(0);
        };
        let part: Option<Part> = diesel::sql_query(PART)
            .bind::<Integer, _>(shard)
            .bind::<BigInt, _>(cursor.number)
            .bind::<BigInt, _>(BATCH)
            .get_result(&mut &*conn)
            .await
            .optional()?;
        let Some(Part { last, tenants }) = part else {
            return Ok(0);
        };
        let rows = self.deliveries(conn, shard, cursor.number..last, tenants).await?;
        insert(conn, &rows).await?;
        diesel::sql_query(ADVANCE)
            .bind::<Text, _>(CONSUMER)
            .bind::<Integer, _>(shard)
            .bind::<BigInt, _>(last)
            .execute(&mut &*conn)
            .await?;
        Ok(usize::try_from(last - cursor.number).unwrap_or(0))
    }

    /// The deliveries of the events after the first position up to the last. Most tenants have no receiver; their
    /// events are not even read.
    async fn deliveries(
        &self,
        conn: Conn<'_>,
        shard: i32,
        part: Range<i64>,
        tenants: Vec<Uuid>,
    ) -> Result<Vec<DeliveryRow>, DbError> {
        let receivers = receivers(conn, tenants).await?;
        if receivers.is_empty() {
            return Ok(Vec::new());
        }
        let events: Vec<LoggedEvent> = event_log::table
            .filter(event_log::shard.eq(shard))
            .filter(event_log::pos.gt(part.start))
            .filter(event_log::pos.le(part.end))
            .filter(event_log::tenant_id.eq_any(receivers.keys()))
            .order(event_log::pos)
            .select(LoggedEvent::as_select())
            .load(&mut &*conn)
            .await?;
        let epoch: String = event_epoch::table
            .select(event_epoch::epoch)
            .first(&mut &*conn)
            .await?;
        let frame = Frame {
            epoch: &epoch,
            public_url: &self.public_url,
            now: self.relay.sources().now(),
        };
        let mut ids = self.relay.sources().ids();
        let mut rows = Vec::new();
        for event in &events {
            let Some(name) = EventName::of_type(&event.type_) else {
                continue;
            };
            let own = receivers
                .get(&event.tenant_id)
                .map(Vec::as_slice)
                .unwrap_or_default();
            let wanting = own.iter().filter(|receiver| receiver.wants(event, name));
            rows.extend(wanting.filter_map(|receiver| frame.delivery(event, &receiver.endpoint, &mut ids)));
        }
        Ok(rows)
    }
}

struct Receiver {
    endpoint: Endpoint,
    filters: TypeFilters,
}

impl Receiver {
    fn wants(&self, event: &LoggedEvent, name: EventName) -> bool {
        event
            .branch_id
            .is_some_and(|branch| self.endpoint.branches.contains(&BranchId(branch)))
            && self.filters.matches(name)
            // Nothing from before its own time.
            && self.endpoint.row.created_at <= event.occurred_at
    }
}

/// The receivers of these tenants, by tenant; also those that are switched off, for whom deliveries wait.
/// None is deleted or changes its branches before this transaction ends.
async fn receivers(conn: Conn<'_>, tenants: Vec<Uuid>) -> Result<BTreeMap<Uuid, Vec<Receiver>>, DbError> {
    let rows: Vec<EndpointRow> = webhook_endpoint::table
        .filter(webhook_endpoint::tenant_id.eq_any(tenants))
        .filter(webhook_endpoint::deleted_at.is_null())
        .order((webhook_endpoint::tenant_id, webhook_endpoint::id))
        .select(EndpointRow::as_select())
        .for_share()
        .load(&mut &*conn)
        .await?;
    let mut receivers: BTreeMap<Uuid, Vec<Receiver>> = BTreeMap::new();
    for endpoint in with_branches(conn, rows).await? {
        match filters(&endpoint.row) {
            Ok(filters) => receivers
                .entry(endpoint.row.tenant_id)
                .or_default()
                .push(Receiver { endpoint, filters }),
            // One that cannot be understood must not stop the others.
            Err(error) => error!(%error, "webhooks.filters"),
        }
    }
    Ok(receivers)
}

async fn insert(conn: Conn<'_>, rows: &[DeliveryRow]) -> Result<(), DbError> {
    if rows.is_empty() {
        return Ok(());
    }
    let columns = DeliveryRow::COLUMNS.join(", ");
    let values = serde_json::to_value(rows)
        .map_err(|error| diesel::result::Error::SerializationError(error.into()))?;
    diesel::sql_query(format!(
        "INSERT INTO webhook_delivery ({columns}) \
         SELECT {columns} FROM jsonb_populate_recordset(NULL::webhook_delivery, $1) \
         ON CONFLICT (tenant_id, endpoint_id, event_id) DO NOTHING"
    ))
    .bind::<Jsonb, _>(values)
    .execute(&mut &*conn)
    .await?;
    Ok(())
}
