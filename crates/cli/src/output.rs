//! Data goes to stdout, talk to stderr.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;

/// How a command shows what it has to show.
#[derive(Debug, Clone, Copy, Default)]
pub struct Output {
    /// JSON instead of text.
    pub json: bool,
    /// No talk.
    pub quiet: bool,
    /// No colour.
    pub no_color: bool,
}

impl Output {
    /// One JSON document, on one line.
    ///
    /// # Errors
    /// A closed or full stdout.
    pub fn document(&self, document: &impl Serialize) -> io::Result<()> {
        let mut out = io::stdout().lock();
        serde_json::to_writer(&mut out, document)?;
        writeln!(out)?;
        out.flush()
    }

    /// Lines of text.
    ///
    /// # Errors
    /// A closed or full stdout.
    pub fn text(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// A word to whoever watches.
    pub fn talk(&self, text: &str) {
        if !self.quiet {
            // Nobody is left to tell if stderr is closed.
            let _ = writeln!(io::stderr().lock(), "{text}");
        }
    }

    /// Whether stdout may be coloured.
    pub fn is_coloured(&self) -> bool {
        !self.json && !self.no_color && io::stdout().is_terminal()
    }

    /// Tells why a command failed.
    pub fn failure(&self, failure: &Failure) {
        if failure.exit == Exit::Success {
            return;
        }
        let Failure {
            code, message, hint, ..
        } = failure;
        let text = if self.json {
            json!({ "error": { "code": code, "message": message, "hint": hint } }).to_string()
        } else if hint.is_empty() {
            format!("error: {message}")
        } else {
            format!("error: {message}\n  next: {hint}")
        };
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}
