//! Small conversions between columns and the domain, used by every `rows.rs`.

use chrono::{DateTime, Utc};
use comanda_domain::actor::{ActorKind, Stamp};
use comanda_domain::money::Currency;
use comanda_domain::text::I18n;
use serde_json::Value;
use uuid::Uuid;

use crate::db::DbError;

/// Reads a name of a closed set.
pub(crate) fn named<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, DbError> {
    parse(text).ok_or_else(|| DbError::Corrupt(format!("unknown name {text:?}")))
}

/// Reads a stamp that must be there.
pub(crate) fn stamp(at: DateTime<Utc>, kind: &str, id: Option<Uuid>) -> Result<Stamp, DbError> {
    Ok(Stamp {
        at,
        kind: named(kind, ActorKind::parse)?,
        id,
    })
}

/// Reads a stamp that may be absent.
pub(crate) fn optional_stamp(
    at: Option<DateTime<Utc>>,
    kind: Option<&str>,
    id: Option<Uuid>,
) -> Result<Option<Stamp>, DbError> {
    at.zip(kind).map(|(at, kind)| stamp(at, kind, id)).transpose()
}

/// The three columns of a stamp that may be absent.
pub(crate) fn columns(stamp: Option<&Stamp>) -> (Option<DateTime<Utc>>, Option<String>, Option<Uuid>) {
    match stamp {
        Some(stamp) => (Some(stamp.at), Some(stamp.kind.to_string()), stamp.id),
        None => (None, None, None),
    }
}

/// Reads texts in several languages.
pub(crate) fn i18n(value: Value) -> Result<I18n, DbError> {
    serde_json::from_value(value).map_err(|error| DbError::Corrupt(error.to_string()))
}

/// Reads a currency code.
pub(crate) fn currency(code: &str) -> Result<Currency, DbError> {
    named(code, Currency::parse)
}

/// Stores anything as JSON.
pub(crate) fn json(value: &impl serde::Serialize) -> Value {
    // The values stored this way are maps and lists of texts, which always have a JSON form.
    serde_json::to_value(value).unwrap_or_default()
}
