//! The JSON of sockets (`events.md` 7.2).

use comanda_domain::cursor::StreamCursor;
use comanda_domain::ids::{BranchId, ProductId};
use comanda_domain::menu::Station;
use comanda_infrastructure::gateway::Message;
use serde::Deserialize;
use serde_json::{Value, json};

use super::close::Close;
use super::wire::MAX_FRAME;

/// How long a client has to say who it is, in milliseconds.
pub const AUTH_WITHIN_MS: u64 = 5_000;
/// How often a client hears that it has been told everything, in milliseconds.
pub const HEARTBEAT_MS: u64 = 15_000;

/// What a client asks for.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Asked {
    /// Who it is, and what it wants to hear first.
    Auth {
        /// The token.
        token: String,
        /// Guests need not say it.
        branch_id: Option<BranchId>,
        /// What it has seen.
        after: Option<StreamCursor>,
    },
    /// A further branch; also the first one when the token came with the handshake.
    Subscribe {
        /// Guests need not say it.
        branch_id: Option<BranchId>,
        /// What it has seen.
        after: Option<StreamCursor>,
    },
    /// No more of a branch.
    Unsubscribe {
        /// Which.
        branch_id: BranchId,
    },
    /// What it shows.
    Filter {
        /// Of a kitchen screen; an empty list is all.
        stations: Option<Vec<Station>>,
        /// Of a waiter.
        sectors: Option<Sectors>,
    },
    /// What a guest is doing.
    Presence {
        /// `browsing`, `choosing` or `away`.
        state: Presence,
        /// What they look at.
        product_id: Option<ProductId>,
    },
    /// Is anybody there?
    Ping {
        /// Comes back as it is.
        #[serde(default)]
        n: Value,
    },
}

/// Which sectors a waiter wants to hear of.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sectors {
    /// Every one.
    All,
    /// Those that the rule of sectors gives.
    Mine,
}

/// What a guest is doing.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Reading the menu.
    Browsing,
    /// About to order something.
    Choosing,
    /// Elsewhere.
    Away,
}

impl Presence {
    /// As it travels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Browsing => "browsing",
            Self::Choosing => "choosing",
            Self::Away => "away",
        }
    }
}

const OPERATIONS: [&str; 6] = ["auth", "subscribe", "unsubscribe", "filter", "presence", "ping"];

impl Asked {
    /// Reads a message. Members that nobody knows are ignored.
    pub fn read(text: &[u8]) -> Result<Self, Close> {
        let value: Value = serde_json::from_slice(text).map_err(|_| Close::malformed("not JSON"))?;
        let op = value.get("op").and_then(Value::as_str);
        let op = op.ok_or_else(|| Close::malformed("an object with `op`, please"))?;
        if !OPERATIONS.contains(&op) {
            return Err(Close::unknown_op());
        }
        Self::deserialize(value).map_err(|error| Close::malformed(&error.to_string()))
    }

    /// What metrics call it.
    pub fn op(&self) -> &'static str {
        match self {
            Self::Auth { .. } => "auth",
            Self::Subscribe { .. } => "subscribe",
            Self::Unsubscribe { .. } => "unsubscribe",
            Self::Filter { .. } => "filter",
            Self::Presence { .. } => "presence",
            Self::Ping { .. } => "ping",
        }
    }
}

/// The first frame.
pub fn hello() -> Vec<u8> {
    frame(&json!({
        "op": "hello", "protocol": super::PROTOCOL, "auth_within_ms": AUTH_WITHIN_MS, "heartbeat_ms": HEARTBEAT_MS,
        "max_frame": MAX_FRAME,
    }))
}

/// The answer to a ping.
pub fn pong(n: &Value) -> Vec<u8> {
    frame(&json!({ "op": "pong", "n": n }))
}

/// A fresh token is needed.
pub fn expiring(in_ms: u64) -> Vec<u8> {
    frame(&json!({ "op": "expiring", "in_ms": in_ms }))
}

/// What is wrong.
pub fn error(problem: &Value) -> Vec<u8> {
    frame(&json!({ "op": "error", "problem": problem }))
}

/// What the gateway tells.
pub fn told(message: &Message) -> Vec<u8> {
    match message {
        Message::Event {
            branch,
            seq,
            prev,
            event,
        } => {
            let head = format!(r#"{{"op":"event","branch_id":"{branch}","seq":{seq},"prev":{prev},"event":"#);
            carrying(&head, &event.json)
        }
        Message::Signal(event) => carrying(r#"{"op":"signal","event":"#, &event.json),
        Message::Ready {
            branch,
            epoch,
            from,
            head,
            lost,
        } => {
            let mut ready = json!({
                "op": "ready", "branch_id": branch, "epoch": epoch, "from": from, "head": head,
                "recovered": lost.is_none(),
            });
            if let (Some(lost), Some(members)) = (lost, ready.as_object_mut()) {
                members.insert("reason".to_owned(), json!(lost.as_str()));
            }
            frame(&ready)
        }
        Message::Heartbeat { branch, head, epoch } => {
            frame(&json!({ "op": "heartbeat", "branch_id": branch, "head": head, "epoch": epoch }))
        }
        Message::Resync {
            branch,
            reason,
            head,
            epoch,
        } => frame(&json!({
            "op": "resync", "branch_id": branch, "reason": reason.as_str(), "head": head, "epoch": epoch,
        })),
        Message::Cover {
            branch,
            sector,
            covered,
        } => {
            let code = if *covered {
                "sector_covered"
            } else {
                "sector_uncovered"
            };
            frame(&json!({ "op": "notice", "code": code, "branch_id": branch, "sector_id": sector }))
        }
        Message::Reconnect { after } => {
            let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
            frame(&json!({ "op": "reconnect", "after_ms": after_ms }))
        }
    }
}

fn frame(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// An object that ends with an envelope which is encoded already.
fn carrying(head: &str, envelope: &[u8]) -> Vec<u8> {
    [head.as_bytes(), envelope, b"}"].concat()
}
