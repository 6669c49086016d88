//! Trying the work of a letter again: one handler for each source.

use std::collections::BTreeMap;
use std::sync::Arc;

use comanda_domain::dead_letter::{ErrorClass, Source};
use futures_util::future::LocalBoxFuture;

use super::Letter;
use crate::db::{Conn, DbError};

/// Longest code of an error, in characters, and longest text, in bytes, that a letter keeps.
const CODE_CHARS: usize = 80;
const TEXT_BYTES: usize = 4096;

/// What a successful attempt still has to write. It runs in the transaction that resolves the letter, so that the
/// work is never counted as dead and done, or as neither.
pub type Effect = Box<dyn for<'c> FnOnce(Conn<'c>) -> LocalBoxFuture<'c, Result<(), DbError>>>;

/// Does the work of one source again.
pub trait Redrive: Send + Sync {
    /// Tries outside any transaction, within the minute that it is given. Whoever tried before may have died at any
    /// step: the attempt must be harmless to repeat by (source, `source_id`), and leaves what counts as *done* to the
    /// effect that it returns.
    fn attempt<'a>(&'a self, letter: &'a Letter) -> LocalBoxFuture<'a, Result<Effect, RedriveError>>;
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {text}")]
pub struct RedriveError {
    /// What it says about trying again.
    pub class: ErrorClass,
    /// For programs.
    pub code: String,
    /// For people.
    pub text: String,
}

impl RedriveError {
    /// An error, cut to what a letter keeps. Without a code it is called `unnamed`.
    pub fn new(class: ErrorClass, code: &str, text: &str) -> Self {
        let code: String = storable(code).chars().take(CODE_CHARS).collect();
        let text = storable(text);
        let end = (0..=TEXT_BYTES.min(text.len()))
            .rev()
            .find(|end| text.is_char_boundary(*end));
        Self {
            class,
            code: if code.is_empty() {
                "unnamed".to_owned()
            } else {
                code
            },
            text: text.get(..end.unwrap_or(0)).unwrap_or_default().to_owned(),
        }
    }
}

/// PostgreSQL stores no zero bytes in texts.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

impl From<DbError> for RedriveError {
    fn from(error: DbError) -> Self {
        let class = match error {
            DbError::Unavailable(_) | DbError::Retry(_) | DbError::KeyInUse => ErrorClass::Retryable,
            _ => ErrorClass::Unknown,
        };
        Self::new(class, "database", &error.to_string())
    }
}

/// The handlers of a process, filled where it is put together. Letters of a source without one are kept, and every
/// run says so.
#[derive(Clone, Default)]
pub struct Handlers(BTreeMap<Source, Arc<dyn Redrive>>);

impl Handlers {
    /// Also with this one.
    #[must_use]
    pub fn with(mut self, source: Source, handler: Arc<dyn Redrive>) -> Self {
        self.0.insert(source, handler);
        self
    }

    /// The one of a source.
    pub(super) fn of(&self, source: Source) -> Option<&Arc<dyn Redrive>> {
        self.0.get(&source)
    }

    /// The sources that have one.
    pub(super) fn sources(&self) -> Vec<String> {
        self.0.keys().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_an_error_says_fits_into_a_letter() {
        let long = format!("{}\0", "ñ".repeat(3000));
        let error = RedriveError::new(ErrorClass::Unknown, &long, &long);
        assert_eq!(error.code.chars().count(), CODE_CHARS);
        assert_eq!(error.text.len(), TEXT_BYTES);
        assert!(
            !RedriveError::new(ErrorClass::Unknown, "a\0b", "a\0b")
                .text
                .contains('\0')
        );
        assert_eq!(RedriveError::new(ErrorClass::Unknown, "", "").code, "unnamed");
    }
}
