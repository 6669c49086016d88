//! An event as it travels: one `CloudEvents` envelope per view, the same in every transport (`events.md` 2).

use comanda_domain::cursor::sequence_text;
use comanda_domain::event::{EventName, View};
use comanda_domain::ids::{BranchId, EventId, TenantId};
use serde_json::{Map, Value, json};

use super::catalogue::schema_address;
use super::redact::redact;
use super::{Document, LoggedEvent};
use crate::views;

/// The envelope in a view; nothing if the event is never shown there. `epoch` is that of the log it was read from,
/// `public_url` where its schema is found.
pub fn envelope(event: &LoggedEvent, view: View, epoch: &str, public_url: &str) -> Option<Value> {
    let name = EventName::of_type(&event.type_)?;
    let (branch, seq) = (event.branch_id?, event.seq?);
    if !name.audience()?.has_view(view) {
        return None;
    }
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| {
        members.insert(name.to_owned(), value);
    };
    put("specversion", json!("1.0"));
    put("id", json!(EventId(event.event_id)));
    put("type", json!(event.type_));
    put(
        "source",
        json!(source(TenantId(event.tenant_id), BranchId(branch))),
    );
    put("subject", json!(event.subject));
    put("time", json!(views::time(event.occurred_at)));
    put("datacontenttype", json!("application/json"));
    put("dataschema", json!(schema_address(name, public_url)));
    put("sequence", json!(sequence_text(u64::try_from(seq).ok()?)));
    put("epoch", json!(epoch));
    attributes(event, &mut put);
    put("data", data(event, view, seq));
    Some(Value::Object(members))
}

/// `/tenants/{tenant}/branches/{branch}`
pub(crate) fn source(tenant: TenantId, branch: BranchId) -> String {
    format!("/tenants/{tenant}/branches/{branch}")
}

/// Trace, request and cause, as far as they are known: an attribute of `CloudEvents` is never null.
fn attributes(event: &LoggedEvent, put: &mut impl FnMut(&str, Value)) {
    let stored = event
        .attributes
        .as_ref()
        .map(Document::read::<Map<String, Value>>);
    let Some(Ok(mut stored)) = stored else {
        return;
    };
    for name in ["traceparent", "tracestate", "correlationid", "causationid"] {
        if let Some(value) = stored.remove(name).filter(|value| !value.is_null()) {
            put(name, value);
        }
    }
}

fn data(event: &LoggedEvent, view: View, seq: i64) -> Value {
    let mut data = event.data.read::<Map<String, Value>>().unwrap_or_default();
    data.insert("seq".to_owned(), json!(seq));
    redact(view, &mut data);
    Value::Object(data)
}
