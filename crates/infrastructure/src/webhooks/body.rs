//! What receivers get: the envelope of the integration view, once made and the same at every attempt.

use comanda_domain::event::View;
use comanda_domain::ids::{BranchId, IdSource};
use comanda_domain::webhook::TEST_TYPE;
use comanda_domain::{Timestamp, ids::TenantId};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::rows::{DeliveryRow, PENDING};
use super::store::{Endpoint, webhook_id};
use crate::clock::Ids;
use crate::events::LoggedEvent;
use crate::events::render::envelope;
use crate::views;

/// A larger body leaves its data out.
const LARGEST: usize = 20_000;
/// Members of `data` that every event has; they stay.
const COMMON: [&str; 7] = [
    "seq",
    "actor",
    "aggregate",
    "branch_id",
    "session_id",
    "sector_id",
    "table",
];

/// What is taken from the attributes of an event.
#[derive(Deserialize)]
struct Attributes {
    traceparent: Option<String>,
}

/// What the bodies of a moment have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    /// The life of the log.
    pub(super) epoch: &'a str,
    /// How clients reach us.
    pub(super) public_url: &'a str,
    pub(super) now: Timestamp,
}

impl Frame<'_> {
    /// The delivery of an event to a receiver; none if integrations are not told of it.
    pub(super) fn delivery(
        &self,
        event: &LoggedEvent,
        endpoint: &Endpoint,
        ids: &mut Ids,
    ) -> Option<DeliveryRow> {
        let body = self.body(event)?;
        let attributes: Option<Attributes> = event.attributes.as_ref().and_then(|stored| stored.read().ok());
        Some(DeliveryRow {
            tenant_id: event.tenant_id,
            id: ids.uuid(),
            endpoint_id: endpoint.row.id,
            branch_id: event.branch_id?,
            event_id: event.event_id,
            event_type: event.type_.clone(),
            seq: event.seq,
            body,
            traceparent: attributes.and_then(|stored| stored.traceparent),
            ..self.blank()
        })
    }

    /// A delivery to try a receiver. It is of no event.
    pub(super) fn test(
        &self,
        tenant: TenantId,
        branch: BranchId,
        endpoint: &Endpoint,
        ids: &mut Ids,
    ) -> DeliveryRow {
        let event_id = ids.uuid();
        let webhook = comanda_domain::ids::WebhookId(endpoint.row.id).to_string();
        let time = views::time(self.now);
        let body = json!({
            "specversion": "1.0", "id": webhook_id(event_id), "type": TEST_TYPE,
            "source": format!("/tenants/{tenant}/branches/{branch}"), "subject": webhook,
            "time": time, "timestamp": time, "datacontenttype": "application/json",
            "data": { "branch_id": branch, "webhook_id": webhook },
        });
        DeliveryRow {
            tenant_id: tenant.0,
            id: ids.uuid(),
            endpoint_id: endpoint.row.id,
            branch_id: branch.0,
            event_id,
            event_type: TEST_TYPE.to_owned(),
            body: body.to_string(),
            ..self.blank()
        }
    }

    /// Due now, and nothing else.
    fn blank(&self) -> DeliveryRow {
        DeliveryRow {
            tenant_id: Uuid::nil(),
            id: Uuid::nil(),
            endpoint_id: Uuid::nil(),
            branch_id: Uuid::nil(),
            event_id: Uuid::nil(),
            event_type: String::new(),
            seq: None,
            body: String::new(),
            traceparent: None,
            attempt: 0,
            status: PENDING.to_owned(),
            response_code: None,
            next_attempt_at: Some(self.now),
            lease_owner: None,
            lease_until: None,
            fence: 0,
            created_at: self.now,
            settled_at: None,
        }
    }

    /// The text that is signed and sent.
    fn body(&self, event: &LoggedEvent) -> Option<String> {
        let mut envelope = envelope(event, View::Integration, self.epoch, self.public_url)?;
        let object = envelope.as_object_mut()?;
        let time = object.get("time").cloned().unwrap_or_default();
        object.insert("timestamp".to_owned(), time);
        let whole = envelope.to_string();
        if whole.len() <= LARGEST {
            return Some(whole);
        }
        let data = envelope.get_mut("data")?;
        *data = Value::Object(without_object(data, event));
        Some(envelope.to_string())
    }
}

/// The common members, and where the rest is.
fn without_object(data: &Value, event: &LoggedEvent) -> Map<String, Value> {
    let mut short: Map<String, Value> = COMMON
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), data.get(name)?.clone())))
        .collect();
    short.insert("omitted".to_owned(), true.into());
    if let (Some(branch), Some(seq)) = (event.branch_id, event.seq) {
        let href = format!(
            "/v1/events?branch_id={}&view=integration&after={}&limit=1",
            BranchId(branch),
            seq - 1
        );
        short.insert("href".to_owned(), href.into());
    }
    short
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::events::Document;

    fn event(words: usize) -> LoggedEvent {
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        LoggedEvent {
            tenant_id: Uuid::from_u128(1),
            branch_id: Some(Uuid::from_u128(2)),
            shard: 0,
            pos: 9,
            seq: Some(41),
            event_id: Uuid::from_u128(3),
            type_: "dev.comanda.round.served.v1".to_owned(),
            subject: "rnd".to_owned(),
            session_id: None,
            sector_id: None,
            attributes: None,
            data: Document::from(&json!({
                "actor": { "kind": "system", "id": null, "name": null },
                "aggregate": { "type": "round", "id": "rnd", "version": 2 },
                "branch_id": BranchId(Uuid::from_u128(2)), "session_id": null, "sector_id": null, "table": null,
                "round": { "notes": "x".repeat(words) },
            })),
            occurred_at: at,
            recorded_at: at,
        }
    }

    fn body(event: &LoggedEvent) -> Option<Value> {
        let now = event.occurred_at;
        let frame = Frame {
            epoch: "00000000",
            public_url: "http://localhost:8080",
            now,
        };
        frame.body(event).map(|text| serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn a_small_body_is_whole_and_has_its_timestamp() {
        let body = body(&event(10)).unwrap();
        assert_eq!(body["timestamp"], body["time"]);
        assert_eq!(body["data"]["omitted"], Value::Null);
    }

    #[test]
    fn a_large_body_says_where_the_rest_is() {
        let event = event(30_000);
        let body = body(&event).unwrap();
        assert!(body.to_string().len() < 2_000, "{body}");
        assert_eq!(body["data"]["omitted"], true);
        let branch = BranchId(Uuid::from_u128(2));
        let href = format!("/v1/events?branch_id={branch}&view=integration&after=40&limit=1");
        assert_eq!(body["data"]["href"], href);
        assert_eq!(
            body["data"]["aggregate"],
            event.data.read::<Value>().unwrap()["aggregate"]
        );
        assert_eq!(body["data"].get("round"), None);
    }

    #[test]
    fn what_integrations_are_not_told_has_no_body() {
        let hidden = LoggedEvent {
            type_: "dev.comanda.service_call.opened.v1".to_owned(),
            ..event(1)
        };
        assert!(body(&hidden).is_none());
    }
}
