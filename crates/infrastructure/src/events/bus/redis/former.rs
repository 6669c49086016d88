//! The streams of lives of the log that are over: they are given an hour, so that none stays behind.

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{RedisResult, cmd};
use tokio::time::timeout;

use super::BusError;
use crate::redis::keys::{FORMER_STREAM, StreamKey};
use crate::redis::{Redis, RedisError};

/// Keys that a server looks at in one step.
const STEP: usize = 1000;

/// Lets the streams of these shards that belong to another epoch expire, and says how many it met that would not
/// have.
pub(super) async fn expire(redis: &Redis, epoch: &str, shards: &[i32]) -> Result<u64, BusError> {
    let patience = redis.patience();
    let mut met = 0;
    for mut connection in redis.masters().await? {
        let mut cursor = 0;
        loop {
            let step = look(&mut connection, cursor);
            let (next, names) = timeout(patience, step)
                .await
                .map_err(|_| RedisError::Late(patience))?
                .map_err(RedisError::from)?;
            for name in names {
                let is_former = |key: StreamKey| shards.contains(&key.shard) && key.epoch != epoch;
                if StreamKey::parse(&name).is_some_and(is_former) {
                    let set = timeout(patience, limit(&mut connection, &name))
                        .await
                        .map_err(|_| RedisError::Late(patience))?
                        .map_err(RedisError::from)?;
                    met += u64::from(set);
                }
            }
            if next == 0 {
                break;
            }
            cursor = next;
        }
    }
    Ok(met)
}

async fn look(connection: &mut MultiplexedConnection, cursor: u64) -> RedisResult<(u64, Vec<String>)> {
    let mut looking = cmd("SCAN");
    looking
        .arg(cursor)
        .arg("MATCH")
        .arg(StreamKey::PATTERN)
        .arg("COUNT")
        .arg(STEP);
    looking.query_async(connection).await
}

/// A stream that expires already keeps its hour.
async fn limit(connection: &mut MultiplexedConnection, name: &str) -> RedisResult<bool> {
    let left: i64 = cmd("TTL").arg(name).query_async(connection).await?;
    if left != -1 {
        return Ok(false);
    }
    let mut limiting = cmd("EXPIRE");
    limiting.arg(name).arg(FORMER_STREAM.as_secs());
    limiting.query_async(connection).await
}
