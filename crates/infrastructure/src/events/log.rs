//! Reading the log across tenants, as workers and feeds do.

use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

use super::LoggedEvent;
use crate::db::{DbError, Relay};
use crate::schema::{event_epoch, event_log, event_shard};

/// The events of a shard after a position, in order, `limit` at most.
///
/// # Errors
/// A failure of the database.
pub async fn of_shard(
    relay: &Relay,
    shard: i32,
    after: i64,
    limit: i64,
) -> Result<Vec<LoggedEvent>, DbError> {
    relay
        .transact(async |conn| {
            Ok(event_log::table
                .filter(event_log::shard.eq(shard))
                .filter(event_log::pos.gt(after))
                .order(event_log::pos)
                .limit(limit)
                .select(LoggedEvent::as_select())
                .load(&mut &*conn)
                .await?)
        })
        .await
}

/// The epoch, and the newest position of every shard.
///
/// # Errors
/// A failure of the database.
pub async fn positions(relay: &Relay) -> Result<(String, Vec<(i32, i64)>), DbError> {
    relay
        .transact(async |conn| {
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
        })
        .await
}
