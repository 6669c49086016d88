//! Queries over branches and tables: one each.

use comanda_domain::ids::{BranchId, TableId, TenantId};
use comanda_domain::session::SessionStatus;
use comanda_domain::table::{TableStatus, table_status};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, OptionalExtension,
    QueryDsl, SelectableHelper,
};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::db::{Conn, DbError};
use crate::schema::{branch, restaurant_table, sector, table_session};
use crate::sessions::rows::{BranchRow, TableRow};
use crate::stored::named;

/// A table, where it stands, and how it looks.
#[derive(Debug, Clone)]
pub(crate) struct Seated {
    pub(crate) table: TableRow,
    pub(crate) sector_name: String,
    pub(crate) status: TableStatus,
}

/// A live branch.
pub(crate) async fn branch(
    conn: Conn<'_>,
    tenant: TenantId,
    id: BranchId,
) -> Result<Option<BranchRow>, DbError> {
    let found = branch::table
        .filter(branch::tenant_id.eq(tenant.0))
        .filter(branch::id.eq(id.0))
        .filter(branch::deleted_at.is_null())
        .select(BranchRow::as_select())
        .first(&mut &*conn)
        .await
        .optional()?;
    Ok(found)
}

/// Live branches, oldest first; `among` these, if it is given.
pub(crate) async fn branches(
    conn: Conn<'_>,
    tenant: TenantId,
    among: Option<&[BranchId]>,
    after: Option<BranchId>,
    limit: i64,
) -> Result<Vec<BranchRow>, DbError> {
    let mut query = branch::table
        .filter(branch::tenant_id.eq(tenant.0))
        .filter(branch::deleted_at.is_null())
        .select(BranchRow::as_select())
        .into_boxed();
    if let Some(among) = among {
        let ids: Vec<Uuid> = among.iter().map(|id| id.0).collect();
        query = query.filter(branch::id.eq_any(ids));
    }
    if let Some(after) = after {
        query = query.filter(branch::id.gt(after.0));
    }
    Ok(query.order(branch::id).limit(limit).load(&mut &*conn).await?)
}

type Found = (TableRow, String, Option<String>);

fn seated((table, sector_name, session): Found) -> Result<Seated, DbError> {
    let session = session
        .map(|status| named(&status, SessionStatus::parse))
        .transpose()?;
    let status = table_status(table.out_of_service, session);
    Ok(Seated {
        table,
        sector_name,
        status,
    })
}

/// Live tables with their sector and live session. A macro, because the type of a joined query has no name.
macro_rules! with_session {
    ($tenant:expr) => {
        restaurant_table::table
            .inner_join(
                sector::table.on(sector::tenant_id
                    .eq(restaurant_table::tenant_id)
                    .and(sector::id.eq(restaurant_table::sector_id))),
            )
            .left_join(
                table_session::table.on(table_session::tenant_id
                    .eq(restaurant_table::tenant_id)
                    .and(table_session::table_id.eq(restaurant_table::id))
                    .and(table_session::status.ne(SessionStatus::Closed.as_str()))),
            )
            .filter(restaurant_table::tenant_id.eq($tenant.0))
            .filter(restaurant_table::deleted_at.is_null())
            .select((
                TableRow::as_select(),
                sector::name,
                table_session::status.nullable(),
            ))
    };
}

/// A live table.
pub(crate) async fn table(conn: Conn<'_>, tenant: TenantId, id: TableId) -> Result<Option<Seated>, DbError> {
    let found = with_session!(tenant)
        .filter(restaurant_table::id.eq(id.0))
        .first::<Found>(&mut &*conn)
        .await
        .optional()?;
    found.map(seated).transpose()
}

/// The live tables of a branch by their codes, which are unique there.
pub(crate) async fn tables(
    conn: Conn<'_>,
    tenant: TenantId,
    branch: BranchId,
    code: Option<&str>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Seated>, DbError> {
    let mut query = with_session!(tenant)
        .filter(restaurant_table::branch_id.eq(branch.0))
        .into_boxed();
    if let Some(code) = code {
        query = query.filter(restaurant_table::code.eq(code));
    }
    if let Some(after) = after {
        query = query.filter(restaurant_table::code.gt(after));
    }
    let found = query
        .order(restaurant_table::code)
        .limit(limit)
        .load::<Found>(&mut &*conn)
        .await?;
    found.into_iter().map(seated).collect()
}
