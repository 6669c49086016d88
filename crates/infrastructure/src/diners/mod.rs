//! The guests of a visit: one file per use case, each *load → decide → record*.

mod guest;
mod me;
mod register;
pub(crate) mod rows;
pub(crate) mod store;

pub use comanda_domain::diner::UpdateDiner as UpdateMe;
pub use register::RegisterDiner;

use crate::db::Db;
use crate::tokens::TokenIssuer;

/// Registering, reading and changing guests.
#[derive(Clone)]
pub struct DinerService {
    db: Db,
    tokens: TokenIssuer,
}

impl DinerService {
    /// Over this database, with the keys of tokens.
    pub fn new(db: Db, tokens: TokenIssuer) -> Self {
        Self { db, tokens }
    }
}
