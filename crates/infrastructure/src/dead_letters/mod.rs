//! What workers gave up on, and what becomes of it (`events.md` 11).

mod bury;

pub(crate) use bury::{Buried, LetterRow, bury, letters_of, resolved};
