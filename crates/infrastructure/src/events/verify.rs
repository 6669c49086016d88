//! Looks for holes and repeats in the log: positions of shards, numbers of branches, and the counters of both.

use comanda_domain::ids::BranchId;
use diesel::prelude::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use uuid::Uuid;

use crate::db::{DbError, Relay};

/// Which part of the log is looked at; everything that is kept if nothing is named.
#[derive(Debug, Clone, Copy, Default)]
pub struct Part {
    /// One shard.
    pub shard: Option<i32>,
    /// One branch.
    pub branch: Option<BranchId>,
}

/// A place where the log is not gapless.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, QueryableByName)]
pub struct LogProblem {
    /// `hole`, `repeat` or `counter`: the last means that the highest number is not the one that was given last.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// `pos` or `seq`.
    #[diesel(sql_type = Text)]
    pub of: String,
    /// The shard.
    #[diesel(sql_type = Integer)]
    pub shard: i32,
    /// The branch, where `seq` is wrong.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub branch_id: Option<Uuid>,
    /// The number before it, or the highest one.
    #[diesel(sql_type = BigInt)]
    pub from: i64,
    /// The number found, or the counter.
    #[diesel(sql_type = BigInt)]
    pub to: i64,
}

/// Neighbours that do not follow each other, and tops that are not what their counter says. Null parameters mean all.
const PROBLEMS: &str = "
WITH kept AS (
    SELECT shard, pos, tenant_id, branch_id, seq FROM event_log
     WHERE ($1 IS NULL OR shard = $1) AND ($2 IS NULL OR branch_id = $2)),
neighbours AS (
    SELECT 'pos' AS of, shard, NULL::uuid AS branch_id, pos AS number,
           lag(pos) OVER (PARTITION BY shard ORDER BY pos) AS before
      FROM kept WHERE $2 IS NULL
    UNION ALL
    SELECT 'seq', shard, branch_id, seq, lag(seq) OVER (PARTITION BY tenant_id, branch_id ORDER BY seq)
      FROM kept WHERE seq IS NOT NULL),
tops AS (
    SELECT 'pos' AS of, s.shard, NULL::uuid AS branch_id, s.pos AS counter, max(k.pos) AS top
      FROM event_shard s JOIN kept k ON k.shard = s.shard WHERE $2 IS NULL GROUP BY s.shard, s.pos
    UNION ALL
    SELECT 'seq', min(k.shard), c.branch_id, c.value, max(k.seq)
      FROM branch_counter c JOIN kept k ON k.tenant_id = c.tenant_id AND k.branch_id = c.branch_id
     WHERE c.name = 'event_seq' GROUP BY c.tenant_id, c.branch_id, c.value)
SELECT CASE WHEN number = before THEN 'repeat' ELSE 'hole' END AS kind, of, shard, branch_id,
       before AS \"from\", number AS \"to\"
  FROM neighbours WHERE number <> before + 1
UNION ALL
SELECT 'counter', of, shard, branch_id, coalesce(top, 0), counter FROM tops WHERE top IS DISTINCT FROM counter
 ORDER BY of, shard, branch_id, \"to\"";

/// Every hole and repeat, in one snapshot. Reads all that is kept of the part.
///
/// # Errors
/// A failure of the database.
pub async fn verify(relay: &Relay, part: Part) -> Result<Vec<LogProblem>, DbError> {
    // The whole log takes longer than any request may.
    let mut conn = relay.connect("SET statement_timeout = 0;").await?;
    Ok(diesel::sql_query(PROBLEMS)
        .bind::<Nullable<Integer>, _>(part.shard)
        .bind::<Nullable<SqlUuid>, _>(part.branch.map(|branch| branch.0))
        .load(&mut conn)
        .await?)
}
