//! What can go wrong with the database itself.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// A failure of storage. None of its causes is ever shown to a client.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// No connection could be had in time, or the server is away.
    #[error("database unavailable: {0}")]
    Unavailable(String),
    /// Another transaction was in the way; the same work may succeed at once.
    #[error("transaction must be repeated: {0}")]
    Retry(String),
    /// The same idempotency key is being worked on.
    #[error("idempotency key in use")]
    KeyInUse,
    /// The nonce of a signed request was used before.
    #[error("nonce used before")]
    NonceUsed,
    /// Another process has taken over what this one leads; nothing was written.
    #[error("another leader has taken over")]
    Fenced,
    /// A unique rule refused a row.
    #[error("unique rule {constraint} violated")]
    Unique {
        /// The rule.
        constraint: String,
    },
    /// A stored value is not one of those that the code knows.
    #[error("stored value not understood: {0}")]
    Corrupt(String),
    /// Anything else.
    #[error("database: {0}")]
    Other(#[source] DieselError),
}

/// Raised by `comanda_claim_key` (`migrations/`).
const KEY_IN_USE: &str = "idempotency_in_flight";
/// Raised by `comanda_claim_nonce` (`migrations/`).
const NONCE_USED: &str = "request_nonce_used";
/// Raised by `comanda_sequence` with SQLSTATE CM003, which diesel does not pass on.
const FENCED: &str = "another leader has taken over";
/// Texts of PostgreSQL for SQLSTATE 40P01 and 55P03, which diesel does not pass on as codes.
const DEADLOCK: &str = "deadlock detected";
const LOCK_TIMEOUT: &str = "lock timeout";

impl From<DieselError> for DbError {
    fn from(error: DieselError) -> Self {
        match &error {
            DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, info) => {
                Self::Retry(info.message().to_owned())
            }
            DieselError::DatabaseError(
                DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection,
                info,
            ) => Self::Unavailable(info.message().to_owned()),
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => Self::Unique {
                constraint: info.constraint_name().unwrap_or_default().to_owned(),
            },
            DieselError::DatabaseError(_, info) if info.message().contains(KEY_IN_USE) => Self::KeyInUse,
            DieselError::DatabaseError(_, info) if info.message() == NONCE_USED => Self::NonceUsed,
            DieselError::DatabaseError(_, info) if info.message() == FENCED => Self::Fenced,
            DieselError::DatabaseError(_, info) if info.message().contains(DEADLOCK) => {
                Self::Retry(info.message().to_owned())
            }
            DieselError::DatabaseError(_, info) if info.message().contains(LOCK_TIMEOUT) => {
                Self::Unavailable(info.message().to_owned())
            }
            _ => Self::Other(error),
        }
    }
}
