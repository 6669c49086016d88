//! The sequencer's defects that a test may plant. What is narrow in real life is wide here, so that a short test finds
//! it.

use std::time::Duration;

use diesel::sql_types::{Array, BigInt, Integer};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use tokio::time::sleep;

use super::{Leadership, Sequencer};
use crate::db::DbError;

/// How long a batch has been published and is not committed.
const HOLD: Duration = Duration::from_millis(200);

/// Whatever lies up to the cursor counts as done; the cursor moves to the highest number that can be seen.
const FOLLOW: &str = "WITH done AS (DELETE FROM outbox_stage WHERE shard = ANY($1) AND stage_id <= $2) \
     SELECT greatest($2, max(stage_id)) AS cursor FROM \
     (SELECT stage_id FROM outbox_stage WHERE shard = ANY($1) ORDER BY stage_id LIMIT $3) AS seen";

#[derive(diesel::QueryableByName)]
struct Moved {
    #[diesel(sql_type = BigInt)]
    cursor: i64,
}

impl Leadership {
    /// Breaks: an event gets its identity when it is staged, and is seen when its transaction commits. One that commits
    /// after another of a higher identity lies behind the cursor, and is never numbered.
    pub(super) async fn follow_identity(&mut self, most: i32) -> Result<(), DbError> {
        let mine: Vec<i32> = self.shards().collect();
        let moved: Moved = diesel::sql_query(FOLLOW)
            .bind::<Array<Integer>, _>(mine)
            .bind::<BigInt, _>(self.cursor)
            .bind::<Integer, _>(most)
            .get_result(&mut self.connection)
            .await?;
        self.cursor = moved.cursor;
        Ok(())
    }
}

impl Sequencer {
    /// Breaks: what has been published is rolled back when the leader or PostgreSQL dies now, and the numbers are
    /// given once more, maybe to other events. Even if it commits, screens are ahead of the log.
    pub(super) async fn publish_before_commit(&self, leadership: &mut Leadership) -> Result<bool, DbError> {
        leadership.connection.batch_execute("BEGIN").await?;
        let any = self.number(leadership).await?;
        if any {
            sleep(HOLD).await;
        }
        leadership.connection.batch_execute("COMMIT").await?;
        Ok(any)
    }
}
