//! Why a dinner ends early.

use std::fmt::Display;

use crate::client::ClientError;
use crate::exit::Exit;
use crate::failure::Failure;

/// A dinner that ended early.
#[derive(Debug, thiserror::Error)]
#[error("step {step}: {cause}")]
pub struct DinnerError {
    /// The step of `api.md` 8.
    pub step: u8,
    /// What happened there.
    pub cause: Cause,
}

/// What ends a dinner.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The server did not answer, or not as it must.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A number or a status is not what the dinner must give.
    #[error("{what} is {got}, but must be {wanted}")]
    Differs {
        /// What was looked at.
        what: String,
        /// What the server says.
        got: String,
        /// What it must be.
        wanted: String,
    },
    /// The demo restaurant is not what it is after seeding.
    #[error("there is no {what}")]
    Missing {
        /// What was looked for.
        what: String,
    },
    /// Somebody sits there.
    #[error("table {table} is {status}")]
    TableInUse {
        /// Which.
        table: String,
        /// `open`, `paying` or `out_of_service`.
        status: String,
        /// A table that is free now.
        free: Option<String>,
    },
    /// The steps cannot be shown.
    #[error("cannot write: {0}")]
    Output(#[from] std::io::Error),
}

impl Cause {
    pub(super) fn differs(what: impl Into<String>, got: impl Display, wanted: impl Display) -> Self {
        Self::Differs {
            what: what.into(),
            got: got.to_string(),
            wanted: wanted.to_string(),
        }
    }
}

/// What to do about a demo restaurant that is not there.
const SEED: &str = "run `comanda db-seed`, or start the server with --demo";

impl From<DinnerError> for Failure {
    fn from(error: DinnerError) -> Self {
        let message = error.to_string();
        match error.cause {
            Cause::Output(cause) => cause.into(),
            Cause::Client(cause) => of_client(&cause, message),
            Cause::Differs { .. } => differs(message),
            Cause::Missing { .. } => Self::new(Exit::NotFound, "not_found", message, SEED),
            Cause::TableInUse { free, .. } => {
                let hint = free.map_or_else(
                    || "close a visit first; every table of the branch is taken".to_owned(),
                    |free| format!("take a free one: comanda demo dinner --table {free}"),
                );
                Self::new(Exit::Conflict, "table_in_use", message, hint)
            }
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let message = error.to_string();
        let ClientError::Refused { problem, .. } = &error else {
            return of_client(&error, message);
        };
        match (problem.status, problem.code.as_str()) {
            (401, code) if code != "credentials_invalid" => {
                Self::new(Exit::NotAllowed, "token_refused", message, "get a new token")
            }
            (403, _) => {
                let hint = "use a view and a branch that the token is for";
                Self::new(Exit::NotAllowed, "forbidden", message, hint)
            }
            (404, _) => Self::new(Exit::NotFound, "not_found", message, "look at the id"),
            _ => of_client(&error, message),
        }
    }
}

fn of_client(error: &ClientError, message: String) -> Failure {
    match error {
        ClientError::Https(_) | ClientError::NotLoopback(_) | ClientError::Address { .. } => {
            let hint = "give an unencrypted address of this machine with --url";
            Failure::new(Exit::Usage, "bad_address", message, hint)
        }
        ClientError::Unreachable { .. } => {
            let hint = "start the server, or name it with --url";
            Failure::new(Exit::Unreachable, "unreachable", message, hint)
        }
        ClientError::Refused { problem, .. } => match (problem.status, problem.code.as_str()) {
            (401, "credentials_invalid") => {
                Failure::new(Exit::NotAllowed, "credentials_invalid", message, SEED)
            }
            (429, _) => Failure::new(
                Exit::RateLimited,
                "rate_limited",
                message,
                "wait a minute and try again",
            ),
            (503, _) => Failure::new(
                Exit::Unreachable,
                "service_unavailable",
                message,
                "try again shortly",
            ),
            _ => differs(message),
        },
        ClientError::Status { .. } | ClientError::Unreadable { .. } => differs(message),
    }
}

/// The dinner gave something else than it must.
fn differs(message: String) -> Failure {
    let hint = "the table stays as it is, so that you can look at it; the next dinner needs another one";
    Failure::new(Exit::ProblemsFound, "dinner_differs", message, hint)
}
