//! The floor: branches, their tables, and the codes printed on them.

mod branches;
mod qr;
pub(crate) mod store;
mod tables;

use std::sync::Arc;

use comanda_security::codes::CodeKeys;

use crate::db::Db;

/// Reading branches and tables.
#[derive(Clone)]
pub struct FloorService {
    db: Db,
    codes: CodeKeys,
    public_url: Arc<str>,
}

impl FloorService {
    /// Over this database. Printed codes lead to `public_url`.
    pub fn new(db: Db, codes: CodeKeys, public_url: &str) -> Self {
        Self {
            db,
            codes,
            public_url: public_url.into(),
        }
    }
}
