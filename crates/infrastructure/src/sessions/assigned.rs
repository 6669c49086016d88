//! Who serves a sector now: by business day and shift of the branch's local time.

use chrono::NaiveDate;
use comanda_domain::Timestamp;
use comanda_domain::branch::Branch;
use comanda_domain::business_day::business_day;
use comanda_domain::ids::{SectorId, TenantId, UserId};
use comanda_domain::shift::Shift;
use diesel::dsl::exists;
use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, QueryDsl};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::db::{Conn, DbError};
use crate::schema::{app_user, sector_assignment, staff_grant};

/// Roles that serve tables.
const SERVERS: [&str; 3] = ["waiter", "manager", "admin"];

/// The people assigned now, by sector, each once per sector. Whoever has left or lost the right to serve here does
/// not count.
pub(crate) async fn servers(
    conn: Conn<'_>,
    tenant: TenantId,
    branch: &Branch,
    now: Timestamp,
) -> Result<Vec<(SectorId, UserId)>, DbError> {
    let today: NaiveDate = business_day(now, branch.timezone, branch.business_day_start);
    let shifts: Vec<&str> = Shift::ALL
        .iter()
        .filter(|shift| shift.covers(now, branch.timezone, branch.business_day_start))
        .map(|shift| shift.as_str())
        .collect();
    let may_serve = staff_grant::table
        .filter(staff_grant::tenant_id.eq(sector_assignment::tenant_id))
        .filter(staff_grant::branch_id.eq(sector_assignment::branch_id))
        .filter(staff_grant::user_id.eq(sector_assignment::user_id))
        .filter(staff_grant::role.eq_any(SERVERS))
        .filter(staff_grant::deleted_at.is_null());
    let rows: Vec<(Uuid, Uuid)> = sector_assignment::table
        .inner_join(
            app_user::table.on(app_user::tenant_id
                .eq(sector_assignment::tenant_id)
                .and(app_user::id.eq(sector_assignment::user_id))),
        )
        .filter(sector_assignment::tenant_id.eq(tenant.0))
        .filter(sector_assignment::branch_id.eq(branch.id.0))
        .filter(sector_assignment::business_date.eq(today))
        .filter(sector_assignment::shift.eq_any(shifts))
        .filter(sector_assignment::deleted_at.is_null())
        .filter(app_user::deleted_at.is_null())
        .filter(app_user::disabled_at.is_null())
        .filter(exists(may_serve))
        .select((sector_assignment::sector_id, sector_assignment::user_id))
        .distinct()
        .load(&mut &*conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(sector, user)| (sector.into(), user.into()))
        .collect())
}
