//! One open transaction on one connection.

use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use futures_util::{FutureExt, future};

use super::error::DbError;
use super::frame::Conn;
use super::pool::{Db, Pooled};
use super::record::{Commit, Recorder};

/// An open transaction. Dropped before it was committed, it takes its connection with it: a connection in an
/// unknown state never goes back to the pool.
pub(super) struct Open {
    connection: Option<Pooled>,
}

impl Open {
    pub(super) async fn new(db: &Db) -> Result<Self, DbError> {
        Ok(Self {
            connection: Some(db.connection().await?),
        })
    }

    pub(super) fn conn(&self) -> Conn<'_> {
        // The connection leaves only in `commit` and `drop`, both of which end the transaction.
        #[expect(clippy::expect_used, reason = "taken only when the transaction ends")]
        self.connection
            .as_ref()
            .expect("an open transaction has its connection")
    }

    pub(super) async fn send(&self, sql: &str) -> Result<(), DbError> {
        let mut conn = self.conn();
        conn.batch_execute(sql).await.map_err(DbError::from)
    }

    pub(super) async fn commit(mut self) -> Result<(), DbError> {
        Commit.execute(&mut self.conn()).await?;
        drop(self.connection.take());
        Ok(())
    }

    /// Ends the transaction without effect. A connection on which even that fails is dropped.
    pub(super) async fn roll_back(mut self) {
        if self.send("ROLLBACK").await.is_ok() {
            drop(self.connection.take());
        }
    }

    pub(super) async fn record_and_commit(self, rows: Recorder) -> Result<(), DbError> {
        if rows.is_empty() {
            return self.commit().await;
        }
        let statement = rows.into_statement()?;
        self.commit_after(async |conn| {
            statement.execute(&mut &*conn).await?;
            Ok(())
        })
        .await
    }

    /// Sends one last statement, and `COMMIT` right behind it.
    pub(super) async fn commit_after<T>(
        mut self,
        last: impl AsyncFnOnce(Conn<'_>) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        let conn = self.conn();
        let mut second = conn;
        // In this order: see the module's documentation.
        let (done, committed) = future::join(Box::pin(last(conn)), Commit.execute(&mut second).boxed()).await;
        let done = done?;
        committed?;
        drop(self.connection.take());
        Ok(done)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            discard(connection);
        }
    }
}

/// Closes a connection instead of giving it back.
fn discard(connection: Pooled) {
    drop(Pooled::take(connection));
}
