//! An online payment that is given up: canceled by people, expired by time.

use super::announce::payment_event;
use super::who::floor_needed;
use super::{Check, PAYMENT_TRANSITIONS, Payment, PaymentStatus};
use crate::actor::{Actor, Forbidden};
use crate::audit::AuditEntry;
use crate::event::Event;

/// How it ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PaymentEnd {
    /// Taken back by the guest who started it, or the staff.
    Canceled,
    /// Not paid in time.
    Expired,
}

impl PaymentEnd {
    fn status(self) -> PaymentStatus {
        match self {
            Self::Canceled => PaymentStatus::Canceled,
            Self::Expired => PaymentStatus::Expired,
        }
    }

    fn action(self) -> &'static str {
        match self {
            Self::Canceled => "payment.cancel",
            Self::Expired => "payment.expire",
        }
    }
}

/// The payment is given up and its reservation with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PaymentEnded {
    /// The payment.
    pub payment: Payment,
    /// `payment.canceled` or `payment.expired`
    pub events: Vec<Event>,
    /// `payment.cancel` or `payment.expire`
    pub audit: AuditEntry,
}

/// Why it does not end.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EndPaymentError {
    /// `forbidden`
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// `payment_wrong_state`
    #[error("the payment is {current}")]
    PaymentWrongState {
        /// Where the payment stands.
        current: PaymentStatus,
    },
}

/// Gives up a payment that is still under way. The check itself does not change.
///
/// # Errors
/// [`EndPaymentError`], in the order of its variants.
pub fn end_payment(
    check: &Check,
    payment: &Payment,
    end: PaymentEnd,
    actor: &Actor,
) -> Result<PaymentEnded, EndPaymentError> {
    let target = end.status();
    if !may_end(payment, target, actor) {
        return Err(floor_needed().into());
    }
    let current = payment.status;
    if current.step_to(target).is_none() {
        return Err(EndPaymentError::PaymentWrongState { current });
    }
    let (ended, event) = give_up(payment, target, check);
    Ok(PaymentEnded {
        events: event.into_iter().collect(),
        audit: AuditEntry::new(end.action(), "payment", payment.id).moved(
            "status",
            current.as_str(),
            target.as_str(),
        ),
        payment: ended,
    })
}

fn may_end(payment: &Payment, target: PaymentStatus, actor: &Actor) -> bool {
    let is_starter = payment.created.kind == actor.kind && payment.created.id == actor.id;
    PAYMENT_TRANSITIONS
        .iter()
        .filter(|row| row.to == target)
        .any(|row| row.who.iter().any(|who| who.covers(actor, is_starter)))
}

/// The payment ended, with its event.
pub(super) fn give_up(payment: &Payment, target: PaymentStatus, check: &Check) -> (Payment, Option<Event>) {
    let ended = payment.moved_to(target);
    let event = payment.status.step_to(target).and_then(|row| row.event);
    let event = event.map(|name| payment_event(name, &ended, check));
    (ended, event)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::ProviderStatus;
    use crate::billing::fixtures::{apply_to, cook, diners, leo, names, report, running_example, start};

    #[test]
    fn the_starter_the_floor_and_time_end_a_payment() {
        let [ana, bruno] = diners(2)[..] else { panic!() };
        let bill = start(&running_example(), 100, ana);
        let payment = &bill.ledger.payments[0];
        let try_end = |end, actor: &Actor| end_payment(&bill.check, payment, end, actor);
        for actor in [Actor::diner(ana), leo(), Actor::SYSTEM] {
            let done = try_end(PaymentEnd::Canceled, &actor).unwrap();
            assert_eq!(done.payment.status, PaymentStatus::Canceled);
            assert_eq!((done.payment.expires_at, done.payment.version), (None, 2));
            assert_eq!(names(&done.events), ["payment.canceled"]);
            assert_eq!(done.audit.action, "payment.cancel");
        }
        for actor in [Actor::diner(bruno), cook()] {
            assert_eq!(try_end(PaymentEnd::Canceled, &actor), Err(floor_needed().into()));
        }
        let done = try_end(PaymentEnd::Expired, &Actor::SYSTEM).unwrap();
        assert_eq!(names(&done.events), ["payment.expired"]);
        assert!(try_end(PaymentEnd::Expired, &leo()).is_err());
    }

    #[test]
    fn a_payment_that_is_decided_does_not_end() {
        let bill = start(&running_example(), 100, diners(1)[0]);
        for (status, current) in [
            (ProviderStatus::Approved, PaymentStatus::Approved),
            (ProviderStatus::Rejected, PaymentStatus::Rejected),
        ] {
            let bill = apply_to(&bill, 0, &report(status));
            assert_eq!(
                end_payment(
                    &bill.check,
                    &bill.ledger.payments[0],
                    PaymentEnd::Canceled,
                    &leo()
                ),
                Err(EndPaymentError::PaymentWrongState { current })
            );
        }
    }
}
