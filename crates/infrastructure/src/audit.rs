//! Staging of audit entries. Nothing reads the stage yet; later it is sealed into the tenant's log.

use chrono::{DateTime, Utc};
use comanda_domain::Timestamp;
use comanda_domain::actor::ActorKind;
use comanda_domain::audit::AuditEntry;
use comanda_domain::ids::{BranchId, IdSource};
use comanda_security::entropy::{SystemEntropy, fresh};
use diesel::sql_types::Jsonb;
use diesel_async::RunQueryDsl;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::clock::Ids;
use crate::db::{Ask, Conn, DbError, Row, bytes_as_hex, optional_bytes_as_hex, row};

/// Who asked, as the trace keeps it.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What kind of actor.
    pub kind: ActorKind,
    /// Which one.
    pub id: Option<Uuid>,
    /// From where.
    pub client_ip: Option<String>,
    /// With what.
    pub user_agent: Option<String>,
}

impl Caller {
    /// Comanda itself.
    pub fn system() -> Self {
        Self {
            kind: ActorKind::System,
            id: None,
            client_ip: None,
            user_agent: None,
        }
    }

    /// A payment provider.
    pub fn provider() -> Self {
        Self {
            kind: ActorKind::Provider,
            ..Self::system()
        }
    }
}

/// Longest part of a user agent that is kept, in bytes.
const USER_AGENT_BYTES: usize = 256;

row! {
    /// A staged entry.
    AuditStageRow = audit_stage, key (tenant_id, id) {
        tenant_id: Uuid,
        id: Uuid,
        branch_id: Option<Uuid>,
        occurred_at: DateTime<Utc>,
        actor_kind: String,
        actor_id: Option<Uuid>,
        actor_label: Option<String>,
        client_ip: Option<String>,
        user_agent: Option<String>,
        action: String,
        outcome: String,
        entity_type: Option<String>,
        entity_id: Option<Uuid>,
        reason: Option<String>,
        request_id: Option<String>,
        #[serde(serialize_with = "optional_bytes_as_hex")]
        trace_id: Option<Vec<u8>>,
        before: Option<Value>,
        after: Option<Value>,
        #[serde(serialize_with = "bytes_as_hex")]
        salt: Vec<u8>,
    }
}

/// The row of an entry.
pub(crate) fn stage(
    ask: &Ask,
    branch: Option<BranchId>,
    entry: &AuditEntry,
    now: Timestamp,
    ids: &mut Ids,
) -> AuditStageRow {
    let (before, after) = changed(entry);
    AuditStageRow {
        tenant_id: ask.tenant.0,
        id: ids.uuid(),
        branch_id: branch.map(Uuid::from),
        occurred_at: now,
        actor_kind: ask.caller.kind.to_string(),
        actor_id: ask.caller.id,
        actor_label: None,
        client_ip: ask.caller.client_ip.clone(),
        user_agent: ask
            .caller
            .user_agent
            .as_deref()
            .map(|agent| cut(agent, USER_AGENT_BYTES)),
        action: entry.action.to_owned(),
        outcome: "success".to_owned(),
        entity_type: Some(entry.entity_type.to_owned()),
        entity_id: Some(entry.entity_id),
        reason: entry.reason.clone(),
        request_id: Some(ask.request_id.clone()),
        trace_id: ask.origin.traceparent.as_deref().and_then(trace_id),
        before,
        after,
        salt: salt(),
    }
}

/// Stages an entry where no [`crate::db::Act`] does: in the transactions of workers.
pub(crate) async fn insert(conn: Conn<'_>, row: &AuditStageRow) -> Result<(), DbError> {
    let columns = AuditStageRow::COLUMNS.join(", ");
    let value =
        serde_json::to_value(row).map_err(|error| diesel::result::Error::SerializationError(error.into()))?;
    diesel::sql_query(format!(
        "INSERT INTO audit_stage ({columns}) SELECT {columns} FROM jsonb_populate_record(NULL::audit_stage, $1)"
    ))
    .bind::<Jsonb, _>(value)
    .execute(&mut &*conn)
    .await?;
    Ok(())
}

/// The sixteen bytes of the trace id of a `traceparent` (W3C Trace Context, 3.2).
fn trace_id(traceparent: &str) -> Option<Vec<u8>> {
    let hex = traceparent.split('-').nth(1).filter(|hex| hex.len() == 32)?;
    (0..16)
        .map(|n| u8::from_str_radix(hex.get(2 * n..2 * n + 2)?, 16).ok())
        .collect()
}

/// Hides what the personal fields of the entry are worth behind 256 random bits.
fn salt() -> Vec<u8> {
    // Without randomness there is no salt; the database then refuses the entry, and the operation with it.
    fresh::<32>(&SystemEntropy::new())
        .map(|bytes| bytes.to_vec())
        .unwrap_or_default()
}

/// The changed fields before and after, as objects.
fn changed(entry: &AuditEntry) -> (Option<Value>, Option<Value>) {
    let mut before = Map::new();
    let mut after = Map::new();
    for change in &entry.changes {
        for (value, side) in [(&change.before, &mut before), (&change.after, &mut after)] {
            if let Some(value) = value {
                side.insert(
                    change.field.to_owned(),
                    serde_json::to_value(value).unwrap_or_default(),
                );
            }
        }
    }
    let some = |map: Map<String, Value>| (!map.is_empty()).then_some(Value::Object(map));
    (some(before), some(after))
}

/// The longest prefix of whole characters within `bytes`.
fn cut(text: &str, bytes: usize) -> String {
    let end = (0..=bytes.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(0);
    text.get(..end).unwrap_or_default().to_owned()
}
