//! Opening the database: find or start it, bring its schema up to date, and make sure that it keeps tenants apart.

use diesel::prelude::QueryableByName;
use diesel::sql_types::{Bool, Text};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use secrecy::ExposeSecret;

use super::embedded::{EmbeddedError, EmbeddedOptions, EmbeddedPostgres};
use super::{OpenError, Schema, migrations};
use crate::clock::Sources;
use crate::config::Config;
use crate::db::{Conn, Db, DbError, DbOptions, Relay};
use crate::refusal::Refusal;

/// The database of the embedded cluster.
const EMBEDDED_DATABASE: &str = "comanda";
/// What the application runs as, whatever its login may.
const ROLE: &str = "comanda_app";

/// An open database. Kept as long as it is used: the embedded cluster stops with it.
pub struct Database {
    /// The way to it.
    pub db: Db,
    /// The way of workers.
    pub relay: Relay,
    /// The cluster that this process runs, if it does.
    pub embedded: Option<EmbeddedPostgres>,
    /// Migrations that opening it ran.
    pub applied: Vec<String>,
}

impl Database {
    /// Opens it on the machine's clock. In development and test, pending migrations run first; elsewhere a schema
    /// that is too old is refused.
    ///
    /// # Errors
    /// [`OpenError`] says what to do.
    pub async fn open(config: &Config) -> Result<Self, OpenError> {
        Self::open_with(config, Sources::system(), false).await
    }

    /// Opens it on another clock, or with pending migrations run whatever the environment.
    ///
    /// # Errors
    /// [`OpenError`] says what to do.
    pub async fn open_with(config: &Config, sources: Sources, migrate: bool) -> Result<Self, OpenError> {
        // On the heap: the futures of start-up would make those of every caller large.
        Box::pin(Self::at(find(config).await?, config, sources, migrate)).await
    }

    /// Opens it for a command: beside a server that runs the embedded cluster, or with the cluster for as long as the
    /// command needs it.
    ///
    /// # Errors
    /// [`OpenError`] says what to do.
    pub async fn open_for_command(config: &Config, migrate: bool) -> Result<Self, OpenError> {
        Box::pin(Self::at(
            find_or_share(config).await?,
            config,
            Sources::system(),
            migrate,
        ))
        .await
    }

    async fn at(found: Found, config: &Config, sources: Sources, migrate: bool) -> Result<Self, OpenError> {
        let (url, embedded) = found;
        let Schema { applied, shards } = if migrate || !config.environment.is_guarded() {
            let migrator = config
                .database
                .migrator_url
                .as_ref()
                .map_or(url.as_str(), ExposeSecret::expose_secret);
            migrations::migrate_up(migrator, config.database.event_shards).await?
        } else {
            match migrations::pending(&url).await? {
                (pending, shards) if pending.is_empty() => Schema {
                    applied: pending,
                    shards,
                },
                (pending, _) => return Err(OpenError::TooOld(pending)),
            }
        };
        let options = DbOptions {
            url,
            size: config.database.pool,
            timeout: config.database.pool_timeout,
            role: Some(ROLE),
            application_name: config.instance.clone(),
            shards,
        };
        let db = Db::new(&options, sources.clone())?;
        let relay_url = config.database.relay_url.as_ref();
        let relay_options = DbOptions {
            url: relay_url.map_or(options.url, |url| url.expose_secret().to_owned()),
            size: config.database.relay_pool,
            ..options
        };
        let relay = Relay::new(relay_options, sources)?;
        // Also makes the first connection, so that the first guest does not wait for it.
        require_row_security(&db, config.environment.is_guarded()).await?;
        Ok(Self {
            db,
            relay,
            embedded,
            applied,
        })
    }

    /// The migrations that opening it for a command would run, or lack.
    ///
    /// # Errors
    /// [`OpenError`] says what to do.
    pub async fn pending(config: &Config) -> Result<Vec<String>, OpenError> {
        let (url, embedded) = find_or_share(config).await?;
        let pending = migrations::pending(&url).await;
        if let Some(cluster) = embedded {
            beside(move || cluster.stop()).await??;
        }
        Ok(pending?.0)
    }

    /// Closes the connections and stops the embedded cluster.
    ///
    /// # Errors
    /// [`OpenError::Embedded`] when it does not stop.
    pub async fn close(self) -> Result<(), OpenError> {
        self.db.close();
        self.relay.close();
        drop(self.db);
        drop(self.relay);
        if let Some(cluster) = self.embedded {
            beside(move || cluster.stop()).await??;
        }
        Ok(())
    }
}

/// The address of the application's database, and the cluster if this process runs it.
type Found = (String, Option<EmbeddedPostgres>);

/// Where the application's database is; the embedded cluster runs once this is known.
async fn find(config: &Config) -> Result<Found, OpenError> {
    if let Some(url) = &config.database.url {
        return Ok((url.expose_secret().to_owned(), None));
    }
    let cluster = start(config).await?;
    Ok((cluster.url(EMBEDDED_DATABASE), Some(cluster)))
}

/// As [`find`], or the embedded cluster that another process runs.
async fn find_or_share(config: &Config) -> Result<Found, OpenError> {
    match find(config).await {
        Err(OpenError::Embedded(EmbeddedError::InUse { .. })) => {
            let options = embedded_options(config);
            let url = beside(move || EmbeddedPostgres::url_of_running(&options, EMBEDDED_DATABASE)).await??;
            Ok((url, None))
        }
        found => found,
    }
}

fn embedded_options(config: &Config) -> EmbeddedOptions {
    EmbeddedOptions {
        data_dir: config.data_dir.clone(),
        bin_dir: config.database.postgres_bin.clone(),
        durable: true,
    }
}

async fn start(config: &Config) -> Result<EmbeddedPostgres, OpenError> {
    let options = embedded_options(config);
    let cluster = beside(move || EmbeddedPostgres::start(&options)).await??;
    let mut conn = AsyncPgConnection::establish(&cluster.url("postgres")).await?;
    let created = conn
        .batch_execute(&format!("CREATE DATABASE {EMBEDDED_DATABASE}"))
        .await;
    match created {
        Err(error) if !error.to_string().contains("already exists") => Err(error.into()),
        _ => Ok(cluster),
    }
}

async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, OpenError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| OpenError::Interrupted)
}

#[derive(QueryableByName)]
struct Rights {
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Bool)]
    superuser: bool,
    #[diesel(sql_type = Bool)]
    bypasses: bool,
    #[diesel(sql_type = Bool)]
    owns: bool,
}

/// Rights of the role that the pool runs as, and of the login behind it, which could take its own rights back.
const RIGHTS: &str = "\
SELECT r.rolname::text AS role, r.rolsuper AS superuser, r.rolbypassrls AS bypasses, EXISTS (
    SELECT 1 FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
      AND pg_has_role(r.oid, c.relowner, 'USAGE')) AS owns
FROM pg_roles r WHERE r.rolname = current_user OR r.rolname = session_user
ORDER BY (r.rolname = current_user) DESC";

/// In development one login may do everything, and steps down; in staging and production it must not even be able
/// to.
async fn require_row_security(db: &Db, guarded: bool) -> Result<(), OpenError> {
    let found = db
        .directory(async |conn: Conn<'_>| Ok(diesel::sql_query(RIGHTS).load::<Rights>(&mut &*conn).await?))
        .await
        .map_err(|refusal| match refusal {
            Refusal::Database(error) => error,
            other => DbError::Unavailable(other.to_string()),
        })?;
    let judged = if guarded { found.len() } else { 1 };
    for rights in found.into_iter().take(judged) {
        let fault = match rights {
            Rights { superuser: true, .. } => "is a superuser",
            Rights { bypasses: true, .. } => "may bypass row level security",
            Rights { owns: true, .. } => "owns tables, or acts for their owner",
            _ => continue,
        };
        return Err(OpenError::Unsafe {
            role: rights.role,
            fault,
        });
    }
    Ok(())
}
