//! Trying a delivery again that was given up: what the dead letter's handler does.

use comanda_domain::Timestamp;
use comanda_domain::dead_letter::ErrorClass;
use comanda_domain::ids::{DeliveryId, TenantId};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

use super::deliver::Attempt;
use super::{Claimed, WebhookWorker};
use crate::db::{Conn, DbError};
use crate::schema::webhook_delivery;
use crate::webhooks::rows::{DELIVERED, DeliveryRow, FAILED};

/// Why it did not arrive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {text}")]
pub struct RedeliveryError {
    /// What it says about trying again.
    pub class: ErrorClass,
    /// For programs.
    pub code: String,
    /// For people.
    pub text: String,
}

impl RedeliveryError {
    fn new(class: ErrorClass, code: &str, text: &str) -> Self {
        Self {
            class,
            code: code.to_owned(),
            text: text.to_owned(),
        }
    }
}

impl From<DbError> for RedeliveryError {
    fn from(error: DbError) -> Self {
        Self::new(ErrorClass::Retryable, "database", &error.to_string())
    }
}

/// It has arrived, and this is still to be written.
pub struct Redelivered {
    worker: WebhookWorker,
    /// None if somebody else was faster.
    sent: Option<(Claimed, Attempt)>,
}

impl WebhookWorker {
    /// Sends a delivery that was given up, once, with the same event id. Not recorded as delivered before
    /// [`Redelivered::record`] has run, in the transaction that resolves the letter; until then it counts as dead.
    ///
    /// # Errors
    /// [`RedeliveryError`] when it did not arrive; the delivery stays given up.
    pub async fn redeliver(
        &self,
        tenant: TenantId,
        delivery: DeliveryId,
    ) -> Result<Redelivered, RedeliveryError> {
        let found = self.given_up(tenant, delivery).await?;
        let row = found.ok_or_else(|| {
            RedeliveryError::new(ErrorClass::Unrecoverable, "delivery_gone", "no such delivery")
        })?;
        if row.status != FAILED {
            // Taken back by hand: it is not dead any more.
            return Ok(Redelivered {
                worker: self.clone(),
                sent: None,
            });
        }
        let claimed = Claimed::of(row);
        let endpoint = self.endpoint(&claimed).await?.ok_or_else(|| {
            RedeliveryError::new(
                ErrorClass::Unrecoverable,
                "webhook_gone",
                "the webhook was deleted",
            )
        })?;
        if !endpoint.enabled {
            let text = "the webhook is switched off";
            return Err(RedeliveryError::new(
                ErrorClass::Retryable,
                "webhook_disabled",
                text,
            ));
        }
        let attempt = self.send(&claimed, &endpoint).await;
        match attempt.answer.reply().class() {
            None => Ok(Redelivered {
                worker: self.clone(),
                sent: Some((claimed, attempt)),
            }),
            Some(class) => {
                let now = self.relay.sources().now();
                self.relay
                    .transact(async |conn| self.log(conn, &claimed, &attempt, now).await)
                    .await?;
                let answer = &attempt.answer;
                Err(RedeliveryError::new(class, &answer.error_code(), &answer.text()))
            }
        }
    }

    async fn given_up(&self, tenant: TenantId, id: DeliveryId) -> Result<Option<DeliveryRow>, DbError> {
        self.relay
            .transact(async |conn| {
                Ok(webhook_delivery::table
                    .filter(webhook_delivery::tenant_id.eq(tenant.0))
                    .filter(webhook_delivery::id.eq(id.0))
                    .select(DeliveryRow::as_select())
                    .first(&mut &*conn)
                    .await
                    .optional()?)
            })
            .await
    }
}

impl Redelivered {
    /// Records that it has arrived. Harmless where somebody took the delivery back meanwhile.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn record(self, conn: Conn<'_>) -> Result<(), DbError> {
        let Some((claimed, attempt)) = self.sent else {
            return Ok(());
        };
        let now: Timestamp = self.worker.relay.sources().now();
        let changed = diesel::update(webhook_delivery::table)
            .filter(webhook_delivery::tenant_id.eq(claimed.tenant_id))
            .filter(webhook_delivery::id.eq(claimed.id))
            .filter(webhook_delivery::fence.eq(claimed.fence))
            .filter(webhook_delivery::status.eq(FAILED))
            .set((
                webhook_delivery::status.eq(DELIVERED),
                webhook_delivery::response_code.eq(attempt.answer.code()),
                webhook_delivery::settled_at.eq(Some(now)),
            ))
            .execute(&mut &*conn)
            .await?;
        if changed == 1 {
            self.worker.log(conn, &claimed, &attempt, now).await?;
        }
        Ok(())
    }
}
