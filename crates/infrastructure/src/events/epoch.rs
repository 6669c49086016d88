//! A new life of the log: after a restore, cursors of the old one must not be taken for those of the new one.

use comanda_security::EntropyError;
use comanda_security::entropy::{SystemEntropy, fresh};
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;

use crate::db::{DbError, Relay};
use crate::schema::event_epoch;

/// Why the log goes on as before.
#[derive(Debug, thiserror::Error)]
pub enum EpochError {
    /// A failure of the database.
    #[error(transparent)]
    Database(#[from] DbError),
    /// There is no name for a new life.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// One life of the log and the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEpoch {
    /// The old one.
    pub from: String,
    /// The new one.
    pub to: String,
}

/// Begins a new epoch. Publishers and feeds look once a second: they begin again in it, and clients with cursors of
/// the old one are told to read the state again. `reason` has 1 to 200 characters.
///
/// # Errors
/// [`EpochError`].
pub async fn new_epoch(relay: &Relay, reason: &str) -> Result<NewEpoch, EpochError> {
    relay
        .transact(async |conn| {
            let from: String = event_epoch::table
                .select(event_epoch::epoch)
                .for_update()
                .first(&mut &*conn)
                .await
                .map_err(DbError::from)?;
            let to = loop {
                let name = format!("{:08x}", u32::from_be_bytes(fresh(&SystemEntropy::new())?));
                if name != from {
                    break name;
                }
            };
            diesel::update(event_epoch::table)
                .set((
                    event_epoch::epoch.eq(&to),
                    event_epoch::since.eq(relay.sources().now()),
                    event_epoch::reason.eq(reason),
                ))
                .execute(&mut &*conn)
                .await
                .map_err(DbError::from)?;
            Ok(NewEpoch { from, to })
        })
        .await
}
