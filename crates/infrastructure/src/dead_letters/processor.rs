//! The run over what is due.

use std::path::PathBuf;
use std::sync::Arc;

use comanda_domain::dead_letter::{Decision, LetterState, Source, decide};
use tracing::warn;
use uuid::Uuid;

use super::attempt::draw;
use super::export::{self, ExportError};
use super::redrive::Handlers;
use super::report::{Outcome, Report};
use super::store::{self, Filter, Scope};
use super::trace::{self, Tracer};
use super::{Actor, Letter, steps};
use crate::config::Config;
use crate::db::{Conn, DbError, Relay};
use crate::events::Bell;
use crate::failpoint;
use crate::webhooks::worker::WebhookWorker;

/// What a run may do.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// Letters that it looks at, at most.
    pub max_messages: u32,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Letters of one source only.
    pub source: Option<Source>,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            max_messages: 100,
            dry_run: false,
            source: None,
        }
    }
}

/// Retries, archives and keeps what workers gave up on. Any number of them may run at once.
#[derive(Clone)]
pub struct DeadLetterProcessor {
    pub(super) relay: Relay,
    pub(super) handlers: Handlers,
    export_dir: Option<PathBuf>,
    actor: Actor,
}

/// What a transaction did with a letter.
enum Step {
    /// Nothing is due.
    Idle,
    /// The lease is ours; its handler comes next.
    Claimed(Changed),
    /// It is done with.
    Done(Changed, Decision, Outcome),
}

/// A letter before and after a step.
pub(super) struct Changed {
    pub(super) before: Letter,
    pub(super) after: Letter,
}

/// Why a transaction did nothing.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error(transparent)]
    Database(#[from] DbError),
    #[error("{1}")]
    Export(Box<Letter>, ExportError),
}

impl DeadLetterProcessor {
    /// On behalf of `actor`. Archived letters are also written to `export_dir`, if there is one.
    pub fn new(relay: Relay, handlers: Handlers, export_dir: Option<PathBuf>, actor: Actor) -> Self {
        Self {
            relay,
            handlers,
            export_dir,
            actor,
        }
    }

    /// With every handler that this release has.
    pub fn assemble(relay: &Relay, bell: &Bell, config: &Config, actor: Actor) -> Self {
        let webhooks = WebhookWorker::assemble(relay, bell, config);
        let handlers = Handlers::default().with(Source::Webhook, Arc::new(webhooks));
        let export_dir = config.dead_letter_export_dir.clone();
        Self::new(relay.clone(), handlers, export_dir, actor)
    }

    /// Works through due letters, oldest first, and says what it left to people.
    ///
    /// # Errors
    /// A failure of the database; what was done before stays done, and counts.
    pub async fn process(&self, run: &Run) -> Result<Report, DbError> {
        self.process_while(run, || true).await
    }

    /// As [`Self::process`], but begins no further letter once `go_on` says no.
    pub(super) async fn process_while(&self, run: &Run, go_on: impl Fn() -> bool) -> Result<Report, DbError> {
        let mut scope = self.scope(run.source);
        if run.dry_run {
            return self.plan(run, &scope).await;
        }
        let tracer = self.tracer();
        let mut report = Report::default();
        let mut seen = Vec::new();
        while report.examined < u64::from(run.max_messages) && go_on() {
            match self
                .relay
                .transact(async |conn| self.step(conn, &scope, &tracer).await)
                .await
            {
                Ok(Step::Idle) => break,
                Ok(Step::Claimed(changed)) => {
                    trace::count(&changed);
                    failpoint::reached("dlq_claimed");
                    let (result, code) = self.redrive(&tracer, &changed.after).await?;
                    seen.push(changed.before.id.0);
                    report.add(&changed.before, Decision::Retry, result, code);
                }
                Ok(Step::Done(changed, decision, result)) => {
                    trace::count(&changed);
                    failpoint::reached("dlq_done");
                    seen.push(changed.before.id.0);
                    report.add(&changed.before, decision, result, None);
                }
                Err(StepError::Export(letter, error)) => {
                    warn!(%error, letter = %letter.id, "dead_letters.not_archived");
                    // It will not work for the next one either, and the others need not wait for it.
                    scope.archive = false;
                    seen.push(letter.id.0);
                    report.add(
                        &letter,
                        Decision::Archive,
                        Outcome::Failed,
                        Some("export".to_owned()),
                    );
                }
                Err(StepError::Database(error)) => return Err(error),
            }
        }
        self.relay
            .look(async |conn| self.leave(conn, run, &scope, &seen, &mut report).await)
            .await?;
        Ok(report)
    }

    /// Takes the oldest due letter one step on, in the transaction of `conn`.
    async fn step(&self, conn: Conn<'_>, scope: &Scope, tracer: &Tracer) -> Result<Step, StepError> {
        let Some(letter) = store::take_due(conn, scope).await? else {
            return Ok(Step::Idle);
        };
        let now = self.relay.sources().now();
        let decision = decide(letter.facts(), scope.now);
        let (after, outcome) = match decision {
            Decision::Retry => {
                let claimed = steps::claimed(&letter, self.relay.instance(), now);
                let changed = self.change(conn, tracer, letter, claimed, None).await?;
                return Ok(Step::Claimed(changed));
            }
            Decision::Archive => {
                if let Err(error) = self.export(&letter).await {
                    return Err(StepError::Export(Box::new(letter), error));
                }
                let by = tracer.actor.label();
                (
                    steps::ended(&letter, LetterState::Archived, by, now),
                    Outcome::Archived,
                )
            }
            Decision::Release => (steps::released(&letter, now, draw()), Outcome::Released),
            Decision::Keep(_) | Decision::NotDue => {
                let fault = format!("letter {} is due and is not", letter.id);
                return Err(DbError::Corrupt(fault).into());
            }
        };
        let changed = self.change(conn, tracer, letter, after, None).await?;
        Ok(Step::Done(changed, decision, outcome))
    }

    /// Changes a letter that is locked, with its trace.
    pub(super) async fn change(
        &self,
        conn: Conn<'_>,
        tracer: &Tracer,
        before: Letter,
        after: Letter,
        reason: Option<String>,
    ) -> Result<Changed, DbError> {
        if !store::save(conn, &before, &after).await? {
            return Err(DbError::Corrupt(format!(
                "letter {} changed under its lock",
                before.id
            )));
        }
        let changed = Changed { before, after };
        tracer.stage(conn, &changed, reason).await?;
        failpoint::reached("dlq_changed");
        Ok(changed)
    }

    /// Writes a letter that is about to be archived to where archived letters are kept besides.
    pub(super) async fn export(&self, letter: &Letter) -> Result<(), ExportError> {
        if let Some(dir) = &self.export_dir {
            export::append(dir, letter, self.relay.sources().now()).await?;
            failpoint::reached("dlq_exported");
        }
        Ok(())
    }

    /// The same decisions, in a transaction that cannot change anything.
    async fn plan(&self, run: &Run, scope: &Scope) -> Result<Report, DbError> {
        self.relay
            .look(async |conn| {
                let mut report = Report::default();
                let mut seen = Vec::new();
                for letter in store::due(conn, scope, i64::from(run.max_messages)).await? {
                    seen.push(letter.id.0);
                    let decision = decide(letter.facts(), scope.now);
                    report.add(&letter, decision, Outcome::Planned, None);
                }
                self.leave(conn, run, scope, &seen, &mut report).await?;
                Ok(report)
            })
            .await
    }

    /// Counts what is left alone, as far as the run may look, and what is left in all.
    async fn leave(
        &self,
        conn: Conn<'_>,
        run: &Run,
        scope: &Scope,
        seen: &[Uuid],
        report: &mut Report,
    ) -> Result<(), DbError> {
        let room = u64::from(run.max_messages).saturating_sub(report.examined);
        let room = i64::try_from(room).unwrap_or(i64::MAX);
        for letter in store::waiting(conn, scope, seen, room).await? {
            match decide(letter.facts(), scope.now) {
                decision @ Decision::Keep(reason) => {
                    report.add(&letter, decision, Outcome::Kept, Some(reason.to_string()));
                }
                decision => {
                    warn!(letter = %letter.id, source = %letter.source, "dead_letters.no_handler");
                    report.add(&letter, decision, Outcome::NoHandler, None);
                }
            }
        }
        report.remaining = store::open(conn, &scope.sources).await?;
        Ok(())
    }

    fn scope(&self, source: Option<Source>) -> Scope {
        let sources = source.map_or(Source::ALL.to_vec(), |source| vec![source]);
        Scope {
            now: self.relay.sources().now(),
            sources: sources.iter().map(ToString::to_string).collect(),
            handled: self.handlers.sources(),
            archive: true,
        }
    }

    pub(super) fn tracer(&self) -> Tracer {
        Tracer::new(self.actor.clone(), self.relay.sources())
    }

    /// Letters as a list.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn list(&self, filter: Filter) -> Result<Vec<Letter>, DbError> {
        store::list(&self.relay, filter).await
    }
}
