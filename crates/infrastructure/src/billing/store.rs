//! Queries over checks: a check with its ledger in four, whatever the number of charges and payments.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use comanda_domain::Timestamp;
use comanda_domain::billing::{
    Allocation, AllocationReason, Charge, Check, CheckStatus, Cover, Ledger, Payment, PaymentStatus,
    Provider, Share, Split,
};
use comanda_domain::ids::{BranchId, CheckId, DinerId, PaymentId, RoundItemId, SessionId, TenantId};
use diesel::dsl::array;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, SelectableHelper,
    sql_types,
};
use diesel_async::RunQueryDsl;
use futures_util::try_join;
use uuid::Uuid;

use super::rows::{
    BranchCounterRow, ChargeRow, CheckRow, PaymentParts, PaymentRow, ShareRow, SplitRow, TipRow,
};
use crate::db::{Conn, DbError};
use crate::schema::{
    allocation, branch_counter, branch_provider, charge, check_share, check_split, guest_check, payment,
    payment_cover, round_item, round_item_sharer, tip,
};
use crate::stored::named;

/// The counter of check numbers.
const CHECK_NUMBER: &str = "check_number";

/// Which check is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted {
    /// This one.
    Check(CheckId),
    /// The one that this payment is on.
    OfPayment(PaymentId),
    /// The unsettled one of a visit.
    Live(SessionId),
    /// The unsettled one of a visit, else its latest.
    OfVisit(SessionId),
}

/// Which checks of a branch are wanted.
#[derive(Debug, Clone, Default)]
pub struct CheckFilter {
    /// In these statuses; any if empty.
    pub statuses: Vec<CheckStatus>,
    /// Of this visit only.
    pub session: Option<SessionId>,
    /// Settled on this business day.
    pub business_day: Option<NaiveDate>,
}

/// The check without its ledger.
pub(crate) async fn head(conn: Conn<'_>, tenant: TenantId, wanted: Wanted) -> Result<Option<Check>, DbError> {
    let base = guest_check::table
        .filter(guest_check::tenant_id.eq(tenant.0))
        .select(CheckRow::as_select())
        .into_boxed();
    let query = match wanted {
        Wanted::Check(id) => base.filter(guest_check::id.eq(id.0)),
        Wanted::OfPayment(id) => base.filter(
            guest_check::id.eq_any(
                payment::table
                    .filter(payment::tenant_id.eq(tenant.0))
                    .filter(payment::id.eq(id.0))
                    .select(payment::check_id),
            ),
        ),
        Wanted::Live(session) => base
            .filter(guest_check::session_id.eq(session.0))
            .filter(guest_check::settled_at.is_null())
            .filter(guest_check::voided_at.is_null()),
        // A visit gets a new check only when the one before is settled or void, so the unsettled one is the latest.
        Wanted::OfVisit(session) => base
            .filter(guest_check::session_id.eq(session.0))
            .order(guest_check::number.desc())
            .limit(1),
    };
    let row: Option<CheckRow> = query.first(&mut &*conn).await.optional()?;
    row.map(|row| row.to_domain()).transpose()
}

/// A page of a branch's checks, newest first, without their ledgers.
pub(crate) async fn of_branch(
    conn: Conn<'_>,
    tenant: TenantId,
    branch: BranchId,
    filter: &CheckFilter,
    (after, limit): (Option<CheckId>, i64),
) -> Result<Vec<Check>, DbError> {
    let mut query = guest_check::table
        .filter(guest_check::tenant_id.eq(tenant.0))
        .filter(guest_check::branch_id.eq(branch.0))
        .select(CheckRow::as_select())
        .into_boxed();
    if let Some(session) = filter.session {
        query = query.filter(guest_check::session_id.eq(session.0));
    }
    if let Some(day) = filter.business_day {
        query = query.filter(guest_check::business_day.eq(day));
    }
    if !filter.statuses.is_empty() {
        let names: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        query = query.filter(guest_check::status.eq_any(names));
    }
    if let Some(after) = after {
        query = query.filter(guest_check::id.lt(after.0));
    }
    let rows: Vec<CheckRow> = query
        .order(guest_check::id.desc())
        .limit(limit)
        .load(&mut &*conn)
        .await?;
    rows.iter().map(CheckRow::to_domain).collect()
}

/// The whole ledger of a check.
pub(crate) async fn ledger(conn: Conn<'_>, tenant: TenantId, check: &Check) -> Result<Ledger, DbError> {
    let ids = [check.id.0];
    let (charges, mut ledgers) = try_join!(charges(conn, tenant, check.id), totals(conn, tenant, &ids))?;
    let ledger = ledgers.remove(&check.id.0).unwrap_or_default();
    Ok(Ledger { charges, ..ledger })
}

async fn charges(conn: Conn<'_>, tenant: TenantId, check: CheckId) -> Result<Vec<Charge>, DbError> {
    let sharers = round_item_sharer::table
        .filter(round_item_sharer::tenant_id.eq(round_item::tenant_id))
        .filter(round_item_sharer::round_item_id.eq(round_item::id))
        .order(round_item_sharer::diner_id)
        .select(round_item_sharer::diner_id);
    let rows: Vec<(ChargeRow, String, Vec<Uuid>)> = charge::table
        .inner_join(
            round_item::table.on(round_item::tenant_id
                .eq(charge::tenant_id)
                .and(round_item::id.eq(charge::round_item_id))),
        )
        .filter(charge::tenant_id.eq(tenant.0))
        .filter(charge::check_id.eq(check.0))
        .order(charge::position)
        .select((
            ChargeRow::as_select(),
            round_item::sharing,
            array::<sql_types::Uuid, _>(sharers),
        ))
        .load(&mut &*conn)
        .await?;
    rows.into_iter()
        .map(|(row, sharing, sharers)| {
            row.into_domain(&sharing, sharers.into_iter().map(DinerId::from).collect())
        })
        .collect()
}

/// By check, what its totals need: payments with all that is theirs, and the split in force, but no charges. Two
/// queries, whatever the number of checks.
pub(crate) async fn totals(
    conn: Conn<'_>,
    tenant: TenantId,
    checks: &[Uuid],
) -> Result<HashMap<Uuid, Ledger>, DbError> {
    if checks.is_empty() {
        return Ok(HashMap::new());
    }
    let (payments, splits) = try_join!(payments(conn, tenant, checks), splits(conn, tenant, checks))?;
    let mut ledgers: HashMap<Uuid, Ledger> = HashMap::new();
    for payment in payments {
        ledgers
            .entry(payment.check_id.0)
            .or_default()
            .payments
            .push(payment);
    }
    for (check, split) in splits {
        ledgers.entry(check).or_default().split = Some(split);
    }
    Ok(ledgers)
}

/// A payment with its tip; then, each in its order, guests and amounts of its covers, and its allocations by column.
type PaymentAlong = (
    PaymentRow,
    Option<TipRow>,
    (Vec<Uuid>, Vec<i64>),
    (Vec<Uuid>, Vec<Uuid>, Vec<i64>, Vec<String>),
);

/// In order of creation.
async fn payments(conn: Conn<'_>, tenant: TenantId, checks: &[Uuid]) -> Result<Vec<Payment>, DbError> {
    let covers = || {
        payment_cover::table
            .filter(payment_cover::tenant_id.eq(payment::tenant_id))
            .filter(payment_cover::payment_id.eq(payment::id))
            .order(payment_cover::position)
    };
    let allocations = || {
        allocation::table
            .filter(allocation::tenant_id.eq(payment::tenant_id))
            .filter(allocation::payment_id.eq(payment::id))
            .order(allocation::seq)
    };
    let rows: Vec<PaymentAlong> = payment::table
        .left_join(
            tip::table.on(tip::tenant_id
                .eq(payment::tenant_id)
                .and(tip::payment_id.eq(payment::id))),
        )
        .filter(payment::tenant_id.eq(tenant.0))
        .filter(payment::check_id.eq_any(checks))
        .order((payment::created_at, payment::id))
        .select((
            PaymentRow::as_select(),
            Option::<TipRow>::as_select(),
            (
                array::<sql_types::Uuid, _>(covers().select(payment_cover::diner_id)),
                array::<sql_types::BigInt, _>(covers().select(payment_cover::amount)),
            ),
            (
                array::<sql_types::Uuid, _>(allocations().select(allocation::id)),
                array::<sql_types::Uuid, _>(allocations().select(allocation::charge_id)),
                array::<sql_types::BigInt, _>(allocations().select(allocation::amount)),
                array::<sql_types::Text, _>(allocations().select(allocation::reason)),
            ),
        ))
        .load(&mut &*conn)
        .await?;
    rows.into_iter()
        .map(
            |(row, tip, (diners, covered), (ids, charges, amounts, reasons))| {
                let cover = |(diner, amount): (Uuid, i64)| Cover {
                    diner_id: diner.into(),
                    amount,
                };
                let allocations = ids.into_iter().zip(charges).zip(amounts.into_iter().zip(reasons));
                row.into_domain(PaymentParts {
                    covers: diners.into_iter().zip(covered).map(cover).collect(),
                    tip: tip.map(|tip| tip.to_domain()),
                    allocations: allocations
                        .map(|((id, charge), (amount, reason))| {
                            Ok(Allocation {
                                id: id.into(),
                                charge_id: charge.into(),
                                amount,
                                reason: named(&reason, AllocationReason::parse)?,
                            })
                        })
                        .collect::<Result<_, DbError>>()?,
                })
            },
        )
        .collect()
}

/// The splits in force, by check. A split always has shares.
async fn splits(conn: Conn<'_>, tenant: TenantId, checks: &[Uuid]) -> Result<Vec<(Uuid, Split)>, DbError> {
    let rows: Vec<(SplitRow, ShareRow)> = check_split::table
        .inner_join(
            guest_check::table.on(guest_check::tenant_id
                .eq(check_split::tenant_id)
                .and(guest_check::id.eq(check_split::check_id))
                .and(guest_check::split_revision.eq(check_split::revision))),
        )
        .inner_join(
            check_share::table.on(check_share::tenant_id
                .eq(check_split::tenant_id)
                .and(check_share::check_id.eq(check_split::check_id))
                .and(check_share::revision.eq(check_split::revision))),
        )
        .filter(check_split::tenant_id.eq(tenant.0))
        .filter(check_split::check_id.eq_any(checks))
        .order((check_split::check_id, check_share::diner_id))
        .select((SplitRow::as_select(), ShareRow::as_select()))
        .load(&mut &*conn)
        .await?;
    let mut found: Vec<(SplitRow, Vec<Share>)> = Vec::new();
    for (split, share) in rows {
        match found.last_mut() {
            Some((last, shares)) if last.check_id == split.check_id => shares.push(share.to_domain()),
            _ => found.push((split, vec![share.to_domain()])),
        }
    }
    found
        .into_iter()
        .map(|(row, shares)| {
            let check = row.check_id;
            Ok((check, row.into_domain(shares)?))
        })
        .collect()
}

/// The latest check of a visit: the unsettled one, if there is one.
pub(crate) async fn latest_of_session(
    conn: Conn<'_>,
    tenant: TenantId,
    session: SessionId,
) -> Result<Option<Check>, DbError> {
    head(conn, tenant, Wanted::OfVisit(session)).await
}

/// The items of a visit with an unreleased charge.
pub(crate) async fn billed_items(
    conn: Conn<'_>,
    tenant: TenantId,
    session: SessionId,
) -> Result<BTreeSet<RoundItemId>, DbError> {
    let ids: Vec<Uuid> = charge::table
        .inner_join(
            guest_check::table.on(guest_check::tenant_id
                .eq(charge::tenant_id)
                .and(guest_check::id.eq(charge::check_id))),
        )
        .filter(charge::tenant_id.eq(tenant.0))
        .filter(guest_check::session_id.eq(session.0))
        .filter(charge::released_at.is_null())
        .select(charge::round_item_id)
        .load(&mut &*conn)
        .await?;
    Ok(ids.into_iter().map(RoundItemId).collect())
}

/// Whether the check that bills any of these items is settled; nothing if none of them is billed.
pub(crate) async fn check_of_items(
    conn: Conn<'_>,
    tenant: TenantId,
    items: &[RoundItemId],
) -> Result<Option<bool>, DbError> {
    let ids: Vec<Uuid> = items.iter().map(|id| id.0).collect();
    let settled_at: Option<Option<Timestamp>> = charge::table
        .inner_join(
            guest_check::table.on(guest_check::tenant_id
                .eq(charge::tenant_id)
                .and(guest_check::id.eq(charge::check_id))),
        )
        .filter(charge::tenant_id.eq(tenant.0))
        .filter(charge::round_item_id.eq_any(ids))
        .filter(charge::released_at.is_null())
        // A settled check can no longer be changed at all, so it is the one to name.
        .order(guest_check::settled_at.asc())
        .select(guest_check::settled_at)
        .first(&mut &*conn)
        .await
        .optional()?;
    Ok(settled_at.map(|at| at.is_some()))
}

/// The counter of the branch's check numbers: its value is the number given last. Every branch has one from its
/// beginning. Reading it is the last lock of an operation, so that the opening message need not take it.
pub(crate) async fn lock_check_counter(
    conn: Conn<'_>,
    tenant: TenantId,
    branch: BranchId,
) -> Result<BranchCounterRow, DbError> {
    let row: Option<BranchCounterRow> = branch_counter::table
        .filter(branch_counter::tenant_id.eq(tenant.0))
        .filter(branch_counter::branch_id.eq(branch.0))
        .filter(branch_counter::name.eq(CHECK_NUMBER))
        .select(BranchCounterRow::as_select())
        .for_update()
        .get_result(&mut &*conn)
        .await
        .optional()?;
    row.ok_or_else(|| DbError::Corrupt("a branch without a counter of check numbers".to_owned()))
}

/// The providers that a branch accepts.
pub(crate) async fn enabled_providers(
    conn: Conn<'_>,
    tenant: TenantId,
    branch: BranchId,
) -> Result<Vec<Provider>, DbError> {
    let names: Vec<String> = branch_provider::table
        .filter(branch_provider::tenant_id.eq(tenant.0))
        .filter(branch_provider::branch_id.eq(branch.0))
        .filter(branch_provider::enabled)
        .order(branch_provider::provider)
        .select(branch_provider::provider)
        .load(&mut &*conn)
        .await?;
    names.iter().map(|name| named(name, Provider::parse)).collect()
}

/// Payments under way whose time is over, oldest first.
pub(crate) async fn overdue_payments(
    conn: Conn<'_>,
    tenant: TenantId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<PaymentId>, DbError> {
    let under_way: Vec<&str> = PaymentStatus::ALL
        .iter()
        .filter(|status| status.is_under_way())
        .map(|status| status.as_str())
        .collect();
    let ids: Vec<Uuid> = payment::table
        .filter(payment::tenant_id.eq(tenant.0))
        .filter(payment::status.eq_any(under_way))
        .filter(payment::expires_at.le(now))
        .order((payment::expires_at, payment::id))
        .limit(limit)
        .select(payment::id)
        .load(&mut &*conn)
        .await?;
    Ok(ids.into_iter().map(PaymentId).collect())
}
