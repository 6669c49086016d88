//! One attempt at a claimed letter: the handler outside any transaction, then what came of it.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use comanda_domain::backoff::Draw;
use comanda_domain::dead_letter::ErrorClass;
use comanda_security::entropy::{SystemEntropy, fresh};
use futures_util::FutureExt;
use tokio::time::timeout;

use super::processor::{Changed, DeadLetterProcessor};
use super::report::Outcome;
use super::trace::{self, Tracer};
use super::{Effect, Letter, RedriveError, steps, store};
use crate::db::{Conn, DbError};
use crate::failpoint;

/// How long a handler may take; well within the lease.
const PATIENCE: Duration = Duration::from_mins(1);

impl DeadLetterProcessor {
    /// Runs the handler of a claimed letter and records what came of it, with the code of the error if it failed.
    ///
    /// # Errors
    /// A failure of the database while the letter was put back: it stays claimed until its lease ends.
    pub(super) async fn redrive(
        &self,
        tracer: &Tracer,
        letter: &Letter,
    ) -> Result<(Outcome, Option<String>), DbError> {
        let tried = self.attempt(letter).await;
        failpoint::reached("dlq_attempted");
        let recorded = match tried {
            Ok(effect) => self
                .resolve(tracer, letter, effect)
                .await
                .map_err(RedriveError::from),
            Err(error) => Err(error),
        };
        let (held, outcome, code) = match recorded {
            Ok(held) => (held, Outcome::Resolved, None),
            Err(error) => {
                let code = error.code.clone();
                (
                    self.put_back(tracer, letter, error).await?,
                    Outcome::Failed,
                    Some(code),
                )
            }
        };
        failpoint::reached("dlq_settled");
        Ok(if held {
            (outcome, code)
        } else {
            (Outcome::Lost, None)
        })
    }

    /// A handler that hangs or panics is one that fails.
    async fn attempt(&self, letter: &Letter) -> Result<Effect, RedriveError> {
        let Some(handler) = self.handlers.of(letter.source) else {
            let text = format!("nothing in this process handles letters of {}", letter.source);
            return Err(RedriveError::new(ErrorClass::Unknown, "no_handler", &text));
        };
        let attempt = AssertUnwindSafe(async { handler.attempt(letter).await }).catch_unwind();
        match timeout(PATIENCE, attempt).await {
            Ok(Ok(tried)) => tried,
            Ok(Err(_)) => Err(RedriveError::new(
                ErrorClass::Unknown,
                "panicked",
                "the handler has panicked",
            )),
            Err(_) => {
                let text = format!("no answer within {} s", PATIENCE.as_secs());
                Err(RedriveError::new(ErrorClass::Retryable, "timeout", &text))
            }
        }
    }

    /// Writes what the attempt left to write and ends the letter, together; says whether the lease was still ours.
    async fn resolve(&self, tracer: &Tracer, letter: &Letter, effect: Effect) -> Result<bool, DbError> {
        let resolved = steps::resolved(letter, tracer.actor.label(), self.relay.sources().now());
        self.settle(tracer, letter, resolved, None, async move |conn| {
            effect(conn).await
        })
        .await
    }

    /// Says whether the lease was still ours.
    async fn put_back(&self, tracer: &Tracer, letter: &Letter, error: RedriveError) -> Result<bool, DbError> {
        let reason = error.code.clone();
        let failed = steps::failed(letter, error, self.relay.sources().now(), draw());
        self.settle(tracer, letter, failed, Some(reason), async |_| Ok(()))
            .await
    }

    async fn settle(
        &self,
        tracer: &Tracer,
        claimed: &Letter,
        after: Letter,
        reason: Option<String>,
        more: impl AsyncFnOnce(Conn<'_>) -> Result<(), DbError>,
    ) -> Result<bool, DbError> {
        let changed = Changed {
            before: claimed.clone(),
            after,
        };
        let held = self
            .relay
            .transact(async |conn| {
                // First, so that whoever has lost the lease writes nothing at all.
                if !store::save(conn, &changed.before, &changed.after).await? {
                    return Ok(false);
                }
                more(conn).await?;
                tracer.stage(conn, &changed, reason).await?;
                failpoint::reached("dlq_settling");
                Ok::<_, DbError>(true)
            })
            .await?;
        if held {
            trace::count(&changed);
        }
        Ok(held)
    }
}

/// Spreads the waits. Without randomness all of them are the shortest, which does no harm.
pub(super) fn draw() -> Draw {
    fresh::<2>(&SystemEntropy::new()).map_or(Draw::LEAST, |bytes| Draw(u16::from_be_bytes(bytes)))
}
