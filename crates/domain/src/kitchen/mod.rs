//! The work of one station for one round.

mod facts;

pub use facts::{Ticket, TicketItem, TicketItemStatus, TicketStatus};
