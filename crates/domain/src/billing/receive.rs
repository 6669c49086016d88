//! Money arrives: the one place where a payment is approved, whoever says so.

use super::announce::payment_event;
use super::recompute::{money_event, recompute};
use super::{Allocation, AllocationReason, Check, Ledger, Payment, PaymentStatus, Tip, allocate};
use crate::actor::Stamp;
use crate::event::{Event, EventName};
use crate::ids::{DinerId, IdSource, UserId};

/// The books that money is entered into.
#[derive(Clone, Copy, Debug)]
pub(super) struct Books<'a> {
    pub check: &'a Check,
    pub ledger: &'a Ledger,
    /// Who serves the table now: the tip is theirs.
    pub waiter_id: Option<UserId>,
}

/// The books afterwards.
pub(super) struct Received {
    pub payment: Payment,
    pub check: Check,
    pub ledger: Ledger,
    pub events: Vec<Event>,
}

/// Approves the payment: it covers charges up to what is due, the rest is surplus, and the tip gets its own row.
///
/// On a settled or void check nothing is due, so late money is surplus there. The payment's version is the
/// caller's business, because a payment entered by hand begins approved.
pub(super) fn receive(
    books: &Books<'_>,
    payment: &Payment,
    approved: Stamp,
    ids: &mut impl IdSource,
) -> Received {
    let mut payment = payment.clone();
    payment.status = PaymentStatus::Approved;
    payment.approved = Some(approved);
    payment.failure_code = None;
    payment.allocations = allocations(books, &payment, ids);
    let covered: i64 = payment.allocations.iter().map(|row| row.amount).sum();
    payment.unallocated_amount = payment.amount - covered;
    payment.tip = (payment.tip_amount > 0).then(|| Tip {
        id: ids.next(),
        amount: payment.tip_amount,
        diner_id: payment.payer_diner_id,
        waiter_id: books.waiter_id,
    });
    let ledger = books.ledger.with_payment(&payment);
    let check = recompute(books.check, &ledger, approved.at);
    let mut events = vec![payment_event(EventName::PaymentApproved, &payment, &check)];
    if payment.unallocated_amount > 0 {
        events.push(payment_event(EventName::PaymentSurplus, &payment, &check));
    }
    events.push(money_event(books.check, &check));
    Received {
        payment,
        check,
        ledger,
        events,
    }
}

fn allocations(books: &Books<'_>, payment: &Payment, ids: &mut impl IdSource) -> Vec<Allocation> {
    if !books.check.is_live() {
        return Vec::new();
    }
    let covered: Vec<DinerId> = payment.covers.iter().map(|cover| cover.diner_id).collect();
    allocate(payment.amount, payment.payer_diner_id, &covered, books.ledger)
        .into_iter()
        .map(|(charge_id, amount)| Allocation {
            id: ids.next(),
            charge_id,
            amount,
            reason: AllocationReason::Payment,
        })
        .collect()
}
