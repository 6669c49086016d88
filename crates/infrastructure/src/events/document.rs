//! JSON that passes through.

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::Jsonb;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// A JSON value as it was stored. Most events are numbered, published and kept without anybody looking into them:
/// it is read by whoever must, and carried as text by everyone else.
#[derive(Debug, Clone, Serialize, Deserialize, FromSqlRow)]
#[serde(transparent)]
pub struct Document(Box<RawValue>);

/// The format of `jsonb` on the wire, before the text.
const VERSION: u8 = 1;

impl Document {
    /// Bytes of its text.
    pub fn size(&self) -> usize {
        self.0.get().len()
    }

    /// Reads it.
    ///
    /// # Errors
    /// It is not what is asked for.
    pub fn read<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(self.0.get())
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl From<&Value> for Document {
    fn from(value: &Value) -> Self {
        // A `Value` can always be written: its keys are texts.
        Self(serde_json::value::to_raw_value(value).unwrap_or_default())
    }
}

impl FromSql<Jsonb, Pg> for Document {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let Some((&VERSION, text)) = value.as_bytes().split_first() else {
            return Err("jsonb of an unknown version".into());
        };
        let text = String::from_utf8(text.to_vec())?;
        Ok(Self(RawValue::from_string(text)?))
    }
}
