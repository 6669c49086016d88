//! Queries over visits and their checks.

use std::collections::BTreeSet;

use comanda_domain::billing::Check;
use comanda_domain::ids::{CheckId, RoundItemId, SessionId, TableId, TenantId};
use comanda_domain::session::{Session, SessionStatus};
use diesel::dsl::array;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper, sql_types};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::rows::SessionRow;
use crate::billing::rows::CheckRow;
use crate::db::{Conn, DbError};
use crate::schema::{charge, guest_check, table_session, tenant};

/// The live visit of a table, if there is one.
pub(crate) async fn live_at(
    conn: Conn<'_>,
    tenant: TenantId,
    table: TableId,
) -> Result<Option<Session>, DbError> {
    let row: Option<SessionRow> = table_session::table
        .filter(table_session::tenant_id.eq(tenant.0))
        .filter(table_session::table_id.eq(table.0))
        .filter(table_session::status.ne(SessionStatus::Closed.as_str()))
        .select(SessionRow::as_select())
        .first(&mut &*conn)
        .await
        .optional()?;
    row.map(SessionRow::into_domain).transpose()
}

/// Whether the restaurant is open for business; nothing if there is none of this id.
pub(crate) async fn tenant_is_active(conn: Conn<'_>, id: TenantId) -> Result<Option<bool>, DbError> {
    let status: Option<String> = tenant::table
        .filter(tenant::tenant_id.eq(id.0))
        .select(tenant::status)
        .first(&mut &*conn)
        .await
        .optional()?;
    Ok(status.map(|status| status == "active"))
}

/// The checks of a visit, without their ledgers.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    /// The one that is neither settled nor void.
    pub(crate) live: Option<Check>,
    /// The latest that was settled.
    pub(crate) settled: Option<CheckId>,
    /// The unsettled one, else the latest.
    pub(crate) shown: Option<CheckId>,
    /// Items with an unreleased charge.
    pub(crate) billed: BTreeSet<RoundItemId>,
}

/// All checks of a visit and what they bill, in one query.
pub(crate) async fn checks(conn: Conn<'_>, tenant: TenantId, id: SessionId) -> Result<Checks, DbError> {
    let billed = charge::table
        .filter(charge::tenant_id.eq(guest_check::tenant_id))
        .filter(charge::check_id.eq(guest_check::id))
        .filter(charge::released_at.is_null())
        .select(charge::round_item_id);
    let rows: Vec<(CheckRow, Vec<Uuid>)> = guest_check::table
        .filter(guest_check::tenant_id.eq(tenant.0))
        .filter(guest_check::session_id.eq(id.0))
        .order(guest_check::number)
        .select((CheckRow::as_select(), array::<sql_types::Uuid, _>(billed)))
        .load(&mut &*conn)
        .await?;
    let mut checks = Checks::default();
    for (row, items) in rows {
        let check = row.to_domain()?;
        checks.billed.extend(items.into_iter().map(RoundItemId));
        // A new check is made only when the one before is settled or void, so the unsettled one is the latest.
        checks.shown = Some(check.id);
        if check.is_live() {
            checks.live = Some(check);
        } else if check.settled_at.is_some() {
            checks.settled = Some(check.id);
        }
    }
    Ok(checks)
}
