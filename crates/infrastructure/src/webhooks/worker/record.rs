//! What came of an attempt: the delivery, the log of attempts, how the receiver is doing, and the dead letter are one
//! transaction, and only for whoever still holds the delivery.

use comanda_domain::Timestamp;
use comanda_domain::backoff::Draw;
use comanda_domain::dead_letter::{ErrorClass, Source};
use comanda_domain::ids::{DeliveryId, IdSource, TenantId, WebhookId};
use comanda_domain::webhook::{DeliveryFate, DisableReason, Verdict, delivery_fate};
use comanda_security::entropy::{SystemEntropy, fresh};
use diesel::sql_types::{BigInt, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use serde_json::json;
use tracing::info;

use super::deliver::Attempt;
use super::disabled::announce;
use super::{Claimed, WebhookWorker};
use crate::db::{Conn, DbError, Row};
use crate::dead_letters::{Buried, bury};
use crate::schema::{webhook_attempt, webhook_endpoint};
use crate::webhooks::rows::{AttemptRow, DELIVERED, EndpointRow, FAILED, PENDING, in_flight};

const SETTLE: &str = "UPDATE webhook_delivery SET status = $4, response_code = $5, next_attempt_at = $6, \
     settled_at = $7, lease_owner = NULL, lease_until = NULL \
     WHERE tenant_id = $1 AND id = $2 AND fence = $3 AND status = 'pending'";

impl WebhookWorker {
    /// Says what it was, as metrics name it.
    pub(super) async fn record(&self, claimed: &Claimed, attempt: &Attempt) -> Result<&'static str, DbError> {
        let now = self.relay.sources().now();
        let verdict = attempt.answer.reply().verdict(now);
        let attempts = u32::try_from(claimed.attempt).unwrap_or(u32::MAX);
        let fate = delivery_fate(verdict, attempts, now, draw());
        let (held, disabled) = self
            .relay
            .transact(async |conn| {
                // The receiver first, as everybody does who locks both.
                let endpoint = locked(conn, claimed).await?;
                if !settle(conn, claimed, attempt, fate, now).await? {
                    return Ok((false, None));
                }
                self.log(conn, claimed, attempt, now).await?;
                if fate == DeliveryFate::Failed {
                    self.give_up(conn, claimed, attempt, now).await?;
                }
                let disabled = match endpoint {
                    Some(endpoint) => self.judge(conn, endpoint, verdict, now).await?,
                    None => None,
                };
                Ok::<_, DbError>((true, disabled))
            })
            .await?;
        if let Some(reason) = disabled {
            info!(webhook = %WebhookId(claimed.endpoint_id), %reason, "webhooks.disabled");
            self.bell.ring();
        }
        Ok(match fate {
            _ if !held => "lost",
            DeliveryFate::Delivered => "delivered",
            DeliveryFate::Waits => "gone",
            DeliveryFate::Retry { .. } => "retry",
            DeliveryFate::Failed => "failed",
        })
    }

    /// Keeps the attempt.
    pub(super) async fn log(
        &self,
        conn: Conn<'_>,
        claimed: &Claimed,
        attempt: &Attempt,
        now: Timestamp,
    ) -> Result<(), DbError> {
        let class = attempt.answer.reply().class();
        let row = AttemptRow {
            tenant_id: claimed.tenant_id,
            id: self.relay.sources().ids().uuid(),
            delivery_id: claimed.id,
            endpoint_id: claimed.endpoint_id,
            branch_id: claimed.branch_id,
            attempt: claimed.attempt.max(1),
            started_at: attempt.started_at,
            duration_ms: attempt.duration_ms(),
            response_code: attempt.answer.code(),
            error_class: class.map(|class| class.to_string()),
            error_code: class.map(|_| attempt.answer.error_code()),
            reply: Some(attempt.answer.text()),
            created_at: now,
        };
        let columns = AttemptRow::COLUMNS.join(", ");
        let value = serde_json::to_value(&row)
            .map_err(|error| diesel::result::Error::SerializationError(error.into()))?;
        diesel::sql_query(format!(
            "INSERT INTO webhook_attempt ({columns}) \
             SELECT {columns} FROM jsonb_populate_record(NULL::webhook_attempt, $1)"
        ))
        .bind::<Jsonb, _>(value)
        .execute(&mut &*conn)
        .await?;
        Ok(())
    }

    async fn give_up(
        &self,
        conn: Conn<'_>,
        claimed: &Claimed,
        attempt: &Attempt,
        now: Timestamp,
    ) -> Result<(), DbError> {
        let first: Option<Timestamp> = webhook_attempt::table
            .filter(webhook_attempt::tenant_id.eq(claimed.tenant_id))
            .filter(webhook_attempt::delivery_id.eq(claimed.id))
            .select(diesel::dsl::min(webhook_attempt::started_at))
            .first(&mut &*conn)
            .await?;
        let body: serde_json::Value = serde_json::from_str(&claimed.body).unwrap_or_default();
        let letter = Buried {
            id: self.relay.sources().ids().uuid(),
            tenant: TenantId(claimed.tenant_id),
            source: Source::Webhook,
            source_id: DeliveryId(claimed.id).to_string(),
            event_type: Some(&claimed.event_type),
            payload: json!({
                "delivery_id": DeliveryId(claimed.id),
                "webhook_id": WebhookId(claimed.endpoint_id),
                "body": body,
            }),
            class: attempt.answer.reply().class().unwrap_or(ErrorClass::Unknown),
            code: &attempt.answer.error_code(),
            text: &attempt.answer.text(),
            attempts: claimed.attempt,
            first_failed_at: first.unwrap_or(claimed.created_at),
            traceparent: claimed.traceparent.as_deref(),
        };
        bury(conn, letter, now).await
    }

    /// Keeps how the receiver is doing, and switches it off where it must be.
    async fn judge(
        &self,
        conn: Conn<'_>,
        endpoint: EndpointRow,
        verdict: Verdict,
        now: Timestamp,
    ) -> Result<Option<DisableReason>, DbError> {
        let (health, reason) = endpoint.health().after(verdict, now);
        // Somebody may have switched it off meanwhile; that is reason enough.
        let reason = reason.filter(|_| endpoint.enabled);
        let changed = EndpointRow {
            failing_since: health.failing_since,
            concurrency: in_flight(health),
            ..endpoint.clone()
        };
        let changed = match reason {
            Some(reason) => EndpointRow {
                version: changed.version.saturating_add(1),
                ..changed.disabled(reason.as_str(), now)
            },
            None => changed,
        };
        if changed.health() == endpoint.health() && reason.is_none() {
            return Ok(None);
        }
        diesel::update(webhook_endpoint::table)
            .filter(webhook_endpoint::tenant_id.eq(changed.tenant_id))
            .filter(webhook_endpoint::id.eq(changed.id))
            .set((
                webhook_endpoint::failing_since.eq(changed.failing_since),
                webhook_endpoint::concurrency.eq(changed.concurrency),
                webhook_endpoint::enabled.eq(changed.enabled),
                webhook_endpoint::disabled_at.eq(changed.disabled_at),
                webhook_endpoint::disabled_reason.eq(&changed.disabled_reason),
                webhook_endpoint::version.eq(changed.version),
            ))
            .execute(&mut &*conn)
            .await?;
        if let Some(reason) = reason {
            announce(&self.relay, conn, &changed, reason, now).await?;
        }
        Ok(reason)
    }
}

/// The receiver of a delivery, locked; none if it has been deleted.
async fn locked(conn: Conn<'_>, claimed: &Claimed) -> Result<Option<EndpointRow>, DbError> {
    Ok(webhook_endpoint::table
        .filter(webhook_endpoint::tenant_id.eq(claimed.tenant_id))
        .filter(webhook_endpoint::id.eq(claimed.endpoint_id))
        .filter(webhook_endpoint::deleted_at.is_null())
        .select(EndpointRow::as_select())
        .for_update()
        .first(&mut &*conn)
        .await
        .optional()?)
}

/// Says whether the delivery was still ours.
async fn settle(
    conn: Conn<'_>,
    claimed: &Claimed,
    attempt: &Attempt,
    fate: DeliveryFate,
    now: Timestamp,
) -> Result<bool, DbError> {
    let (status, next, settled) = match fate {
        DeliveryFate::Delivered => (DELIVERED, None, Some(now)),
        DeliveryFate::Waits => (PENDING, Some(now), None),
        DeliveryFate::Retry { at } => (PENDING, Some(at), None),
        DeliveryFate::Failed => (FAILED, None, Some(now)),
    };
    let changed = diesel::sql_query(SETTLE)
        .bind::<SqlUuid, _>(claimed.tenant_id)
        .bind::<SqlUuid, _>(claimed.id)
        .bind::<BigInt, _>(claimed.fence)
        .bind::<Text, _>(status)
        .bind::<Nullable<Integer>, _>(attempt.answer.code())
        .bind::<Nullable<Timestamptz>, _>(next)
        .bind::<Nullable<Timestamptz>, _>(settled)
        .execute(&mut &*conn)
        .await?;
    Ok(changed == 1)
}

/// Spreads the waits. Without randomness all of them are the shortest, which does no harm.
fn draw() -> Draw {
    fresh::<2>(&SystemEntropy::new()).map_or(Draw::LEAST, |bytes| Draw(u16::from_be_bytes(bytes)))
}
