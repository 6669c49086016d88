//! A circuit breaker at work: the rules of `domain::breaker`, fed with the clock, seen in the metrics and the log.

use std::sync::{Mutex, MutexGuard, PoisonError};

use comanda_domain::breaker::{Breaker, BreakerOpen, BreakerSettings, BreakerState, CallOutcome};
use tracing::{info, warn};

use crate::clock::Sources;
use crate::draw::draw;

/// Guards a dependency. Shared by everything in the process that calls it.
pub struct CircuitBreaker {
    name: &'static str,
    breaker: Mutex<Breaker>,
    sources: Sources,
}

impl CircuitBreaker {
    /// A closed one, shown as `name`.
    pub fn new(name: &'static str, settings: BreakerSettings, sources: Sources) -> Self {
        let guard = Self {
            name,
            breaker: Mutex::new(Breaker::new(settings)),
            sources,
        };
        guard.show(BreakerState::Closed);
        guard
    }

    /// Makes the call, unless it failed too often of late. `failed` says which errors tell that the dependency does
    /// not work; the others are answers.
    ///
    /// # Errors
    /// What the call says, or [`BreakerOpen`] without having made it.
    pub async fn call<T, E: From<BreakerOpen>>(
        &self,
        failed: impl Fn(&E) -> bool,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let permit = {
            let mut breaker = self.lock();
            let now = self.sources.now();
            let permit = breaker.allow(now, draw());
            self.tell(&mut breaker);
            permit
        };
        let permit = permit.inspect_err(|_| {
            metrics::counter!("comanda_circuit_breaker_refused_total", "breaker" => self.name).increment(1);
        })?;
        let outcome = call.await;
        let counts = match &outcome {
            Err(error) if failed(error) => CallOutcome::Failed,
            _ => CallOutcome::Answered,
        };
        let mut breaker = self.lock();
        breaker.record(permit, counts, self.sources.now());
        self.tell(&mut breaker);
        outcome
    }

    /// Counts a failure that was noticed otherwise: a connection that was good has broken.
    pub fn failed(&self) {
        let mut breaker = self.lock();
        let now = self.sources.now();
        if let Ok(permit) = breaker.allow(now, draw()) {
            breaker.record(permit, CallOutcome::Failed, now);
        }
        self.tell(&mut breaker);
    }

    /// The state now.
    pub fn state(&self) -> BreakerState {
        let mut breaker = self.lock();
        self.tell(&mut breaker);
        breaker.state(self.sources.now())
    }

    fn lock(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells a change once.
    fn tell(&self, breaker: &mut Breaker) {
        let Some(state) = breaker.news(self.sources.now()) else {
            return;
        };
        let to = state.as_str();
        metrics::counter!("comanda_circuit_breaker_transitions_total", "breaker" => self.name, "to" => to)
            .increment(1);
        self.show(state);
        if state == BreakerState::Open {
            warn!(breaker = self.name, state = to, "breaker.changed");
        } else {
            info!(breaker = self.name, state = to, "breaker.changed");
        }
    }

    fn show(&self, state: BreakerState) {
        metrics::gauge!("comanda_circuit_breaker_state", "breaker" => self.name)
            .set(f64::from(state.gauge()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::TimeDelta;
    use comanda_domain::Timestamp;

    use super::*;
    use crate::clock::ManualClock;

    #[derive(Debug, PartialEq, thiserror::Error)]
    enum Fault {
        #[error("down")]
        Down,
        #[error("our own fault")]
        Ours,
        #[error(transparent)]
        Open(#[from] BreakerOpen),
    }

    /// It opens after failures in a row, half-opens by time alone and closes after two good trials; errors that are
    /// answers count as good.
    #[tokio::test]
    async fn it_follows_the_clock() {
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        let guard = CircuitBreaker::new("test", BreakerSettings::default(), Sources::new(clock.clone()));
        let call = async |outcome: Result<u8, Fault>| {
            guard.call(|error| *error == Fault::Down, async { outcome }).await
        };
        for _ in 0..4 {
            assert_eq!(call(Err(Fault::Down)).await, Err(Fault::Down));
        }
        assert_eq!(call(Err(Fault::Ours)).await, Err(Fault::Ours));
        for _ in 0..4 {
            assert_eq!(call(Err(Fault::Down)).await, Err(Fault::Down));
        }
        assert_eq!(guard.state(), BreakerState::Closed);
        guard.failed();
        assert_eq!(guard.state(), BreakerState::Open);
        assert!(matches!(call(Ok(1)).await, Err(Fault::Open(_))));
        clock.advance(TimeDelta::seconds(34));
        assert_eq!(guard.state(), BreakerState::HalfOpen);
        assert_eq!(call(Ok(1)).await, Ok(1));
        assert_eq!(call(Ok(2)).await, Ok(2));
        assert_eq!(guard.state(), BreakerState::Closed);
    }
}
