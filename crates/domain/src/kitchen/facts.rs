//! What a ticket is.

use crate::Timestamp;
use crate::actor::Stamp;
use crate::enums::text_enum;
use crate::ids::{BranchId, RoundId, RoundItemId, TicketId, TicketItemId};
use crate::menu::Station;

text_enum! {
    /// Where the work of a station stands. Derived from the items and stored for indexing.
    TicketStatus {
        /// Not begun.
        Pending = "pending",
        /// Begun.
        InProgress = "in_progress",
        /// Every live item is ready.
        Ready = "ready",
        /// Handed over. Terminal.
        Delivered = "delivered",
        /// Nothing left to make. Terminal.
        Canceled = "canceled",
    }
}

text_enum! {
    /// Where one line of the work stands.
    TicketItemStatus {
        /// Not begun.
        Pending = "pending",
        /// Begun.
        InProgress = "in_progress",
        /// Made.
        Ready = "ready",
        /// Nothing left of it. Terminal.
        Canceled = "canceled",
    }
}

/// The work of one station for one round, with its lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ticket {
    /// The ticket.
    pub id: TicketId,
    /// The branch.
    pub branch_id: BranchId,
    /// The round.
    pub round_id: RoundId,
    /// The station.
    pub station: Station,
    /// Where it stands.
    pub status: TicketStatus,
    /// When it reached the station.
    pub created_at: Timestamp,
    /// Begun.
    pub in_progress: Option<Stamp>,
    /// Made.
    pub ready: Option<Stamp>,
    /// Handed over.
    pub delivered: Option<Stamp>,
    /// Canceled.
    pub canceled: Option<Stamp>,
    /// Rises by one with each update.
    pub version: i64,
    /// Its lines, in order of the round's lines.
    pub items: Vec<TicketItem>,
}

/// One line of the work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TicketItem {
    /// The line.
    pub id: TicketItemId,
    /// The round item.
    pub round_item_id: RoundItemId,
    /// How many at submission.
    pub qty: i32,
    /// How many were taken back since.
    pub canceled_qty: i32,
    /// Where it stands.
    pub status: TicketItemStatus,
}

impl TicketItem {
    /// What is still to be made or has been made.
    pub fn live_qty(&self) -> i32 {
        self.qty - self.canceled_qty
    }

    /// Whether anything of it is left.
    pub fn is_live(&self) -> bool {
        self.live_qty() > 0
    }
}
