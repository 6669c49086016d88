//! Rounds: one file per use case, each *load → decide → record*.

mod cancel;
mod moves;
mod place;
mod place_for_table;
mod read;
pub(crate) mod rows;
pub(crate) mod scene;
pub(crate) mod store;
mod void_item;

pub use read::RoundFilter;

use crate::db::Db;

/// Placing, moving, canceling and reading rounds.
#[derive(Clone)]
pub struct RoundService {
    db: Db,
}

impl RoundService {
    /// Over this database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }
}
