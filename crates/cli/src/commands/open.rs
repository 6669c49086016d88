//! What every command on the database begins with, and how its failures end.

use comanda_infrastructure::config::Config;
use comanda_infrastructure::db::DbError;
use comanda_infrastructure::postgres::OpenError;
use comanda_infrastructure::refusal::Refusal;

use crate::exit::Exit;
use crate::failure::Failure;

/// The settings of this process.
pub(super) fn config() -> Result<Config, Failure> {
    Config::from_env().map_err(|problems| {
        let hint = "correct the settings named above";
        Failure::new(Exit::Usage, "configuration", problems.to_string(), hint)
    })
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let message = error.to_string();
        match error {
            OpenError::Database(error) => error.into(),
            OpenError::Connect(_) => {
                Self::new(Exit::Unreachable, "unreachable", message, "look at DATABASE_URL")
            }
            OpenError::TooOld(_) => Self::new(
                Exit::Conflict,
                "schema_too_old",
                message,
                "run `comanda db-migrate`",
            ),
            OpenError::Embedded(_) => {
                let hint = "set DATABASE_URL to use another PostgreSQL than the embedded one";
                Self::new(Exit::Failed, "embedded_postgres", message, hint)
            }
            OpenError::Migration(_) => {
                let hint =
                    "correct what the message names and run `comanda db-migrate` again; what was done stays";
                Self::new(Exit::Failed, "migration_failed", message, hint)
            }
            OpenError::Unsafe { .. } => {
                let hint = "use a login that owns nothing and is no superuser";
                Self::new(Exit::NotAllowed, "unsafe_role", message, hint)
            }
            OpenError::Interrupted => {
                Self::new(Exit::Failed, "interrupted", message, "run the command again")
            }
        }
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        let message = error.to_string();
        match error {
            DbError::Unavailable(_) => {
                Self::new(Exit::Unreachable, "unreachable", message, "try again shortly")
            }
            _ => Self::new(Exit::Failed, "database", message, "look at the log of PostgreSQL"),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Database(error) => error.into(),
            other => Self::new(
                Exit::Failed,
                "refused",
                other.to_string(),
                "run `comanda version` and report it",
            ),
        }
    }
}
