//! Queries over calls.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use comanda_domain::ids::{BranchId, ServiceCallId, SessionId, TenantId};
use comanda_domain::service_call::{CallStatus, CallType, ServiceCall};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, SelectableHelper,
};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::rows::CallRow;
use crate::db::{Conn, DbError};
use crate::people::person;
use crate::schema::{restaurant_table, service_call, table_session};
use crate::views::TableRef;

/// One call.
pub(crate) async fn one(
    conn: Conn<'_>,
    tenant: TenantId,
    id: ServiceCallId,
) -> Result<Option<ServiceCall>, DbError> {
    let row: Option<CallRow> = service_call::table
        .filter(service_call::tenant_id.eq(tenant.0))
        .filter(service_call::id.eq(id.0))
        .select(CallRow::as_select())
        .first(&mut &*conn)
        .await
        .optional()?;
    row.map(CallRow::into_domain).transpose()
}

/// The open call of a type, of which a visit has at most one.
pub(crate) async fn open_of_type(
    conn: Conn<'_>,
    tenant: TenantId,
    session: SessionId,
    wanted: CallType,
) -> Result<Option<ServiceCall>, DbError> {
    let row: Option<CallRow> = service_call::table
        .filter(service_call::tenant_id.eq(tenant.0))
        .filter(service_call::session_id.eq(session.0))
        .filter(service_call::type_.eq(wanted.as_str()))
        .filter(service_call::status.eq(CallStatus::Open.as_str()))
        .select(CallRow::as_select())
        .first(&mut &*conn)
        .await
        .optional()?;
    row.map(CallRow::into_domain).transpose()
}

/// All calls of a visit, oldest first.
pub(crate) async fn of_session(
    conn: Conn<'_>,
    tenant: TenantId,
    id: SessionId,
) -> Result<Vec<ServiceCall>, DbError> {
    let rows: Vec<CallRow> = service_call::table
        .filter(service_call::tenant_id.eq(tenant.0))
        .filter(service_call::session_id.eq(id.0))
        .order((service_call::created_at, service_call::id))
        .select(CallRow::as_select())
        .load(&mut &*conn)
        .await?;
    rows.into_iter().map(CallRow::into_domain).collect()
}

/// Where the part of a list begins: behind the call raised then, with this id.
pub(crate) type After = (DateTime<Utc>, Uuid);

/// Calls of a branch, oldest first, with the table where each party sits now.
pub(crate) async fn of_branch(
    conn: Conn<'_>,
    tenant: TenantId,
    branch: BranchId,
    statuses: &[CallStatus],
    (after, limit): (Option<After>, i64),
) -> Result<Vec<(ServiceCall, TableRef)>, DbError> {
    let names: Vec<&str> = statuses.iter().map(|status| status.as_str()).collect();
    let mut query = service_call::table
        .inner_join(
            table_session::table.on(table_session::tenant_id
                .eq(service_call::tenant_id)
                .and(table_session::id.eq(service_call::session_id))),
        )
        .inner_join(
            restaurant_table::table.on(restaurant_table::tenant_id
                .eq(service_call::tenant_id)
                .and(restaurant_table::id.eq(table_session::table_id))),
        )
        .filter(service_call::tenant_id.eq(tenant.0))
        .filter(service_call::branch_id.eq(branch.0))
        .filter(service_call::status.eq_any(names))
        .select((CallRow::as_select(), restaurant_table::id, restaurant_table::code))
        .into_boxed();
    if let Some((at, id)) = after {
        query = query.filter(
            service_call::created_at
                .gt(at)
                .or(service_call::created_at.eq(at).and(service_call::id.gt(id))),
        );
    }
    let rows: Vec<(CallRow, Uuid, String)> = query
        .order((service_call::created_at, service_call::id))
        .limit(limit)
        .load(&mut &*conn)
        .await?;
    rows.into_iter()
        .map(|(row, table, code)| Ok((row.into_domain()?, TableRef::new(table.into(), &code))))
        .collect()
}

/// Everybody who left a stamp on these calls.
pub(crate) fn people_of<'a>(calls: impl IntoIterator<Item = &'a ServiceCall>) -> BTreeSet<Uuid> {
    calls
        .into_iter()
        .flat_map(|call| {
            [call.acked.as_ref(), call.closed.as_ref()]
                .into_iter()
                .filter_map(person)
        })
        .collect()
}
