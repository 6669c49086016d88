//! Staging of durable events, complete in themselves, in the transaction that causes them (`events.md` 5.1).

use chrono::{DateTime, Utc};
use comanda_domain::Timestamp;
use comanda_domain::billing::{Check, Ledger};
use comanda_domain::branch::Branch;
use comanda_domain::event::{AvailabilitySubject, Event, EventBody, RoundDetail};
use comanda_domain::ids::{EventId, IdSource, SectorId, SessionId, TypedId};
use comanda_security::hash::sha256;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::clock::Ids;
use crate::db::{Ask, row};
use crate::people::People;
use crate::views::{self, Texts};

row! {
    /// A staged event; `stage_id` is given by the database.
    OutboxRow = outbox_stage, key (tenant_id, event_id) {
        tenant_id: Uuid,
        branch_id: Option<Uuid>,
        shard: i32,
        event_id: Uuid,
        #[serde(rename = "type")]
        #[diesel(column_name = type_)]
        type_: String,
        subject: String,
        session_id: Option<Uuid>,
        sector_id: Option<Uuid>,
        attributes: Option<Value>,
        data: Value,
        occurred_at: DateTime<Utc>,
        numbered: bool,
    }
}

/// Where an event happened, and the names that its texts need.
pub struct Place<'a> {
    /// The branch.
    pub branch: &'a Branch,
    /// The visit, if one is concerned.
    pub session_id: Option<SessionId>,
    /// The sector of its table.
    pub sector_id: Option<SectorId>,
    /// The table.
    pub table: Option<views::TableRef>,
    /// Names of people.
    pub people: &'a People,
    /// The ledger of the check concerned, as it is after the operation. Events of checks and payments need it for
    /// what is reserved, the tips and the open shares.
    pub ledger: Option<&'a Ledger>,
}

impl<'a> Place<'a> {
    /// Also with the ledger of the check concerned.
    #[must_use]
    pub fn with_ledger(self, ledger: &'a Ledger) -> Self {
        Self {
            ledger: Some(ledger),
            ..self
        }
    }

    fn totals(&self, check: &Check) -> views::CheckTotalsView {
        match self.ledger {
            Some(ledger) => views::check_totals(check, ledger),
            None => views::check_totals(check, &Ledger::default()),
        }
    }
}

/// The row of an event.
pub(crate) fn stage(
    ask: &Ask,
    place: &Place<'_>,
    event: &Event,
    now: Timestamp,
    shards: u32,
    ids: &mut Ids,
) -> OutboxRow {
    let id: EventId = ids.next();
    let object = Object::of(event, place);
    let mut data = Map::new();
    data.insert(
        "actor".into(),
        json!(views::actor(ask.caller.kind, ask.caller.id, place.people)),
    );
    data.insert(
        "aggregate".into(),
        json!({ "type": object.kind, "id": object.id, "version": object.version }),
    );
    data.insert("branch_id".into(), json!(place.branch.id));
    data.insert("session_id".into(), json!(place.session_id));
    data.insert("sector_id".into(), json!(place.sector_id));
    data.insert("table".into(), json!(place.table));
    data.extend(object.members);
    OutboxRow {
        tenant_id: ask.tenant.0,
        branch_id: Some(place.branch.id.0),
        shard: shard(ask.tenant.0, place.branch.id.0, shards),
        event_id: id.0,
        type_: event.name.event_type(),
        subject: object.id,
        session_id: place.session_id.map(Uuid::from),
        sector_id: place.sector_id.map(Uuid::from),
        attributes: Some(json!({ "correlationid": ask.request_id, "traceparent": ask.traceparent })),
        data: Value::Object(data),
        occurred_at: now,
        numbered: true,
    }
}

/// The fixed partition of a branch's stream: the first eight bytes of SHA-256(tenant ‖ branch), modulo `shards`.
pub(crate) fn shard(tenant: Uuid, branch: Uuid, shards: u32) -> i32 {
    let digest = sha256(&[tenant.as_bytes(), branch.as_bytes()]);
    let mut first = [0; 8];
    first.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    let number = u64::from_be_bytes(first) % u64::from(shards.max(1));
    i32::try_from(number).unwrap_or(0)
}

/// The object of an event as it travels.
struct Object {
    kind: &'static str,
    id: String,
    version: i64,
    members: Map<String, Value>,
}

impl Object {
    fn new(kind: &'static str, id: impl TypedId + ToString, version: i64, members: Value) -> Self {
        let members = match members {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        Self {
            kind,
            id: id.to_string(),
            version,
            members,
        }
    }

    fn of(event: &Event, place: &Place<'_>) -> Self {
        let texts = Texts::of_branch(place.branch);
        let table = place.table.as_ref();
        match &event.body {
            EventBody::Session {
                session,
                reason,
                check_id,
            } => Self::new(
                "session",
                session.id,
                session.version,
                json!({
                    "session": views::session_summary(session, table, place.people),
                    "reason": reason,
                    "check_id": check_id,
                }),
            ),
            EventBody::Table {
                table_id,
                status,
                previous_status,
            } => Self::new(
                "table",
                *table_id,
                0,
                json!({ "status": status, "previous_status": previous_status, "out_of_service_reason": null }),
            ),
            EventBody::Diner(diner) => Self::new(
                "diner",
                diner.id,
                diner.version,
                json!({ "diner": views::diner(diner) }),
            ),
            EventBody::Round { round, detail } => {
                let view = views::round(round, table, place.branch, place.people, &texts);
                let mut object = Self::new("round", round.id, round.version, json!({ "round": view }));
                object.members.extend(round_detail(detail));
                object
            }
            EventBody::Ticket {
                ticket,
                round_status,
                item,
            } => {
                let mut object = Self::new(
                    "ticket",
                    ticket.id,
                    ticket.version,
                    json!({ "ticket": views::ticket_event(ticket, table), "round_status": round_status }),
                );
                if let Some((item_id, previous)) = item {
                    object.members.insert("item_id".into(), json!(item_id));
                    object.members.insert("previous_status".into(), json!(previous));
                }
                object
            }
            EventBody::Call {
                call,
                waiting_seconds,
            } => Self::new(
                "service_call",
                call.id,
                call.version,
                json!({ "call": views::call(call, table, place.people), "waiting_seconds": waiting_seconds }),
            ),
            EventBody::Check { check, cause } => Self::new(
                "check",
                check.id,
                check.version,
                json!({ "check": place.totals(check), "cause": cause }),
            ),
            EventBody::Payment {
                payment,
                check,
                surplus,
            } => {
                let mut object = Self::new(
                    "payment",
                    payment.id,
                    payment.version,
                    json!({
                        "payment": views::payment(payment, check.currency),
                        "check": place.totals(check),
                    }),
                );
                if let Some(surplus) = surplus {
                    object
                        .members
                        .insert("amount".into(), json!(views::money(*surplus, check.currency)));
                    object.members.insert("reason".into(), json!("nothing_due"));
                }
                object
            }
            EventBody::Availability {
                subject,
                available,
                unavailable_until,
                menu_version,
            } => {
                let rest = |key: &str, id: String| {
                    json!({
                        key: id, "available": available, "menu_version": menu_version,
                        "unavailable_until": unavailable_until.map(views::time),
                    })
                };
                match subject {
                    AvailabilitySubject::Product(id) => {
                        Self::new("product", *id, *menu_version, rest("product_id", id.to_string()))
                    }
                    AvailabilitySubject::Option(id) => {
                        Self::new("option", *id, *menu_version, rest("option_id", id.to_string()))
                    }
                }
            }
        }
    }
}

fn round_detail(detail: &RoundDetail) -> Map<String, Value> {
    let value = match detail {
        RoundDetail::Plain => Value::Null,
        RoundDetail::Tickets(ids) => json!({ "ticket_ids": ids }),
        RoundDetail::Canceled {
            reason,
            previous_status,
        } => {
            json!({ "reason": reason, "previous_status": previous_status })
        }
        RoundDetail::ItemVoided {
            item_id,
            voided_qty,
            remaining_qty,
            reason,
        } => json!({
            "item_id": item_id, "voided_qty": voided_qty, "remaining_qty": remaining_qty, "reason": reason,
        }),
    };
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_always_has_the_same_shard() {
        let (tenant, branch) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(shard(tenant, branch, 16), shard(tenant, branch, 16));
        assert!((0..16).contains(&shard(tenant, branch, 16)));
    }
}
