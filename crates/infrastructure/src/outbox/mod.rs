//! Staging of durable events, complete in themselves, in the transaction that causes them (`events.md` 5.1).

mod internal;
mod object;
mod place;
mod size;

use chrono::{DateTime, Utc};
use comanda_domain::Timestamp;
use comanda_domain::event::Event;
use comanda_domain::ids::{EventId, IdSource};
use comanda_security::hash::sha256;
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub use self::internal::Ended;
pub(crate) use self::internal::ended;
use self::object::Object;
pub use self::place::Place;
use self::size::require_fitting;
use crate::clock::Ids;
use crate::db::{Ask, Origin, row};
use crate::refusal::Refusal;
use crate::views;

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

/// The row of an event.
///
/// # Errors
/// [`Refusal::PayloadTooLarge`]: no transport would carry it. [`Refusal::Internal`]: the use case has not loaded what
/// the event tells, which is a defect.
pub(crate) fn stage(
    ask: &Ask,
    place: &Place<'_>,
    event: &Event,
    now: Timestamp,
    shards: u32,
    ids: &mut Ids,
) -> Result<OutboxRow, Refusal> {
    let id: EventId = ids.next();
    let branch = place.branch().id;
    let object = Object::of(event, place)?;
    let mut data = Map::new();
    data.insert(
        "actor".into(),
        json!(views::actor(ask.caller.kind, ask.caller.id, place.people())),
    );
    data.insert(
        "aggregate".into(),
        json!({ "type": object.kind, "id": object.id, "version": object.version }),
    );
    data.insert("branch_id".into(), json!(branch));
    data.insert("session_id".into(), json!(place.session_id()));
    data.insert("sector_id".into(), json!(place.sector_id()));
    data.insert("table".into(), json!(place.table()));
    data.extend(object.members);
    let data = Value::Object(data);
    let attributes = attributes(&ask.request_id, &ask.origin);
    require_fitting(&data, &attributes)?;
    Ok(OutboxRow {
        tenant_id: ask.tenant.0,
        branch_id: Some(branch.0),
        shard: shard(ask.tenant.0, branch.0, shards),
        event_id: id.0,
        type_: event.name.event_type(),
        subject: object.id,
        session_id: place.session_id().map(Uuid::from),
        sector_id: place.sector_id().map(Uuid::from),
        attributes: Some(attributes),
        data,
        occurred_at: now,
        numbered: true,
    })
}

/// What the envelope says about the event's cause; what is not known is absent.
fn attributes(request_id: &str, origin: &Origin) -> Value {
    let cause = origin.event.map(|id| id.to_string());
    let known = [
        ("correlationid", Some(request_id)),
        ("causationid", cause.as_deref()),
        ("traceparent", origin.traceparent.as_deref()),
        ("tracestate", origin.tracestate.as_deref()),
    ];
    let known = known
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), json!(value?))));
    Value::Object(known.collect())
}

/// The fixed partition of a branch's stream: the first eight bytes of SHA-256(tenant ‖ branch), modulo `shards`.
pub(crate) fn shard(tenant: Uuid, branch: Uuid, shards: u32) -> i32 {
    let digest = sha256(&[tenant.as_bytes(), branch.as_bytes()]);
    let mut first = [0; 8];
    first.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    let number = u64::from_be_bytes(first) % u64::from(shards.max(1));
    i32::try_from(number).unwrap_or(0)
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

    #[test]
    fn attributes_tell_only_what_is_known() {
        assert_eq!(
            attributes("req_1", &Origin::default()),
            json!({ "correlationid": "req_1" })
        );
        let cause = EventId(Uuid::from_u128(7));
        let origin = Origin {
            traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
            tracestate: Some("vendor=1".to_owned()),
            event: Some(cause),
        };
        assert_eq!(
            attributes("req_1", &origin),
            json!({
                "correlationid": "req_1", "causationid": cause.to_string(), "tracestate": "vendor=1",
                "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            })
        );
    }
}
