//! The `AsyncAPI` 3 document and the schemas of events: everything from the catalogue (`events.md` 12).

mod frames;

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use comanda_domain::event::{AUDIENCE, EventName, View};
use comanda_infrastructure::events::catalogue::{envelope_schema, example, schema_address};
use comanda_infrastructure::events::render::envelope;
use serde_json::{Map, Value, json};

use crate::problem::{Code, Problem};
use crate::sockets;
use crate::state::State;

/// The epoch of the examples.
const EPOCH: &str = "5f3a9c01";

/// The document of `GET /asyncapi.json`.
#[get("/asyncapi.json")]
pub async fn asyncapi_json(state: web::Data<State>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(format!("{:#}", document(&state.public_url)))
}

/// The schema that `dataschema` of an event leads to.
#[get("/schemas/events/{file}")]
pub async fn event_schema(state: web::Data<State>, file: web::Path<String>) -> Result<HttpResponse, Problem> {
    let name = file.strip_suffix(".v1.json").and_then(EventName::parse);
    let name = name.ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok(HttpResponse::Ok()
        .content_type("application/schema+json")
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
        .body(format!("{:#}", envelope_schema(name, &state.public_url))))
}

/// The `AsyncAPI` document: one channel per view, `send` being what we tell and `receive` what we hear.
pub fn document(public_url: &str) -> Value {
    let (scheme, host) = public_url.split_once("://").unwrap_or(("http", public_url));
    let protocol = if scheme == "https" { "wss" } else { "ws" };
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Comanda events",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What happens in a branch, as each audience is told. The same envelopes travel over sockets, \
                server-sent events, lists and webhooks.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": { "here": { "host": host.trim_end_matches('/'), "protocol": protocol } },
        "channels": channels(),
        "operations": operations(),
        "components": {
            "messages": messages(public_url),
            "schemas": frames::schemas(),
            "securitySchemes": {
                "bearer": {
                    "type": "http", "scheme": "bearer",
                    "description": "In the first frame (`auth`), or as sub-protocol `bearer.<token>` beside \
                        `comanda.v1`; never in the address.",
                },
            },
        },
        "x-close-codes": close_codes(),
    })
}

fn close_codes() -> Value {
    let codes = sockets::codes()
        .into_iter()
        .map(|(code, (reasons, then))| json!({ "code": code, "reasons": reasons, "client": then }));
    codes.collect()
}

/// The names of the messages that are sent to a view.
fn told(view: View) -> impl Iterator<Item = &'static str> {
    let events = AUDIENCE.iter().filter(move |row| row.has_view(view));
    events.map(|row| row.name.as_str()).chain(
        frames::SENT
            .iter()
            .copied()
            .filter(move |op| frames::is_told(op, view)),
    )
}

fn heard(view: View) -> impl Iterator<Item = &'static str> {
    frames::HEARD
        .iter()
        .copied()
        .filter(move |op| frames::is_heard(op, view))
}

fn channels() -> Value {
    let channel = |view: &View| {
        let names = told(*view).map(str::to_owned).chain(heard(*view).map(hears));
        let messages: Map<String, Value> = names
            .map(|name| {
                let reference = json!({ "$ref": format!("#/components/messages/{name}") });
                (name, reference)
            })
            .collect();
        let channel = json!({
            "address": format!("/v1/ws/{view}"),
            "description": format!("Sub-protocol `{}`.", sockets::PROTOCOL),
            "messages": messages,
            "bindings": { "ws": { "method": "GET" } },
        });
        (view.to_string(), channel)
    };
    Value::Object(View::ALL.iter().map(channel).collect())
}

/// A frame of the client has a name of its own: `ping` is both heard and answered.
fn hears(op: &str) -> String {
    format!("client.{op}")
}

fn operations() -> Value {
    let operation = |view: &View, action: &str, names: Vec<String>| {
        let messages: Vec<Value> = names
            .iter()
            .map(|name| json!({ "$ref": format!("#/channels/{view}/messages/{name}") }))
            .collect();
        let operation = json!({
            "action": action,
            "channel": { "$ref": format!("#/channels/{view}") },
            "messages": messages,
            "security": [{ "$ref": "#/components/securitySchemes/bearer" }],
        });
        (format!("{action}.{view}"), operation)
    };
    let both = |view: &View| {
        [
            operation(view, "send", told(*view).map(str::to_owned).collect()),
            operation(view, "receive", heard(*view).map(hears).collect()),
        ]
    };
    Value::Object(View::ALL.iter().flat_map(both).collect())
}

fn messages(public_url: &str) -> Value {
    let events = AUDIENCE
        .iter()
        .map(|row| (row.name.to_string(), event_message(row.name, public_url)));
    let sent = frames::SENT
        .iter()
        .map(|op| ((*op).to_owned(), frame_message(op, op)));
    let heard = frames::HEARD.iter().map(|op| {
        let name = hears(op);
        let message = frame_message(op, &name);
        (name, message)
    });
    Value::Object(events.chain(sent).chain(heard).collect())
}

fn frame_message(op: &str, name: &str) -> Value {
    json!({
        "name": op,
        "payload": { "$ref": format!("#/components/schemas/{name}") },
    })
}

/// The frame that carries an event, with the schema of its envelope by reference.
fn event_message(name: EventName, public_url: &str) -> Value {
    let logged = example(name);
    let event = envelope(&logged, View::Admin, EPOCH, public_url).unwrap_or_default();
    let seq = logged.seq.unwrap_or_default();
    let branch = event.pointer("/data/branch_id").cloned().unwrap_or_default();
    json!({
        "name": name.as_str(),
        "title": name.event_type(),
        "contentType": "application/json",
        "payload": {
            "type": "object",
            "required": ["op", "branch_id", "seq", "prev", "event"],
            "properties": {
                "op": { "const": "event" },
                "branch_id": { "type": "string" },
                "seq": { "type": "integer" },
                "prev": { "type": "integer" },
                "event": { "$ref": schema_address(name, public_url) },
            },
        },
        "examples": [{
            "name": "admin",
            "payload": { "op": "event", "branch_id": branch, "seq": seq, "prev": seq - 1, "event": event },
        }],
    })
}
