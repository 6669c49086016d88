//! Keys of integrations: made, listed and revoked by owners, and judged at each request that presents one.

mod authenticate;
mod create;
mod expiring;
mod forget;
mod known;
mod manager;
mod nonce;
mod read;
mod revoke;
mod rotate;
pub(crate) mod rows;
mod secrets;
mod shown;
mod signed;
mod store;

use std::sync::Arc;

use comanda_domain::ids::{ApiKeyId, TenantId};
use comanda_security::api_key::ApiKeyPeppers;
use comanda_security::seal::SealKeys;

pub use authenticate::{KeyDenied, ProvenKey};
pub use create::NewApiKey;
pub use forget::forget_nonces;
pub(crate) use forget::forget_regularly;
pub use manager::KeyManager;
pub use nonce::NonceClaim;
pub use rotate::Rotation;
pub use signed::{ProvenRequest, SignatureDenied};

use crate::audit::Caller;
use crate::breaker::CircuitBreaker;
use crate::db::{Ask, Db, Origin};
use crate::redis::Redis;
use crate::refusal::Refusal;
use known::KnownKeys;
use nonce::SharedNonces;
use rows::ApiKeyRow;

/// The keys of integrations.
#[derive(Clone)]
pub struct ApiKeyService {
    db: Db,
    peppers: ApiKeyPeppers,
    seal: SealKeys,
    known: Arc<KnownKeys>,
    nonces: Option<SharedNonces>,
}

impl ApiKeyService {
    /// Over this database, with the peppers that secrets are kept under and the keys that seal those that sign.
    pub fn new(db: Db, peppers: ApiKeyPeppers, seal: SealKeys) -> Self {
        Self {
            db,
            peppers,
            seal,
            known: Arc::default(),
            nonces: None,
        }
    }

    /// The same, which remembers in Redis what only reads.
    #[must_use]
    pub fn remembering_in(self, redis: Redis, breaker: CircuitBreaker) -> Self {
        Self {
            nonces: Some(SharedNonces::new(redis, breaker)),
            ..self
        }
    }

    /// Looks a key up again at its next use: something about it has changed.
    pub fn forget(&self, id: ApiKeyId) {
        self.known.forget(id);
    }

    fn ask_of_system(&self, tenant: TenantId) -> Ask {
        Ask {
            tenant,
            caller: Caller::system(),
            request_id: crate::db::request_id(&mut self.db.sources().ids()).to_string(),
            origin: Origin::default(),
            language: None,
            found_at: "",
            nonce: None,
            idempotency: None,
        }
    }
}

/// The key is of the version that the client saw, if it says so.
fn unchanged(row: &ApiKeyRow, seen: Option<i64>) -> Result<(), Refusal> {
    match seen {
        Some(seen) if seen != row.version => Err(Refusal::PreconditionFailed {
            version: row.version,
            current: serde_json::Value::Null,
        }),
        _ => Ok(()),
    }
}
