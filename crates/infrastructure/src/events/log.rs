//! Reading the log.

use comanda_domain::ids::{BranchId, TenantId};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, OptionalExtension,
    QueryDsl, SelectableHelper,
};
use diesel_async::RunQueryDsl;

use super::LoggedEvent;
use crate::db::{Conn, DbError};
use crate::schema::{branch_counter, event_epoch, event_log, event_shard};

/// Where the stream of a branch stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The life of the log.
    pub epoch: String,
    /// The number of the newest event; 0 before the first.
    pub seq: i64,
}

/// The newest event of a branch. One query, in whatever transaction: in a snapshot it says what the snapshot holds.
///
/// # Errors
/// A failure of the database.
pub async fn head(conn: Conn<'_>, tenant: TenantId, branch: BranchId) -> Result<Head, DbError> {
    let (epoch, seq): (String, Option<i64>) = event_epoch::table
        .left_join(
            branch_counter::table.on(branch_counter::tenant_id
                .eq(tenant.0)
                .and(branch_counter::branch_id.eq(branch.0))
                .and(branch_counter::name.eq("event_seq"))),
        )
        .select((event_epoch::epoch, branch_counter::value.nullable()))
        .first(&mut &*conn)
        .await?;
    Ok(Head {
        epoch,
        seq: seq.unwrap_or(0),
    })
}

/// The events of a branch after `after`, in order, `limit` at most.
///
/// # Errors
/// A failure of the database.
pub async fn of_branch(
    conn: Conn<'_>,
    tenant: TenantId,
    branch: BranchId,
    after: i64,
    limit: i64,
) -> Result<Vec<LoggedEvent>, DbError> {
    Ok(event_log::table
        .filter(event_log::tenant_id.eq(tenant.0))
        .filter(event_log::branch_id.eq(branch.0))
        .filter(event_log::seq.gt(after))
        .order(event_log::seq)
        .limit(limit)
        .select(LoggedEvent::as_select())
        .load(&mut &*conn)
        .await?)
}

/// The number of the oldest event of a branch that is still kept.
///
/// # Errors
/// A failure of the database.
pub async fn oldest(conn: Conn<'_>, tenant: TenantId, branch: BranchId) -> Result<Option<i64>, DbError> {
    Ok(event_log::table
        .filter(event_log::tenant_id.eq(tenant.0))
        .filter(event_log::branch_id.eq(branch.0))
        .filter(event_log::seq.is_not_null())
        .order(event_log::seq)
        .select(event_log::seq)
        .first::<Option<i64>>(&mut &*conn)
        .await
        .optional()?
        .flatten())
}

/// The events of a shard after a position, in order, `limit` at most. For workers, who see all tenants.
///
/// # Errors
/// A failure of the database.
pub async fn of_shard(
    conn: Conn<'_>,
    shard: i32,
    after: i64,
    limit: i64,
) -> Result<Vec<LoggedEvent>, DbError> {
    Ok(event_log::table
        .filter(event_log::shard.eq(shard))
        .filter(event_log::pos.gt(after))
        .order(event_log::pos)
        .limit(limit)
        .select(LoggedEvent::as_select())
        .load(&mut &*conn)
        .await?)
}

/// The epoch, and the newest position of every shard.
///
/// # Errors
/// A failure of the database.
pub async fn positions(conn: Conn<'_>) -> Result<(String, Vec<(i32, i64)>), DbError> {
    let epoch = event_epoch::table
        .select(event_epoch::epoch)
        .first(&mut &*conn)
        .await?;
    let shards = event_shard::table
        .order(event_shard::shard)
        .select((event_shard::shard, event_shard::pos))
        .load(&mut &*conn)
        .await?;
    Ok((epoch, shards))
}
