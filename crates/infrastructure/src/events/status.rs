//! Where every shard of the log stands, and who leads it.

use chrono::{DateTime, Utc};
use diesel::prelude::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Serialize;

use crate::db::{DbError, Relay};

/// The log at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogStatus {
    /// Events that have no number yet.
    pub staged: i64,
    /// Age of the oldest of them, in seconds.
    pub oldest_seconds: i64,
    /// This life of the log.
    pub epoch: String,
    /// Its parts.
    pub shards: Vec<ShardStatus>,
}

/// A shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, QueryableByName)]
pub struct ShardStatus {
    /// Which.
    #[diesel(sql_type = Integer)]
    pub shard: i32,
    /// Its newest position.
    #[diesel(sql_type = BigInt)]
    pub pos: i64,
    /// What is known to have been published; written once a second.
    #[diesel(sql_type = BigInt)]
    pub published: i64,
    /// The difference.
    #[diesel(sql_type = BigInt)]
    pub lag: i64,
    /// The process that leads it now.
    #[diesel(sql_type = Nullable<Text>)]
    pub leader: Option<String>,
    /// The number of the leadership.
    #[diesel(sql_type = BigInt)]
    pub term: i64,
}

impl LogStatus {
    /// Shards that nobody leads.
    pub fn without_leader(&self) -> usize {
        self.shards.iter().filter(|shard| shard.leader.is_none()).count()
    }
}

/// The holder is whoever led last; it leads as long as its session holds the lock (`sequencer.rs`).
const SHARDS: &str = "
SELECT s.shard, s.pos, s.published_pos AS published, greatest(s.pos - s.published_pos, 0) AS lag, s.term,
       CASE WHEN EXISTS (
           SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
            WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
              AND l.classid = 1667196513 AND l.objid::bigint = s.shard)
       THEN coalesce(s.holder, '') END AS leader
  FROM event_shard s ORDER BY s.shard";

#[derive(QueryableByName)]
struct Head {
    #[diesel(sql_type = BigInt)]
    staged: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    oldest: Option<DateTime<Utc>>,
    #[diesel(sql_type = Text)]
    epoch: String,
}

const HEAD: &str = "SELECT count(*) AS staged, min(occurred_at) AS oldest, \
    (SELECT epoch FROM event_epoch) AS epoch FROM outbox_stage";

/// Looks.
///
/// # Errors
/// A failure of the database.
pub async fn status(relay: &Relay) -> Result<LogStatus, DbError> {
    relay
        .look(async |conn| {
            let head: Head = diesel::sql_query(HEAD).get_result(&mut &*conn).await?;
            let now = relay.sources().now();
            Ok(LogStatus {
                staged: head.staged,
                oldest_seconds: head
                    .oldest
                    .map_or(0, |oldest| (now - oldest).num_seconds().max(0)),
                epoch: head.epoch,
                shards: diesel::sql_query(SHARDS).load(&mut &*conn).await?,
            })
        })
        .await
}
