//! Columns of receivers and deliveries.

use chrono::{DateTime, Utc};
use comanda_domain::Timestamp;
use comanda_domain::webhook::{EndpointHealth, IN_FLIGHT_OF_ENDPOINT};
use uuid::Uuid;

use crate::db::{bytes_as_hex, optional_bytes_as_hex, row};

/// Where a delivery stands.
pub(crate) const PENDING: &str = "pending";
pub(crate) const DELIVERED: &str = "delivered";
pub(crate) const SKIPPED: &str = "skipped";
pub(crate) const FAILED: &str = "failed";

row! {
    /// A receiver.
    EndpointRow = webhook_endpoint, key (tenant_id, id), guard "t.version < r.version" {
        tenant_id: Uuid,
        id: Uuid,
        url: String,
        event_types: Vec<String>,
        enabled: bool,
        disabled_at: Option<DateTime<Utc>>,
        disabled_reason: Option<String>,
        #[serde(serialize_with = "bytes_as_hex")]
        sealed_secret: Vec<u8>,
        #[serde(serialize_with = "optional_bytes_as_hex")]
        previous_sealed_secret: Option<Vec<u8>>,
        previous_valid_until: Option<DateTime<Utc>>,
        failing_since: Option<DateTime<Utc>>,
        concurrency: i32,
        version: i64,
        created_at: DateTime<Utc>,
        deleted_at: Option<DateTime<Utc>>,
    }
}

impl EndpointRow {
    /// How it is doing.
    pub(crate) fn health(&self) -> EndpointHealth {
        EndpointHealth {
            failing_since: self.failing_since,
            one_at_a_time: self.concurrency < in_flight(EndpointHealth::default()),
        }
    }

    /// Switched off, for this reason.
    #[must_use]
    pub(crate) fn disabled(self, reason: &str, now: Timestamp) -> Self {
        Self {
            enabled: false,
            disabled_at: Some(now),
            disabled_reason: Some(reason.to_owned()),
            ..self
        }
    }

    /// Switched on, with a clean slate.
    #[must_use]
    pub(crate) fn enabled(self) -> Self {
        Self {
            enabled: true,
            disabled_at: None,
            disabled_reason: None,
            failing_since: None,
            concurrency: in_flight(EndpointHealth::default()),
            ..self
        }
    }
}

/// How many deliveries may be under way, as the column has it.
pub(crate) fn in_flight(health: EndpointHealth) -> i32 {
    i32::try_from(health.in_flight().min(IN_FLIGHT_OF_ENDPOINT)).unwrap_or(1)
}

row! {
    /// A branch whose events a receiver gets.
    WebhookBranchRow = webhook_branch, key (tenant_id, endpoint_id, branch_id) {
        tenant_id: Uuid,
        endpoint_id: Uuid,
        branch_id: Uuid,
        created_at: DateTime<Utc>,
    }
}

row! {
    /// One event on its way to one receiver.
    DeliveryRow = webhook_delivery, key (tenant_id, id), guard "t.fence < r.fence" {
        tenant_id: Uuid,
        id: Uuid,
        endpoint_id: Uuid,
        branch_id: Uuid,
        event_id: Uuid,
        event_type: String,
        seq: Option<i64>,
        body: String,
        traceparent: Option<String>,
        attempt: i32,
        status: String,
        response_code: Option<i32>,
        next_attempt_at: Option<DateTime<Utc>>,
        lease_owner: Option<String>,
        lease_until: Option<DateTime<Utc>>,
        fence: i64,
        created_at: DateTime<Utc>,
        settled_at: Option<DateTime<Utc>>,
    }
}

impl DeliveryRow {
    /// Due at once, with the whole schedule before it. Whoever sends it at this moment has lost it.
    #[must_use]
    pub(crate) fn again(self, now: Timestamp) -> Self {
        Self {
            attempt: 0,
            status: PENDING.to_owned(),
            next_attempt_at: Some(now),
            lease_owner: None,
            lease_until: None,
            fence: self.fence.saturating_add(1),
            settled_at: None,
            ..self
        }
    }
}

row! {
    /// One attempt at a delivery.
    AttemptRow = webhook_attempt, key (tenant_id, id) {
        tenant_id: Uuid,
        id: Uuid,
        delivery_id: Uuid,
        endpoint_id: Uuid,
        branch_id: Uuid,
        attempt: i32,
        started_at: DateTime<Utc>,
        duration_ms: i32,
        response_code: Option<i32>,
        error_class: Option<String>,
        error_code: Option<String>,
        reply: Option<String>,
        created_at: DateTime<Utc>,
    }
}
