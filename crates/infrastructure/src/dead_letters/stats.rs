//! How many letters there are, and whether nothing is lost. Exact: everything comes from one snapshot.

use chrono::{DateTime, Utc};
use comanda_domain::Timestamp;
use comanda_domain::dead_letter::{ErrorClass, LetterState, Source};
use diesel::prelude::QueryableByName;
use diesel::sql_types::{BigInt, Text, Timestamptz};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use serde::Serialize;

use crate::db::{Conn, DbError, Relay};
use crate::stored::named;

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Letters of every state.
    pub total: i64,
    /// By source and state; those that are not there have no letters.
    pub groups: Vec<Group>,
    /// By error.
    pub classes: Vec<ClassCount>,
    /// Of every queue.
    pub conservation: Vec<Conservation>,
}

/// The letters of a source in a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Of this source.
    pub source: Source,
    /// In this state.
    pub state: LetterState,
    /// So many.
    pub count: i64,
    /// When the oldest first failed.
    pub oldest: Timestamp,
}

/// The letters of a source with an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassCount {
    /// Of this source.
    pub source: Source,
    /// What the error says about trying again.
    pub error_class: ErrorClass,
    /// The error.
    pub error_code: String,
    /// So many.
    pub count: i64,
    /// Of which are neither resolved nor put away.
    pub open: i64,
}

/// accepted = settled + pending + dead
#[derive(Debug, Clone, PartialEq, Eq, Serialize, QueryableByName)]
pub struct Conservation {
    /// Of this queue.
    #[diesel(sql_type = Text)]
    pub queue: String,
    /// Everything that ever came in.
    #[diesel(sql_type = BigInt)]
    pub accepted: i64,
    /// What is done.
    #[diesel(sql_type = BigInt)]
    pub settled: i64,
    /// What is to be done.
    #[diesel(sql_type = BigInt)]
    pub pending: i64,
    /// What was given up.
    #[diesel(sql_type = BigInt)]
    pub dead: i64,
}

impl Conservation {
    /// Whether nothing is missing and nothing is there twice.
    pub fn holds(&self) -> bool {
        self.accepted == self.settled + self.pending + self.dead
    }
}

impl Stats {
    /// Whether every queue is conserved.
    pub fn is_conserved(&self) -> bool {
        self.conservation.iter().all(Conservation::holds)
    }
}

/// Counts.
///
/// # Errors
/// A failure of the database.
pub async fn stats(relay: &Relay) -> Result<Stats, DbError> {
    relay
        .look(async |conn| {
            // Letters are never deleted: counting them may take longer than a request may.
            (&mut &*conn)
                .batch_execute("SET LOCAL statement_timeout = 0")
                .await?;
            let groups = groups(conn).await?;
            Ok(Stats {
                total: groups.iter().map(|group| group.count).sum(),
                groups,
                classes: classes(conn).await?,
                conservation: conservation(conn).await?,
            })
        })
        .await
}

#[derive(QueryableByName)]
struct GroupRow {
    #[diesel(sql_type = Text)]
    source: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
    #[diesel(sql_type = Timestamptz)]
    oldest: DateTime<Utc>,
}

/// The letters by source and state.
///
/// # Errors
/// A failure of the database.
pub async fn groups(conn: Conn<'_>) -> Result<Vec<Group>, DbError> {
    let rows: Vec<GroupRow> = diesel::sql_query(
        "SELECT source, state, count(*) AS count, min(first_failed_at) AS oldest FROM dead_letter \
          GROUP BY source, state ORDER BY source, state",
    )
    .load(&mut &*conn)
    .await?;
    let group = |row: GroupRow| {
        Ok(Group {
            source: named(&row.source, Source::parse)?,
            state: named(&row.state, LetterState::parse)?,
            count: row.count,
            oldest: row.oldest,
        })
    };
    rows.into_iter().map(group).collect()
}

/// The line of every queue.
///
/// # Errors
/// A failure of the database.
pub async fn conservation(conn: Conn<'_>) -> Result<Vec<Conservation>, DbError> {
    Ok(diesel::sql_query(
        "SELECT queue, accepted, settled, pending, dead FROM queue_conservation ORDER BY queue",
    )
    .load(&mut &*conn)
    .await?)
}

#[derive(QueryableByName)]
struct ClassRow {
    #[diesel(sql_type = Text)]
    source: String,
    #[diesel(sql_type = Text)]
    error_class: String,
    #[diesel(sql_type = Text)]
    error_code: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
    #[diesel(sql_type = BigInt)]
    open: i64,
}

async fn classes(conn: Conn<'_>) -> Result<Vec<ClassCount>, DbError> {
    let rows: Vec<ClassRow> = diesel::sql_query(
        "SELECT source, error_class, error_code, count(*) AS count, \
                count(*) FILTER (WHERE state IN ('pending', 'retrying')) AS open \
           FROM dead_letter GROUP BY source, error_class, error_code ORDER BY source, error_class, error_code",
    )
    .load(&mut &*conn)
    .await?;
    let class = |row: ClassRow| {
        Ok(ClassCount {
            source: named(&row.source, Source::parse)?,
            error_class: named(&row.error_class, ErrorClass::parse)?,
            error_code: row.error_code,
            count: row.count,
            open: row.open,
        })
    };
    rows.into_iter().map(class).collect()
}
