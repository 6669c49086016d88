//! Reading the log across tenants, as workers and feeds do.

use std::collections::BTreeMap;

use diesel::sql_types::{Array, BigInt, Integer};
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

/// Stores up to where shards have been published, for lag and retention; never goes back.
///
/// # Errors
/// A failure of the database.
pub(super) async fn store_published(relay: &Relay, places: &BTreeMap<i32, i64>) -> Result<(), DbError> {
    let (shards, positions): (Vec<i32>, Vec<i64>) = places.iter().map(|(shard, at)| (*shard, *at)).unzip();
    relay
        .transact(async |conn| {
            diesel::sql_query(
                "UPDATE event_shard s SET published_pos = greatest(s.published_pos, m.pos) \
                 FROM unnest($1, $2) AS m (shard, pos) WHERE s.shard = m.shard",
            )
            .bind::<Array<Integer>, _>(shards)
            .bind::<Array<BigInt>, _>(positions)
            .execute(&mut &*conn)
            .await?;
            Ok(())
        })
        .await
}
