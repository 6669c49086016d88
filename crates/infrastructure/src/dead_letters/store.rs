//! Finding and changing letters.

use chrono::{DateTime, Utc};
use comanda_domain::Timestamp;
use comanda_domain::backoff::REDRIVES;
use comanda_domain::dead_letter::{LetterState, Source};
use comanda_domain::ids::DeadLetterId;
use diesel::prelude::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::Letter;
use super::letter::LetterRow;
use crate::db::{Conn, DbError, Relay};
use crate::schema::dead_letter;

/// What the processor can act on: due at $1, of the sources $2. Letters of $3 have a handler; $4: the archive works.
/// The names are literals, so that the index of due letters is used whatever the parameters.
const DUE: &str = "SELECT * FROM dead_letter WHERE source = ANY($2) AND \
    ((state = 'retrying' AND lease_until <= $1) OR \
     (state = 'pending' AND next_attempt_at IS NOT NULL AND error_class <> 'unknown' AND next_attempt_at <= $1 AND \
      ((error_class = 'unrecoverable' AND $4) OR \
       (error_class = 'retryable' AND redrives < $5 AND source = ANY($3))))) \
    ORDER BY first_failed_at, id LIMIT $6";

/// What waits for a person, or for a handler that this process does not have. Without those in $4.
const WAITING: &str = "SELECT * FROM dead_letter WHERE state = 'pending' AND source = ANY($2) AND id <> ALL($4) AND \
    (error_class = 'unknown' OR next_attempt_at IS NULL OR (error_class = 'retryable' AND \
      (redrives >= $5 OR (next_attempt_at <= $1 AND source <> ALL($3))))) \
    ORDER BY first_failed_at, id LIMIT $6";

/// Which letters a run is about.
pub(super) struct Scope {
    /// The time that decides what is due: one for the whole run, so that a letter is tried once in it.
    pub(super) now: Timestamp,
    /// Of these sources.
    pub(super) sources: Vec<String>,
    /// These have a handler.
    pub(super) handled: Vec<String>,
    /// Letters can be archived.
    pub(super) archive: bool,
}

/// The oldest letter that is due and that nobody else holds, locked.
pub(super) async fn take_due(conn: Conn<'_>, scope: &Scope) -> Result<Option<Letter>, DbError> {
    let found = find_due(conn, scope, 1, " FOR UPDATE SKIP LOCKED").await?;
    Ok(found.into_iter().next())
}

/// The oldest letters that are due.
pub(super) async fn due(conn: Conn<'_>, scope: &Scope, limit: i64) -> Result<Vec<Letter>, DbError> {
    find_due(conn, scope, limit, "").await
}

async fn find_due(conn: Conn<'_>, scope: &Scope, limit: i64, lock: &str) -> Result<Vec<Letter>, DbError> {
    let rows: Vec<LetterRow> = diesel::sql_query(format!("{DUE}{lock}"))
        .bind::<Timestamptz, _>(scope.now)
        .bind::<Array<Text>, _>(&scope.sources)
        .bind::<Array<Text>, _>(&scope.handled)
        .bind::<Bool, _>(scope.archive)
        .bind::<Integer, _>(most_redrives())
        .bind::<BigInt, _>(limit)
        .load(&mut &*conn)
        .await?;
    letters(rows)
}

/// The oldest letters that the processor leaves alone, but those that it has seen.
pub(super) async fn waiting(
    conn: Conn<'_>,
    scope: &Scope,
    seen: &[Uuid],
    limit: i64,
) -> Result<Vec<Letter>, DbError> {
    let rows: Vec<LetterRow> = diesel::sql_query(WAITING)
        .bind::<Timestamptz, _>(scope.now)
        .bind::<Array<Text>, _>(&scope.sources)
        .bind::<Array<Text>, _>(&scope.handled)
        .bind::<Array<SqlUuid>, _>(seen)
        .bind::<Integer, _>(most_redrives())
        .bind::<BigInt, _>(limit)
        .load(&mut &*conn)
        .await?;
    letters(rows)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many letters of these sources are not settled.
pub(super) async fn open(conn: Conn<'_>, sources: &[String]) -> Result<u64, DbError> {
    let found: Count = diesel::sql_query(
        "SELECT count(*) AS count FROM dead_letter WHERE state IN ('pending', 'retrying') AND source = ANY($1)",
    )
    .bind::<Array<Text>, _>(sources)
    .get_result(&mut &*conn)
    .await?;
    Ok(u64::try_from(found.count).unwrap_or(0))
}

/// Writes what has changed, if the letter is still what it was before; says whether it was.
pub(super) async fn save(conn: Conn<'_>, before: &Letter, after: &Letter) -> Result<bool, DbError> {
    let changed = diesel::update(dead_letter::table)
        .filter(dead_letter::tenant_id.eq(before.tenant_id.0))
        .filter(dead_letter::id.eq(before.id.0))
        .filter(dead_letter::state.eq(before.state.as_str()))
        .filter(dead_letter::fence.eq(before.fence))
        .set(Changed::of(after))
        .execute(&mut &*conn)
        .await?;
    Ok(changed == 1)
}

#[derive(diesel::AsChangeset)]
#[diesel(table_name = dead_letter, treat_none_as_null = true)]
struct Changed<'a> {
    state: &'static str,
    error_class: &'static str,
    error_code: &'a str,
    error_text: &'a str,
    attempts: i32,
    redrives: i32,
    last_failed_at: DateTime<Utc>,
    next_attempt_at: Option<DateTime<Utc>>,
    lease_owner: Option<String>,
    lease_until: Option<DateTime<Utc>>,
    fence: i64,
    resolved_by: Option<String>,
    resolved_at: Option<DateTime<Utc>>,
    note: Option<String>,
}

impl<'a> Changed<'a> {
    fn of(letter: &'a Letter) -> Self {
        Self {
            state: letter.state.as_str(),
            error_class: letter.error_class.as_str(),
            error_code: &letter.error_code,
            error_text: &letter.error_text,
            attempts: letter.attempts,
            redrives: letter.redrives,
            last_failed_at: letter.last_failed_at,
            next_attempt_at: letter.next_attempt_at,
            lease_owner: letter.lease_owner.clone(),
            lease_until: letter.lease_until,
            fence: letter.fence,
            resolved_by: letter.resolved_by.clone(),
            resolved_at: letter.resolved_at,
            note: letter.note.clone(),
        }
    }
}

/// Which letters are listed, oldest first.
#[derive(Debug, Clone, Copy)]
pub struct Filter {
    /// Of one source.
    pub source: Option<Source>,
    /// In one state.
    pub state: Option<LetterState>,
    /// This many at most.
    pub limit: u32,
}

/// The letters of a filter, without their payloads.
pub(super) async fn list(relay: &Relay, filter: Filter) -> Result<Vec<Letter>, DbError> {
    relay
        .look(async |conn| {
            let mut query = dead_letter::table
                .order((dead_letter::first_failed_at, dead_letter::id))
                .limit(i64::from(filter.limit))
                .select(LetterRow::as_select())
                .into_boxed();
            if let Some(source) = filter.source {
                query = query.filter(dead_letter::source.eq(source.as_str()));
            }
            if let Some(state) = filter.state {
                query = query.filter(dead_letter::state.eq(state.as_str()));
            }
            let mut found = letters(query.load(&mut &*conn).await?)?;
            for letter in &mut found {
                letter.payload = serde_json::Value::Null;
            }
            Ok(found)
        })
        .await
}

/// What finds a letter.
pub(super) type Key = (Uuid, Uuid);

/// The letter of an id. Operators name letters by their id alone, whatever the tenant.
pub(super) async fn key_of(conn: Conn<'_>, id: DeadLetterId) -> Result<Option<Key>, DbError> {
    Ok(dead_letter::table
        .filter(dead_letter::id.eq(id.0))
        .select((dead_letter::tenant_id, dead_letter::id))
        .first(&mut &*conn)
        .await
        .optional()?)
}

/// The letters of a source and state, oldest first.
pub(super) async fn keys_of(conn: Conn<'_>, source: Source, state: LetterState) -> Result<Vec<Key>, DbError> {
    Ok(dead_letter::table
        .filter(dead_letter::source.eq(source.as_str()))
        .filter(dead_letter::state.eq(state.as_str()))
        .order((dead_letter::first_failed_at, dead_letter::id))
        .select((dead_letter::tenant_id, dead_letter::id))
        .load(&mut &*conn)
        .await?)
}

/// One letter, locked if that is wanted.
pub(super) async fn letter(conn: Conn<'_>, key: Key, lock: bool) -> Result<Option<Letter>, DbError> {
    let query = dead_letter::table.find(key).select(LetterRow::as_select());
    let row = if lock {
        query.for_update().first(&mut &*conn).await
    } else {
        query.first(&mut &*conn).await
    };
    row.optional()?.map(Letter::try_from).transpose()
}

fn letters(rows: Vec<LetterRow>) -> Result<Vec<Letter>, DbError> {
    rows.into_iter().map(Letter::try_from).collect()
}

fn most_redrives() -> i32 {
    i32::try_from(REDRIVES).unwrap_or(i32::MAX)
}
