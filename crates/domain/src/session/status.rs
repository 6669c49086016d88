//! The life of a session as data (`domain.md` 3.3). Guards stand with the operations.

use crate::actor::Role::{Admin, Manager, Waiter};
use crate::event::EventName;
use crate::machine::{Transition, Who};
use crate::session::SessionStatus;

use SessionStatus::{Closed, Open, Paying};
use Who::{Diner, Staff, System};

const SERVERS: &[Who] = &[Staff(Waiter), Staff(Manager), Staff(Admin)];

/// Every step that a session can take; a pair that is not here is refused.
///
/// A guest who scans the code of a free table is not yet a diner, so that opening is Comanda's own.
pub const SESSION_TRANSITIONS: &[Transition<SessionStatus>] = &[
    step(
        None,
        Open,
        &[System, Staff(Waiter), Staff(Manager), Staff(Admin)],
        EventName::SessionOpened,
    ),
    step(
        Some(Open),
        Paying,
        &[Diner, Staff(Waiter), Staff(Manager), Staff(Admin)],
        EventName::CheckRequested,
    ),
    step(Some(Paying), Open, SERVERS, EventName::SessionReopened),
    step(Some(Open), Closed, SERVERS, EventName::SessionClosed),
    step(Some(Paying), Closed, SERVERS, EventName::SessionClosed),
];

const fn step(
    from: Option<SessionStatus>,
    to: SessionStatus,
    who: &'static [Who],
    event: EventName,
) -> Transition<SessionStatus> {
    Transition { from, to, who, event }
}
