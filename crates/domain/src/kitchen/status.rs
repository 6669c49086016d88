//! The lives of a ticket and its items as data, and the two functions that keep items, tickets and their round
//! consistent (`domain.md` 3.2).

use crate::actor::Role;
use crate::event::EventName;
use crate::kitchen::{Ticket, TicketItemStatus, TicketStatus};
use crate::machine::{Transition, Who, targets};
use crate::round::{Round, RoundStatus};

use Role::{Admin, Kitchen, Manager, Waiter};
use Who::{Staff, System};

const COOKS: &[Who] = &[Staff(Kitchen), Staff(Manager), Staff(Admin), System];
const SERVERS: &[Who] = &[
    Staff(Waiter),
    Staff(Kitchen),
    Staff(Manager),
    Staff(Admin),
    System,
];
/// Only a consequence of something else.
const DERIVED: &[Who] = &[System];

/// Every step that a ticket can take.
pub const TICKET_TRANSITIONS: &[Transition<TicketStatus>] = {
    use TicketStatus::{Canceled, Delivered, InProgress, Pending, Ready};
    &[
        step(Pending, InProgress, COOKS, EventName::TicketInProgress),
        step(InProgress, Ready, COOKS, EventName::TicketReady),
        step(Ready, InProgress, COOKS, EventName::TicketRecalled),
        step(Ready, Delivered, SERVERS, EventName::TicketDelivered),
        step(Pending, Canceled, DERIVED, EventName::TicketCanceled),
        step(InProgress, Canceled, DERIVED, EventName::TicketCanceled),
        step(Ready, Canceled, DERIVED, EventName::TicketCanceled),
    ]
};

/// Every step that a line of a ticket can take.
pub const ITEM_TRANSITIONS: &[Transition<TicketItemStatus>] = {
    use TicketItemStatus::{Canceled, InProgress, Pending, Ready};
    &[
        step(Pending, InProgress, COOKS, EventName::TicketItemChanged),
        step(InProgress, Ready, COOKS, EventName::TicketItemChanged),
        step(Ready, InProgress, COOKS, EventName::TicketItemChanged),
        step(Pending, Canceled, DERIVED, EventName::TicketItemChanged),
        step(InProgress, Canceled, DERIVED, EventName::TicketItemChanged),
        step(Ready, Canceled, DERIVED, EventName::TicketItemChanged),
    ]
};

const fn step<S: Copy>(from: S, to: S, who: &'static [Who], event: EventName) -> Transition<S> {
    Transition {
        from: Some(from),
        to,
        who,
        event,
    }
}

impl TicketStatus {
    /// Where a ticket may go from here.
    pub fn allowed(self) -> Vec<Self> {
        targets(TICKET_TRANSITIONS, self)
    }

    /// No step leads out.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Delivered | Self::Canceled)
    }
}

/// Where a ticket stands, given its stamps and its lines: the first case that applies.
pub fn ticket_status(ticket: &Ticket) -> TicketStatus {
    let mut live = ticket.items.iter().filter(|item| item.is_live()).peekable();
    if ticket.delivered.is_some() {
        TicketStatus::Delivered
    } else if live.peek().is_none() {
        TicketStatus::Canceled
    } else if live.clone().all(|item| item.status == TicketItemStatus::Ready) {
        TicketStatus::Ready
    } else if ticket.in_progress.is_some() || live.any(|item| item.status != TicketItemStatus::Pending) {
        TicketStatus::InProgress
    } else {
        TicketStatus::Pending
    }
}

/// Where a submitted round stands, given its stamps, its items and its tickets: the first case that applies.
/// Canceled tickets do not count.
pub fn round_status(round: &Round, tickets: &[Ticket]) -> RoundStatus {
    use TicketStatus::{Canceled, Delivered, Pending, Ready};
    let mut counted = tickets
        .iter()
        .map(|ticket| ticket.status)
        .filter(|status| *status != Canceled);
    if !round.is_live() {
        RoundStatus::Canceled
    } else if counted.clone().all(|status| status == Delivered) {
        RoundStatus::Served
    } else if counted.clone().all(|status| matches!(status, Ready | Delivered)) {
        RoundStatus::Ready
    } else if round.in_kitchen.is_some() || counted.any(|status| status != Pending) {
        RoundStatus::InKitchen
    } else {
        RoundStatus::Submitted
    }
}

/// Where any round ought to stand: a finished one keeps its status whatever happens later, one that the kitchen
/// has not seen is only canceled by losing everything, and the others follow [`round_status`].
pub fn round_standing(round: &Round, tickets: &[Ticket]) -> RoundStatus {
    match round.status {
        RoundStatus::Served | RoundStatus::Canceled => round.status,
        RoundStatus::Pending | RoundStatus::Confirmed if round.is_live() => round.status,
        RoundStatus::Pending | RoundStatus::Confirmed => RoundStatus::Canceled,
        RoundStatus::Submitted | RoundStatus::InKitchen | RoundStatus::Ready => round_status(round, tickets),
    }
}
