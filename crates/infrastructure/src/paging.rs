//! Lists in parts: by key, with signed cursors that are bound to their list.

use comanda_security::cursor::CursorKeys;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::refusal::Refusal;

/// Which part of which list is wanted.
pub struct Page<'a> {
    /// Entries, 1..200.
    pub limit: i64,
    /// Where it begins.
    pub cursor: Option<&'a str>,
    /// What the cursor is bound to: tenant, list and filter.
    pub context: &'a [&'a str],
    /// Signs and verifies.
    pub keys: &'a CursorKeys,
}

/// A part of a list.
#[derive(Debug, Clone)]
pub struct Part<T> {
    /// The entries.
    pub data: Vec<T>,
    /// Where the next part begins.
    pub next_cursor: Option<String>,
}

impl Page<'_> {
    /// After which entry the part begins.
    ///
    /// # Errors
    /// A cursor that is forged or belongs to another list.
    pub fn position<P: DeserializeOwned>(&self) -> Result<Option<P>, Refusal> {
        self.cursor
            .map(|cursor| {
                self.keys
                    .verify(self.context, cursor)
                    .map_err(|_| Refusal::InvalidCursor)
            })
            .transpose()
    }

    /// The part, from up to `limit + 1` loaded entries: one too many shows that there is more.
    ///
    /// # Errors
    /// A position that has no JSON form, which is a defect.
    pub fn part<S, T, P: Serialize>(
        &self,
        mut loaded: Vec<S>,
        position: impl Fn(&S) -> P,
        view: impl Fn(&S) -> T,
    ) -> Result<Part<T>, Refusal> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = loaded.len() > limit;
        loaded.truncate(limit);
        let next_cursor = match loaded.last().filter(|_| more) {
            Some(last) => Some(
                self.keys
                    .sign(self.context, &position(last))
                    .map_err(|error| Refusal::Internal(error.to_string()))?,
            ),
            None => None,
        };
        Ok(Part {
            data: loaded.iter().map(view).collect(),
            next_cursor,
        })
    }
}
