//! Where the stream of a branch stands, for screens that start from what they have read (`events.md` 6).

use comanda_domain::cursor::{Epoch, StreamCursor};
use comanda_domain::ids::{BranchId, TenantId};
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;

use super::{Conn, DbError};
use crate::schema::{branch_counter, event_epoch};

/// The counter of a branch that numbers its events.
pub(crate) const EVENT_SEQ: &str = "event_seq";

/// What was read, and where the stream of its branch stood at that moment: every event up to there is contained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen<T> {
    /// What was read.
    pub value: T,
    /// The last event that was numbered by then.
    pub cursor: StreamCursor,
}

impl<T> Seen<T> {
    /// The same moment, told otherwise.
    pub fn map<U>(self, tell: impl FnOnce(T) -> U) -> Seen<U> {
        Seen {
            value: tell(self.value),
            cursor: self.cursor,
        }
    }

    /// The same moment, if it may be told.
    ///
    /// # Errors
    /// Those of `tell`.
    pub fn try_map<U, E>(self, tell: impl FnOnce(T) -> Result<U, E>) -> Result<Seen<U>, E> {
        Ok(Seen {
            value: tell(self.value)?,
            cursor: self.cursor,
        })
    }
}

/// The cursor in the form in which the database keeps it: the epoch, and the number unless there was no event yet.
pub(crate) fn cursor(epoch: &str, seq: Option<i64>) -> Result<StreamCursor, DbError> {
    standing(epoch, seq).map(StreamCursor::from)
}

fn standing(epoch: &str, seq: Option<i64>) -> Result<(Epoch, u64), DbError> {
    let corrupt = || DbError::Corrupt(format!("{epoch}-{seq:?}"));
    let known = epoch.parse().map_err(|_| corrupt())?;
    Ok((known, u64::try_from(seq.unwrap_or(0)).map_err(|_| corrupt())?))
}

/// Where the branch's stream stands: the epoch and the newest number, in one query.
pub(crate) async fn head(
    conn: Conn<'_>,
    tenant: TenantId,
    branch: BranchId,
) -> Result<(Epoch, u64), DbError> {
    let seq = branch_counter::table
        .filter(branch_counter::tenant_id.eq(tenant.0))
        .filter(branch_counter::branch_id.eq(branch.0))
        .filter(branch_counter::name.eq(EVENT_SEQ))
        .select(branch_counter::value)
        .single_value();
    let (epoch, seq): (String, Option<i64>) = event_epoch::table
        .select((event_epoch::epoch, seq))
        .first(&mut &*conn)
        .await?;
    standing(&epoch, seq)
}
