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
use crate::db::{Conn, DbError};
use crate::outbox::Place;
use crate::people::People;
use crate::refusal::Refusal;
use crate::schema::{branch, restaurant_table, sector, table_session};
use crate::views::TableRef;

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
        let row = table_session::table
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
            .filter(table_session::tenant_id.eq(tenant.0))
            .filter(table_session::id.eq(id.0))
            .select((
                SessionRow::as_select(),
                TableRow::as_select(),
                sector::name,
                BranchRow::as_select(),
            ))
            .first::<(SessionRow, TableRow, String, BranchRow)>(&mut &*conn)
            .await
            .optional()?;
        row.map(|(session, table, sector_name, branch)| {
            Ok(Self {
                branch: branch.to_domain()?,
                branch_row: branch,
                session: session.into_domain()?,
                table: table.to_domain(),
                sector_name,
            })
        })
        .transpose()
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
