//! Forgetting: what is kept of attempts is kept for thirty days.

use chrono::TimeDelta;
use diesel::sql_types::{BigInt, Timestamptz};
use diesel_async::RunQueryDsl;

use super::WebhookWorker;
use crate::db::{Conn, DbError};

const KEPT: TimeDelta = TimeDelta::days(30);
/// Rows of one transaction.
const BATCH: i64 = 5_000;

const FORGET: &str = "DELETE FROM webhook_attempt WHERE (tenant_id, id) IN (\
     SELECT tenant_id, id FROM webhook_attempt WHERE started_at < $1 ORDER BY started_at LIMIT $2)";

impl WebhookWorker {
    /// Deletes attempts that are older than thirty days, and says how many.
    ///
    /// # Errors
    /// A failure of the database; what has been deleted stays so.
    pub async fn forget(&self) -> Result<usize, DbError> {
        let before = self.relay.sources().now() - KEPT;
        let mut forgotten: usize = 0;
        loop {
            let gone = self
                .relay
                .transact(async |conn: Conn<'_>| {
                    Ok::<_, DbError>(
                        diesel::sql_query(FORGET)
                            .bind::<Timestamptz, _>(before)
                            .bind::<BigInt, _>(BATCH)
                            .execute(&mut &*conn)
                            .await?,
                    )
                })
                .await?;
            forgotten = forgotten.saturating_add(gone);
            if i64::try_from(gone).unwrap_or(i64::MAX) < BATCH {
                return Ok(forgotten);
            }
        }
    }
}
