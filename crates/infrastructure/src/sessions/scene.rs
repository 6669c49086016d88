//! Where an operation takes place: the visit, its table, sector and branch, in one query.

use comanda_domain::branch::Branch;
use comanda_domain::ids::{SessionId, TenantId};
use comanda_domain::session::{Session, SessionStatus};
use comanda_domain::table::Table;
use comanda_security::policy::{Principal, Resource};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, SelectableHelper,
};
use diesel_async::RunQueryDsl;

use super::rows::{BranchRow, SessionRow, TableRow};
use crate::db::{Conn, DbError, EVENT_SEQ, Seen, cursor};
use crate::outbox::Place;
use crate::people::People;
use crate::refusal::Refusal;
use crate::schema::{branch, branch_counter, event_epoch, restaurant_table, sector, table_session};
use crate::views::TableRef;

/// The visit with all that surrounds it, before the columns are named.
macro_rules! visit {
    ($tenant:expr, $id:expr) => {
        table_session::table
            .inner_join(
                restaurant_table::table.on(restaurant_table::tenant_id
                    .eq(table_session::tenant_id)
                    .and(restaurant_table::id.eq(table_session::table_id))),
            )
            .inner_join(
                sector::table.on(sector::tenant_id
                    .eq(table_session::tenant_id)
                    .and(sector::id.eq(restaurant_table::sector_id))),
            )
            .inner_join(
                branch::table.on(branch::tenant_id
                    .eq(table_session::tenant_id)
                    .and(branch::id.eq(table_session::branch_id))),
            )
            .filter(table_session::tenant_id.eq($tenant.0))
            .filter(table_session::id.eq($id.0))
    };
}

/// A visit, its table, the name of the sector, and the branch.
type Rows = (SessionRow, TableRow, String, BranchRow);

/// A visit and where it takes place.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The branch.
    pub branch: Branch,
    /// Its row, for what only printed pages need.
    pub branch_row: BranchRow,
    /// The visit.
    pub session: Session,
    /// Its table.
    pub table: Table,
    /// The name of the table's sector.
    pub sector_name: String,
}

impl Scene {
    /// The visit, if there is one of this id in the tenant.
    pub(crate) async fn find(
        conn: Conn<'_>,
        tenant: TenantId,
        id: SessionId,
    ) -> Result<Option<Self>, DbError> {
        let row = visit!(tenant, id)
            .select((
                SessionRow::as_select(),
                TableRow::as_select(),
                sector::name,
                BranchRow::as_select(),
            ))
            .first::<Rows>(&mut &*conn)
            .await
            .optional()?;
        row.map(Self::of).transpose()
    }

    /// The same, and where the branch's stream stands, in the same query.
    pub(crate) async fn find_seen(
        conn: Conn<'_>,
        tenant: TenantId,
        id: SessionId,
    ) -> Result<Option<Seen<Self>>, DbError> {
        let epoch = event_epoch::table.select(event_epoch::epoch).single_value();
        let seq = branch_counter::table
            .filter(branch_counter::tenant_id.eq(table_session::tenant_id))
            .filter(branch_counter::branch_id.eq(table_session::branch_id))
            .filter(branch_counter::name.eq(EVENT_SEQ))
            .select(branch_counter::value)
            .single_value();
        let row = visit!(tenant, id)
            .select((
                SessionRow::as_select(),
                TableRow::as_select(),
                sector::name,
                BranchRow::as_select(),
                epoch,
                seq,
            ))
            .first::<(
                SessionRow,
                TableRow,
                String,
                BranchRow,
                Option<String>,
                Option<i64>,
            )>(&mut &*conn)
            .await
            .optional()?;
        row.map(|(session, table, sector_name, branch, epoch, seq)| {
            Ok(Seen {
                value: Self::of((session, table, sector_name, branch))?,
                cursor: cursor(&epoch.unwrap_or_default(), seq)?,
            })
        })
        .transpose()
    }

    fn of((session, table, sector_name, branch): Rows) -> Result<Self, DbError> {
        Ok(Self {
            branch: branch.to_domain()?,
            branch_row: branch,
            session: session.into_domain()?,
            table: table.to_domain(),
            sector_name,
        })
    }

    /// The visit, or `not_found`.
    pub(crate) async fn load(conn: Conn<'_>, tenant: TenantId, id: SessionId) -> Result<Self, Refusal> {
        Self::find(conn, tenant, id).await?.ok_or(Refusal::NotFound)
    }

    /// What the authorisation table needs to know.
    pub fn resource(&self) -> Resource {
        Resource {
            tenant: self.branch.tenant_id,
            branch: Some(self.branch.id),
            session: Some(self.session.id),
        }
    }

    /// The table as others refer to it.
    pub fn table_ref(&self) -> TableRef {
        TableRef::new(self.table.id, &self.table.code)
    }

    /// Where its events happen.
    pub fn place<'a>(&'a self, people: &'a People) -> Place<'a> {
        Place::at(self, people)
    }
}

/// A guest's token is good only while the visit lives and its seating is current.
///
/// # Errors
/// [`Refusal::SeatingEnded`].
pub(crate) fn require_seating(who: &Principal, session: &Session) -> Result<(), Refusal> {
    let seating = match who {
        Principal::Diner(diner) => diner.seating,
        Principal::Table(table) => table.seating,
        Principal::Staff(_) | Principal::ApiKey(_) => return Ok(()),
    };
    if session.status == SessionStatus::Closed || session.seating != seating {
        return Err(Refusal::SeatingEnded);
    }
    Ok(())
}
