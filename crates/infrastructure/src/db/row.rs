//! One Rust struct per table, the only place that names its columns.

use serde::{Serialize, Serializer};

/// A row that can be read by diesel and recorded by [`super::Recorder`].
pub trait Row: Serialize {
    /// The table.
    const TABLE: &'static str;
    /// Its columns, in the order of the struct's fields; a test compares them with the database.
    const COLUMNS: &'static [&'static str];
    /// The columns that find a row.
    const KEY: &'static [&'static str];
    /// A condition that an update must also meet: compare-and-set.
    const GUARD: &'static str;
}

/// Declares a row: the diesel struct and its [`Row`] implementation.
///
/// `guard` is SQL over `t` (stored) and `r` (to be stored). A column whose name is a keyword of Rust has a trailing
/// underscore here and in the schema, and `#[serde(rename)]`.
macro_rules! row {
    (
        $(#[$meta:meta])*
        $name:ident = $table:ident, key ($($key:ident),+) $(, guard $guard:literal)?
        { $($(#[$fmeta:meta])* $field:ident: $ty:ty),* $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, diesel::Queryable, diesel::Selectable, serde::Serialize)]
        #[diesel(table_name = crate::schema::$table, check_for_backend(diesel::pg::Pg))]
        pub struct $name { $($(#[$fmeta])* pub $field: $ty),* }

        impl crate::db::Row for $name {
            const TABLE: &'static str = stringify!($table);
            const COLUMNS: &'static [&'static str] = &[$(crate::db::column(stringify!($field))),*];
            const KEY: &'static [&'static str] = &[$(stringify!($key)),+];
            const GUARD: &'static str = { let guard = ""; $(let _ = guard; let guard = $guard;)? guard };
        }
    };
}
pub(crate) use row;

/// The name of a column, from the name of its field.
pub(crate) const fn column(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [.., b'_'] => field.split_at(field.len() - 1).0,
        _ => field,
    }
}

/// Bytes in PostgreSQL's text form of `bytea`.
pub(crate) fn bytes_as_hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex(bytes))
}

/// Like [`bytes_as_hex`], or null.
#[expect(clippy::ref_option, reason = "serde passes the field by reference")]
pub(crate) fn optional_bytes_as_hex<S: Serializer>(
    bytes: &Option<Vec<u8>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match bytes {
        Some(bytes) => serializer.serialize_some(&hex(bytes)),
        None => serializer.serialize_none(),
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or('0');
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("\\x");
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}
