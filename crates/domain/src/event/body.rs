//! What an event carries: the object as it stands after the change, and what its name adds.

use crate::Timestamp;
use crate::billing::{Check, Payment};
use crate::diner::Diner;
use crate::event::EventName;
use crate::ids::{CheckId, ModifierOptionId, ProductId, RoundItemId, TicketId};
use crate::kitchen::Ticket;
use crate::round::{Round, RoundStatus};
use crate::service_call::ServiceCall;
use crate::session::{CloseReason, Session};
use crate::table::{Table, TableStatus};

/// One event: its name, and the object with what the name adds to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// What happened.
    pub name: EventName,
    /// To which object.
    pub body: EventBody,
}

/// The object of an event after the change, and the extra members of `events.md` 3.1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EventBody {
    /// `session.*`
    Session {
        /// The session.
        session: Box<Session>,
        /// On closing.
        reason: Option<CloseReason>,
        /// On closing, the check that was paid.
        check_id: Option<CheckId>,
    },
    /// `table.status_changed`
    Table {
        /// The table.
        table: Box<Table>,
        /// Now.
        status: TableStatus,
        /// Before.
        previous_status: TableStatus,
    },
    /// `diner.*`
    Diner(Box<Diner>),
    /// `round.*`
    Round {
        /// The round.
        round: Box<Round>,
        /// What the name adds.
        detail: RoundDetail,
    },
    /// `ticket.*`
    Ticket {
        /// The ticket.
        ticket: Box<Ticket>,
        /// Its round, which says what the lines are.
        round: Box<Round>,
        /// Where the round stands with the tickets as they are then.
        round_status: RoundStatus,
        /// On `ticket.item_changed`: the line and its status before.
        item: Option<(crate::ids::TicketItemId, crate::kitchen::TicketItemStatus)>,
    },
    /// `service_call.*`
    Call {
        /// The call.
        call: Box<ServiceCall>,
        /// How long the diner has been waiting.
        waiting_seconds: i64,
    },
    /// `check.*`
    Check {
        /// The check.
        check: Box<Check>,
        /// What led to it: an action name such as `payment` or `split`.
        cause: &'static str,
    },
    /// `payment.*`
    Payment {
        /// The payment.
        payment: Box<Payment>,
        /// The check's numbers after it.
        check: Box<Check>,
        /// On `payment.surplus`: how much.
        surplus: Option<i64>,
    },
    /// `product.availability_changed`
    Availability {
        /// Which product or option.
        subject: AvailabilitySubject,
        /// The switch.
        available: bool,
        /// When it comes back.
        unavailable_until: Option<Timestamp>,
        /// The menu's version now.
        menu_version: i64,
    },
}

/// What is sold out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AvailabilitySubject {
    /// A dish.
    Product(ProductId),
    /// An option.
    Option(ModifierOptionId),
}

/// Extra members of round events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RoundDetail {
    /// Nothing more.
    Plain,
    /// On submitting.
    Tickets(Vec<TicketId>),
    /// On canceling.
    Canceled {
        /// Why, if said.
        reason: Option<String>,
        /// Where the round stood.
        previous_status: RoundStatus,
    },
    /// On a void.
    ItemVoided {
        /// Which line.
        item_id: RoundItemId,
        /// How many were taken back now.
        voided_qty: i32,
        /// How many are left.
        remaining_qty: i32,
        /// Why.
        reason: String,
    },
}
