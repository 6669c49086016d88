//! What a branch offers.

mod availability;
mod read;
pub(crate) mod rows;
pub(crate) mod store;

pub use read::MenuQuery;

use crate::db::Db;

/// Reading menus, and saying what is sold out.
#[derive(Clone)]
pub struct MenuService {
    db: Db,
}

impl MenuService {
    /// Over this database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }
}
