//! Guests ask for a person: one file per use case, each *load → decide → record*.

mod list;
mod moves;
mod raise;
pub(crate) mod rows;
pub(crate) mod store;

use crate::db::Db;

/// Raising, answering and reading calls.
#[derive(Clone)]
pub struct ServiceCallService {
    db: Db,
}

impl ServiceCallService {
    /// Over this database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }
}
