//! The checker: a pure function over all that was written down.

mod log;
mod operations;
mod screens;

use super::history::Evidence;

/// Everything that is not as promised, in words.
pub fn check(evidence: &Evidence) -> Vec<String> {
    let mut found = evidence.accidents.clone();
    found.extend(log::check(evidence));
    found.extend(operations::check(evidence));
    for screen in &evidence.screens {
        found.extend(screens::check(screen, &evidence.log));
    }
    found
}

pub use screens::expected;

#[cfg(test)]
mod tests;
