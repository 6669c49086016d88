//! The trace that every accepted operation leaves: exactly one entry, built by the decision.

use uuid::Uuid;

/// What was done to which object. Actor, time, request and branch are added where the entry is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditEntry {
    /// Name of the action, as in the authorisation table.
    pub action: &'static str,
    /// Kind of the object: `round`, `check`, …
    pub entity_type: &'static str,
    /// The object.
    pub entity_id: Uuid,
    /// Why, where a reason was asked for.
    pub reason: Option<String>,
    /// The changed fields only.
    pub changes: Vec<Change>,
}

/// One changed field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Its name.
    pub field: &'static str,
    /// The value before, if there was one.
    pub before: Option<Value>,
    /// The value after, if there is one.
    pub after: Option<Value>,
}

/// A value worth keeping in the trace.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A text, an id or the name of a status.
    Text(String),
    /// A number or an amount in minor units.
    Int(i64),
}

impl AuditEntry {
    /// An entry without changes yet.
    pub fn new(action: &'static str, entity_type: &'static str, entity_id: impl Into<Uuid>) -> Self {
        Self {
            action,
            entity_type,
            entity_id: entity_id.into(),
            reason: None,
            changes: Vec::new(),
        }
    }

    /// With a reason.
    #[must_use]
    pub fn because(mut self, reason: impl Into<Option<String>>) -> Self {
        self.reason = reason.into();
        self
    }

    /// With a field that went from one text to another.
    #[must_use]
    pub fn moved(mut self, field: &'static str, before: impl Into<Value>, after: impl Into<Value>) -> Self {
        self.changes.push(Change {
            field,
            before: Some(before.into()),
            after: Some(after.into()),
        });
        self
    }

    /// With a field that has a value now.
    #[must_use]
    pub fn set(mut self, field: &'static str, after: impl Into<Value>) -> Self {
        self.changes.push(Change {
            field,
            before: None,
            after: Some(after.into()),
        });
        self
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Int(i64::from(number))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
