//! Queries over diners and devices.

use comanda_domain::diner::Diner;
use comanda_domain::ids::{DinerId, SessionId, TenantId};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, OptionalExtension,
    QueryDsl, SelectableHelper,
};
use diesel_async::RunQueryDsl;

use super::rows::{DeviceRow, DinerRow};
use crate::db::{Conn, DbError};
use crate::schema::{device, diner};

/// The guests of a visit, in the order in which they joined.
pub(crate) async fn of_session(
    conn: Conn<'_>,
    tenant: TenantId,
    id: SessionId,
) -> Result<Vec<Diner>, DbError> {
    let rows: Vec<DinerRow> = diner::table
        .filter(diner::tenant_id.eq(tenant.0))
        .filter(diner::session_id.eq(id.0))
        .order((diner::created_at, diner::id))
        .select(DinerRow::as_select())
        .load(&mut &*conn)
        .await?;
    rows.into_iter().map(DinerRow::into_domain).collect()
}

/// A guest of a visit, with their remembered phone unless it was forgotten.
pub(crate) async fn with_device(
    conn: Conn<'_>,
    tenant: TenantId,
    session: SessionId,
    id: DinerId,
) -> Result<Option<(Diner, Option<DeviceRow>)>, DbError> {
    let row: Option<(DinerRow, Option<DeviceRow>)> = diner::table
        .left_join(
            device::table.on(device::tenant_id
                .eq(diner::tenant_id)
                .and(diner::device_id.eq(device::id.nullable()))
                .and(device::forgotten_at.is_null())),
        )
        .filter(diner::tenant_id.eq(tenant.0))
        .filter(diner::session_id.eq(session.0))
        .filter(diner::id.eq(id.0))
        .select((DinerRow::as_select(), Option::<DeviceRow>::as_select()))
        .first(&mut &*conn)
        .await
        .optional()?;
    row.map(|(diner, device)| Ok((diner.into_domain()?, device)))
        .transpose()
}

/// The phone that a device token proves, unless it was forgotten.
pub(crate) async fn device_of_token(
    conn: Conn<'_>,
    tenant: TenantId,
    token_hash: &[u8],
) -> Result<Option<DeviceRow>, DbError> {
    let row = device::table
        .filter(device::tenant_id.eq(tenant.0))
        .filter(device::token_hash.eq(token_hash))
        .filter(device::forgotten_at.is_null())
        .select(DeviceRow::as_select())
        .first(&mut &*conn)
        .await
        .optional()?;
    Ok(row)
}
