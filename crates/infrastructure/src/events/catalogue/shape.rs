//! What an event's data holds besides the common members: each with its schema and an example, side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// The members of one name.
#[derive(Default)]
pub(super) struct Shape {
    /// Schemas of the members.
    pub properties: Map<String, Value>,
    /// Those that may be absent.
    pub optional: BTreeSet<&'static str>,
    /// An example of each.
    pub example: Map<String, Value>,
    /// The schemas that they refer to.
    pub definitions: BTreeMap<String, Value>,
}

impl Shape {
    fn put(mut self, name: &str, schema: Value, example: Value) -> Self {
        self.properties.insert(name.to_owned(), schema);
        self.example.insert(name.to_owned(), example);
        self
    }

    /// An object as answers show it.
    pub fn object<T: ToSchema + Serialize>(mut self, name: &str, example: &T) -> Self {
        let schema = self.define::<T>();
        self.put(name, schema, serde_json::to_value(example).unwrap_or_default())
    }

    /// An object of which only the example says how it looks.
    pub fn open_object(self, name: &str, example: Value) -> Self {
        self.put(name, json!({ "type": "object" }), example)
    }

    /// An object, or null.
    pub fn maybe_object<T: ToSchema + Serialize>(mut self, name: &str, example: Option<&T>) -> Self {
        let schema = json!({ "anyOf": [{ "type": "null" }, self.define::<T>()] });
        self.put(name, schema, serde_json::to_value(example).unwrap_or_default())
    }

    /// A text: a name, an id, a time.
    pub fn text(self, name: &str, example: impl Display + Copy) -> Self {
        self.put(name, json!({ "type": "string" }), json!(example.to_string()))
    }

    /// A text, or null.
    pub fn maybe_text(self, name: &str, example: Option<&str>) -> Self {
        self.put(name, json!({ "type": ["string", "null"] }), json!(example))
    }

    /// Marks a member that may be absent.
    pub fn optional(mut self, name: &'static str) -> Self {
        self.optional.insert(name);
        self
    }

    /// A text that the example does not have.
    pub fn other_text(mut self, name: &'static str) -> Self {
        self.properties
            .insert(name.to_owned(), json!({ "type": "string" }));
        self.optional(name)
    }

    /// Texts.
    pub fn texts(self, name: &str, example: &[String]) -> Self {
        let schema = json!({ "type": "array", "items": { "type": "string" } });
        self.put(name, schema, json!(example))
    }

    /// A whole number.
    pub fn number(self, name: &str, example: i64) -> Self {
        self.put(name, json!({ "type": "integer" }), json!(example))
    }

    /// Yes or no.
    pub fn flag(self, name: &str, example: bool) -> Self {
        self.put(name, json!({ "type": "boolean" }), json!(example))
    }

    /// Adds a type with all that it refers to; gives the reference.
    fn define<T: ToSchema>(&mut self) -> Value {
        let name = T::name().into_owned();
        let mut all = vec![(name.clone(), T::schema())];
        T::schemas(&mut all);
        for (name, schema) in all {
            let schema = serde_json::to_value(schema).unwrap_or_default();
            self.definitions.entry(name).or_insert_with(|| at_home(schema));
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }
}

/// References lead to the definitions of the same document. An object or null is `anyOf`: where a view leaves the
/// object out, both fit.
fn at_home(schema: Value) -> Value {
    match schema {
        Value::Object(members) => {
            let moved = members.into_iter().map(|(name, value)| {
                let value = match (name.as_str(), value.as_str()) {
                    ("$ref", Some(address)) => json!(address.replace("#/components/schemas/", "#/$defs/")),
                    _ => at_home(value),
                };
                let name = if name == "oneOf" { "anyOf".to_owned() } else { name };
                (name, value)
            });
            Value::Object(moved.collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(at_home).collect()),
        other => other,
    }
}
