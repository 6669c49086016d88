//! Keys of integrations: made, listed and revoked by owners, and judged at each request that presents one.

mod authenticate;
mod create;
mod known;
mod read;
mod revoke;
pub(crate) mod rows;
mod store;

use std::sync::Arc;

use comanda_security::api_key::ApiKeyPeppers;

pub use authenticate::KeyDenied;
pub use create::NewApiKey;

use crate::db::Db;
use known::KnownKeys;

/// The keys of integrations.
#[derive(Clone)]
pub struct ApiKeyService {
    db: Db,
    peppers: ApiKeyPeppers,
    known: Arc<KnownKeys>,
}

impl ApiKeyService {
    /// Over this database, with the peppers that secrets are kept under.
    pub fn new(db: Db, peppers: ApiKeyPeppers) -> Self {
        Self {
            db,
            peppers,
            known: Arc::default(),
        }
    }
}
