//! Why an operation was not done. The door (HTTP, command line) turns it into its own words in one place.

use comanda_domain::actor::Forbidden;
use comanda_domain::money::Currency;
use serde_json::Value;

use crate::db::DbError;

/// Every reason for which a use case says no.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Absent, deleted, another tenant's or another visit's.
    #[error("not found")]
    NotFound,
    /// No suitable role in that branch.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// A credential of another kind than the operation needs.
    #[error("credential of another kind")]
    WrongCredential,
    /// A table token where a registered guest is needed.
    #[error("register first")]
    RegistrationRequired,
    /// The visit of the token is over.
    #[error("this visit has ended")]
    SeatingEnded,
    /// The credential was revoked or is outdated.
    #[error("credential revoked or outdated")]
    CredentialRevoked,
    /// The restaurant is suspended.
    #[error("restaurant suspended")]
    TenantSuspended,
    /// Login failed; always the same answer.
    #[error("login failed")]
    CredentialsInvalid,
    /// An already used refresh token was presented.
    #[error("refresh token used again")]
    RefreshReused,
    /// The idempotency key was used for another request.
    #[error("idempotency key used for another request")]
    KeyReused,
    /// The object is not the version that the client saw.
    #[error("changed meanwhile")]
    PreconditionFailed {
        /// Its present version.
        version: i64,
        /// The present object.
        current: Value,
    },
    /// A value that is not acceptable, by JSON pointer.
    #[error("value not accepted at {pointer}")]
    Invalid {
        /// Where.
        pointer: String,
        /// What is wrong: `required`, `too_long`, …
        code: &'static str,
        /// In words.
        detail: String,
    },
    /// Another currency than the branch's.
    #[error("wrong currency")]
    CurrencyMismatch {
        /// The branch's.
        expected: Currency,
    },
    /// Storage failed or is busy.
    #[error(transparent)]
    Database(#[from] DbError),
    /// Something that must not happen.
    #[error("internal: {0}")]
    Internal(String),
}

impl From<diesel::result::Error> for Refusal {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}
