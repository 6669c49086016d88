use super::embedded::EmbeddedError;
use crate::db::DbError;

/// Why the database is not ready for use.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The embedded cluster does not run.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// Nobody answers, or not to us.
    #[error("cannot connect to PostgreSQL: {0}")]
    Connect(#[from] diesel::ConnectionError),
    /// A migration failed; those before it stay applied.
    #[error("migrating the database failed: {0}")]
    Migration(String),
    /// The schema lacks these migrations, and this process was not asked to run them.
    #[error(
        "the schema of the database is too old, it lacks {}: run `comanda db-migrate`, or start with --migrate",
        .0.join(", ")
    )]
    TooOld(Vec<String>),
    /// Row level security would not hold for the application.
    #[error("the application must not run as {role}, which {fault}: tenants would not be kept apart")]
    Unsafe {
        /// The role.
        role: String,
        /// What it may or is.
        fault: &'static str,
    },
    /// Anything else.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The runtime is shutting down.
    #[error("interrupted")]
    Interrupted,
}

impl From<diesel::result::Error> for OpenError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}
