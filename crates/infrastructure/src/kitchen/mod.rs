//! The kitchen: the work of the stations.

mod board;
mod moves;
pub(crate) mod rows;
pub(crate) mod store;

pub use store::BoardFilter;

use crate::db::Db;

/// Reading and moving tickets.
#[derive(Clone)]
pub struct KitchenService {
    db: Db,
}

impl KitchenService {
    /// Over this database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }
}
