//! What can go wrong with a socket.

use std::time::Duration;

use tokio_tungstenite::tungstenite::Error;

use crate::client::wire::Problem;
use crate::exit::Exit;
use crate::failure::Failure;

/// Why a socket is not open, or not any more.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Nobody answers.
    #[error("{address} does not answer: {why}")]
    Unreachable {
        /// Host and port.
        address: String,
        /// The reason of the system.
        why: String,
    },
    /// Not in time.
    #[error("nothing came within {} ms", .0.as_millis())]
    Late(Duration),
    /// The handshake was refused.
    #[error("the handshake was refused with {status}{}", told(problem.as_deref()))]
    Refused {
        /// HTTP status.
        status: u16,
        /// In full, if it was told.
        problem: Option<Box<Problem>>,
    },
    /// The server has closed.
    #[error("closed with {code} {reason}{}", told(problem.as_deref()))]
    Closed {
        /// The WebSocket close code.
        code: u16,
        /// Its stable text.
        reason: String,
        /// In full, if it was told.
        problem: Option<Box<Problem>>,
    },
    /// The connection is gone.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// A frame of another shape.
    #[error("a frame cannot be read: {0}")]
    Unreadable(serde_json::Error),
    /// A token with characters that no token has.
    #[error("this is no token")]
    Token,
}

fn told(problem: Option<&Problem>) -> String {
    problem.map_or_else(String::new, |problem| format!(": {}", problem.text()))
}

impl From<Error> for SocketError {
    fn from(error: Error) -> Self {
        match error {
            Error::Http(answer) => Self::Refused {
                status: answer.status().as_u16(),
                problem: answer
                    .body()
                    .as_deref()
                    .and_then(|body| serde_json::from_slice(body).ok()),
            },
            error => Self::Broken(error.to_string()),
        }
    }
}

impl From<SocketError> for Failure {
    fn from(error: SocketError) -> Self {
        let message = error.to_string();
        let (exit, code, hint) = match &error {
            SocketError::Unreachable { .. } => (
                Exit::Unreachable,
                "unreachable",
                "start the server: `comanda-api --demo`",
            ),
            SocketError::Late(_) => (
                Exit::Unreachable,
                "timed_out",
                "look at the server, or allow more with --timeout",
            ),
            SocketError::Broken(_) => (
                Exit::Unreachable,
                "socket_broken",
                "look at the log of the server, and at what is between",
            ),
            SocketError::Refused { status: 404, .. } => (
                Exit::NotFound,
                "view_not_found",
                "views are waiter, kitchen, admin, diner and integration",
            ),
            SocketError::Refused { .. } => {
                (Exit::Failed, "handshake_refused", "look at the log of the server")
            }
            SocketError::Token => (
                Exit::Usage,
                "token_unreadable",
                "give the token alone, on one line",
            ),
            SocketError::Unreadable(_) => (
                Exit::Failed,
                "unreadable",
                "compare `comanda version` with the server's",
            ),
            SocketError::Closed { code, .. } => closed(*code),
        };
        Self::new(exit, code, message, hint)
    }
}

/// What each close code asks for (`events.md` 7.3).
fn closed(code: u16) -> (Exit, &'static str, &'static str) {
    match code {
        4400 => (Exit::Usage, "socket_malformed", "name a branch with --branch"),
        4401 => (Exit::NotAllowed, "token_refused", "get a new token"),
        4403 => (
            Exit::NotAllowed,
            "socket_forbidden",
            "use a view and a branch that the token is for",
        ),
        4409 => (Exit::Conflict, "seating_ended", "scan the table's code again"),
        4429 => (
            Exit::RateLimited,
            "too_many",
            "wait ten seconds, or close other sockets of the same owner",
        ),
        _ => (Exit::Failed, "socket_closed", "try again shortly"),
    }
}
