//! The pool, and how its connections are set up.

use std::time::Duration;

use diesel::ConnectionError;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod, deadpool,
};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use futures_util::FutureExt;

use super::DbError;
use super::locks::prepare_frame;
use crate::clock::Sources;
use crate::events::{Bell, Signals};

pub(super) type Pool = deadpool::Pool<AsyncPgConnection>;
pub(super) type Pooled = deadpool::Object<AsyncPgConnection>;

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct DbOptions {
    /// `postgres://…`
    pub url: String,
    /// Connections of this process.
    pub size: usize,
    /// How long to wait for one.
    pub timeout: Duration,
    /// `SET ROLE` to this when the login may do more.
    pub role: Option<&'static str>,
    /// Shown in `pg_stat_activity`.
    pub application_name: String,
    /// How many event shards the database has; fixed at its first start.
    pub shards: u32,
}

/// The one way to PostgreSQL.
#[derive(Clone)]
pub struct Db {
    pub(super) pool: Pool,
    pub(super) sources: Sources,
    pub(super) shards: u32,
    pub(super) bell: Bell,
    pub(super) signals: Signals,
}

impl Db {
    /// A pool that opens its connections when they are needed.
    ///
    /// # Errors
    /// An impossible pool size.
    pub fn new(options: &DbOptions, sources: Sources) -> Result<Self, DbError> {
        let setup = connection_setup(options) + &prepare_frame();
        let mut config = ManagerConfig::default();
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(move |url| {
            let (url, setup) = (url.to_owned(), setup.clone());
            async move {
                let mut connection = AsyncPgConnection::establish(&url).await?;
                connection
                    .batch_execute(&setup)
                    .await
                    .map_err(ConnectionError::CouldntSetupConfiguration)?;
                Ok(connection)
            }
            .boxed()
        });
        let manager = AsyncDieselConnectionManager::new_with_config(&options.url, config);
        let pool = Pool::builder(manager)
            .max_size(options.size)
            .wait_timeout(Some(options.timeout))
            .create_timeout(Some(options.timeout.max(Duration::from_secs(5))))
            .runtime(::deadpool::Runtime::Tokio1)
            .build()
            .map_err(|error| DbError::Unavailable(error.to_string()))?;
        Ok(Self {
            pool,
            sources,
            shards: options.shards,
            bell: Bell::default(),
            signals: Signals::default(),
        })
    }

    /// Takes what is told once, after each commit.
    pub fn signals(&self) -> &Signals {
        &self.signals
    }

    /// Rings after each commit that may have staged events.
    pub fn bell(&self) -> &Bell {
        &self.bell
    }

    /// How many event shards the database has.
    pub fn shards(&self) -> u32 {
        self.shards
    }

    /// Time and ids.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Refuses further use and closes what is idle.
    pub fn close(&self) {
        self.pool.close();
    }

    pub(super) async fn connection(&self) -> Result<Pooled, DbError> {
        self.pool
            .get()
            .await
            .map_err(|error| DbError::Unavailable(error.to_string()))
    }
}

/// Limits that end what hangs: a forgotten transaction must not keep its locks. And one plan per statement, made
/// once: all of them find rows by key, and looking for a better plan for each list of keys costs more than the rows.
pub(super) fn connection_setup(options: &DbOptions) -> String {
    let name = options.application_name.replace('\'', "");
    let role = options
        .role
        .map(|role| format!("SET ROLE {role};"))
        .unwrap_or_default();
    format!(
        "SET application_name = '{name}'; SET statement_timeout = '5s'; SET lock_timeout = '2s'; \
         SET idle_in_transaction_session_timeout = '10s'; SET plan_cache_mode = 'force_generic_plan'; {role}"
    )
}
