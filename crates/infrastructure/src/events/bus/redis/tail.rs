//! Following streams: plain blocking reads from a remembered position, on connections that do nothing else.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::cmd;
use futures_util::future::{ready, try_join_all};
use futures_util::stream::{self, BoxStream, SelectAll, StreamExt};
use tokio::time::timeout;

use super::{BusError, FIELD};
use crate::breaker::CircuitBreaker;
use crate::events::LoggedEvent;
use crate::redis::keys::StreamKey;
use crate::redis::{Redis, RedisError};

/// How long a read waits for news. A server that says nothing for longer is gone.
const WAIT: Duration = Duration::from_secs(2);
/// Entries of one answer, for each stream.
const COUNT: usize = 500;

/// Id, then fields and values in turn.
pub(super) type Entry = (String, Vec<Vec<u8>>);
/// For each stream with news its name and entries; nothing at all if the wait was in vain.
type News = Option<Vec<(String, Vec<Entry>)>>;

type Events = BoxStream<'static, Result<Arc<LoggedEvent>, BusError>>;

/// The streams that one connection waits for.
struct Tail {
    connection: MultiplexedConnection,
    at: Vec<(StreamKey, i64)>,
    waiting: VecDeque<Arc<LoggedEvent>>,
    patience: Duration,
}

pub(super) fn tail(
    redis: Redis,
    breaker: Arc<CircuitBreaker>,
    epoch: &str,
    after: &BTreeMap<i32, i64>,
) -> Events {
    let after: Vec<(StreamKey, i64)> = after
        .iter()
        .map(|(shard, at)| (StreamKey::new(*shard, epoch), *at))
        .collect();
    let opening = async move {
        let opened = breaker.call(|_| true, open(&redis, after)).await;
        opened.map(|tails| (tails, breaker))
    };
    stream::once(opening)
        .flat_map(|opened| match opened {
            Ok((tails, breaker)) => tails
                .into_iter()
                .map(|tail| tail.events(breaker.clone()))
                .collect::<SelectAll<Events>>()
                .boxed(),
            Err(error) => stream::once(ready(Err(error))).boxed(),
        })
        .boxed()
}

/// Connects, and reads what is there: only then it is known that the servers answer.
async fn open(redis: &Redis, after: Vec<(StreamKey, i64)>) -> Result<Vec<Tail>, BusError> {
    let positions: BTreeMap<i32, i64> = after.iter().map(|(key, at)| (key.shard, *at)).collect();
    let keys = after.into_iter().map(|(key, _)| key).collect();
    let readers = redis.readers(keys).await?;
    let patience = redis.patience();
    try_join_all(readers.into_iter().map(async |(connection, keys)| {
        let at = |key: StreamKey| {
            let at = positions.get(&key.shard).copied().unwrap_or(0);
            (key, at)
        };
        let mut tail = Tail {
            connection,
            at: keys.into_iter().map(at).collect(),
            waiting: VecDeque::new(),
            patience,
        };
        tail.read(None).await?;
        Ok(tail)
    }))
    .await
}

impl Tail {
    fn events(self, breaker: Arc<CircuitBreaker>) -> Events {
        stream::unfold(Some((self, breaker)), |state| async move {
            let (mut tail, breaker) = state?;
            loop {
                if let Some(event) = tail.waiting.pop_front() {
                    return Some((Ok(event), Some((tail, breaker))));
                }
                if let Err(error) = tail.read(Some(WAIT)).await {
                    breaker.failed();
                    return Some((Err(error), None));
                }
            }
        })
        .boxed()
    }

    /// One read, which waits for news as long as it may.
    async fn read(&mut self, wait: Option<Duration>) -> Result<(), BusError> {
        let mut reading = cmd("XREAD");
        reading.arg("COUNT").arg(COUNT);
        if let Some(wait) = wait {
            reading.arg("BLOCK").arg(wait.as_millis().to_string());
        }
        reading.arg("STREAMS");
        for (key, _) in &self.at {
            reading.arg(key.to_string());
        }
        for (_, at) in &self.at {
            reading.arg(format!("{at}-0"));
        }
        let limit = wait.unwrap_or_default() + self.patience;
        let news: News = timeout(limit, reading.query_async(&mut self.connection))
            .await
            .map_err(|_| RedisError::Late(limit))?
            .map_err(RedisError::from)?;
        for (name, entries) in news.unwrap_or_default() {
            self.take(&name, entries)?;
        }
        Ok(())
    }

    fn take(&mut self, name: &str, entries: Vec<Entry>) -> Result<(), BusError> {
        let unknown = || BusError::Unreadable(format!("{name} was not asked for"));
        let (_, at) = self
            .at
            .iter_mut()
            .find(|(key, _)| key.to_string() == name)
            .ok_or_else(unknown)?;
        for (id, fields) in entries {
            let pos = position(&id)?;
            let event = event(&fields).ok_or_else(|| BusError::Unreadable(format!("{name} {id}")))?;
            if event.pos != pos {
                return Err(BusError::Unreadable(format!(
                    "{name} {id} holds position {}",
                    event.pos
                )));
            }
            *at = pos;
            self.waiting.push_back(Arc::new(event));
        }
        Ok(())
    }
}

/// The position that an id tells.
pub(super) fn position(id: &str) -> Result<i64, BusError> {
    let pos = id.strip_suffix("-0").and_then(|pos| pos.parse().ok());
    pos.ok_or_else(|| BusError::Unreadable(format!("the id {id} is no position")))
}

fn event(fields: &[Vec<u8>]) -> Option<LoggedEvent> {
    match fields {
        [field, body] if field == FIELD.as_bytes() => serde_json::from_slice(body).ok(),
        _ => None,
    }
}
