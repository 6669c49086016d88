//! Nonces that no signature can hold any more are removed.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::Timestamptz;
use diesel_async::RunQueryDsl;
use tokio::sync::watch;
use tracing::warn;

use super::nonce::REMEMBERED;
use crate::db::{DbError, Relay};

const INTERVAL: Duration = Duration::from_mins(1);
/// Rows of one transaction.
const PART: usize = 5_000;

/// Removes old nonces, until there are none. Gives their number.
///
/// # Errors
/// A failure of the database; what was removed stays removed.
pub async fn forget_nonces(relay: &Relay) -> Result<usize, DbError> {
    let kept = TimeDelta::from_std(REMEMBERED).unwrap_or(TimeDelta::MAX);
    let before: DateTime<Utc> = relay.sources().now() - kept;
    let mut all = 0;
    loop {
        let removed = relay
            .transact(async |conn| {
                let removed = diesel::sql_query(format!(
                    "DELETE FROM request_nonce WHERE ctid = ANY (ARRAY(SELECT ctid FROM request_nonce \
                     WHERE created_at < $1 ORDER BY created_at LIMIT {PART}))"
                ))
                .bind::<Timestamptz, _>(before)
                .execute(&mut &*conn)
                .await?;
                Ok::<_, DbError>(removed)
            })
            .await?;
        all += removed;
        if removed < PART {
            return Ok(all);
        }
    }
}

/// Does so once a minute, until it is stopped.
pub(crate) async fn forget_regularly(relay: Relay, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
        if let Err(error) = forget_nonces(&relay).await {
            warn!(%error, "nonces.forget");
        }
    }
}
