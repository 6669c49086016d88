//! Columns of calls.

use chrono::{DateTime, Utc};
use comanda_domain::ids::TenantId;
use comanda_domain::service_call::{CallStatus, CallType, ServiceCall};
use uuid::Uuid;

use crate::db::{DbError, row};
use crate::stored::{columns, named, optional_stamp};

row! {
    /// A call.
    CallRow = service_call, key (tenant_id, id), guard "t.version < r.version" {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        branch_id: Uuid,
        session_id: Uuid,
        #[serde(rename = "type")]
        type_: String,
        status: String,
        note: Option<String>,
        raised_by_diner_id: Option<Uuid>,
        reminder_count: i32,
        last_reminder_at: Option<DateTime<Utc>>,
        acked_at: Option<DateTime<Utc>>,
        acked_by_kind: Option<String>,
        acked_by_id: Option<Uuid>,
        closed_at: Option<DateTime<Utc>>,
        closed_by_kind: Option<String>,
        closed_by_id: Option<Uuid>,
        version: i64,
    }
}

impl CallRow {
    pub(crate) fn of(tenant: TenantId, call: &ServiceCall) -> Self {
        let (acked_at, acked_by_kind, acked_by_id) = columns(call.acked.as_ref());
        let (closed_at, closed_by_kind, closed_by_id) = columns(call.closed.as_ref());
        Self {
            tenant_id: tenant.0,
            id: call.id.0,
            created_at: call.opened_at,
            branch_id: call.branch_id.0,
            session_id: call.session_id.0,
            type_: call.call_type.to_string(),
            status: call.status.to_string(),
            note: call.note.clone(),
            raised_by_diner_id: call.raised_by.map(Uuid::from),
            reminder_count: call.reminder_count,
            last_reminder_at: call.last_reminder_at,
            acked_at,
            acked_by_kind,
            acked_by_id,
            closed_at,
            closed_by_kind,
            closed_by_id,
            version: call.version,
        }
    }

    pub(crate) fn into_domain(self) -> Result<ServiceCall, DbError> {
        Ok(ServiceCall {
            id: self.id.into(),
            branch_id: self.branch_id.into(),
            session_id: self.session_id.into(),
            call_type: named(&self.type_, CallType::parse)?,
            status: named(&self.status, CallStatus::parse)?,
            note: self.note,
            raised_by: self.raised_by_diner_id.map(Into::into),
            reminder_count: self.reminder_count,
            last_reminder_at: self.last_reminder_at,
            opened_at: self.created_at,
            acked: optional_stamp(self.acked_at, self.acked_by_kind.as_deref(), self.acked_by_id)?,
            closed: optional_stamp(self.closed_at, self.closed_by_kind.as_deref(), self.closed_by_id)?,
            version: self.version,
        })
    }
}
