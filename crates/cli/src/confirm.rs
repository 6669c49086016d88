//! Dangerous commands ask on a terminal; elsewhere they need `--yes` and never wait.

use std::io::{self, IsTerminal, Write};

use crate::exit::Exit;
use crate::failure::Failure;

/// Goes on only if somebody wants it.
///
/// # Errors
/// [`Exit::Usage`] without a terminal and without `--yes`; [`Exit::Failed`] when the answer is no.
pub fn confirm(question: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::new(
            Exit::Usage,
            "confirmation_needed",
            "this cannot be taken back, and nobody can be asked here",
            "add --yes",
        ));
    }
    let mut stderr = io::stderr().lock();
    write!(stderr, "{question} [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Failed,
        "not_confirmed",
        "nothing was changed",
        "answer y, or add --yes",
    ))
}
