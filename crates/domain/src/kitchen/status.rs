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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Actor;
    use crate::kitchen::TicketItem;
    use crate::menu::fixtures::{at, id};
    use crate::round::RoundFacts;
    use crate::round::fixtures::submitted_round;

    /// A ticket with the stamps named by `begun` and `delivered`, and one line per letter: pending, begun, ready or
    /// canceled.
    fn ticket(lines: &str, begun: bool, delivered: bool) -> Ticket {
        let stamp = |set: bool| set.then(|| Actor::SYSTEM.stamp(at(1)));
        let line = |letter| TicketItem {
            id: id("line"),
            round_item_id: id("item"),
            qty: 2,
            canceled_qty: if letter == 'c' { 2 } else { 1 },
            status: match letter {
                'p' => TicketItemStatus::Pending,
                'b' => TicketItemStatus::InProgress,
                'r' => TicketItemStatus::Ready,
                _ => TicketItemStatus::Canceled,
            },
        };
        let mut ticket = submitted_round().tickets.remove(0);
        ticket.in_progress = stamp(begun);
        ticket.delivered = stamp(delivered);
        ticket.items = lines.chars().map(line).collect();
        ticket
    }

    #[test]
    fn a_ticket_stands_where_its_live_lines_and_stamps_say() {
        use TicketStatus::{Canceled, Delivered, InProgress, Pending, Ready};
        for (lines, begun, delivered, expected) in [
            ("pp", false, false, Pending),
            ("pc", false, false, Pending),
            ("pb", false, false, InProgress),
            ("pr", false, false, InProgress),
            ("pc", true, false, InProgress),
            ("rc", true, false, Ready),
            ("rr", false, false, Ready),
            ("cc", true, false, Canceled),
            ("cc", true, true, Delivered),
            ("rr", true, true, Delivered),
        ] {
            assert_eq!(
                ticket_status(&ticket(lines, begun, delivered)),
                expected,
                "{lines} {begun} {delivered}"
            );
        }
    }

    /// The three tickets of the dinner in these states.
    fn round_with(statuses: [TicketStatus; 3], begun: bool) -> RoundFacts {
        let mut facts = submitted_round();
        facts.round.in_kitchen = begun.then(|| Actor::SYSTEM.stamp(at(1)));
        for (ticket, status) in facts.tickets.iter_mut().zip(statuses) {
            ticket.status = status;
        }
        facts
    }

    #[test]
    fn a_round_stands_where_its_tickets_and_stamps_say() {
        use TicketStatus::{Canceled, Delivered, InProgress, Pending, Ready};
        for (statuses, begun, expected) in [
            ([Pending, Pending, Pending], false, RoundStatus::Submitted),
            ([Pending, Pending, Canceled], false, RoundStatus::Submitted),
            ([Pending, Pending, InProgress], false, RoundStatus::InKitchen),
            ([Pending, Pending, Ready], false, RoundStatus::InKitchen),
            ([Pending, Pending, Delivered], false, RoundStatus::InKitchen),
            ([Pending, Pending, Canceled], true, RoundStatus::InKitchen),
            ([Ready, Delivered, Canceled], true, RoundStatus::Ready),
            ([Delivered, Delivered, Canceled], true, RoundStatus::Served),
        ] {
            let facts = round_with(statuses, begun);
            assert_eq!(
                round_status(&facts.round, &facts.tickets),
                expected,
                "{statuses:?} {begun}"
            );
        }
    }

    #[test]
    fn a_round_of_which_nothing_is_left_is_canceled_unless_it_was_served() {
        let mut facts = round_with([TicketStatus::Canceled; 3], true);
        for item in &mut facts.round.items {
            item.voided_qty = item.qty;
        }
        for status in RoundStatus::ALL {
            facts.round.status = *status;
            let expected = match status {
                RoundStatus::Served => RoundStatus::Served,
                _ => RoundStatus::Canceled,
            };
            assert_eq!(round_standing(&facts.round, &facts.tickets), expected);
        }
    }
}
