//! The status of a check as one function (`domain.md` 3.5), and the life of a payment as data (3.6).

use super::{CheckStatus, Payment, PaymentStatus};
use crate::actor::{Actor, ActorKind};
use crate::event::EventName;

use super::who::FLOOR;

/// The status of a check, from its numbers and marks.
pub fn check_status(total: i64, paid: i64, voided: bool, settled: bool) -> CheckStatus {
    if voided {
        CheckStatus::Void
    } else if paid == total {
        CheckStatus::Paid
    } else if settled && paid == 0 {
        CheckStatus::Refunded
    } else if settled {
        CheckStatus::PartiallyRefunded
    } else if paid > 0 {
        CheckStatus::InPayment
    } else {
        CheckStatus::Requested
    }
}

/// Who may move a payment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PaymentWho {
    /// Waiters, managers and admins of the branch.
    Floor,
    /// A guest of the session.
    Guest,
    /// The guest who started it.
    Starter,
    /// The payment provider.
    Provider,
    /// Comanda: a job, or the end of the check.
    System,
}

impl PaymentWho {
    /// Whether the actor is meant; whether a guest started the payment is a fact of it.
    pub fn covers(self, actor: &Actor, is_starter: bool) -> bool {
        match self {
            Self::Floor => actor.roles.any(FLOOR),
            Self::Guest => actor.kind == ActorKind::Diner,
            Self::Starter => actor.kind == ActorKind::Diner && is_starter,
            Self::Provider => actor.kind == ActorKind::Provider,
            Self::System => actor.kind == ActorKind::System,
        }
    }
}

/// One step of a payment.
#[derive(Clone, Copy, Debug)]
pub struct PaymentTransition {
    /// From; none for a new payment.
    pub from: Option<PaymentStatus>,
    /// To.
    pub to: PaymentStatus,
    /// Who causes it.
    pub who: &'static [PaymentWho],
    /// What is announced, if anything.
    pub event: Option<EventName>,
}

use EventName::{PaymentApproved, PaymentCanceled, PaymentExpired, PaymentRejected};
use PaymentStatus::{Approved, Canceled, Created, Expired, Pending, Rejected};
use PaymentWho::{Floor, Guest, Provider, Starter, System};

/// Every step that a payment can take; a pair that is not here is refused, or without effect when a provider
/// reports it. Giving money back has no steps yet.
pub const PAYMENT_TRANSITIONS: &[PaymentTransition] = &[
    step(None, Approved, &[Floor], Some(PaymentApproved)),
    step(None, Created, &[Guest, Floor], Some(EventName::PaymentCreated)),
    step(Some(Created), Pending, &[Provider], None),
    step(Some(Created), Rejected, &[Provider], Some(PaymentRejected)),
    step(Some(Pending), Rejected, &[Provider], Some(PaymentRejected)),
    step(Some(Created), Expired, &[Provider, System], Some(PaymentExpired)),
    step(Some(Pending), Expired, &[Provider, System], Some(PaymentExpired)),
    step(Some(Created), Canceled, WITHDRAWERS, Some(PaymentCanceled)),
    step(Some(Pending), Canceled, WITHDRAWERS, Some(PaymentCanceled)),
    step(Some(Created), Approved, &[Provider], Some(PaymentApproved)),
    step(Some(Pending), Approved, &[Provider], Some(PaymentApproved)),
    step(Some(Rejected), Approved, &[Provider], Some(PaymentApproved)),
    step(Some(Expired), Approved, &[Provider], Some(PaymentApproved)),
    step(Some(Canceled), Approved, &[Provider], Some(PaymentApproved)),
];

const WITHDRAWERS: &[PaymentWho] = &[Starter, Floor, System];

const fn step(
    from: Option<PaymentStatus>,
    to: PaymentStatus,
    who: &'static [PaymentWho],
    event: Option<EventName>,
) -> PaymentTransition {
    PaymentTransition { from, to, who, event }
}

impl PaymentStatus {
    /// The step that leads from here to there, if there is one.
    pub fn step_to(self, to: Self) -> Option<&'static PaymentTransition> {
        PAYMENT_TRANSITIONS
            .iter()
            .find(|row| row.from == Some(self) && row.to == to)
    }
}

impl Payment {
    /// The payment one step further. What belongs to the reservation ends with it.
    pub(super) fn moved_to(&self, status: PaymentStatus) -> Self {
        let mut moved = self.clone();
        moved.status = status;
        moved.version += 1;
        if !status.is_under_way() {
            moved.expires_at = None;
            moved.checkout_url = None;
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_provider_may_move_a_payment_exactly_where_that_raises_its_rank() {
        for from in PaymentStatus::ALL {
            for to in [Pending, Rejected, Expired, Approved] {
                let row = from.step_to(to);
                assert_eq!(row.is_some(), to.rank() > from.rank(), "{from} to {to}");
                assert!(row.is_none_or(|row| row.who.contains(&Provider)));
            }
        }
    }

    #[test]
    fn only_payments_under_way_end_by_people_or_jobs() {
        for from in PaymentStatus::ALL {
            assert_eq!(from.step_to(Canceled).is_some(), from.is_under_way());
            assert_eq!(from.step_to(Expired).is_some(), from.is_under_way());
        }
    }

    proptest! {
        #[test]
        fn the_status_of_a_check_follows_its_definition(
            total in 0..3_i64, paid in 0..3_i64, voided: bool, settled: bool,
        ) {
            let status = check_status(total, paid, voided, settled);
            prop_assert_eq!(status == CheckStatus::Void, voided);
            prop_assert_eq!(status == CheckStatus::Paid, !voided && paid == total);
            let open = !voided && !settled && paid != total;
            prop_assert_eq!(status == CheckStatus::Requested, open && paid == 0);
            prop_assert_eq!(status == CheckStatus::InPayment, open && paid > 0);
        }
    }
}
