//! The object of an event, in the shape of `api.md` 3, and what the event's name adds to it.

use comanda_domain::Timestamp;
use comanda_domain::billing::{Check, Payment};
use comanda_domain::event::{AvailabilitySubject, Event, EventBody, RoundDetail};
use comanda_domain::ids::{TicketItemId, TypedId};
use comanda_domain::kitchen::{Ticket, TicketItemStatus};
use comanda_domain::round::{Round, RoundStatus};
use serde_json::{Map, Value, json};

use super::Place;
use crate::refusal::Refusal;
use crate::views;

/// The object of an event as it travels.
pub(super) struct Object {
    pub(super) kind: &'static str,
    pub(super) id: String,
    /// After the change.
    pub(super) version: i64,
    /// Its members in `data`.
    pub(super) members: Map<String, Value>,
}

impl Object {
    fn new(kind: &'static str, id: impl TypedId + ToString, version: i64, members: Value) -> Self {
        Self {
            kind,
            id: id.to_string(),
            version,
            members: members_of(members),
        }
    }

    fn with(mut self, more: Value) -> Self {
        self.members.extend(members_of(more));
        self
    }

    pub(super) fn of(event: &Event, place: &Place<'_>) -> Result<Self, Refusal> {
        let object = match &event.body {
            EventBody::Session {
                session,
                reason,
                check_id,
            } => {
                let view = place.session(session)?;
                let members = json!({ "session": view, "reason": reason, "check_id": check_id });
                Self::new("session", session.id, session.version, members)
            }
            EventBody::Table {
                table,
                status,
                previous_status,
            } => {
                let members = json!({
                    "status": status, "previous_status": previous_status,
                    "out_of_service_reason": table.out_of_service_reason,
                });
                Self::new("table", table.id, table.version, members)
            }
            EventBody::Diner(diner) => {
                let members = json!({ "diner": views::diner(diner) });
                Self::new("diner", diner.id, diner.version, members)
            }
            EventBody::Round { round, detail } => Self::round(round, detail, place),
            EventBody::Ticket {
                ticket,
                round,
                round_status,
                item,
            } => Self::ticket(ticket, round, *round_status, place).with(item_detail(*item)),
            EventBody::Call {
                call,
                waiting_seconds,
            } => {
                let view = views::call(call, place.table().as_ref(), place.people());
                let members = json!({ "call": view, "waiting_seconds": waiting_seconds });
                Self::new("service_call", call.id, call.version, members)
            }
            EventBody::Check { check, cause } => {
                let members = json!({ "check": place.totals(check)?, "cause": cause });
                Self::new("check", check.id, check.version, members)
            }
            EventBody::Payment {
                payment,
                check,
                surplus,
            } => Self::payment(payment, check, place)?.with(surplus_detail(*surplus, check)),
            EventBody::Availability {
                subject,
                available,
                unavailable_until,
                menu_version,
            } => Self::availability(*subject, *available, *unavailable_until, *menu_version),
        };
        Ok(object)
    }

    fn round(round: &Round, detail: &RoundDetail, place: &Place<'_>) -> Self {
        let table = place.table();
        let view = views::round(
            round,
            table.as_ref(),
            place.branch(),
            place.people(),
            &place.texts(),
        );
        Self::new("round", round.id, round.version, json!({ "round": view })).with(round_detail(detail))
    }

    fn ticket(ticket: &Ticket, round: &Round, round_status: RoundStatus, place: &Place<'_>) -> Self {
        let view = views::ticket(ticket, round, place.table().as_ref(), &place.texts());
        let members = json!({ "ticket": view, "round_status": round_status });
        Self::new("ticket", ticket.id, ticket.version, members)
    }

    fn payment(payment: &Payment, check: &Check, place: &Place<'_>) -> Result<Self, Refusal> {
        let members = json!({
            "payment": views::payment(payment, check.currency), "check": place.totals(check)?,
        });
        Ok(Self::new("payment", payment.id, payment.version, members))
    }

    /// A product and an option have no version of their own here: every switch raises that of the menu.
    fn availability(
        subject: AvailabilitySubject,
        available: bool,
        until: Option<Timestamp>,
        menu_version: i64,
    ) -> Self {
        let members = json!({
            "available": available, "unavailable_until": until.map(views::time), "menu_version": menu_version,
        });
        match subject {
            AvailabilitySubject::Product(id) => {
                Self::new("product", id, menu_version, members).with(json!({ "product_id": id }))
            }
            AvailabilitySubject::Option(id) => {
                Self::new("option", id, menu_version, members).with(json!({ "option_id": id }))
            }
        }
    }
}

fn members_of(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn item_detail(item: Option<(TicketItemId, TicketItemStatus)>) -> Value {
    item.map(|(id, previous)| json!({ "item_id": id, "previous_status": previous }))
        .unwrap_or_default()
}

fn surplus_detail(surplus: Option<i64>, check: &Check) -> Value {
    surplus
        .map(|surplus| json!({ "amount": views::money(surplus, check.currency), "reason": "nothing_due" }))
        .unwrap_or_default()
}

fn round_detail(detail: &RoundDetail) -> Value {
    match detail {
        RoundDetail::Plain => Value::Null,
        RoundDetail::Tickets(ids) => json!({ "ticket_ids": ids }),
        RoundDetail::Canceled {
            reason,
            previous_status,
        } => json!({ "reason": reason, "previous_status": previous_status }),
        RoundDetail::ItemVoided {
            item_id,
            voided_qty,
            remaining_qty,
            reason,
        } => json!({
            // No `ledger_amount`: what is on a check cannot be voided, so there is never one to tell.
            "item_id": item_id, "voided_qty": voided_qty, "remaining_qty": remaining_qty, "reason": reason,
        }),
    }
}
