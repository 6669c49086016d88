//! What a provider says of a payment, however often, late or out of order it says so (`domain.md` 3.6, 5.7).

use super::announce::payment_event;
use super::receive::{Books, receive};
use super::{Check, Ledger, Payment, PaymentStatus};
use crate::Timestamp;
use crate::actor::Actor;
use crate::audit::AuditEntry;
use crate::enums::text_enum;
use crate::event::Event;
use crate::ids::{IdSource, UserId};

text_enum! {
    /// Where a payment stands at its provider.
    ProviderStatus {
        /// The provider waits for the guest.
        Pending = "pending",
        /// The money is there.
        Approved = "approved",
        /// It will not come.
        Rejected = "rejected",
    }
}

impl ProviderStatus {
    fn target(self) -> PaymentStatus {
        match self {
            Self::Pending => PaymentStatus::Pending,
            Self::Approved => PaymentStatus::Approved,
            Self::Rejected => PaymentStatus::Rejected,
        }
    }
}

/// A provider's answer to a start, or a later report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProviderState {
    /// Where the payment stands there.
    pub status: ProviderStatus,
    /// The provider's own id of it.
    pub external_id: Option<String>,
    /// Why it was refused.
    pub failure_code: Option<String>,
    /// Where the guest pays, while pending.
    pub checkout_url: Option<String>,
}

/// What is known before a result is applied.
#[derive(Clone, Copy, Debug)]
pub struct ProviderFacts<'a> {
    /// The check.
    pub check: &'a Check,
    /// Its ledger.
    pub ledger: &'a Ledger,
    /// The payment, one of the ledger.
    pub payment: &'a Payment,
    /// Who serves the table now: the tip is theirs.
    pub waiter_id: Option<UserId>,
}

/// What a result did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProviderOutcome {
    /// It moved the payment.
    Applied(Box<ProviderApplied>),
    /// It said nothing new.
    NoChange,
}

/// The payment has moved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProviderApplied {
    /// The payment; once approved with its tip and allocations, all of them new.
    pub payment: Payment,
    /// The check after it; a new version exactly when the payment was approved.
    pub check: Check,
    /// The ledger after it.
    pub ledger: Ledger,
    /// None for `pending`; `payment.rejected`; or `payment.approved`, `payment.surplus` if there is one, and
    /// `check.paid` or `check.updated`.
    pub events: Vec<Event>,
    /// `payment.apply`
    pub audit: AuditEntry,
}

/// Applies a provider's answer or report. It may only raise the rank of the payment, so that repetitions and
/// older news change nothing.
pub fn apply_provider_state(
    facts: &ProviderFacts<'_>,
    state: &ProviderState,
    now: Timestamp,
    ids: &mut impl IdSource,
) -> ProviderOutcome {
    let before = facts.payment;
    let Some(step) = before.status.step_to(state.status.target()) else {
        return ProviderOutcome::NoChange;
    };
    let mut payment = before.moved_to(step.to);
    if payment.external_id.is_none() {
        payment.external_id.clone_from(&state.external_id);
    }
    let audit = AuditEntry::new("payment.apply", "payment", payment.id).moved(
        "status",
        before.status.as_str(),
        step.to.as_str(),
    );
    if step.to == PaymentStatus::Approved {
        let books = Books {
            check: facts.check,
            ledger: facts.ledger,
            waiter_id: facts.waiter_id,
        };
        let received = receive(&books, &payment, Actor::PROVIDER.stamp(now), ids);
        return ProviderOutcome::Applied(Box::new(ProviderApplied {
            payment: received.payment,
            check: received.check,
            ledger: received.ledger,
            events: received.events,
            audit,
        }));
    }
    if step.to.is_under_way() {
        payment.checkout_url.clone_from(&state.checkout_url);
    } else {
        payment.failure_code.clone_from(&state.failure_code);
    }
    let event = step.event.map(|name| payment_event(name, &payment, facts.check));
    ProviderOutcome::Applied(Box::new(ProviderApplied {
        events: event.into_iter().collect(),
        check: facts.check.clone(),
        ledger: facts.ledger.with_payment(&payment),
        payment,
        audit,
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::billing::fixtures::{
        Bill, apply, branch, diners, end, leo, names, now, paid, per_charge, report, running_example, start,
    };
    use crate::billing::{CheckStatus, PaymentEnd, settle_check, void_check};

    fn applied(bill: &Bill, status: ProviderStatus) -> ProviderApplied {
        match apply(bill, 0, &report(status)) {
            ProviderOutcome::Applied(applied) => *applied,
            ProviderOutcome::NoChange => panic!("no change"),
        }
    }

    fn bill_after(applied: ProviderApplied) -> Bill {
        Bill {
            check: applied.check,
            ledger: applied.ledger,
        }
    }

    fn started() -> Bill {
        start(&running_example(), 1_553_334, diners(3)[0])
    }

    #[test]
    fn a_pending_payment_has_a_checkout_and_announces_nothing() {
        let done = applied(&started(), ProviderStatus::Pending);
        assert_eq!(done.payment.status, PaymentStatus::Pending);
        assert!(done.payment.checkout_url.is_some() && done.payment.expires_at.is_some());
        assert_eq!(done.payment.version, 2);
        assert_eq!(names(&done.events), Vec::<&str>::new());
        assert_eq!(done.ledger.reserved(), 1_553_334);
        assert_eq!(done.check, started().check);
    }

    #[test]
    fn a_rejected_payment_gives_its_reservation_back() {
        let done = applied(&started(), ProviderStatus::Rejected);
        assert_eq!(names(&done.events), ["payment.rejected"]);
        assert_eq!(done.payment.failure_code.as_deref(), Some("card_declined"));
        assert_eq!(done.ledger.reserved(), 0);
    }

    #[test]
    fn an_approved_payment_covers_the_payers_charges() {
        let done = applied(&started(), ProviderStatus::Approved);
        assert_eq!(names(&done.events), ["payment.approved", "check.updated"]);
        assert_eq!(done.payment.version, 2);
        assert_eq!(
            done.payment.approved.map(|stamp| stamp.kind.as_str()),
            Some("provider")
        );
        assert_eq!(
            (done.payment.checkout_url.clone(), done.payment.expires_at),
            (None, None)
        );
        assert_eq!(done.check.status, CheckStatus::InPayment);
        assert_eq!(per_charge(&bill_after(done), 0), [1_553_334, 0, 0, 0]);
    }

    #[test]
    fn money_that_comes_after_all_is_surplus_where_nothing_is_due() {
        // The example of 5.7: one phone's payment expires, somebody else pays, then it is approved after all.
        let bill = start(&running_example(), 4_660_000, diners(3)[0]);
        let bill = end(&bill, 0, PaymentEnd::Expired);
        let bill = paid(&bill, 4_660_000, Some(diners(3)[1]));
        let done = applied(&bill, ProviderStatus::Approved);
        assert_eq!(
            (done.check.paid_amount, done.check.surplus_amount),
            (4_660_000, 4_660_000)
        );
        assert_eq!(
            names(&done.events),
            ["payment.approved", "payment.surplus", "check.updated"]
        );
        assert_eq!(done.payment.allocations, []);
        assert_eq!(
            apply(&bill_after(done), 0, &report(ProviderStatus::Approved)),
            ProviderOutcome::NoChange
        );
    }

    #[test]
    fn late_money_is_surplus_on_settled_and_void_checks() {
        let bill = started();
        let void = void_check(&bill.check, &bill.ledger, &leo(), now());
        let bill = Bill {
            check: void.check,
            ledger: void.ledger,
        };
        let done = applied(&bill, ProviderStatus::Approved);
        assert_eq!(
            (done.check.status, done.check.surplus_amount),
            (CheckStatus::Void, 1_553_334)
        );

        let bill = end(&started(), 0, PaymentEnd::Canceled);
        let bill = paid(&bill, 4_660_000, None);
        let settled = settle_check(&bill.check, &bill.ledger, &branch(), now());
        let bill = Bill {
            check: settled.check,
            ledger: settled.ledger,
        };
        let done = applied(&bill, ProviderStatus::Approved);
        assert_eq!(
            (done.check.status, done.check.surplus_amount),
            (CheckStatus::Paid, 1_553_334)
        );
        assert_eq!(done.check.paid_amount, 4_660_000);
    }

    /// Everything that a result leaves behind, without the count of steps it took.
    fn left_behind(bill: &Bill) -> (Check, Payment) {
        let mut payment = bill.ledger.payments[0].clone();
        let mut check = bill.check.clone();
        (payment.version, check.version) = (0, 0);
        (check, payment)
    }

    proptest! {
        // P4
        #[test]
        fn any_results_in_any_order_equal_the_highest_once(
            statuses in prop::collection::vec(prop::sample::select(ProviderStatus::ALL), 1..8),
            end_first: Option<bool>, amount in 1..=4_660_000_i64,
        ) {
            let mut bill = start(&running_example(), amount, diners(3)[0]);
            if let Some(cancel) = end_first {
                bill = end(&bill, 0, if cancel { PaymentEnd::Canceled } else { PaymentEnd::Expired });
            }
            let follow = |bill: &Bill, status: ProviderStatus| match apply(bill, 0, &report(status)) {
                ProviderOutcome::Applied(applied) => bill_after(*applied),
                ProviderOutcome::NoChange => bill.clone(),
            };
            let highest = statuses.iter().max_by_key(|status| status.target().rank()).unwrap();
            let all = statuses.iter().fold(bill.clone(), |bill, status| follow(&bill, *status));
            let once = follow(&bill, *highest);
            prop_assert_eq!(left_behind(&all), left_behind(&once));
        }
    }
}
