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
