//! Visits: one file per use case, each *load → decide → record*.

pub(crate) mod assigned;
mod cards;
mod close;
mod ending;
mod open;
mod read;
mod reopen;
pub(crate) mod rows;
mod scan;
pub(crate) mod scene;
mod spot;
pub(crate) mod store;

pub use cards::CardFilter;
pub use scene::Scene;
pub(crate) use scene::require_seating;

use comanda_security::codes::{CodeKeys, TableCode};
use comanda_security::entropy::{SystemEntropy, fresh};

use crate::db::Db;
use crate::refusal::Refusal;
use crate::tokens::TokenIssuer;

/// Opening, reading, reopening and closing visits, and the tables they take place at.
#[derive(Clone)]
pub struct SessionService {
    db: Db,
    codes: CodeKeys,
    tokens: TokenIssuer,
}

impl SessionService {
    /// Over this database, with the keys of printed codes and of tokens.
    pub fn new(db: Db, codes: CodeKeys, tokens: TokenIssuer) -> Self {
        Self { db, codes, tokens }
    }

    /// Reads what is printed on a table. Whether it is the current print, opening finds out.
    fn read_code(&self, code: &str) -> Result<TableCode, Refusal> {
        self.codes
            .read_table_code(code)
            .map_err(|_| Refusal::TableCodeInvalid)
    }
}

/// Four random digits.
fn new_join_code() -> Result<String, Refusal> {
    let bytes =
        fresh::<4>(&SystemEntropy::default()).map_err(|error| Refusal::Internal(error.to_string()))?;
    Ok(format!("{:04}", u32::from_be_bytes(bytes) % 10_000))
}
