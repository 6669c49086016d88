//! How a ticket takes a step: the only place that writes its status.

use crate::Timestamp;
use crate::actor::Stamp;
use crate::event::EventName;
use crate::ids::TicketItemId;
use crate::kitchen::{TICKET_TRANSITIONS, Ticket, TicketItem, TicketItemStatus, TicketStatus, ticket_status};
use crate::machine::row_between;

impl Ticket {
    /// Takes one row of the table: status, stamp and version. None, and no change, if there is no such row.
    ///
    /// A recall clears the `ready` stamp and leaves the time at which the work began.
    pub(crate) fn take(&mut self, to: TicketStatus, stamp: Stamp) -> Option<EventName> {
        let row = row_between(TICKET_TRANSITIONS, self.status, &to)?;
        let stamp = Some(stamp.no_earlier_than(self.last_at()));
        match to {
            TicketStatus::InProgress if self.status == TicketStatus::Ready => self.ready = None,
            TicketStatus::InProgress => self.in_progress = stamp,
            TicketStatus::Ready => self.ready = stamp,
            TicketStatus::Delivered => self.delivered = stamp,
            TicketStatus::Canceled => self.canceled = stamp,
            TicketStatus::Pending => return None,
        }
        self.status = to;
        self.version += 1;
        Some(row.event)
    }

    /// The next single step towards where its lines say that it stands.
    pub(crate) fn next_derived(&self) -> Option<TicketStatus> {
        use TicketStatus::{InProgress, Pending, Ready};
        match (self.status, ticket_status(self)) {
            (now, wanted) if now == wanted => None,
            (Pending, Ready) => Some(InProgress),
            (_, wanted) => Some(wanted),
        }
    }

    /// Moves every live line, which is part of a step of the whole ticket.
    pub(crate) fn move_live_items(&mut self, to: TicketItemStatus) {
        for item in self.items.iter_mut().filter(|item| item.is_live()) {
            item.status = to;
        }
    }

    /// Moves one line, which is a change of its own. Gives back where the line stood.
    pub(crate) fn move_item(&mut self, id: TicketItemId, to: TicketItemStatus) -> Option<TicketItemStatus> {
        let item = self.items.iter_mut().find(|item| item.id == id)?;
        self.version += 1;
        Some(std::mem::replace(&mut item.status, to))
    }

    /// Takes back part of one line, which is a change of its own. Gives back where the line stood.
    pub(crate) fn reduce_item(&mut self, id: TicketItemId, qty: i32) -> Option<TicketItemStatus> {
        let item = self.items.iter_mut().find(|item| item.id == id)?;
        self.version += 1;
        let before = item.status;
        item.reduce(qty);
        Some(before)
    }

    /// Takes back every line, which is part of canceling the whole ticket.
    pub(crate) fn reduce_all(&mut self) {
        for item in &mut self.items {
            item.reduce(item.live_qty());
        }
    }

    fn last_at(&self) -> Timestamp {
        [self.in_progress, self.ready, self.delivered, self.canceled]
            .into_iter()
            .flatten()
            .map(|stamp| stamp.at)
            .fold(self.created_at, Timestamp::max)
    }
}

impl TicketItem {
    /// A line is canceled exactly when nothing of it is left.
    fn reduce(&mut self, qty: i32) {
        self.canceled_qty += qty;
        if !self.is_live() {
            self.status = TicketItemStatus::Canceled;
        }
    }
}
