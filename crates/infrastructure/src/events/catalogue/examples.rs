//! An event of each name, as the log keeps it.

use chrono::DateTime;
use comanda_domain::Timestamp;
use comanda_domain::event::EventName;
use comanda_domain::ids::{ApiKeyId, WebhookId};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::evening::{
    self, ANA, BRANCH, CHECK, ITEM, LEO, MARTA, OTHER_TABLE, PAYMENT, SECTOR, SESSION, STEAK, TABLE, TENANT,
    TERRACE, TICKET, TICKET_ITEM, at, person, pesos, table, uuid,
};
use super::shape::Shape;
use crate::events::{Document, LoggedEvent};
use crate::views::{TableRef, time};

/// An object and its version after the change.
#[derive(serde::Serialize, ToSchema)]
struct Aggregate {
    /// What it is.
    r#type: String,
    /// Its id.
    id: String,
    /// Its version.
    version: i64,
}

/// An event of this name, as the log keeps it: always the same.
pub fn example(name: EventName) -> LoggedEvent {
    let mut data = common(name).example;
    data.extend(shape(name).example);
    data.remove("seq");
    let session = in_a_visit(name);
    let number = number(name);
    LoggedEvent {
        tenant_id: TENANT.0,
        branch_id: Some(BRANCH.0),
        shard: 0,
        pos: number,
        seq: Some(number),
        event_id: uuid(1000 + u128::from(number.unsigned_abs())),
        type_: name.event_type(),
        subject: subject(name).1,
        session_id: session.then_some(SESSION.0),
        sector_id: at_a_table(name).then_some(SECTOR.0),
        attributes: Some(Document::from(&json!({
            "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "correlationid": "req_01m87xbcs8efvvvx9qrhkj8e9c",
        }))),
        data: Document::from(&Value::Object(data)),
        occurred_at: instant(),
        recorded_at: instant(),
    }
}

/// The place of a name in the catalogue, as its number.
fn number(name: EventName) -> i64 {
    let before = EventName::ALL.iter().take_while(|known| **known != name).count();
    i64::try_from(before).unwrap_or(0) + 1
}

fn instant() -> Timestamp {
    DateTime::from_timestamp(1_795_561_993, 0).unwrap_or_default()
}

fn at_a_table(name: EventName) -> bool {
    in_a_visit(name) || name == EventName::TableStatusChanged
}

fn in_a_visit(name: EventName) -> bool {
    let families = [
        "session",
        "diner",
        "round",
        "ticket",
        "service_call",
        "check",
        "payment",
    ];
    families.contains(&name.family()) && name != EventName::PaymentUnmatched
}

/// What the event is about: its kind and id.
fn subject(name: EventName) -> (&'static str, String) {
    let id_of = |view: &Value| {
        view.get("id")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let object = |member: &str| shape(name).example.get(member).map(id_of).unwrap_or_default();
    match name.family() {
        "session" => ("session", SESSION.to_string()),
        "table" => ("table", TABLE.to_string()),
        "diner" => ("diner", ANA.to_string()),
        "round" => ("round", object("round")),
        "ticket" => ("ticket", object("ticket")),
        "service_call" => ("service_call", object("call")),
        "check" => ("check", CHECK.to_string()),
        "payment" if name == EventName::PaymentUnmatched => {
            ("unmatched_payment", object("unmatched_payment"))
        }
        "payment" => ("payment", PAYMENT.to_string()),
        "product" => ("product", STEAK.to_string()),
        "menu" => ("menu", BRANCH.to_string()),
        "api_key" => ("api_key", ApiKeyId(uuid(30)).to_string()),
        "webhook" => ("webhook", WebhookId(uuid(31)).to_string()),
        _ => ("user", LEO.to_string()),
    }
}

/// The members of every event's data.
pub(super) fn common(name: EventName) -> Shape {
    let (kind, id) = subject(name);
    let aggregate = Aggregate {
        r#type: kind.to_owned(),
        id,
        version: 3,
    };
    let (session, place) = (in_a_visit(name), at_a_table(name));
    let table = place.then(table);
    Shape::default()
        .number("seq", number(name))
        .object("actor", &evening::actor(name))
        .object("aggregate", &aggregate)
        .text("branch_id", BRANCH)
        .maybe_text("session_id", session.then(|| SESSION.to_string()).as_deref())
        .maybe_text("sector_id", place.then(|| SECTOR.to_string()).as_deref())
        .maybe_object::<TableRef>("table", table.as_ref())
}

/// The further members of a name (`events.md` 3.1).
pub(super) fn shape(name: EventName) -> Shape {
    match name.family() {
        "session" => session(name),
        "table" => Shape::default()
            .text("status", "open")
            .text("previous_status", "free")
            .maybe_text("out_of_service_reason", None),
        "diner" => Shape::default().object("diner", &evening::ana()),
        "round" => round(name),
        "ticket" => ticket(name),
        "service_call" => Shape::default()
            .object("call", &evening::call(name))
            .number("waiting_seconds", 42),
        "check" => Shape::default()
            .object("check", &evening::check(name))
            .text("cause", "payment"),
        "payment" => payment(name),
        _ => house(name),
    }
}

fn session(name: EventName) -> Shape {
    let shape = Shape::default().object("session", &evening::session(name));
    match name {
        EventName::SessionMoved => shape
            .object("from_table", &TableRef::new(OTHER_TABLE, "TER-03"))
            .object("to_table", &table())
            .text("from_sector_id", TERRACE)
            .text("to_sector_id", SECTOR),
        EventName::SessionWaiterChanged => shape
            .maybe_object("from_user", Some(&person(MARTA, "Marta")))
            .maybe_object("to_user", Some(&person(LEO, "Leo"))),
        EventName::SessionPhonesRevoked => shape,
        EventName::SessionFlaggedIdle => shape.number("idle_minutes", 90),
        _ => {
            let closed = name == EventName::SessionClosed;
            shape
                .maybe_text("reason", closed.then_some("paid"))
                .maybe_text("check_id", closed.then(|| CHECK.to_string()).as_deref())
        }
    }
}

fn round(name: EventName) -> Shape {
    let shape = Shape::default().object("round", &evening::round(name));
    match name {
        EventName::RoundSubmitted => shape.texts("ticket_ids", &[TICKET.to_string()]),
        EventName::RoundCanceled => shape
            .maybe_text("reason", Some("se van"))
            .text("previous_status", "submitted"),
        EventName::RoundItemVoided => shape
            .text("item_id", ITEM)
            .number("voided_qty", 1)
            .number("remaining_qty", 1)
            .maybe_text("reason", Some("se cayó")),
        _ => shape,
    }
}

fn ticket(name: EventName) -> Shape {
    let round = match name {
        EventName::TicketCreated => "submitted",
        EventName::TicketReady => "ready",
        EventName::TicketDelivered => "served",
        EventName::TicketCanceled => "canceled",
        _ => "in_kitchen",
    };
    let shape = Shape::default()
        .object("ticket", &evening::ticket(name))
        .text("round_status", round);
    if name == EventName::TicketItemChanged {
        return shape
            .text("item_id", TICKET_ITEM)
            .text("previous_status", "pending");
    }
    shape
}

fn payment(name: EventName) -> Shape {
    if name == EventName::PaymentUnmatched {
        let unmatched = json!({
            "id": "unm_01jdg000007r00400000000032", "provider": "sandbox", "reference": "sandbox-20931",
            "amount": pesos(1_970_000), "created_at": at(48),
        });
        return Shape::default()
            .open_object("unmatched_payment", unmatched)
            .object("amount", &pesos(1_970_000))
            .text("reason", "unknown_reference");
    }
    let shape = Shape::default()
        .object("payment", &evening::payment(name))
        .object("check", &evening::check(name));
    let refund = || {
        json!({
            "id": "rfd_01jdg000007r00400000000033", "amount": pesos(1_970_000), "tip": pesos(0),
            "reason": "plato frío", "provider_reference": "sandbox-20931-r", "created_at": at(52),
        })
    };
    match name {
        EventName::PaymentRefunded | EventName::PaymentChargedBack | EventName::PaymentRefundFailed => {
            shape.open_object("refund", refund())
        }
        EventName::PaymentSurplus => shape
            .object("amount", &pesos(1_970_000))
            .text("reason", "nothing_due"),
        _ => shape,
    }
}

/// What concerns the house, not a table.
fn house(name: EventName) -> Shape {
    let shape = Shape::default();
    match name {
        EventName::ProductAvailabilityChanged => shape
            .flag("available", false)
            .maybe_text("unavailable_until", Some(&at(59)))
            .number("menu_version", 13)
            // One of the two.
            .text("product_id", STEAK)
            .optional("product_id")
            .other_text("option_id"),
        EventName::MenuChanged => shape
            .number("menu_version", 13)
            .texts("changed", &["product".to_owned(), "price".to_owned()]),
        EventName::AssignmentChanged => shape
            .text("business_date", "2026-11-24")
            .text("user_id", LEO)
            .texts("sector_ids", &[SECTOR.to_string(), TERRACE.to_string()]),
        EventName::GrantChanged => shape
            .text("user_id", LEO)
            .texts("roles", &["waiter".to_owned(), "kitchen".to_owned()]),
        EventName::ApiKeyExpiring => shape
            .text("key_id", ApiKeyId(uuid(30)))
            .text("name", "Till")
            .text("expires_at", time(instant()).as_str()),
        EventName::WebhookDisabled => shape
            .text("webhook_id", WebhookId(uuid(31)))
            .text("reason", "gone"),
        _ => shape,
    }
}
