//! Money, wherever it is.

use serde_json::Value;

/// Whether an amount with a currency is anywhere in it.
pub fn holds_money(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            (members.contains_key("amount") && members.contains_key("currency"))
                || members.values().any(holds_money)
        }
        Value::Array(items) => items.iter().any(holds_money),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn money_is_found_wherever_it_is() {
        let round =
            json!({ "data": { "round": { "items": [{ "total": { "amount": 1, "currency": "ARS" } }] } } });
        assert!(holds_money(&round));
        assert!(!holds_money(
            &json!({ "data": { "amount": 3, "items": [{ "currency": "ARS" }] } })
        ));
    }
}
