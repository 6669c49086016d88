//! What can go wrong between this command and a server.

use super::wire::Problem;

/// Why there is no answer to work with.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address of the server cannot be used.
    #[error("{address:?} is no address of a server: {why}")]
    Address {
        /// As it was given.
        address: String,
        /// In words.
        why: String,
    },
    /// This command cannot encrypt yet.
    #[error("{0} is encrypted, which this command cannot speak yet")]
    Https(String),
    /// Passwords would cross a network in the clear.
    #[error("{0} is on another machine, and passwords would travel there unencrypted")]
    NotLoopback(String),
    /// Nobody answers.
    #[error("{request} got no answer: {}", innermost(source))]
    Unreachable {
        /// Method and path.
        request: String,
        /// The transport's reason.
        source: reqwest::Error,
    },
    /// The server said no where it should have said yes, or no for another reason.
    #[error("{request} was refused with {} {}: {}", problem.status, problem.code, problem.text())]
    Refused {
        /// Method and path.
        request: String,
        /// Its reason.
        problem: Box<Problem>,
    },
    /// Another status than the one that the request must give.
    #[error("{request} gave status {got} instead of {wanted}")]
    Status {
        /// Method and path.
        request: String,
        /// What must come.
        wanted: u16,
        /// What came.
        got: u16,
    },
    /// An answer of another shape.
    #[error("the answer to {request} cannot be read: {source}")]
    Unreadable {
        /// Method and path.
        request: String,
        /// Where it stops making sense.
        source: serde_json::Error,
    },
}

/// The reason at the bottom, such as "Connection refused"; the ones above repeat the address.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
