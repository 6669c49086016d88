//! The schema, migration by migration.

use std::thread::sleep;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::pg::Pg;
use diesel::prelude::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::OpenError;

/// Part of the binary, so that every binary knows which schema it needs.
const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// One process migrates at a time; the others wait. The number is ours, and arbitrary.
const ADVISORY_LOCK: i64 = 0x636f_6d61_6e64_6101;
/// How long a migration may wait for a table while everyone behind it waits, too.
const LOCK_TIMEOUT: &str = "2s";
/// Attempts of one migration whose tables are busy.
const ATTEMPTS: u32 = 30;
/// Between two of them, requests get their turn.
const PAUSE: Duration = Duration::from_millis(500);

/// What the database holds after looking at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// Migrations that ran now.
    pub applied: Vec<String>,
    /// Parts of its event log.
    pub shards: u32,
}

type Blocking = AsyncConnectionWrapper<AsyncPgConnection>;
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs what is pending, each migration in a transaction of its own, and gives a new database its event shards.
///
/// # Errors
/// [`OpenError::Migration`] names what failed; what went before stays.
pub async fn migrate_up(url: &str, shards: u32) -> Result<Schema, OpenError> {
    let mut conn = alone(url).await?;
    let (back, applied) = blocking(conn, |harness| {
        let pending = harness.pending_migrations(MIGRATIONS)?;
        pending
            .iter()
            .map(|migration| patiently(harness, migration.as_ref(), Way::Up))
            .collect()
    })
    .await?;
    conn = back;
    let shards = fill_shards(&mut conn, shards).await?;
    Ok(Schema { applied, shards })
}

/// The names of all migrations that this binary knows, in their order.
pub fn known_migrations() -> Vec<String> {
    // The source is part of the binary, and reading it cannot fail.
    let known = migrations().unwrap_or_default();
    known
        .iter()
        .map(|migration| migration.name().to_string())
        .collect()
}

/// Takes every migration back, newest first. For tests: all data is gone.
///
/// # Errors
/// [`OpenError::Migration`].
pub async fn revert_all(url: &str) -> Result<Vec<String>, OpenError> {
    let conn = alone(url).await?;
    let (_, reverted) = blocking(conn, |harness| {
        let applied = harness.applied_migrations()?;
        let to_revert = migrations()?
            .into_iter()
            .rev()
            .filter(|migration| applied.contains(&migration.name().version()));
        to_revert
            .map(|migration| patiently(harness, migration.as_ref(), Way::Down))
            .collect()
    })
    .await?;
    Ok(reverted)
}

/// The names of the migrations that the database lacks, in order, and how many event shards it has. Needs no more
/// rights than the application has. A database that holds migrations unknown to this binary belongs to a newer
/// release, and still serves this one: migrations only expand.
///
/// # Errors
/// [`OpenError`].
pub async fn pending(url: &str) -> Result<(Vec<String>, u32), OpenError> {
    let mut conn = AsyncPgConnection::establish(url).await?;
    let mut known: Vec<Box<dyn Migration<Pg>>> = migrations()?;
    let begun: Begun = diesel::sql_query(
        "SELECT to_regclass('public.__diesel_schema_migrations') IS NOT NULL \
         AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'comanda_app') AS begun",
    )
    .get_result(&mut conn)
    .await?;
    if begun.begun {
        conn.batch_execute("SET ROLE comanda_app").await?;
        let applied: Vec<Version> =
            diesel::sql_query("SELECT version FROM public.__diesel_schema_migrations")
                .load(&mut conn)
                .await?;
        known.retain(|migration| {
            let version = migration.name().version();
            !applied
                .iter()
                .any(|applied| MigrationVersion::from(applied.version.as_str()) == version)
        });
    }
    let shards = if known.is_empty() {
        count_shards(&mut conn).await?
    } else {
        0
    };
    Ok((
        known
            .iter()
            .map(|migration| migration.name().to_string())
            .collect(),
        shards,
    ))
}

/// What this binary knows of, oldest first.
fn migrations() -> Result<Vec<Box<dyn Migration<Pg>>>, OpenError> {
    let mut known = MigrationSource::<Pg>::migrations(&MIGRATIONS)
        .map_err(|error| OpenError::Migration(error.to_string()))?;
    known.sort_unstable_by(|a, b| a.name().version().cmp(&b.name().version()));
    Ok(known)
}

#[derive(QueryableByName)]
struct Begun {
    #[diesel(sql_type = Bool)]
    begun: bool,
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

/// A connection that holds the lock of migrations, which ends with it.
async fn alone(url: &str) -> Result<AsyncPgConnection, OpenError> {
    let mut conn = AsyncPgConnection::establish(url).await?;
    conn.batch_execute(&format!(
        "SET application_name = 'comanda-migrate'; SET lock_timeout = 0; SET statement_timeout = 0; \
         SELECT pg_advisory_lock({ADVISORY_LOCK}); SET lock_timeout = '{LOCK_TIMEOUT}'"
    ))
    .await?;
    Ok(conn)
}

/// Diesel's migrations are synchronous: they run beside the runtime, over a connection that it drives.
async fn blocking<T: Send + 'static>(
    conn: AsyncPgConnection,
    work: impl FnOnce(&mut Blocking) -> Result<T, Failure> + Send + 'static,
) -> Result<(AsyncPgConnection, T), OpenError> {
    let done = tokio::task::spawn_blocking(move || {
        let mut harness = Blocking::from(conn);
        let outcome = work(&mut harness);
        (harness.into_inner(), outcome)
    });
    let (conn, outcome) = done.await.map_err(|_| OpenError::Interrupted)?;
    outcome
        .map(|value| (conn, value))
        .map_err(|error| OpenError::Migration(error.to_string()))
}

#[derive(Clone, Copy)]
enum Way {
    Up,
    Down,
}

/// A migration that cannot have its locks within [`LOCK_TIMEOUT`] gives way and tries again.
fn patiently(harness: &mut Blocking, migration: &dyn Migration<Pg>, way: Way) -> Result<String, Failure> {
    let name = migration.name().to_string();
    let mut attempt = 1;
    loop {
        let outcome = match way {
            Way::Up => harness.run_migration(migration),
            Way::Down => harness.revert_migration(migration),
        };
        match outcome {
            Ok(_) => break,
            Err(error) if attempt < ATTEMPTS && is_busy(&error.to_string()) => {
                tracing::warn!(migration = name, attempt, "tables are busy, trying again");
                sleep(PAUSE);
                attempt += 1;
            }
            Err(error) => return Err(format!("{name}: {error}").into()),
        }
    }
    // A migration may have taken a role or a path of its own; the next one starts as the login.
    SimpleConnection::batch_execute(
        harness,
        &format!("RESET ROLE; RESET search_path; SET lock_timeout = '{LOCK_TIMEOUT}'"),
    )?;
    tracing::info!(migration = name, "migrated");
    Ok(name)
}

fn is_busy(error: &str) -> bool {
    error.contains("lock timeout") || error.contains("deadlock detected")
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

async fn count_shards(conn: &mut AsyncPgConnection) -> Result<u32, OpenError> {
    let counted: Count = diesel::sql_query("SELECT count(*) AS count FROM event_shard")
        .get_result(conn)
        .await?;
    Ok(u32::try_from(counted.count).unwrap_or(0))
}

/// Which branch belongs to which shard follows from their number, so it is fixed when a database is first used. The
/// first epoch of the log begins then, too.
async fn fill_shards(conn: &mut AsyncPgConnection, wanted: u32) -> Result<u32, OpenError> {
    conn.batch_execute(&format!(
        "INSERT INTO event_shard (shard, pos, term, published_pos) SELECT shard, 0, 0, 0 \
         FROM generate_series(0, {wanted} - 1) shard WHERE NOT EXISTS (SELECT 1 FROM event_shard); \
         INSERT INTO event_epoch (epoch, since, reason) \
         VALUES (left(gen_random_uuid()::text, 8), now(), 'created') ON CONFLICT DO NOTHING"
    ))
    .await?;
    count_shards(conn).await
}
