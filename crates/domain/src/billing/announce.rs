//! The events of checks and payments.

use super::{Check, Payment};
use crate::event::{Event, EventBody, EventName};

/// What led to a check's event.
pub(super) mod cause {
    /// It was asked for.
    pub const REQUEST: &str = "request";
    /// Money came in.
    pub const PAYMENT: &str = "payment";
    /// It was divided anew.
    pub const SPLIT: &str = "split";
    /// It was closed for good.
    pub const SETTLE: &str = "settle";
    /// It was withdrawn.
    pub const VOID: &str = "void";
}

/// `check.*`
pub(super) fn check_event(name: EventName, check: &Check, cause: &'static str) -> Event {
    Event {
        name,
        body: EventBody::Check {
            check: Box::new(check.clone()),
            cause,
        },
    }
}

/// `payment.*`; the surplus is named on `payment.surplus` only.
pub(super) fn payment_event(name: EventName, payment: &Payment, check: &Check) -> Event {
    let surplus = (name == EventName::PaymentSurplus).then_some(payment.unallocated_amount);
    Event {
        name,
        body: EventBody::Payment {
            payment: Box::new(payment.clone()),
            check: Box::new(check.clone()),
            surplus,
        },
    }
}
