//! What each view leaves out of an event's data (`events.md` 4.1).
//!
//! A member that is left out stays, as null: receivers of every view read the same shape.

use comanda_domain::event::View;
use serde_json::{Map, Value};

/// Takes out of `data` what this view may not see.
pub(super) fn redact(view: View, data: &mut Map<String, Value>) {
    let hidden = Hidden::from(view);
    if hidden.names {
        hide_guests_name(data.get_mut("diner"));
    }
    if hidden.provider_references {
        hide_members(data.get_mut("payment"), &["reference", "checkout_url"]);
        hide_members(data.get_mut("refund"), &["provider_reference"]);
    }
    if hidden.join_code {
        hide_members(data.get_mut("session"), &["join_code"]);
    }
    data.values_mut().for_each(|value| hidden.walk(value));
}

/// What a view hides wherever it stands.
#[derive(Clone, Copy)]
struct Hidden {
    money: bool,
    names: bool,
    provider_references: bool,
    join_code: bool,
}

impl From<View> for Hidden {
    fn from(view: View) -> Self {
        Self {
            money: view == View::Kitchen,
            names: matches!(view, View::Kitchen | View::Integration),
            provider_references: matches!(view, View::Waiter | View::Kitchen | View::Diner),
            join_code: matches!(view, View::Kitchen | View::Diner | View::Integration),
        }
    }
}

impl Hidden {
    /// Amounts and guests stand deep inside: in items, steps, shares, and wherever somebody acted.
    fn walk(self, value: &mut Value) {
        match value {
            Value::Object(members) if self.money && is_money(members) => *value = Value::Null,
            Value::Object(members) => {
                if self.names && is_guest(members) {
                    hide(members, "name");
                }
                for (key, member) in members {
                    match member {
                        Value::Array(guests) if self.names && key == "diners" => {
                            for guest in guests {
                                hide_guests_name(Some(guest));
                            }
                        }
                        _ => self.walk(member),
                    }
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.walk(value)),
            _ => {}
        }
    }
}

/// `{amount, currency}`, as every amount travels.
fn is_money(members: &Map<String, Value>) -> bool {
    members.len() == 2 && members.contains_key("amount") && members.contains_key("currency")
}

/// An actor that is a guest.
fn is_guest(members: &Map<String, Value>) -> bool {
    members.get("kind").and_then(Value::as_str) == Some("diner")
}

fn hide_guests_name(guest: Option<&mut Value>) {
    hide_members(guest, &["name"]);
}

#[expect(clippy::needless_pass_by_value, reason = "what `get_mut` gives")]
fn hide_members(object: Option<&mut Value>, names: &[&str]) {
    let Some(Value::Object(members)) = object else {
        return;
    };
    for name in names {
        hide(members, name);
    }
}

fn hide(members: &mut Map<String, Value>, name: &str) {
    if let Some(member) = members.get_mut(name) {
        *member = Value::Null;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn seen(view: View, data: &Value) -> Value {
        let mut members = data.as_object().cloned().unwrap();
        redact(view, &mut members);
        Value::Object(members)
    }

    #[test]
    fn the_kitchen_sees_neither_money_nor_guests_wherever_they_stand() {
        let data = json!({
            "actor": { "kind": "diner", "id": "din_1", "name": "CANARY" },
            "session": { "join_code": "CANARY", "diners": [{ "id": "din_1", "name": "CANARY" }] },
            "round": {
                "total": { "amount": 777_777, "currency": "ARS" },
                "items": [{ "name": "Milanesa", "modifiers": [{ "name": "Huevo", "unit_price": { "amount": 777_777, "currency": "ARS" } }] }],
                "timeline": [{ "by": { "kind": "diner", "name": "CANARY" } }, { "by": { "kind": "user", "name": "Marta" } }],
            },
            "payment": { "reference": "CANARY", "checkout_url": "CANARY" },
        });
        let kitchen = seen(View::Kitchen, &data).to_string();
        assert!(
            !kitchen.contains("CANARY") && !kitchen.contains("777777"),
            "{kitchen}"
        );
        assert!(
            kitchen.contains("Milanesa") && kitchen.contains("Huevo") && kitchen.contains("Marta"),
            "{kitchen}"
        );
        assert_eq!(seen(View::Admin, &data), data);
    }
}
