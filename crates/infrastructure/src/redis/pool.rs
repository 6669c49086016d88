//! One pool over the three ways in which servers stand to each other.

use deadpool_redis::redis::aio::ConnectionLike;
use deadpool_redis::redis::{self, AsyncConnectionConfig, Pipeline, RedisFuture, Value};
use deadpool_redis::{Runtime, cluster, sentinel};

use super::nodes::{infos, settings};
use super::{RedisConfig, RedisError, Topology};

pub(super) enum Pool {
    Single(deadpool_redis::Pool),
    Sentinel(sentinel::Pool),
    Cluster(cluster::Pool),
}

type Fault = Box<dyn std::error::Error + Send + Sync>;

impl Pool {
    pub(super) fn new(config: &RedisConfig) -> Result<Self, Fault> {
        let RedisConfig {
            address,
            pool,
            timeout,
        } = config;
        let mut infos = infos(address);
        Ok(match &address.topology {
            Topology::Single => {
                let limits = AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(*timeout))
                    .set_response_timeout(Some(*timeout));
                let info = infos.pop().ok_or("no host")?;
                let manager = deadpool_redis::Manager::new_with_config(info, limits)?;
                let builder = deadpool_redis::Pool::builder(manager);
                Self::Single(builder.max_size(*pool).runtime(Runtime::Tokio1).build()?)
            }
            Topology::Sentinel(name) => {
                let node = sentinel::SentinelNodeConnectionInfo {
                    tls_mode: None,
                    redis_connection_info: Some(settings(address).into()),
                };
                let kind = sentinel::SentinelServerType::Master;
                let manager = sentinel::Manager::new(infos, name.clone(), Some(node), kind)?;
                let builder = sentinel::Pool::builder(manager);
                Self::Sentinel(builder.max_size(*pool).runtime(Runtime::Tokio1).build()?)
            }
            Topology::Cluster => {
                let manager = cluster::Manager::new(infos, false)?;
                let builder = cluster::Pool::builder(manager);
                Self::Cluster(builder.max_size(*pool).runtime(Runtime::Tokio1).build()?)
            }
        })
    }

    pub(super) async fn get(&self) -> Result<Pooled, RedisError> {
        fn fault(error: impl std::fmt::Display) -> RedisError {
            RedisError::Pool(error.to_string())
        }
        Ok(match self {
            Self::Single(pool) => Pooled::Single(pool.get().await.map_err(fault)?),
            Self::Sentinel(pool) => Pooled::Sentinel(pool.get().await.map_err(fault)?),
            Self::Cluster(pool) => Pooled::Cluster(pool.get().await.map_err(fault)?),
        })
    }

    /// Shows in the metrics how many connections there are.
    pub(super) fn show(&self) {
        let status = match self {
            Self::Single(pool) => pool.status(),
            Self::Sentinel(pool) => pool.status(),
            Self::Cluster(pool) => pool.status(),
        };
        for (state, count) in [
            ("in_use", status.size.saturating_sub(status.available)),
            ("idle", status.available),
        ] {
            metrics::gauge!("comanda_redis_pool_connections", "state" => state)
                .set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
        }
    }
}

/// A connection that goes back when it is dropped.
pub(super) enum Pooled {
    Single(deadpool_redis::Connection),
    Sentinel(sentinel::Connection),
    Cluster(cluster::Connection),
}

impl ConnectionLike for Pooled {
    fn req_packed_command<'a>(&'a mut self, command: &'a redis::Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(connection) => connection.req_packed_command(command),
            Self::Sentinel(connection) => connection.req_packed_command(command),
            Self::Cluster(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Single(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Sentinel(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(connection) => connection.get_db(),
            Self::Sentinel(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}
