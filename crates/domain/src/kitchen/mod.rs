//! The work of one station for one round.

mod facts;
mod moves;
mod status;
mod step;

pub use facts::{Ticket, TicketItem, TicketItemStatus, TicketStatus};
pub use moves::{ItemAction, MoveTicketError, TicketAction, TicketCommand, move_ticket};
pub use status::{ITEM_TRANSITIONS, TICKET_TRANSITIONS, round_standing, round_status, ticket_status};
