//! The shared cart: every change locks the visit and raises the cart's version.

mod change;
mod read;
pub(crate) mod rows;
pub(crate) mod signal;
pub(crate) mod store;

pub(crate) use read::require_version;

use crate::db::Db;

/// Reading and changing carts.
#[derive(Clone)]
pub struct CartService {
    db: Db,
}

impl CartService {
    /// Over this database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }
}
