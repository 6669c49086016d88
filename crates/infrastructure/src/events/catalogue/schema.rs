//! The JSON Schema of an event, one for all views: what a view leaves out may be null.

use comanda_domain::event::{EventName, View};
use serde_json::{Map, Value, json};

use super::examples::{common, shape};
use super::shape::Shape;

/// Where the schema of an event is found.
pub fn schema_address(name: EventName, public_url: &str) -> String {
    format!("{public_url}/schemas/events/{name}.v1.json")
}

/// The schema of an event's envelope (JSON Schema 2020-12).
pub fn envelope_schema(name: EventName, public_url: &str) -> Value {
    let Shape {
        properties,
        optional,
        mut definitions,
        ..
    } = shape(name);
    let Shape {
        properties: mut data,
        definitions: more,
        ..
    } = common(name);
    data.extend(properties);
    definitions.extend(more);
    let kitchen = name.audience().is_some_and(|row| row.has_view(View::Kitchen));
    loosen(&mut definitions, kitchen);
    let required: Vec<&String> = data
        .keys()
        .filter(|member| !optional.contains(member.as_str()))
        .collect();
    let data = json!({ "type": "object", "required": required, "properties": data });
    let definitions: Map<String, Value> = definitions.into_iter().collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": schema_address(name, public_url),
        "title": name.event_type(),
        "type": "object",
        "required": [
            "specversion", "id", "type", "source", "subject", "time", "datacontenttype", "dataschema", "sequence",
            "epoch", "data",
        ],
        "properties": attributes(name, public_url, &data),
        "$defs": definitions,
    })
}

fn attributes(name: EventName, public_url: &str, data: &Value) -> Value {
    json!({
        "specversion": { "const": "1.0" },
        "id": { "type": "string", "pattern": "^evt_[0-7][0-9a-hjkmnp-tv-z]{25}$" },
        "type": { "const": name.event_type() },
        "source": { "type": "string", "pattern": "^/tenants/tnt_[0-9a-z]{26}/branches/brn_[0-9a-z]{26}$" },
        "subject": { "type": "string" },
        "time": { "type": "string", "format": "date-time" },
        "datacontenttype": { "const": "application/json" },
        "dataschema": { "const": schema_address(name, public_url) },
        "sequence": { "type": "string", "pattern": "^[0-9]{20}$" },
        "epoch": { "type": "string", "pattern": "^[0-9a-f]{8}$" },
        "traceparent": { "type": "string" },
        "tracestate": { "type": "string" },
        "correlationid": { "type": "string" },
        "causationid": { "type": "string" },
        "data": data,
    })
}

/// What some view leaves out (`events.md` 4.1) is null there.
fn loosen(definitions: &mut std::collections::BTreeMap<String, Value>, kitchen: bool) {
    let mut or_null = |definition: &str, pointer: &str, kind: &str| {
        let schema = definitions.get_mut(definition);
        if let Some(schema) = schema.and_then(|schema| schema.pointer_mut(pointer)) {
            *schema = json!([kind, "null"]);
        }
    };
    or_null("DinerView", "/properties/name/type", "string");
    or_null("SessionView", "/properties/join_code/type", "string");
    if kitchen {
        or_null("MoneyView", "/type", "object");
    }
}
