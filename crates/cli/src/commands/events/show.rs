//! One event, on one line.

use serde_json::Value;

use crate::columns::{self, Side};

const COLUMNS: [(Side, usize); 5] = [
    (Side::Left, 24),
    (Side::Right, 7),
    (Side::Left, 28),
    (Side::Left, 30),
    (Side::Left, 12),
];

/// The names of the columns.
pub(super) fn head() -> String {
    columns::line(&COLUMNS, &["TIME", "SEQ", "TYPE", "SUBJECT", "ACTOR"])
}

/// An envelope as columns.
pub(super) fn line(event: &Value) -> String {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let seq = event
        .pointer("/data/seq")
        .and_then(Value::as_u64)
        .map(|seq| seq.to_string())
        .unwrap_or_default();
    let name = text("/type");
    let name = name.strip_prefix("dev.comanda.").unwrap_or(name);
    let actor = match text("/data/actor/name") {
        "" => text("/data/actor/kind"),
        name => name,
    };
    columns::line(&COLUMNS, &[text("/time"), &seq, name, text("/subject"), actor])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let mut event = json!({
            "type": "dev.comanda.round.pending.v1", "subject": "rnd_1", "time": "2026-11-24T23:13:13.000Z",
            "data": { "seq": 42, "actor": { "kind": "diner", "id": "din_1", "name": "Ana" } },
        });
        let cells =
            |event: &Value| -> Vec<String> { line(event).split_whitespace().map(str::to_owned).collect() };
        assert_eq!(
            cells(&event),
            [
                "2026-11-24T23:13:13.000Z",
                "42",
                "round.pending.v1",
                "rnd_1",
                "Ana"
            ]
        );
        event["data"]["actor"]["name"] = Value::Null;
        assert_eq!(cells(&event)[4], "diner");
        assert_eq!(head().split_whitespace().count(), cells(&event).len());
    }
}
