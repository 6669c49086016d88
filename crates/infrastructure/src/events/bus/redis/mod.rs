//! The bus of several processes: a capped stream per shard, and channels for what is not kept.

mod former;
mod listen;
mod tail;

use std::collections::BTreeMap;
use std::sync::Arc;

use deadpool_redis::redis::{RedisResult, Value, cmd, pipe};
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::BoxStream;
use tokio::time::Instant;

use super::{BusError, EventBus, Signal};
use crate::breaker::CircuitBreaker;
use crate::events::LoggedEvent;
use crate::redis::keys::{self, StreamKey};
use crate::redis::{Redis, RedisError};

/// The field of an entry that holds the event.
const FIELD: &str = "e";
/// Events that are sent at once.
const CHUNK: usize = 500;
/// How many of the newest events an emptied stream is given: as many as a screen may catch up with at once. What is
/// older is read from the log.
const REFILL: i64 = 5000;

/// Redis streams, behind the breaker `redis_events`.
pub struct RedisBus {
    redis: Redis,
    breaker: Arc<CircuitBreaker>,
    /// Entries of a stream, about.
    maxlen: u32,
    /// What this process is called, so that it does not wake itself.
    instance: String,
}

impl From<RedisError> for BusError {
    fn from(error: RedisError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl RedisBus {
    /// Over these ways to Redis; `maxlen` caps each stream. Connects when it is first used.
    pub fn new(redis: Redis, breaker: Arc<CircuitBreaker>, maxlen: u32, instance: &str) -> Self {
        Self {
            redis,
            breaker,
            maxlen,
            instance: instance.to_owned(),
        }
    }

    /// Every failure of Redis counts, also its refusals: they are never about what we asked for.
    async fn guarded<T>(&self, call: impl Future<Output = Result<T, BusError>>) -> Result<T, BusError> {
        self.breaker.call(|_| true, call).await
    }

    async fn append(&self, key: &StreamKey, events: &[Arc<LoggedEvent>]) -> Result<(), BusError> {
        let key = key.to_string();
        let mut appending = pipe();
        appending.ignore_errors();
        for event in events {
            let body = serde_json::to_vec(event.as_ref())
                .map_err(|error| BusError::Unreadable(error.to_string()))?;
            appending
                .cmd("XADD")
                .arg(&key)
                .arg("MAXLEN")
                .arg("~")
                .arg(self.maxlen)
                .arg(format!("{}-0", event.pos))
                .arg(FIELD)
                .arg(body);
        }
        let started = Instant::now();
        let answers: Vec<RedisResult<Value>> = self.redis.ask_all("xadd", &appending).await?;
        metrics::histogram!("comanda_redis_publish_duration_seconds").record(started.elapsed().as_secs_f64());
        let mut refused = 0;
        for answer in answers {
            match answer {
                Ok(_) => {}
                Err(error) if is_repeat(error.detail()) => refused += 1,
                Err(error) => return Err(RedisError::from(error).into()),
            }
        }
        metrics::counter!("comanda_events_duplicates_refused_total").increment(refused);
        Ok(())
    }

    async fn newest(&self, key: &StreamKey) -> Result<i64, BusError> {
        let mut asking = cmd("XREVRANGE");
        asking
            .arg(key.to_string())
            .arg(["+", "-", "COUNT", "1"].as_slice());
        let newest: Vec<tail::Entry> = self.redis.ask("xrevrange", &asking).await?;
        newest.first().map_or(Ok(0), |(id, _)| tail::position(id))
    }

    async fn say(&self, channel: &str, message: &[u8]) -> Result<(), BusError> {
        let mut saying = cmd("PUBLISH");
        saying.arg(channel).arg(message);
        let _heard: i64 = self.redis.ask("publish", &saying).await?;
        Ok(())
    }
}

/// Redis has no code of its own for an id that is not above the newest.
fn is_repeat(detail: Option<&str>) -> bool {
    detail.is_some_and(|detail| detail.contains("equal or smaller than the target stream top item"))
}

impl EventBus for RedisBus {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn kept(&self) -> i64 {
        REFILL.min(i64::from(self.maxlen))
    }

    fn publish<'a>(
        &'a self,
        epoch: &'a str,
        shard: i32,
        events: &'a [Arc<LoggedEvent>],
    ) -> BoxFuture<'a, Result<(), BusError>> {
        async move {
            let key = StreamKey::new(shard, epoch);
            for some in events.chunks(CHUNK) {
                self.guarded(self.append(&key, some)).await?;
            }
            Ok(())
        }
        .boxed()
    }

    fn top<'a>(&'a self, epoch: &'a str, shard: i32) -> BoxFuture<'a, Result<i64, BusError>> {
        async move {
            let key = StreamKey::new(shard, epoch);
            self.guarded(self.newest(&key)).await
        }
        .boxed()
    }

    fn clear<'a>(&'a self, epoch: &'a str, shard: i32) -> BoxFuture<'a, Result<(), BusError>> {
        async move {
            let mut clearing = cmd("DEL");
            clearing.arg(StreamKey::new(shard, epoch).to_string());
            let _gone: i64 = self
                .guarded(async { Ok(self.redis.ask("del", &clearing).await?) })
                .await?;
            Ok(())
        }
        .boxed()
    }

    fn tail(
        &self,
        epoch: &str,
        after: &BTreeMap<i32, i64>,
    ) -> BoxStream<'static, Result<Arc<LoggedEvent>, BusError>> {
        tail::tail(self.redis.clone(), self.breaker.clone(), epoch, after)
    }

    fn let_go<'a>(&'a self, epoch: &'a str, shards: &'a [i32]) -> BoxFuture<'a, Result<u64, BusError>> {
        self.guarded(former::expire(&self.redis, epoch, shards)).boxed()
    }

    fn signal<'a>(&'a self, shard: i32, signal: &'a Signal) -> BoxFuture<'a, Result<(), BusError>> {
        async move {
            let body = serde_json::to_vec(signal).map_err(|error| BusError::Unreadable(error.to_string()))?;
            self.guarded(self.say(&keys::signals(shard), &body)).await
        }
        .boxed()
    }

    fn signals(&self) -> BoxStream<'static, Result<Arc<Signal>, BusError>> {
        listen::signals(self.redis.clone())
    }

    fn ring(&self) -> BoxFuture<'_, Result<(), BusError>> {
        self.guarded(self.say(keys::BELL, self.instance.as_bytes()))
            .boxed()
    }

    fn rings(&self) -> BoxStream<'static, Result<(), BusError>> {
        listen::rings(self.redis.clone(), self.instance.clone())
    }
}
