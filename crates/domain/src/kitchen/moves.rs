//! A station begins, finishes, takes back and hands over its work, as a whole ticket or line by line.

use crate::Timestamp;
use crate::actor::{Actor, Forbidden};
use crate::audit::AuditEntry;
use crate::event::EventName;
use crate::ids::{TicketId, TicketItemId};
use crate::kitchen::{
    ITEM_TRANSITIONS, TICKET_TRANSITIONS, Ticket, TicketItem, TicketItemStatus, TicketStatus,
};
use crate::machine::{Asking, Refusal, Transition, permit};
use crate::round::{Progress, RoundFacts, RoundMoved};

/// What is done with a whole ticket; it applies to all its live lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TicketAction {
    /// The work is begun.
    Start,
    /// The work is done. On a ticket that was not begun, this begins it first.
    Ready,
    /// What was done goes back to work.
    Recall,
    /// It is handed over.
    Deliver,
}

/// What is done with one line of a ticket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ItemAction {
    /// The line is begun.
    Start,
    /// The line is done. On a line that was not begun, this begins it first, as on a ticket.
    Ready,
    /// The line goes back to work.
    Recall,
}

/// What a station does with its work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TicketCommand {
    /// With all of it. Announced by the ticket's own event, which holds every line.
    Whole(TicketAction),
    /// With one line. Announced by `ticket.item_changed`, and by the ticket's own event if that follows.
    Item(TicketItemId, ItemAction),
}

/// Why a ticket does not move.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MoveTicketError {
    /// The actor may not do this.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The round has no such ticket, or the ticket no such line.
    #[error("no such ticket or line")]
    NotFound,
    /// Not possible for this ticket.
    #[error("not possible for a ticket that is {current}")]
    TicketWrongState {
        /// Where the ticket stands.
        current: TicketStatus,
        /// Where it may go.
        allowed: Vec<TicketStatus>,
    },
    /// Not possible for this line.
    #[error("not possible for a line that is {current}")]
    ItemWrongState {
        /// Where the line stands.
        current: TicketItemStatus,
        /// Where it may go.
        allowed: Vec<TicketItemStatus>,
    },
}

/// Moves a ticket or one of its lines, and then the round with it: the first work begun puts the round in the
/// kitchen, the last one finished makes it ready, the last one handed over serves it.
///
/// The events of the ticket come first, then those of the round.
///
/// # Errors
/// [`MoveTicketError`].
pub fn move_ticket(
    facts: RoundFacts,
    ticket_id: TicketId,
    command: TicketCommand,
    actor: &Actor,
    now: Timestamp,
) -> Result<RoundMoved, MoveTicketError> {
    let mut progress = Progress::new(facts, actor, now);
    let ticket = progress.ticket(ticket_id).ok_or(MoveTicketError::NotFound)?;
    let before = ticket.status;
    let mut audit = AuditEntry::new(command.audit_name(), "ticket", ticket_id);
    match command {
        TicketCommand::Whole(action) => {
            permit_ticket(ticket, action, actor)?;
            match action {
                TicketAction::Start => progress.start(ticket_id),
                TicketAction::Ready => progress.ready(ticket_id),
                TicketAction::Recall => progress.recall(ticket_id),
                TicketAction::Deliver => progress.deliver(ticket_id),
            }
        }
        TicketCommand::Item(item_id, action) => {
            let item_before = permit_item(ticket, item_id, action, actor)?;
            if action == ItemAction::Ready && item_before == TicketItemStatus::Pending {
                progress.move_item(ticket_id, item_id, TicketItemStatus::InProgress);
            }
            progress.move_item(ticket_id, item_id, action.target());
            audit = audit.set("item_id", item_id.to_string()).moved(
                "item_status",
                item_before.as_str(),
                action.target().as_str(),
            );
        }
    }
    progress.settle(None);
    let after = progress.ticket(ticket_id).map_or(before, |ticket| ticket.status);
    if after != before {
        audit = audit.moved("status", before.as_str(), after.as_str());
    }
    Ok(progress.finish(audit))
}

fn permit_ticket(ticket: &Ticket, action: TicketAction, actor: &Actor) -> Result<(), MoveTicketError> {
    // Whoever may finish may begin: the two rows name the same people.
    let from = match (action, ticket.status) {
        (TicketAction::Ready, TicketStatus::Pending) => TicketStatus::InProgress,
        (_, status) => status,
    };
    permit(TICKET_TRANSITIONS, from, action.wanted(), Asking::new(actor))?;
    Ok(())
}

/// Gives back where the line stands.
fn permit_item(
    ticket: &Ticket,
    item_id: TicketItemId,
    action: ItemAction,
    actor: &Actor,
) -> Result<TicketItemStatus, MoveTicketError> {
    let item = find_item(ticket, item_id)?;
    let from = match (action, item.status) {
        (ItemAction::Ready, TicketItemStatus::Pending) => TicketItemStatus::InProgress,
        (_, status) => status,
    };
    let permitted = permit(ITEM_TRANSITIONS, from, action.wanted(), Asking::new(actor));
    if ticket.status.is_terminal() && !matches!(permitted, Err(Refusal::Forbidden(_))) {
        return Err(MoveTicketError::TicketWrongState {
            current: ticket.status,
            allowed: ticket.status.allowed(),
        });
    }
    permitted?;
    Ok(item.status)
}

fn find_item(ticket: &Ticket, item_id: TicketItemId) -> Result<&TicketItem, MoveTicketError> {
    let item = ticket.items.iter().find(|item| item.id == item_id);
    item.ok_or(MoveTicketError::NotFound)
}

impl TicketAction {
    fn wanted(self) -> impl Fn(&Transition<TicketStatus>) -> bool {
        let event = match self {
            Self::Start => EventName::TicketInProgress,
            Self::Ready => EventName::TicketReady,
            Self::Recall => EventName::TicketRecalled,
            Self::Deliver => EventName::TicketDelivered,
        };
        move |row| row.event == event
    }
}

impl ItemAction {
    fn target(self) -> TicketItemStatus {
        match self {
            Self::Start | Self::Recall => TicketItemStatus::InProgress,
            Self::Ready => TicketItemStatus::Ready,
        }
    }

    fn wanted(self) -> impl Fn(&Transition<TicketItemStatus>) -> bool {
        let from = match self {
            Self::Start => TicketItemStatus::Pending,
            Self::Ready => TicketItemStatus::InProgress,
            Self::Recall => TicketItemStatus::Ready,
        };
        move |row| row.from == Some(from) && row.to == self.target()
    }
}

impl TicketCommand {
    fn audit_name(self) -> &'static str {
        match self {
            Self::Whole(TicketAction::Start) | Self::Item(_, ItemAction::Start) => "ticket.start",
            Self::Whole(TicketAction::Ready) | Self::Item(_, ItemAction::Ready) => "ticket.ready",
            Self::Whole(TicketAction::Recall) | Self::Item(_, ItemAction::Recall) => "ticket.recall",
            Self::Whole(TicketAction::Deliver) => "ticket.deliver",
        }
    }
}

impl From<Refusal<TicketStatus>> for MoveTicketError {
    fn from(refusal: Refusal<TicketStatus>) -> Self {
        match refusal {
            Refusal::Forbidden(forbidden) => Self::Forbidden(forbidden),
            Refusal::WrongState { current, allowed } => Self::TicketWrongState { current, allowed },
        }
    }
}

impl From<Refusal<TicketItemStatus>> for MoveTicketError {
    fn from(refusal: Refusal<TicketItemStatus>) -> Self {
        match refusal {
            Refusal::Forbidden(forbidden) => Self::Forbidden(forbidden),
            Refusal::WrongState { current, allowed } => Self::ItemWrongState { current, allowed },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Role;
    use crate::event::EventBody;
    use crate::menu::Station;
    use crate::menu::fixtures::at;
    use crate::round::RoundStatus;
    use crate::round::fixtures::{names, submitted_round};
    use crate::session::fixtures::staff;

    fn after(facts: &RoundFacts, station: Station, command: TicketCommand) -> (RoundFacts, RoundMoved) {
        let id = facts.at(station).id;
        let moved = move_ticket(facts.clone(), id, command, &staff(Role::Kitchen), at(400)).unwrap();
        (facts.after(moved.round.clone(), moved.tickets.clone()), moved)
    }

    #[test]
    fn the_kitchen_works_through_the_dinner() {
        let whole = TicketCommand::Whole;
        let (facts, moved) = after(&submitted_round(), Station::Grill, whole(TicketAction::Start));
        assert_eq!(names(&moved.events), ["ticket.in_progress", "round.in_kitchen"]);
        let (facts, moved) = after(&facts, Station::Grill, whole(TicketAction::Ready));
        assert_eq!(names(&moved.events), ["ticket.ready"]);
        assert_eq!(moved.tickets.len(), 1);
        let (facts, moved) = after(&facts, Station::HotKitchen, whole(TicketAction::Ready));
        assert_eq!(names(&moved.events), ["ticket.in_progress", "ticket.ready"]);
        let (facts, moved) = after(&facts, Station::Bar, whole(TicketAction::Ready));
        assert_eq!(
            names(&moved.events),
            ["ticket.in_progress", "ticket.ready", "round.ready"]
        );
        let standing: Vec<_> = moved
            .events
            .iter()
            .filter_map(|event| match &event.body {
                EventBody::Ticket { round_status, .. } => Some(*round_status),
                _ => None,
            })
            .collect();
        assert_eq!(standing, [RoundStatus::InKitchen, RoundStatus::Ready]);
        let (facts, _) = after(&facts, Station::Grill, whole(TicketAction::Deliver));
        let (facts, moved) = after(&facts, Station::Bar, whole(TicketAction::Deliver));
        assert_eq!(names(&moved.events), ["ticket.delivered"]);
        let (facts, moved) = after(&facts, Station::HotKitchen, whole(TicketAction::Deliver));
        assert_eq!(names(&moved.events), ["ticket.delivered", "round.served"]);
        assert_eq!(facts.round.status, RoundStatus::Served);
    }

    #[test]
    fn a_line_moves_its_ticket_only_when_it_must() {
        let facts = submitted_round();
        let [bife, provoleta] = [0, 1].map(|n| facts.at(Station::Grill).items[n].id);
        let item = TicketCommand::Item;
        let (facts, moved) = after(&facts, Station::Grill, item(bife, ItemAction::Ready));
        assert_eq!(
            names(&moved.events),
            [
                "ticket.item_changed",
                "ticket.in_progress",
                "ticket.item_changed",
                "round.in_kitchen"
            ]
        );
        let (facts, moved) = after(&facts, Station::Grill, item(provoleta, ItemAction::Start));
        assert_eq!(names(&moved.events), ["ticket.item_changed"]);
        let (facts, moved) = after(&facts, Station::Grill, item(provoleta, ItemAction::Ready));
        assert_eq!(names(&moved.events), ["ticket.item_changed", "ticket.ready"]);
        let (facts, moved) = after(&facts, Station::Grill, item(bife, ItemAction::Recall));
        assert_eq!(names(&moved.events), ["ticket.item_changed", "ticket.recalled"]);
        assert_eq!(moved.audit.action, "ticket.recall");

        let grill = facts.at(Station::Grill).id;
        let again = item(bife, ItemAction::Recall);
        assert_eq!(
            move_ticket(facts, grill, again, &staff(Role::Kitchen), at(500)),
            Err(MoveTicketError::ItemWrongState {
                current: TicketItemStatus::InProgress,
                allowed: vec![TicketItemStatus::Ready, TicketItemStatus::Canceled]
            })
        );
    }

    #[test]
    fn what_does_not_exist_is_not_found_and_what_is_over_is_over() {
        let facts = submitted_round();
        let (grill, bar) = (facts.at(Station::Grill).id, facts.at(Station::Bar).id);
        let lemonade = TicketCommand::Item(facts.at(Station::Bar).items[0].id, ItemAction::Start);
        let kitchen = staff(Role::Kitchen);
        let try_it =
            |facts: &RoundFacts, id, command| move_ticket(facts.clone(), id, command, &kitchen, at(1));
        assert_eq!(try_it(&facts, grill, lemonade), Err(MoveTicketError::NotFound));
        let whole = TicketCommand::Whole;
        let elsewhere = RoundFacts {
            tickets: Vec::new(),
            ..facts.clone()
        };
        assert_eq!(
            try_it(&elsewhere, grill, whole(TicketAction::Start)),
            Err(MoveTicketError::NotFound)
        );
        let (facts, _) = after(&facts, Station::Bar, whole(TicketAction::Ready));
        let (facts, _) = after(&facts, Station::Bar, whole(TicketAction::Deliver));
        assert_eq!(
            try_it(&facts, bar, lemonade),
            Err(MoveTicketError::TicketWrongState {
                current: TicketStatus::Delivered,
                allowed: vec![]
            })
        );
    }
}
