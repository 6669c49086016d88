//! The end of a check: settled when its session closes or goes on ordering, or withdrawn.
//!
//! These steps belong to closing and reopening a session, which check what they need and leave the audit entry.

use super::announce::{cause, check_event};
use super::end_payment::give_up;
use super::recompute::recompute;
use super::{Check, Ledger, Payment, PaymentStatus};
use crate::Timestamp;
use crate::actor::Actor;
use crate::branch::Branch;
use crate::business_day::business_day;
use crate::event::{Event, EventName};

/// The check has ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckClosed {
    /// The check.
    pub check: Check,
    /// Its ledger: payments canceled, and charges released if it was withdrawn.
    pub ledger: Ledger,
    /// The payments that were still under way and are canceled now.
    pub canceled: Vec<Payment>,
    /// `payment.canceled` for each of them, then `check.settled` or `check.voided`.
    pub events: Vec<Event>,
}

/// Settles a check that is paid and has no surplus; the caller has made sure of both.
pub fn settle_check(check: &Check, ledger: &Ledger, branch: &Branch, now: Timestamp) -> CheckClosed {
    let mut ended = cancel_under_way(check, ledger);
    let mut settled = ended.check;
    settled.settled_at = Some(now);
    settled.business_day = Some(business_day(now, branch.timezone, branch.business_day_start));
    ended.check = recompute(&settled, &ended.ledger, now);
    ended
        .events
        .push(check_event(EventName::CheckSettled, &ended.check, cause::SETTLE));
    ended
}

/// Withdraws a check that holds no money, so that its items can be billed again; the caller has made sure of that.
pub fn void_check(check: &Check, ledger: &Ledger, actor: &Actor, now: Timestamp) -> CheckClosed {
    let mut ended = cancel_under_way(check, ledger);
    for charge in &mut ended.ledger.charges {
        charge.released_at = Some(now);
    }
    let mut voided = ended.check;
    voided.voided = Some(actor.stamp(now));
    ended.check = recompute(&voided, &ended.ledger, now);
    ended
        .events
        .push(check_event(EventName::CheckVoided, &ended.check, cause::VOID));
    ended
}

/// Nobody can pay a check that has ended: what is under way is canceled with it.
fn cancel_under_way(check: &Check, ledger: &Ledger) -> CheckClosed {
    let mut ended = CheckClosed {
        check: check.clone(),
        ledger: ledger.clone(),
        canceled: Vec::new(),
        events: Vec::new(),
    };
    for payment in ledger
        .payments
        .iter()
        .filter(|payment| payment.status.is_under_way())
    {
        let (canceled, event) = give_up(payment, PaymentStatus::Canceled, check);
        ended.ledger = ended.ledger.with_payment(&canceled);
        ended.canceled.push(canceled);
        ended.events.extend(event);
    }
    ended
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::CheckStatus;
    use crate::billing::fixtures::{branch, diners, leo, names, now, paid, running_example, start};

    #[test]
    fn a_settled_check_belongs_to_a_business_day() {
        let bill = paid(&running_example(), 4_660_000, None);
        let done = settle_check(&bill.check, &bill.ledger, &branch(), now());
        assert_eq!(done.check.status, CheckStatus::Paid);
        assert_eq!(done.check.settled_at, Some(now()));
        assert_eq!(done.check.business_day.unwrap().to_string(), "2026-11-24");
        assert_eq!(done.check.version, bill.check.version + 1);
        assert_eq!(names(&done.events), ["check.settled"]);
        assert!(!done.check.is_live());
    }

    #[test]
    fn a_withdrawn_check_releases_its_charges_and_cancels_what_is_under_way() {
        let bill = start(&running_example(), 100, diners(1)[0]);
        let done = void_check(&bill.check, &bill.ledger, &leo(), now());
        assert_eq!((done.check.status, done.check.due()), (CheckStatus::Void, 0));
        assert!(
            done.ledger
                .charges
                .iter()
                .all(|charge| charge.released_at == Some(now()))
        );
        assert_eq!(done.ledger.reserved(), 0);
        assert_eq!(done.canceled.len(), 1);
        assert_eq!(names(&done.events), ["payment.canceled", "check.voided"]);
    }

    #[test]
    fn settling_cancels_what_is_under_way() {
        let bill = start(&running_example(), 660_000, diners(1)[0]);
        let mut bill = paid(&bill, 4_000_000, None);
        // The rest came through a payment that had been given up long before.
        let mut late = bill.ledger.payments[0].clone();
        late.id = crate::ids::PaymentId(uuid::Uuid::from_u128(77));
        bill.ledger.payments.push(late);
        let bill = crate::billing::fixtures::apply_to(
            &bill,
            2,
            &crate::billing::fixtures::report(crate::billing::ProviderStatus::Approved),
        );
        let done = settle_check(&bill.check, &bill.ledger, &branch(), now());
        assert_eq!(names(&done.events), ["payment.canceled", "check.settled"]);
        assert_eq!(done.check.status, CheckStatus::Paid);
    }
}
