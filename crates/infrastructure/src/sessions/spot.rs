//! A table before anybody sits there: with its sector and branch, in one query.

use comanda_domain::branch::Branch;
use comanda_domain::ids::{TableId, TenantId};
use comanda_domain::session::Session;
use comanda_domain::table::Table;
use comanda_security::policy::Resource;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, SelectableHelper,
};
use diesel_async::RunQueryDsl;

use super::Scene;
use super::rows::{BranchRow, TableRow};
use crate::db::{Conn, DbError};
use crate::schema::{branch, restaurant_table, sector};

/// A table and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Spot {
    pub(crate) branch: Branch,
    pub(crate) branch_row: BranchRow,
    pub(crate) table: Table,
    pub(crate) sector_name: String,
}

impl Spot {
    /// The table, unless it was deleted.
    pub(crate) async fn find(conn: Conn<'_>, tenant: TenantId, id: TableId) -> Result<Option<Self>, DbError> {
        let row = restaurant_table::table
            .inner_join(
                sector::table.on(sector::tenant_id
                    .eq(restaurant_table::tenant_id)
                    .and(sector::id.eq(restaurant_table::sector_id))),
            )
            .inner_join(
                branch::table.on(branch::tenant_id
                    .eq(restaurant_table::tenant_id)
                    .and(branch::id.eq(restaurant_table::branch_id))),
            )
            .filter(restaurant_table::tenant_id.eq(tenant.0))
            .filter(restaurant_table::id.eq(id.0))
            .filter(restaurant_table::deleted_at.is_null())
            .filter(branch::deleted_at.is_null())
            .select((TableRow::as_select(), sector::name, BranchRow::as_select()))
            .first::<(TableRow, String, BranchRow)>(&mut &*conn)
            .await
            .optional()?;
        row.map(|(table, sector_name, branch)| {
            Ok(Self {
                branch: branch.to_domain()?,
                branch_row: branch,
                table: table.to_domain(),
                sector_name,
            })
        })
        .transpose()
    }

    /// What the authorisation table needs to know.
    pub(crate) fn resource(&self) -> Resource {
        Resource::of_branch(self.branch.tenant_id, self.branch.id)
    }

    /// The table with the party that sits there now.
    pub(crate) fn with(&self, session: Session) -> Scene {
        Scene {
            branch: self.branch.clone(),
            branch_row: self.branch_row.clone(),
            session,
            table: self.table.clone(),
            sector_name: self.sector_name.clone(),
        }
    }
}
