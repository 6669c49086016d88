//! The life of a service call as data (`domain.md` 3.4).

use crate::actor::Role::{Admin, Manager, Waiter};
use crate::event::EventName;
use crate::machine::{Transition, Who};
use crate::service_call::CallStatus;

use CallStatus::{Acked, Canceled, Closed, Open};
use Who::{Diner, Placer, Staff, System};

const SERVERS: &[Who] = &[Staff(Waiter), Staff(Manager), Staff(Admin)];

/// Every step that a call can take; a pair that is not here is refused. The placer is the guest who raised it.
pub const CALL_TRANSITIONS: &[Transition<CallStatus>] = &[
    step(None, Open, &[Diner], EventName::ServiceCallOpened),
    step(Some(Open), Acked, SERVERS, EventName::ServiceCallAcked),
    step(Some(Open), Closed, SERVERS, EventName::ServiceCallClosed),
    step(Some(Acked), Closed, SERVERS, EventName::ServiceCallClosed),
    step(
        Some(Open),
        Canceled,
        &[Placer, System],
        EventName::ServiceCallCanceled,
    ),
    step(Some(Acked), Canceled, &[System], EventName::ServiceCallCanceled),
];

const fn step(
    from: Option<CallStatus>,
    to: CallStatus,
    who: &'static [Who],
    event: EventName,
) -> Transition<CallStatus> {
    Transition { from, to, who, event }
}

impl CallStatus {
    /// Somebody still has to do something.
    pub fn is_live(self) -> bool {
        matches!(self, Open | Acked)
    }
}
