//! The way in and the way out beside the processor: a worker gives up in its own transaction, and a person who does
//! the work again takes the letter back in theirs. Whatever happens, work is dead or it is not.

use comanda_domain::Timestamp;
use comanda_domain::dead_letter::{ErrorClass, LetterState, Source};
use comanda_domain::ids::TenantId;
use diesel::sql_types::Jsonb;
use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::letter::LetterRow;
use crate::db::{Conn, DbError, Row};
use crate::schema::dead_letter;

/// Work that is given up.
pub(crate) struct Buried<'a> {
    /// A fresh id, for a letter that is not there yet.
    pub(crate) id: Uuid,
    pub(crate) tenant: TenantId,
    pub(crate) source: Source,
    /// What it was about, there.
    pub(crate) source_id: String,
    pub(crate) event_type: Option<&'a str>,
    /// Everything that doing the work takes.
    pub(crate) payload: Value,
    pub(crate) class: ErrorClass,
    pub(crate) code: &'a str,
    /// 4096 bytes at most.
    pub(crate) text: &'a str,
    pub(crate) attempts: i32,
    pub(crate) first_failed_at: Timestamp,
    /// `traceparent` of what caused the work.
    pub(crate) traceparent: Option<&'a str>,
}

/// A letter that is there already died, was taken back and died again: it is opened as on its first day.
const BURY: &str = "ON CONFLICT (tenant_id, source, source_id) DO UPDATE SET payload = excluded.payload, \
     error_class = excluded.error_class, error_code = excluded.error_code, error_text = excluded.error_text, \
     attempts = dead_letter.attempts + excluded.attempts, redrives = 0, last_failed_at = excluded.last_failed_at, \
     next_attempt_at = excluded.next_attempt_at, state = 'pending', lease_owner = NULL, lease_until = NULL, \
     fence = dead_letter.fence + 1, resolved_by = NULL, resolved_at = NULL";

/// Inserts the letter, due at once, in the transaction of whoever gives up.
///
/// # Errors
/// A failure of the database: the work is not given up then.
pub(crate) async fn bury(conn: Conn<'_>, buried: Buried<'_>, now: Timestamp) -> Result<(), DbError> {
    let row = LetterRow {
        tenant_id: buried.tenant.0,
        id: buried.id,
        source: buried.source.to_string(),
        source_id: buried.source_id,
        event_type: buried.event_type.map(str::to_owned),
        payload: buried.payload,
        error_class: buried.class.to_string(),
        error_code: buried.code.to_owned(),
        error_text: buried.text.to_owned(),
        attempts: buried.attempts,
        redrives: 0,
        first_failed_at: buried.first_failed_at,
        last_failed_at: now,
        next_attempt_at: Some(now),
        state: LetterState::Pending.to_string(),
        lease_owner: None,
        lease_until: None,
        fence: 0,
        trace_id: buried.traceparent.and_then(trace_id),
        resolved_by: None,
        resolved_at: None,
        note: None,
        created_at: now,
    };
    let columns = LetterRow::COLUMNS.join(", ");
    let value = serde_json::to_value(&row)
        .map_err(|error| diesel::result::Error::SerializationError(error.into()))?;
    diesel::sql_query(format!(
        "INSERT INTO dead_letter ({columns}) \
         SELECT {columns} FROM jsonb_populate_record(NULL::dead_letter, $1) {BURY}"
    ))
    .bind::<Jsonb, _>(value)
    .execute(&mut &*conn)
    .await?;
    metrics::counter!("comanda_dlq_transitions_total",
        "source" => buried.source.to_string(), "from" => "none", "to" => "pending")
    .increment(1);
    Ok(())
}

/// The letters of pieces of work that are not resolved, locked.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn letters_of(
    conn: Conn<'_>,
    tenant: TenantId,
    source: Source,
    source_ids: &[String],
) -> Result<Vec<LetterRow>, DbError> {
    Ok(dead_letter::table
        .filter(dead_letter::tenant_id.eq(tenant.0))
        .filter(dead_letter::source.eq(source.as_str()))
        .filter(dead_letter::source_id.eq_any(source_ids))
        .filter(dead_letter::state.ne(LetterState::Resolved.as_str()))
        .order(dead_letter::id)
        .select(LetterRow::as_select())
        .for_update()
        .load(&mut &*conn)
        .await?)
}

/// The letter once somebody has taken its work back. Whoever retries it has lost it.
pub(crate) fn resolved(letter: LetterRow, by: String, now: Timestamp) -> LetterRow {
    LetterRow {
        state: LetterState::Resolved.to_string(),
        lease_owner: None,
        lease_until: None,
        next_attempt_at: None,
        fence: letter.fence.saturating_add(1),
        resolved_by: Some(by),
        resolved_at: Some(now),
        ..letter
    }
}

/// The trace id of a `traceparent` (W3C Trace Context, 3.2).
fn trace_id(traceparent: &str) -> Option<String> {
    let id = traceparent.split('-').nth(1)?;
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    (id.len() == 32 && id.chars().all(is_hex)).then(|| id.to_owned())
}
