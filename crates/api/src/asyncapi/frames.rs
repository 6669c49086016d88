//! The frames besides events (`events.md` 7.2).

use comanda_domain::event::View;
use serde_json::{Map, Value, json};

use crate::sockets::{AUTH_WITHIN_MS, HEARTBEAT_MS, MAX_FRAME, PROTOCOL};

/// What we send.
pub const SENT: &[&str] = &[
    "hello",
    "ready",
    "signal",
    "heartbeat",
    "resync",
    "notice",
    "expiring",
    "error",
    "reconnect",
    "pong",
];

/// What clients send.
pub const HEARD: &[&str] = &["auth", "subscribe", "unsubscribe", "filter", "presence", "ping"];

/// Whether a view is sent this frame.
pub fn is_told(op: &str, view: View) -> bool {
    match op {
        "signal" => view == View::Diner,
        "notice" => matches!(view, View::Waiter | View::Admin),
        _ => true,
    }
}

/// Whether this frame means something on a view's socket.
pub fn is_heard(op: &str, view: View) -> bool {
    match op {
        "presence" => view == View::Diner,
        "filter" => matches!(view, View::Waiter | View::Kitchen),
        _ => true,
    }
}

/// The schema of each; a client's frame is called `client.` and its `op`.
pub fn schemas() -> Value {
    let sent = SENT.iter().map(|op| ((*op).to_owned(), frame(op, sent(op))));
    let heard = HEARD
        .iter()
        .map(|op| (format!("client.{op}"), frame(op, heard(op))));
    Value::Object(sent.chain(heard).collect())
}

/// Members and those of them that are required.
type Members = (Value, &'static [&'static str]);

fn frame(op: &str, (members, required): Members) -> Value {
    let mut properties = Map::from_iter([("op".to_owned(), json!({ "const": op }))]);
    if let Value::Object(members) = members {
        properties.extend(members);
    }
    let required: Vec<&str> = ["op"].iter().chain(required).copied().collect();
    json!({ "type": "object", "required": required, "properties": properties })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn number() -> Value {
    json!({ "type": "integer" })
}

fn sent(op: &str) -> Members {
    let epoch = || json!({ "type": "string", "pattern": "^[0-9a-f]{8}$" });
    let reason = || json!({ "enum": ["no_cursor", "too_old", "epoch_changed", "too_many"] });
    match op {
        "hello" => (
            json!({
                "protocol": { "const": PROTOCOL }, "auth_within_ms": { "const": AUTH_WITHIN_MS },
                "heartbeat_ms": { "const": HEARTBEAT_MS }, "max_frame": { "const": MAX_FRAME },
            }),
            &["protocol", "auth_within_ms", "heartbeat_ms", "max_frame"],
        ),
        "ready" => (
            json!({
                "branch_id": text(), "epoch": epoch(), "from": number(), "head": number(),
                "recovered": { "type": "boolean" }, "reason": reason(),
            }),
            &["branch_id", "epoch", "from", "head", "recovered"],
        ),
        "signal" => (json!({ "event": { "type": "object" } }), &["event"]),
        "heartbeat" => (
            json!({ "branch_id": text(), "head": number(), "epoch": epoch() }),
            &["branch_id", "head", "epoch"],
        ),
        "resync" => (
            json!({ "branch_id": text(), "reason": reason(), "head": number(), "epoch": epoch() }),
            &["branch_id", "reason", "head", "epoch"],
        ),
        "notice" => (
            json!({
                "code": { "enum": ["sector_uncovered", "sector_covered"] }, "branch_id": text(), "sector_id": text(),
            }),
            &["code", "branch_id", "sector_id"],
        ),
        "expiring" => (json!({ "in_ms": number() }), &["in_ms"]),
        "error" => (
            json!({ "problem": {
                "type": "object",
                "required": ["type", "title", "status", "code", "detail", "request_id", "retryable"],
            } }),
            &["problem"],
        ),
        "reconnect" => (json!({ "after_ms": number() }), &["after_ms"]),
        _ => (json!({ "n": {} }), &["n"]),
    }
}

fn heard(op: &str) -> Members {
    let after = || json!({ "type": ["integer", "string", "null"], "description": "a number or a cursor" });
    let branch = || json!({ "type": ["string", "null"], "description": "guests need not say it" });
    match op {
        "auth" => (
            json!({ "token": text(), "branch_id": branch(), "after": after() }),
            &["token"],
        ),
        "subscribe" => (json!({ "branch_id": branch(), "after": after() }), &[]),
        "unsubscribe" => (json!({ "branch_id": text() }), &["branch_id"]),
        "filter" => (
            json!({
                "stations": { "type": "array", "items": text() }, "sectors": { "enum": ["all", "mine"] },
            }),
            &[],
        ),
        "presence" => (
            json!({
                "state": { "enum": ["browsing", "choosing", "away"] },
                "product_id": { "type": ["string", "null"] },
            }),
            &["state"],
        ),
        _ => (json!({ "n": {} }), &[]),
    }
}
