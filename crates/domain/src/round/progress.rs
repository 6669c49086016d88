//! A round and its tickets while one operation changes them. Every change is announced with the object as it is
//! after that very step; the outcome holds only what changed.

use std::collections::BTreeSet;

use crate::Timestamp;
use crate::actor::{Actor, Stamp};
use crate::audit::AuditEntry;
use crate::event::{Event, EventBody, EventName, RoundDetail};
use crate::ids::{RoundItemId, TicketId, TicketItemId};
use crate::kitchen::{Ticket, TicketItemStatus, TicketStatus, round_standing};
use crate::round::{Round, RoundStatus};

/// A round with its tickets, both locked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoundFacts {
    /// The round.
    pub round: Round,
    /// All its tickets; none before it was submitted.
    pub tickets: Vec<Ticket>,
}

/// A round that went on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoundMoved {
    /// The round now.
    pub round: Round,
    /// The tickets that are new or changed.
    pub tickets: Vec<Ticket>,
    /// What is announced, in order.
    pub events: Vec<Event>,
    /// The trace.
    pub audit: AuditEntry,
}

pub(crate) struct Progress {
    pub(crate) round: Round,
    pub(crate) events: Vec<Event>,
    tickets: Vec<Ticket>,
    changed: BTreeSet<TicketId>,
    stamp: Stamp,
}

impl Progress {
    pub(crate) fn new(facts: RoundFacts, actor: &Actor, now: Timestamp) -> Self {
        Self {
            round: facts.round,
            events: Vec::new(),
            tickets: facts.tickets,
            changed: BTreeSet::new(),
            stamp: actor.stamp(now),
        }
    }

    /// The steps from here on are a policy of Comanda's.
    pub(crate) fn by_policy(&mut self) {
        self.stamp = Actor::SYSTEM.stamp(self.stamp.at);
    }

    /// The mark that a change leaves now.
    pub(crate) fn stamp(&self) -> Stamp {
        self.stamp
    }

    pub(crate) fn ticket(&self, id: TicketId) -> Option<&Ticket> {
        self.tickets.iter().find(|ticket| ticket.id == id)
    }

    /// The ids of the tickets for which something holds.
    pub(crate) fn ticket_ids(&self, wanted: impl Fn(TicketStatus) -> bool) -> Vec<TicketId> {
        let wanted = self.tickets.iter().filter(|ticket| wanted(ticket.status));
        wanted.map(|ticket| ticket.id).collect()
    }

    /// Takes the round one row further. False if the table has no such row.
    pub(crate) fn step(&mut self, to: RoundStatus, detail: RoundDetail) -> bool {
        let Some(name) = self.round.take(to, self.stamp) else {
            return false;
        };
        self.announce_round(name, detail);
        true
    }

    /// Cancels the round. Its live quantity has been voided by the caller.
    pub(crate) fn cancel(&mut self, reason: Option<&str>) -> bool {
        self.round.cancel_reason = reason.map(str::to_owned);
        let detail = RoundDetail::Canceled {
            reason: reason.map(str::to_owned),
            previous_status: self.round.status,
        };
        self.step(RoundStatus::Canceled, detail)
    }

    /// Brings the round to where its items and tickets say that it stands, step by step. The reason is that of a
    /// void that leaves nothing.
    pub(crate) fn settle(&mut self, reason: Option<&str>) {
        while let Some(to) = self.round.next_derived(&self.tickets) {
            let taken = if to == RoundStatus::Canceled {
                self.cancel(reason)
            } else {
                self.step(to, RoundDetail::Plain)
            };
            if !taken {
                break;
            }
        }
    }

    pub(crate) fn announce_round(&mut self, name: EventName, detail: RoundDetail) {
        let round = Box::new(self.round.clone());
        self.events.push(Event {
            name,
            body: EventBody::Round { round, detail },
        });
    }

    pub(crate) fn add_ticket(&mut self, ticket: Ticket) {
        let id = ticket.id;
        self.tickets.push(ticket);
        self.announce_ticket(id, EventName::TicketCreated, None);
    }

    /// Every live line is begun.
    pub(crate) fn start(&mut self, id: TicketId) {
        self.move_live_items(id, TicketItemStatus::InProgress);
    }

    /// Every live line is made; a ticket that was not begun is begun first.
    pub(crate) fn ready(&mut self, id: TicketId) {
        if self.ticket(id).map(|ticket| ticket.status) == Some(TicketStatus::Pending) {
            self.start(id);
        }
        self.move_live_items(id, TicketItemStatus::Ready);
    }

    /// Every live line goes back to work.
    pub(crate) fn recall(&mut self, id: TicketId) {
        self.move_live_items(id, TicketItemStatus::InProgress);
    }

    /// The ticket is handed over.
    pub(crate) fn deliver(&mut self, id: TicketId) {
        self.step_ticket(id, TicketStatus::Delivered);
    }

    /// Nothing of the ticket is to be made any more. A delivered one stays delivered, and its lines are reduced one
    /// by one.
    pub(crate) fn cancel_ticket(&mut self, id: TicketId) {
        let Some(ticket) = self.ticket_mut(id) else {
            return;
        };
        if ticket.status == TicketStatus::Delivered {
            let live = ticket.items.iter().filter(|item| item.is_live());
            let live: Vec<_> = live.map(|item| (item.id, item.live_qty())).collect();
            for (item, qty) in live {
                self.change_item(id, item, |ticket| ticket.reduce_item(item, qty));
            }
        } else {
            ticket.reduce_all();
            self.settle_ticket(id);
        }
    }

    /// One line moves, and its ticket follows.
    pub(crate) fn move_item(&mut self, id: TicketId, item: TicketItemId, to: TicketItemStatus) {
        self.change_item(id, item, |ticket| ticket.move_item(item, to));
        self.settle_ticket(id);
    }

    /// Part of the line that makes a round item is taken back, and its ticket follows. A round that the kitchen has
    /// not seen has no such line.
    pub(crate) fn reduce(&mut self, round_item: RoundItemId, qty: i32) {
        let lines = self.tickets.iter().flat_map(|ticket| {
            let of_ticket = ticket.items.iter();
            of_ticket.map(move |item| (ticket.id, item.id, item.round_item_id))
        });
        let line = lines.into_iter().find(|(.., of)| *of == round_item);
        if let Some((id, item, _)) = line {
            self.change_item(id, item, |ticket| ticket.reduce_item(item, qty));
            self.settle_ticket(id);
        }
    }

    pub(crate) fn finish(self, audit: AuditEntry) -> RoundMoved {
        let changed = self.changed;
        let tickets = self.tickets.into_iter();
        RoundMoved {
            round: self.round,
            tickets: tickets.filter(|ticket| changed.contains(&ticket.id)).collect(),
            events: self.events,
            audit,
        }
    }

    fn ticket_mut(&mut self, id: TicketId) -> Option<&mut Ticket> {
        self.tickets.iter_mut().find(|ticket| ticket.id == id)
    }

    fn move_live_items(&mut self, id: TicketId, to: TicketItemStatus) {
        if let Some(ticket) = self.ticket_mut(id) {
            ticket.move_live_items(to);
        }
        self.settle_ticket(id);
    }

    fn change_item(
        &mut self,
        id: TicketId,
        item: TicketItemId,
        change: impl FnOnce(&mut Ticket) -> Option<TicketItemStatus>,
    ) {
        if let Some(before) = self.ticket_mut(id).and_then(change) {
            self.announce_ticket(id, EventName::TicketItemChanged, Some((item, before)));
        }
    }

    /// Brings a ticket to where its lines say that it stands, step by step.
    fn settle_ticket(&mut self, id: TicketId) {
        while let Some(to) = self.ticket(id).and_then(Ticket::next_derived) {
            if !self.step_ticket(id, to) {
                break;
            }
        }
    }

    fn step_ticket(&mut self, id: TicketId, to: TicketStatus) -> bool {
        let stamp = self.stamp;
        let name = self.ticket_mut(id).and_then(|ticket| ticket.take(to, stamp));
        if let Some(name) = name {
            self.announce_ticket(id, name, None);
        }
        name.is_some()
    }

    /// The event tells where the round stands with the tickets as they are now, even though the round's own step
    /// follows later in the same transaction.
    fn announce_ticket(
        &mut self,
        id: TicketId,
        name: EventName,
        item: Option<(TicketItemId, TicketItemStatus)>,
    ) {
        let Some(ticket) = self.ticket(id).cloned().map(Box::new) else {
            return;
        };
        let round_status = round_standing(&self.round, &self.tickets);
        self.changed.insert(id);
        self.events.push(Event {
            name,
            body: EventBody::Ticket {
                ticket,
                round: Box::new(self.round.clone()),
                round_status,
                item,
            },
        });
    }
}
