//! Messages as server-sent events (`events.md` 8).

use bytes::{BufMut, BytesMut};
use comanda_domain::cursor::{Epoch, StreamCursor};
use comanda_infrastructure::gateway::Message;
use serde_json::Value;

use super::frames;

/// What a client does whose connection broke: it comes back after so many milliseconds.
const RETRY_MS: u64 = 2000;

/// The first line.
pub fn retry(out: &mut BytesMut) {
    out.put_slice(format!("retry: {RETRY_MS}\n\n").as_bytes());
}

/// A line that every client passes over.
pub fn comment(out: &mut BytesMut) {
    out.put_slice(b":\n\n");
}

/// A fresh token is needed.
pub fn expiring(out: &mut BytesMut, in_ms: u64) {
    put(out, None, "expiring", &frames::expiring(in_ms));
}

/// Why the stream ends.
pub fn error(out: &mut BytesMut, problem: &Value) {
    put(out, None, "error", problem.to_string().as_bytes());
}

/// What the gateway tells. `epoch` is that of the stream so far; a message that names one sets it.
pub fn told(out: &mut BytesMut, epoch: &mut Option<Epoch>, message: &Message) {
    match message {
        Message::Event { seq, event, .. } => {
            let id = epoch.map(|epoch| cursor(epoch, *seq));
            put(out, id, &format!("{}.v1", event.name), &event.json);
        }
        Message::Signal(event) => put(out, None, "signal", &event.json),
        Message::Ready {
            branch,
            epoch: now,
            head,
            lost: Some(reason),
            ..
        } => {
            let (branch, reason, head) = (*branch, *reason, *head);
            let resync = Message::Resync {
                branch,
                reason,
                head,
                epoch: *now,
            };
            told(out, epoch, &resync);
        }
        Message::Ready {
            epoch: now,
            from,
            lost: None,
            ..
        } => at(out, epoch, *now, *from, "ready", message),
        Message::Heartbeat { epoch: now, head, .. } => at(out, epoch, *now, *head, "heartbeat", message),
        Message::Resync { epoch: now, head, .. } => at(out, epoch, *now, *head, "resync", message),
        Message::Cover { .. } => put(out, None, "notice", &frames::told(message)),
        Message::Reconnect { after } => {
            out.put_slice(format!("retry: {}\n", after.as_millis()).as_bytes());
            put(out, None, "reconnect", &frames::told(message));
        }
    }
}

/// A message that says where the stream stands.
fn at(out: &mut BytesMut, epoch: &mut Option<Epoch>, now: Epoch, seq: u64, name: &str, message: &Message) {
    *epoch = Some(now);
    put(out, Some(cursor(now, seq)), name, &frames::told(message));
}

fn cursor(epoch: Epoch, seq: u64) -> StreamCursor {
    StreamCursor {
        epoch: Some(epoch),
        seq,
    }
}

/// JSON stands on one line: it has no line breaks of its own.
fn put(out: &mut BytesMut, id: Option<StreamCursor>, name: &str, json: &[u8]) {
    if let Some(id) = id {
        out.put_slice(format!("id: {id}\n").as_bytes());
    }
    out.put_slice(format!("event: {name}\ndata: ").as_bytes());
    out.put_slice(json);
    out.put_slice(b"\n\n");
}
