//! Brings a check in line with its ledger, after every change of it.

use super::announce::{cause, check_event};
use super::status::check_status;
use super::{Check, CheckStatus, Ledger};
use crate::Timestamp;
use crate::event::{Event, EventName};

/// The check with the numbers that its ledger gives, one version further.
///
/// Total is the sum of the nets, paid the sum of the allocations, surplus what received payments have left over;
/// the status follows from these, and `paid_at` from the status.
pub(super) fn recompute(check: &Check, ledger: &Ledger, now: Timestamp) -> Check {
    let mut after = check.clone();
    after.total_amount = ledger.charges.iter().map(super::Charge::net).sum();
    after.paid_amount = ledger
        .charges
        .iter()
        .map(|charge| ledger.allocated_to(charge.id))
        .sum();
    after.surplus_amount = ledger
        .payments
        .iter()
        .map(|payment| payment.unallocated_amount)
        .sum();
    after.status = check_status(
        after.total_amount,
        after.paid_amount,
        after.voided.is_some(),
        after.settled_at.is_some(),
    );
    after.paid_at = (after.status == CheckStatus::Paid).then(|| after.paid_at.unwrap_or(now));
    after.version += 1;
    after
}

/// What to announce after money came in: `check.paid` when that completed it, else `check.updated`.
pub(super) fn money_event(before: &Check, after: &Check) -> Event {
    let completed = after.status == CheckStatus::Paid && before.status != CheckStatus::Paid;
    let name = if completed {
        EventName::CheckPaid
    } else {
        EventName::CheckUpdated
    };
    check_event(name, after, cause::PAYMENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::fixtures::{later, now, paid, running_example};

    #[test]
    fn a_check_is_paid_when_its_last_unit_comes_in_and_stays_so() {
        let bill = paid(&running_example(), 4_659_999, None);
        assert_eq!(bill.check.status, CheckStatus::InPayment);
        assert_eq!(bill.check.paid_at, None);
        let bill = paid(&bill, 1, None);
        assert_eq!(bill.check.status, CheckStatus::Paid);
        assert_eq!(bill.check.paid_at, Some(now()));
        let again = recompute(&bill.check, &bill.ledger, later(60));
        assert_eq!(again.paid_at, Some(now()));
        assert_eq!(again.version, bill.check.version + 1);
        assert_eq!(money_event(&bill.check, &again).name, EventName::CheckUpdated);
    }

    #[test]
    fn paid_at_is_cleared_when_money_is_taken_back() {
        let mut bill = paid(&running_example(), 4_660_000, None);
        let last = bill.ledger.payments.last_mut().unwrap();
        last.allocations.clear();
        let after = recompute(&bill.check, &bill.ledger, now());
        assert_eq!((after.status, after.paid_at), (CheckStatus::Requested, None));
    }
}
