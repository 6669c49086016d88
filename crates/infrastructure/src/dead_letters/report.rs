//! What a run did, or would do.

use comanda_domain::dead_letter::{Decision, ErrorClass, Source};
use comanda_domain::ids::DeadLetterId;
use serde::Serialize;

use super::Letter;

/// The count of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Letters that were looked at.
    pub examined: u64,
    /// Whose handler ran.
    pub retried: u64,
    /// Whose handler succeeded.
    pub resolved: u64,
    /// That were put away.
    pub archived: u64,
    /// That are left to a person.
    pub kept: u64,
    /// That stay although something was to be done: the handler failed, there is none, the archive cannot be written,
    /// or whoever tried before has died.
    pub failed: u64,
    /// Open letters that there are afterwards, in all.
    pub remaining: u64,
    /// One line for each letter that was looked at.
    pub items: Vec<Item>,
}

/// What became of a letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Which.
    pub id: DeadLetterId,
    /// Whose work.
    pub source: Source,
    /// What its error said before.
    pub class: ErrorClass,
    /// `retry`, `archive`, `release` or `keep`.
    pub decision: &'static str,
    /// What came of it.
    pub result: Outcome,
    /// The code of the error, or why it is kept.
    pub code: Option<String>,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Its handler succeeded.
    Resolved,
    /// Its handler failed, or the archive cannot be written.
    Failed,
    /// It is put away.
    Archived,
    /// It is given up.
    Discarded,
    /// It waits for a person again.
    Reopened,
    /// Its lease had run out; it is due again later.
    Released,
    /// A person has to say.
    Kept,
    /// Nobody here can do its work.
    NoHandler,
    /// Somebody else has taken it meanwhile.
    Lost,
    /// There is no such letter.
    NotFound,
    /// Its state does not allow it.
    Refused,
    /// A dry run: nothing has changed.
    Planned,
}

impl Outcome {
    /// As it is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::Failed => "failed",
            Self::Archived => "archived",
            Self::Discarded => "discarded",
            Self::Reopened => "reopened",
            Self::Released => "released",
            Self::Kept => "kept",
            Self::NoHandler => "no_handler",
            Self::Lost => "lost",
            Self::NotFound => "not_found",
            Self::Refused => "refused",
            Self::Planned => "planned",
        }
    }
}

impl Report {
    pub(super) fn add(&mut self, letter: &Letter, decision: Decision, result: Outcome, code: Option<String>) {
        let counted = |yes: bool| u64::from(yes);
        let planned = result == Outcome::Planned;
        let stays = matches!(
            result,
            Outcome::Failed | Outcome::Lost | Outcome::NoHandler | Outcome::Released
        );
        self.examined += 1;
        self.retried += counted(decision == Decision::Retry && result != Outcome::NoHandler);
        self.resolved += counted(result == Outcome::Resolved);
        self.archived += counted(decision == Decision::Archive && !stays);
        self.kept += counted(result == Outcome::Kept);
        self.failed += counted(stays || planned && decision == Decision::Release);
        self.items.push(Item {
            id: letter.id,
            source: letter.source,
            class: letter.error_class,
            decision: named(decision),
            result,
            code,
        });
    }
}

fn named(decision: Decision) -> &'static str {
    match decision {
        Decision::Retry => "retry",
        Decision::Archive => "archive",
        Decision::Release => "release",
        Decision::Keep(_) | Decision::NotDue => "keep",
    }
}
