//! How a command says that it did not do its work.

use std::io::{self, ErrorKind};

use crate::exit::Exit;

/// A command that failed: what happened, and one next step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// For the shell.
    pub exit: Exit,
    /// For programs.
    pub code: &'static str,
    /// What happened.
    pub message: String,
    /// What to do next.
    pub hint: String,
}

impl Failure {
    /// A failure.
    pub fn new(exit: Exit, code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            exit,
            code,
            message: message.into(),
            hint: hint.into(),
        }
    }
}

impl From<io::Error> for Failure {
    /// Whoever closes the pipe has seen enough; that is no failure.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::BrokenPipe => Self::new(Exit::Success, "broken_pipe", "", ""),
            _ => Self::new(
                Exit::Failed,
                "output",
                error.to_string(),
                "look where the output goes",
            ),
        }
    }
}
