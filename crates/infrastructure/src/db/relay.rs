//! The way to PostgreSQL of workers: they move and claim work of all tenants, as `comanda_relay`.

use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};

use super::open::Open;
use super::pool::connection_setup;
use super::{Conn, Db, DbError, DbOptions};
use crate::clock::Sources;

/// What workers run as, whatever their login may.
const RELAY_ROLE: &str = "comanda_relay";

/// Connections that see the events and queues of every tenant, and nothing else.
#[derive(Clone)]
pub struct Relay {
    db: Db,
    options: DbOptions,
}

impl Relay {
    /// A pool that opens its connections when they are needed.
    ///
    /// # Errors
    /// An impossible pool size.
    pub fn new(options: DbOptions, sources: Sources) -> Result<Self, DbError> {
        let options = DbOptions {
            role: Some(RELAY_ROLE),
            ..options
        };
        Ok(Self {
            db: Db::new(&options, sources)?,
            options,
        })
    }

    /// Time and ids.
    pub fn sources(&self) -> &Sources {
        self.db.sources()
    }

    /// How many event shards there are.
    pub fn shards(&self) -> u32 {
        self.options.shards
    }

    /// What this process is called in the database: holder of leases and leadership.
    pub fn instance(&self) -> &str {
        &self.options.application_name
    }

    /// A connection of one's own beside the pool: what is locked on it stays locked until it closes. `setup` is run
    /// on it after the usual settings.
    ///
    /// # Errors
    /// [`DbError::Unavailable`].
    pub async fn connect(&self, setup: &str) -> Result<AsyncPgConnection, DbError> {
        let mut connection = AsyncPgConnection::establish(&self.options.url)
            .await
            .map_err(|error| DbError::Unavailable(error.to_string()))?;
        connection
            .batch_execute(&format!("{}{setup}", connection_setup(&self.options)))
            .await?;
        Ok(connection)
    }

    /// Runs `work` in one transaction.
    ///
    /// # Errors
    /// Whatever `work` refuses, or a failure of the database; nothing is changed then.
    pub async fn transact<T, E: From<DbError>>(
        &self,
        work: impl AsyncFnOnce(Conn<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.within("BEGIN", work).await
    }

    /// Runs `work` in one snapshot that it cannot change.
    ///
    /// # Errors
    /// Whatever `work` refuses, or a failure of the database.
    pub async fn look<T, E: From<DbError>>(
        &self,
        work: impl AsyncFnOnce(Conn<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.within("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", work)
            .await
    }

    async fn within<T, E: From<DbError>>(
        &self,
        begin: &str,
        work: impl AsyncFnOnce(Conn<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let open = Open::new(&self.db).await?;
        open.send(begin).await?;
        match work(open.conn()).await {
            Ok(done) => {
                open.commit().await?;
                Ok(done)
            }
            Err(error) => {
                open.roll_back().await;
                Err(error)
            }
        }
    }

    /// Closes what is idle and refuses further use.
    pub fn close(&self) {
        self.db.close();
    }
}
