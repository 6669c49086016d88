//! One attempt: signed, sent outside any transaction, and what came of it.

use std::time::Duration;

use comanda_domain::Timestamp;
use comanda_security::signing::{WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP, sign_webhook};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tokio::time::{Instant, sleep};
use tracing::{debug, error};

use super::{Claimed, WebhookWorker};
use crate::db::DbError;
use crate::failpoint;
use crate::schema::webhook_endpoint;
use crate::webhooks::outbound::Answer;
use crate::webhooks::rows::EndpointRow;
use crate::webhooks::secrets;
use crate::webhooks::store::webhook_id;

/// Before what came of an attempt is recorded again; together much less than a lease.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(100),
    Duration::from_secs(1),
    Duration::from_secs(5),
];
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// One call of a receiver.
pub(super) struct Attempt {
    pub(super) started_at: Timestamp,
    pub(super) duration: Duration,
    pub(super) answer: Answer,
}

impl Attempt {
    /// In whole milliseconds, as the log keeps it.
    pub(super) fn duration_ms(&self) -> i32 {
        i32::try_from(self.duration.as_millis()).unwrap_or(i32::MAX)
    }
}

impl WebhookWorker {
    /// Sends a claimed delivery and records what came of it. Whatever fails in between, the lease ends and somebody
    /// sends it again; the receiver knows the repeat by its id.
    pub async fn deliver(&self, claimed: Claimed) -> Claimed {
        let outcome = async {
            let Some(endpoint) = self.endpoint(&claimed).await? else {
                // Deleted meanwhile, and the delivery skipped with it.
                return Ok(());
            };
            let attempt = self.send(&claimed, &endpoint).await;
            failpoint::reached("webhook_sent");
            let result = self.insist(&claimed, &attempt).await?;
            metrics::counter!("comanda_webhook_attempts_total", "result" => result).increment(1);
            metrics::histogram!("comanda_webhook_attempt_duration_seconds")
                .record(attempt.duration.as_secs_f64());
            debug!(webhook = %claimed.endpoint_id, attempt = claimed.attempt, result, "webhooks.attempt");
            Ok::<(), DbError>(())
        };
        if let Err(error) = outcome.await {
            error!(%error, webhook = %claimed.endpoint_id, "webhooks.not_recorded");
        }
        claimed
    }

    /// What has been sent should not be sent again only because the database was away for a moment.
    async fn insist(&self, claimed: &Claimed, attempt: &Attempt) -> Result<&'static str, DbError> {
        for pause in PAUSES {
            match Box::pin(self.record(claimed, attempt)).await {
                Err(DbError::Unavailable(_) | DbError::Retry(_)) => sleep(pause).await,
                outcome => return outcome,
            }
        }
        Box::pin(self.record(claimed, attempt)).await
    }

    /// Where a delivery goes now.
    pub(super) async fn endpoint(&self, claimed: &Claimed) -> Result<Option<EndpointRow>, DbError> {
        self.relay
            .transact(async |conn| {
                Ok(webhook_endpoint::table
                    .filter(webhook_endpoint::tenant_id.eq(claimed.tenant_id))
                    .filter(webhook_endpoint::id.eq(claimed.endpoint_id))
                    .filter(webhook_endpoint::deleted_at.is_null())
                    .select(EndpointRow::as_select())
                    .first(&mut &*conn)
                    .await
                    .optional()?)
            })
            .await
    }

    pub(super) async fn send(&self, claimed: &Claimed, endpoint: &EndpointRow) -> Attempt {
        let started_at = self.relay.sources().now();
        let clock = Instant::now();
        let answer = if let Some(headers) = self.headers(claimed, endpoint, started_at) {
            self.outbound
                .post(&endpoint.url, headers, claimed.body.clone().into_bytes())
                .await
        } else {
            // The master key that sealed it is not among ours; with it, the same delivery can be signed.
            error!(webhook = %endpoint.id, "webhooks.secret_not_opened");
            Answer::Unreachable("the secret that signs cannot be opened".to_owned())
        };
        Attempt {
            started_at,
            duration: clock.elapsed(),
            answer,
        }
    }

    fn headers(&self, claimed: &Claimed, endpoint: &EndpointRow, now: Timestamp) -> Option<HeaderMap> {
        let secrets = secrets::live(&self.seal, endpoint, now)?;
        let id = webhook_id(claimed.event_id);
        let signature = sign_webhook(&secrets, &id, now, claimed.body.as_bytes());
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(HeaderName::from_static(WEBHOOK_ID), id.parse().ok()?);
        headers.insert(HeaderName::from_static(WEBHOOK_TIMESTAMP), now.timestamp().into());
        headers.insert(
            HeaderName::from_static(WEBHOOK_SIGNATURE),
            signature.parse().ok()?,
        );
        if let Some(traceparent) = claimed.traceparent.as_deref().and_then(|text| text.parse().ok()) {
            headers.insert(TRACEPARENT, traceparent);
        }
        Some(headers)
    }
}
