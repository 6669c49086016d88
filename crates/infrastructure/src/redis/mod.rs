//! Redis: where it is, what everything in it is called, and the ways to it. It holds nothing that cannot be lost, and
//! may be unreachable at any time, also when a process starts.

mod address;
pub mod keys;
mod nodes;
mod pool;

use std::sync::Arc;
use std::time::Duration;

use deadpool_redis::redis::aio::{MultiplexedConnection, PubSub};
use deadpool_redis::redis::{Cmd, FromRedisValue, Pipeline};
use tokio::time::{Instant, timeout};

pub use address::{RedisAddress, Topology};
use keys::StreamKey;
use nodes::Nodes;
use pool::{Pool, Pooled};

/// How Redis is reached.
#[derive(Debug, Clone)]
pub struct RedisConfig {
    /// Where it is.
    pub address: RedisAddress,
    /// Connections of this process, besides those that wait for news.
    pub pool: usize,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// Why Redis did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum RedisError {
    /// It did not answer in time.
    #[error("no answer within {0:?}")]
    Late(Duration),
    /// It cannot be reached, or refused.
    #[error(transparent)]
    Refused(#[from] deadpool_redis::redis::RedisError),
    /// No connection is to be had.
    #[error("no connection: {0}")]
    Pool(String),
    /// It answered with what nobody asked for.
    #[error("unexpected answer: {0}")]
    Unexpected(&'static str),
    /// It connects to nothing: the address is none.
    #[error("the address cannot be used: {0}")]
    Address(String),
}

/// The ways to Redis of one process. Cheap to clone; connects when it is first asked.
#[derive(Clone)]
pub struct Redis(Arc<Ways>);

struct Ways {
    pool: Pool,
    nodes: Nodes,
    timeout: Duration,
}

impl Redis {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// [`RedisError::Address`].
    pub fn new(config: &RedisConfig) -> Result<Self, RedisError> {
        Ok(Self(Arc::new(Ways {
            pool: Pool::new(config).map_err(|error| RedisError::Address(error.to_string()))?,
            nodes: Nodes::new(config),
            timeout: config.timeout,
        })))
    }

    /// Asks one question. `operation` is what metrics call it.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn ask<T: FromRedisValue>(
        &self,
        operation: &'static str,
        command: &Cmd,
    ) -> Result<T, RedisError> {
        let asking = async {
            let mut connection = self.connection().await?;
            Ok(command.query_async(&mut connection).await?)
        };
        self.timed(operation, asking).await
    }

    /// Asks several at once; in a Cluster, all of keys with the same hash tag.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn ask_all<T: FromRedisValue>(
        &self,
        operation: &'static str,
        pipeline: &Pipeline,
    ) -> Result<T, RedisError> {
        let asking = async {
            let mut connection = self.connection().await?;
            Ok(pipeline.query_async(&mut connection).await?)
        };
        self.timed(operation, asking).await
    }

    /// Connections of one's own for waiting on these streams, each with those that it may wait for at once.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn readers(
        &self,
        keys: Vec<StreamKey>,
    ) -> Result<Vec<(MultiplexedConnection, Vec<StreamKey>)>, RedisError> {
        counted("connect", self.0.nodes.readers(keys)).await
    }

    /// A connection of one's own to each server that holds a part.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn masters(&self) -> Result<Vec<MultiplexedConnection>, RedisError> {
        counted("connect", self.0.nodes.masters()).await
    }

    /// A connection of one's own that listens to the channels of this pattern.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn listen(&self, pattern: &str) -> Result<PubSub, RedisError> {
        counted("connect", self.0.nodes.listen(pattern)).await
    }

    /// How long an answer may take.
    pub fn patience(&self) -> Duration {
        self.0.timeout
    }

    async fn connection(&self) -> Result<Pooled, RedisError> {
        // On the heap: the futures of three pools would make those of every caller large.
        let connection = Box::pin(self.0.pool.get()).await;
        self.0.pool.show();
        connection
    }

    async fn timed<T>(
        &self,
        operation: &'static str,
        asking: impl Future<Output = Result<T, RedisError>>,
    ) -> Result<T, RedisError> {
        let started = Instant::now();
        let limit = self.0.timeout;
        let answer = counted(operation, async {
            timeout(limit, asking)
                .await
                .unwrap_or(Err(RedisError::Late(limit)))
        })
        .await;
        metrics::histogram!("comanda_redis_command_duration_seconds", "operation" => operation)
            .record(started.elapsed().as_secs_f64());
        answer
    }
}

async fn counted<T>(
    operation: &'static str,
    asking: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, RedisError> {
    asking.await.inspect_err(|_| {
        metrics::counter!("comanda_redis_errors_total", "operation" => operation).increment(1);
    })
}
