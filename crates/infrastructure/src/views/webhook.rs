use comanda_domain::Timestamp;
use comanda_domain::ids::{BranchId, DeliveryId, EventId, WebhookId};
use comanda_security::signing::WebhookSecret;
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;

use super::time;
use crate::webhooks::rows::{AttemptRow, DeliveryRow};
use crate::webhooks::store::Endpoint;

/// A receiver of webhooks. Nothing of its secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WebhookView {
    /// Its id.
    pub id: String,
    /// Where it is called.
    pub url: String,
    /// What it is told: types, or `round.*` for all about one kind of object.
    pub event_types: Vec<String>,
    /// Of which branches.
    pub branch_ids: Vec<String>,
    /// Switched off, its deliveries wait.
    pub enabled: bool,
    /// Since when it is off.
    pub disabled_at: Option<String>,
    /// `gone`: it answered 410; `failing`: nothing but failures for five days; `by_hand`.
    pub disabled_reason: Option<String>,
    /// Since when it does nothing but fail; null while it does not.
    pub failing_since: Option<String>,
    /// Until when the secret before this one signs, too; null if there is none.
    pub previous_valid_until: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// Rises with each change.
    pub version: i64,
}

/// A receiver with a secret made just now. It has no `Debug`.
#[derive(Clone, Serialize, ToSchema)]
pub struct IssuedWebhookView {
    /// The receiver as lists show it.
    #[serde(flatten)]
    pub webhook: WebhookView,
    /// `whsec_…`, which signs from now on; in this answer and never again.
    pub secret: String,
}

/// An attempt at a delivery.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AttemptView {
    /// When it began.
    pub at: String,
    /// How long it took.
    pub duration_ms: i32,
    /// The HTTP status, if there was an answer.
    pub response_code: Option<i32>,
    /// What went wrong: `http_503`, `timeout`, `unreachable`, `address_refused`; null if nothing did.
    pub error: Option<String>,
    /// The first KiB of what the receiver said, or why it said nothing.
    pub reply: Option<String>,
}

/// One event on its way to one receiver.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeliveryView {
    /// Its id.
    pub id: String,
    /// The receiver.
    pub webhook_id: String,
    /// The event, which is also the header `webhook-id`.
    pub event_id: String,
    /// Its type.
    pub event_type: String,
    /// Where it happened.
    pub branch_id: String,
    /// Its number in the branch; null for a test.
    pub seq: Option<i64>,
    /// `pending`, `delivered`, `skipped` or `failed`.
    pub status: String,
    /// Attempts since it was last put back.
    pub attempt: i32,
    /// The last HTTP status.
    pub response_code: Option<i32>,
    /// When it is due; null unless it is pending.
    pub next_attempt_at: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// When it was delivered, skipped or given up.
    pub settled_at: Option<String>,
    /// What is kept of its attempts, the oldest first.
    pub attempts: Vec<AttemptView>,
}

/// What a replay does.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReplayView {
    /// Deliveries that are put back or added.
    pub count: u64,
    /// Nothing was done.
    pub dry_run: bool,
}

pub(crate) fn webhook(endpoint: &Endpoint, now: Timestamp) -> WebhookView {
    let row = &endpoint.row;
    WebhookView {
        id: WebhookId(row.id).to_string(),
        url: row.url.clone(),
        event_types: row.event_types.clone(),
        branch_ids: endpoint.branches.iter().map(ToString::to_string).collect(),
        enabled: row.enabled,
        disabled_at: row.disabled_at.map(time),
        disabled_reason: row.disabled_reason.clone(),
        failing_since: row.failing_since.map(time),
        previous_valid_until: row.previous_valid_until.filter(|end| *end > now).map(time),
        created_at: time(row.created_at),
        version: row.version,
    }
}

pub(crate) fn issued_webhook(
    endpoint: &Endpoint,
    secret: &WebhookSecret,
    now: Timestamp,
) -> IssuedWebhookView {
    IssuedWebhookView {
        webhook: webhook(endpoint, now),
        secret: secret.text().expose_secret().to_owned(),
    }
}

pub(crate) fn delivery(row: &DeliveryRow, attempts: &[AttemptRow]) -> DeliveryView {
    DeliveryView {
        id: DeliveryId(row.id).to_string(),
        webhook_id: WebhookId(row.endpoint_id).to_string(),
        event_id: EventId(row.event_id).to_string(),
        event_type: row.event_type.clone(),
        branch_id: BranchId(row.branch_id).to_string(),
        seq: row.seq,
        status: row.status.clone(),
        attempt: row.attempt,
        response_code: row.response_code,
        next_attempt_at: row.next_attempt_at.map(time),
        created_at: time(row.created_at),
        settled_at: row.settled_at.map(time),
        attempts: attempts.iter().map(attempt).collect(),
    }
}

fn attempt(row: &AttemptRow) -> AttemptView {
    AttemptView {
        at: time(row.started_at),
        duration_ms: row.duration_ms,
        response_code: row.response_code,
        error: row.error_code.clone(),
        reply: row.reply.clone(),
    }
}
