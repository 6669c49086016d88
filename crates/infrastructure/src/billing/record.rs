//! What of a bill is written: one place for all its operations.

use std::collections::BTreeSet;

use comanda_domain::Timestamp;
use comanda_domain::billing::{Check, CheckClosed, Ledger, Payment, Split};
use comanda_domain::ids::TenantId;

use super::rows::{
    AllocationRow, ChargeRow, CheckRow, CoverRow, PaymentRow, Placed, ReleaseRow, ShareRow, SplitRow, TipRow,
};
use crate::db::Recorder;

/// A new check with its charges and its split.
pub(crate) fn insert_check(rows: &mut Recorder, tenant: TenantId, check: &Check, ledger: &Ledger) {
    rows.insert(&CheckRow::of(tenant, check));
    for charge in &ledger.charges {
        rows.insert(&ChargeRow::of(tenant, check, charge));
    }
    if let Some(split) = &ledger.split {
        insert_split(rows, tenant, check, split);
    }
}

/// A new revision of the split.
pub(crate) fn insert_split(rows: &mut Recorder, tenant: TenantId, check: &Check, split: &Split) {
    rows.insert(&SplitRow::of(tenant, check, split));
    for share in &split.shares {
        rows.insert(&ShareRow::of(tenant, check, split, share));
    }
}

/// The check, if it has a new version.
pub(crate) fn update_check(rows: &mut Recorder, tenant: TenantId, before: &Check, after: &Check) {
    if after.version > before.version {
        rows.update(&CheckRow::of(tenant, after));
    }
}

/// A new payment with all that belongs to it.
pub(crate) fn insert_payment(rows: &mut Recorder, tenant: TenantId, check: &Check, payment: &Payment) {
    rows.insert(&PaymentRow::of(tenant, check, payment));
    for (position, cover) in (1..).zip(&payment.covers) {
        rows.insert(&CoverRow::of(tenant, check, payment, position, cover));
    }
    insert_receipts(rows, tenant, check, None, payment, payment.created.at);
}

/// A changed payment. Its covers stay; allocations and tip are only ever added.
pub(crate) fn update_payment(
    rows: &mut Recorder,
    tenant: TenantId,
    check: &Check,
    (before, after): (&Payment, &Payment),
    now: Timestamp,
) {
    rows.update(&PaymentRow::of(tenant, check, after));
    insert_receipts(rows, tenant, check, Some(before), after, now);
}

/// What the payment has now and had not before: allocations and the tip.
fn insert_receipts(
    rows: &mut Recorder,
    tenant: TenantId,
    check: &Check,
    before: Option<&Payment>,
    after: &Payment,
    now: Timestamp,
) {
    let known: BTreeSet<_> = before
        .into_iter()
        .flat_map(|payment| &payment.allocations)
        .map(|row| row.id)
        .collect();
    for (seq, allocation) in (1..).zip(&after.allocations) {
        if !known.contains(&allocation.id) {
            rows.insert(&AllocationRow::of(
                tenant,
                check,
                after,
                &Placed { seq, allocation },
                now,
            ));
        }
    }
    if let (None, Some(tip)) = (before.and_then(|payment| payment.tip), &after.tip) {
        rows.insert(&TipRow::of(tenant, check, after, tip, now));
    }
}

/// A check that was settled or withdrawn: itself, the payments canceled with it and the charges it released.
pub(crate) fn record_closed(rows: &mut Recorder, tenant: TenantId, closed: &CheckClosed) {
    let check = &closed.check;
    rows.update(&CheckRow::of(tenant, check));
    for payment in &closed.canceled {
        rows.update(&PaymentRow::of(tenant, check, payment));
    }
    if check.voided.is_some() {
        for charge in &closed.ledger.charges {
            rows.update(&ReleaseRow::of(tenant, charge));
        }
    }
}
