//! The days of the log: made ahead, dropped when they are old.

use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use diesel::sql_types::Date;
use diesel_async::RunQueryDsl;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::db::{DbError, Relay};

/// How often the date is looked at.
const LOOK: Duration = Duration::from_mins(1);

#[derive(diesel::QueryableByName)]
struct Dropped {
    #[diesel(sql_type = Date)]
    day: NaiveDate,
}

/// Makes the partitions that the next days need.
///
/// # Errors
/// A failure of the database.
pub async fn prepare_days(relay: &Relay) -> Result<(), DbError> {
    let today = relay.sources().now().date_naive();
    relay
        .transact(async |conn| {
            diesel::sql_query("SELECT comanda_event_partitions($1)")
                .bind::<Date, _>(today)
                .execute(&mut &*conn)
                .await?;
            Ok(())
        })
        .await
}

/// Drops the days that are older than `retention` and that everyone has read.
///
/// # Errors
/// A failure of the database.
pub async fn drop_old_days(relay: &Relay, retention: Duration) -> Result<Vec<NaiveDate>, DbError> {
    let kept = TimeDelta::from_std(retention).unwrap_or(TimeDelta::MAX);
    let Some(oldest) = relay.sources().now().checked_sub_signed(kept) else {
        return Ok(Vec::new());
    };
    relay
        .transact(async |conn| {
            let dropped: Vec<Dropped> = diesel::sql_query("SELECT day FROM comanda_event_drop($1) AS day")
                .bind::<Date, _>(oldest.date_naive())
                .load(&mut &*conn)
                .await?;
            Ok(dropped.into_iter().map(|dropped| dropped.day).collect())
        })
        .await
}

/// Does both at once and whenever the date changes, until it is stopped.
pub(super) async fn keep_up(relay: Relay, retention: Duration, mut stopped: watch::Receiver<bool>) {
    let mut done = None;
    loop {
        let today = relay.sources().now().date_naive();
        if done != Some(today) {
            match keep_day(&relay, retention).await {
                Ok(()) => done = Some(today),
                Err(error) => warn!(%error, "events.upkeep"),
            }
        }
        tokio::select! {
            _ = stopped.changed() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

async fn keep_day(relay: &Relay, retention: Duration) -> Result<(), DbError> {
    prepare_days(relay).await?;
    for day in drop_old_days(relay, retention).await? {
        info!(%day, "events.day_dropped");
    }
    Ok(())
}
