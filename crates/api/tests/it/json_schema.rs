//! As much of JSON Schema as the schemas of events use. What they do not use is refused, so that nothing goes
//! unchecked; and an object may hold nothing that its schema does not name.

use serde_json::{Map, Value};

/// The value is what the schema says; gives every fault with its place.
pub fn faults(schema: &Value, value: &Value) -> Vec<String> {
    faults_of(schema, schema, value)
}

/// The same with a part of a schema, whose references lead from its root.
pub fn faults_of(root: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    Judge { root }.judge(schema, value, "", &mut faults);
    faults
}

const UNDERSTOOD: [&str; 18] = [
    "$defs",
    "$id",
    "$ref",
    "$schema",
    "const",
    "description",
    "enum",
    "example",
    "format",
    "items",
    "minimum",
    "anyOf",
    "pattern",
    "properties",
    "required",
    "title",
    "type",
    "default",
];

struct Judge<'a> {
    root: &'a Value,
}

impl Judge<'_> {
    fn judge(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        let schema = schema
            .as_object()
            .unwrap_or_else(|| panic!("{at}: no schema: {schema}"));
        for keyword in schema.keys() {
            assert!(
                UNDERSTOOD.contains(&keyword.as_str()),
                "{at}: {keyword} is not judged"
            );
        }
        if let Some(address) = schema.get("$ref").and_then(Value::as_str) {
            let pointer = address
                .strip_prefix('#')
                .unwrap_or_else(|| panic!("{at}: {address} is elsewhere"));
            let target = self.root.pointer(pointer);
            let target = target.unwrap_or_else(|| panic!("{at}: {address} leads nowhere"));
            self.judge(target, value, at, faults);
        }
        if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
            let fits = |choice: &Value| {
                let mut found = Vec::new();
                self.judge(choice, value, at, &mut found);
                found.is_empty()
            };
            if !choices.iter().any(fits) {
                faults.push(format!("{at}: none of {choices:?} is {value}"));
            }
        }
        if let Some(wanted) = schema.get("const").filter(|wanted| *wanted != value) {
            faults.push(format!("{at}: {value} is not {wanted}"));
        }
        if let Some(Value::Array(all)) = schema.get("enum")
            && !all.contains(value)
        {
            faults.push(format!("{at}: {value} is none of {all:?}"));
        }
        if let Some(kinds) = schema.get("type")
            && !is_of(kinds, value)
        {
            faults.push(format!("{at}: {value} is not of type {kinds}"));
        }
        match value {
            Value::Object(members) => self.members(schema, members, at, faults),
            Value::Array(items) => {
                if let Some(each) = schema.get("items") {
                    for (n, item) in items.iter().enumerate() {
                        self.judge(each, item, &format!("{at}/{n}"), faults);
                    }
                }
            }
            _ => {}
        }
    }

    fn members(
        &self,
        schema: &Map<String, Value>,
        members: &Map<String, Value>,
        at: &str,
        faults: &mut Vec<String>,
    ) {
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !members.contains_key(name) {
                faults.push(format!("{at}: {name} is missing"));
            }
        }
        let Some(known) = schema.get("properties").and_then(Value::as_object) else {
            return;
        };
        for (name, member) in members {
            match known.get(name) {
                Some(schema) => self.judge(schema, member, &format!("{at}/{name}"), faults),
                None => faults.push(format!("{at}: {name} is not described")),
            }
        }
    }
}

fn is_of(kinds: &Value, value: &Value) -> bool {
    match kinds {
        Value::Array(kinds) => kinds.iter().any(|kind| is_of(kind, value)),
        Value::String(kind) => match kind.as_str() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            other => panic!("no such type: {other}"),
        },
        other => panic!("no type: {other}"),
    }
}

#[test]
fn it_finds_what_is_wrong() {
    use serde_json::json;
    let schema = json!({
        "type": "object", "required": ["a", "b"],
        "properties": { "a": { "$ref": "#/$defs/text" }, "b": { "anyOf": [{ "type": "null" }, { "const": 1 }] } },
        "$defs": { "text": { "type": "string" } },
    });
    assert_eq!(
        faults(&schema, &json!({ "a": "", "b": null })),
        Vec::<String>::new()
    );
    for wrong in [
        json!([]),
        json!({ "a": "" }),
        json!({ "a": 1, "b": 1 }),
        json!({ "a": "", "b": 2 }),
        json!({ "a": "", "b": 1, "c": 1 }),
    ] {
        assert_eq!(faults(&schema, &wrong).len(), 1, "{wrong}");
    }
}
