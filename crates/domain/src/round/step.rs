//! How a round takes a step: the only place that writes its status.

use crate::Timestamp;
use crate::actor::Stamp;
use crate::event::EventName;
use crate::kitchen::{Ticket, round_standing};
use crate::machine::row_between;
use crate::round::{ROUND_TRANSITIONS, Round, RoundStatus};

impl Round {
    /// Takes one row of the table: status, stamp and version. None, and no change, if there is no such row.
    ///
    /// A recall clears the `ready` stamp and leaves the time at which cooking began.
    pub(crate) fn take(&mut self, to: RoundStatus, stamp: Stamp) -> Option<EventName> {
        let row = row_between(ROUND_TRANSITIONS, self.status, &to)?;
        let stamp = Some(stamp.no_earlier_than(self.last_at()));
        match to {
            RoundStatus::Confirmed => self.confirmed = stamp,
            RoundStatus::Submitted => self.submitted = stamp,
            RoundStatus::InKitchen if self.status == RoundStatus::Ready => self.ready = None,
            RoundStatus::InKitchen => self.in_kitchen = stamp,
            RoundStatus::Ready => self.ready = stamp,
            RoundStatus::Served => self.served = stamp,
            RoundStatus::Canceled => self.canceled = stamp,
            RoundStatus::Pending => return None,
        }
        self.status = to;
        self.version += 1;
        Some(row.event)
    }

    /// The next single step towards where its items and tickets say that it stands.
    pub(crate) fn next_derived(&self, tickets: &[Ticket]) -> Option<RoundStatus> {
        use RoundStatus::{InKitchen, Ready, Served, Submitted};
        match (self.status, round_standing(self, tickets)) {
            (now, wanted) if now == wanted => None,
            (Submitted, Ready | Served) => Some(InKitchen),
            (InKitchen, Served) => Some(Ready),
            (_, wanted) => Some(wanted),
        }
    }

    fn last_at(&self) -> Timestamp {
        let later = [
            self.confirmed,
            self.submitted,
            self.in_kitchen,
            self.ready,
            self.served,
            self.canceled,
        ];
        later
            .into_iter()
            .flatten()
            .map(|stamp| stamp.at)
            .fold(self.pending.at, Timestamp::max)
    }
}
