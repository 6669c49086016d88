//! Writes the bus anew from the log.

use std::sync::Arc;

use diesel::prelude::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Nullable};
use diesel_async::RunQueryDsl;
use serde::Serialize;

use super::{BusError, EventBus, log};
use crate::db::{DbError, Relay};

/// Events that are written at once.
const CHUNK: i64 = 500;

/// Why the bus is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The log cannot be read.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The bus cannot be written.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// There is no such shard.
    #[error("there is no shard {0}")]
    NoShard(i32),
}

/// What was written, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// To this shard.
    pub shard: i32,
    /// From this position; 0 if there is nothing.
    pub from: i64,
    /// To this position.
    pub to: i64,
    /// So many events.
    pub count: i64,
}

#[derive(QueryableByName)]
struct Range {
    #[diesel(sql_type = Nullable<BigInt>)]
    from: Option<i64>,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

const RANGE: &str = "SELECT min(pos) AS \"from\", count(*) AS count FROM event_log \
    WHERE shard = $1 AND pos > $2 AND pos <= $3";

/// Empties one shard of the bus, or all, and writes what it would keep of the log. A publisher may go on meanwhile:
/// once its next event is there, older ones are refused, and whoever misses them reads the log.
///
/// # Errors
/// [`ReplayError`]; what was written before stays.
pub async fn replay(
    relay: &Relay,
    bus: &dyn EventBus,
    only: Option<i32>,
    dry_run: bool,
) -> Result<Vec<Replayed>, ReplayError> {
    let (epoch, heads) = log::positions(relay).await?;
    if let Some(wanted) = only
        && !heads.iter().any(|(shard, _)| *shard == wanted)
    {
        return Err(ReplayError::NoShard(wanted));
    }
    let mut replayed = Vec::new();
    for (shard, head) in heads {
        if only.is_some_and(|wanted| wanted != shard) {
            continue;
        }
        let after = (head - bus.kept()).max(0);
        if !dry_run {
            bus.clear(&epoch, shard).await?;
            write(relay, bus, &epoch, shard, after, head).await?;
        }
        let range = range(relay, shard, after, head).await?;
        replayed.push(Replayed {
            shard,
            from: range.from.unwrap_or(0),
            to: head,
            count: range.count,
        });
    }
    Ok(replayed)
}

async fn write(
    relay: &Relay,
    bus: &dyn EventBus,
    epoch: &str,
    shard: i32,
    mut at: i64,
    head: i64,
) -> Result<(), ReplayError> {
    while at < head {
        let events = log::of_shard(relay, shard, at, CHUNK.min(head - at)).await?;
        let Some(last) = events.last() else { break };
        at = last.pos;
        let events: Vec<_> = events.into_iter().map(Arc::new).collect();
        bus.publish(epoch, shard, &events).await?;
    }
    Ok(())
}

async fn range(relay: &Relay, shard: i32, after: i64, head: i64) -> Result<Range, DbError> {
    relay
        .look(async |conn| {
            Ok(diesel::sql_query(RANGE)
                .bind::<Integer, _>(shard)
                .bind::<BigInt, _>(after)
                .bind::<BigInt, _>(head)
                .get_result(&mut &*conn)
                .await?)
        })
        .await
}
