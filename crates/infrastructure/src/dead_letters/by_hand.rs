//! What people do with letters.

use comanda_domain::dead_letter::{By, LetterState, Source};
use comanda_domain::ids::DeadLetterId;
use serde::Serialize;
use tracing::warn;

use super::processor::{Changed, DeadLetterProcessor};
use super::report::Outcome;
use super::store::Key;
use super::trace::{self, Tracer};
use super::{Letter, steps, store};
use crate::db::{Conn, DbError};

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Run the handler now, whatever the processor would do.
    Retry,
    /// Put away.
    Archive,
    /// Give up for good.
    Discard,
    /// Take out of the archive.
    Reopen,
}

impl Move {
    /// Where it begins.
    fn from(self) -> LetterState {
        match self {
            Self::Retry | Self::Archive | Self::Discard => LetterState::Pending,
            Self::Reopen => LetterState::Archived,
        }
    }

    /// Where it leads.
    fn to(self) -> LetterState {
        match self {
            Self::Retry => LetterState::Retrying,
            Self::Archive => LetterState::Archived,
            Self::Discard => LetterState::Discarded,
            Self::Reopen => LetterState::Pending,
        }
    }
}

/// With which letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// These.
    Ids(Vec<DeadLetterId>),
    /// All of a source that are where the move begins.
    All(Source),
}

/// A change by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hand {
    /// What.
    pub what: Move,
    /// With which letters.
    pub target: Target,
    /// Why, at most 500 characters; kept in the letter and its trace.
    pub note: Option<String>,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// What became of a letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// Which.
    pub id: DeadLetterId,
    /// Where it was, if it is there.
    pub from: Option<LetterState>,
    /// Where it is, or would be.
    pub to: Option<LetterState>,
    /// What came of it.
    pub result: Outcome,
    /// The code of the error.
    pub code: Option<String>,
}

fn told(
    id: DeadLetterId,
    from: Option<LetterState>,
    to: Option<LetterState>,
    result: Outcome,
    code: Option<String>,
) -> Moved {
    Moved {
        id,
        from,
        to,
        result,
        code,
    }
}

/// What a transaction came to.
enum Reached {
    /// Nothing has changed, for this reason.
    Not(Option<LetterState>, Outcome),
    /// It is where it was to go.
    There(Box<Changed>),
}

impl DeadLetterProcessor {
    /// One letter.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn find(&self, id: DeadLetterId) -> Result<Option<Letter>, DbError> {
        self.relay
            .look(async |conn| match store::key_of(conn, id).await? {
                Some(key) => store::letter(conn, key, false).await,
                None => Ok(None),
            })
            .await
    }

    /// Changes letters, one after the other; what cannot be changed is told and does not stop the others.
    ///
    /// # Errors
    /// A failure of the database; what was changed before stays changed.
    pub async fn by_hand(&self, hand: &Hand) -> Result<Vec<Moved>, DbError> {
        let tracer = self.tracer();
        let mut moved = Vec::new();
        for named in self.named(&hand.target, hand.what.from()).await? {
            moved.push(match named {
                Ok(key) => self.move_one(&tracer, hand, key).await?,
                Err(id) => told(id, None, None, Outcome::NotFound, None),
            });
        }
        Ok(moved)
    }

    /// The letters of a target; ids that are none are given back.
    async fn named(
        &self,
        target: &Target,
        from: LetterState,
    ) -> Result<Vec<Result<Key, DeadLetterId>>, DbError> {
        self.relay
            .look(async |conn| {
                let mut keys = Vec::new();
                match target {
                    Target::All(source) => {
                        let found = store::keys_of(conn, *source, from).await?;
                        keys.extend(found.into_iter().map(Ok));
                    }
                    Target::Ids(ids) => {
                        for id in ids {
                            keys.push(store::key_of(conn, *id).await?.ok_or(*id));
                        }
                    }
                }
                Ok(keys)
            })
            .await
    }

    async fn move_one(&self, tracer: &Tracer, hand: &Hand, key: Key) -> Result<Moved, DbError> {
        let reached = if hand.dry_run {
            self.relay
                .look(async |conn| self.would_reach(conn, hand, key).await)
                .await?
        } else {
            self.relay
                .transact(async |conn| self.reach(conn, tracer, hand, key).await)
                .await?
        };
        let id = key.1.into();
        let told = |from, to, result, code| told(id, from, to, result, code);
        let changed = match reached {
            Reached::Not(from, Outcome::Planned) => {
                return Ok(told(from, Some(hand.what.to()), Outcome::Planned, None));
            }
            Reached::Not(from, outcome) => return Ok(told(from, from, outcome, None)),
            Reached::There(changed) => changed,
        };
        trace::count(&changed);
        let from = Some(changed.before.state);
        Ok(match hand.what {
            Move::Archive => told(from, Some(LetterState::Archived), Outcome::Archived, None),
            Move::Discard => told(from, Some(LetterState::Discarded), Outcome::Discarded, None),
            Move::Reopen => told(from, Some(LetterState::Pending), Outcome::Reopened, None),
            Move::Retry => {
                let (outcome, code) = self.redrive(tracer, &changed.after).await?;
                let to = match outcome {
                    Outcome::Resolved => LetterState::Resolved,
                    _ => LetterState::Pending,
                };
                told(from, Some(to), outcome, code)
            }
        })
    }

    /// Why it cannot be done, or that it would be.
    async fn would_reach(&self, conn: Conn<'_>, hand: &Hand, key: Key) -> Result<Reached, DbError> {
        let found = store::letter(conn, key, false).await?;
        let outcome = self
            .objection(found.as_ref(), hand.what)
            .unwrap_or(Outcome::Planned);
        Ok(Reached::Not(found.map(|letter| letter.state), outcome))
    }

    async fn reach(
        &self,
        conn: Conn<'_>,
        tracer: &Tracer,
        hand: &Hand,
        key: Key,
    ) -> Result<Reached, DbError> {
        let found = store::letter(conn, key, true).await?;
        let objection = self.objection(found.as_ref(), hand.what);
        let letter = match (found, objection) {
            (Some(letter), None) => letter,
            (found, objection) => {
                let outcome = objection.unwrap_or(Outcome::NotFound);
                return Ok(Reached::Not(found.map(|letter| letter.state), outcome));
            }
        };
        if hand.what == Move::Archive
            && let Err(error) = self.export(&letter).await
        {
            warn!(%error, letter = %letter.id, "dead_letters.not_archived");
            return Ok(Reached::Not(Some(letter.state), Outcome::Failed));
        }
        let now = self.relay.sources().now();
        let mut after = match hand.what {
            Move::Retry => steps::claimed(&letter, self.relay.instance(), now),
            Move::Reopen => steps::reopened(&letter),
            Move::Archive | Move::Discard => steps::ended(&letter, hand.what.to(), tracer.actor.label(), now),
        };
        if hand.note.is_some() {
            after.note.clone_from(&hand.note);
        }
        let reason = hand.note.clone();
        let changed = self.change(conn, tracer, letter, after, reason).await?;
        Ok(Reached::There(Box::new(changed)))
    }

    fn objection(&self, found: Option<&Letter>, what: Move) -> Option<Outcome> {
        let Some(letter) = found else {
            return Some(Outcome::NotFound);
        };
        if letter.state != what.from() || !letter.state.may_become(what.to(), By::Person) {
            return Some(Outcome::Refused);
        }
        let helpless = what == Move::Retry && self.handlers.of(letter.source).is_none();
        helpless.then_some(Outcome::NoHandler)
    }
}
