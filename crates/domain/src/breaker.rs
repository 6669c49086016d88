//! The circuit breaker of every dependency: a state machine over a given time (`events.md` 10).

use chrono::TimeDelta;

use crate::Timestamp;
use crate::backoff::{Draw, spread};
use crate::enums::text_enum;

text_enum! {
    /// Whether calls are made.
    BreakerState {
        /// They are.
        Closed = "closed",
        /// A few are, to see whether the dependency is back.
        HalfOpen = "half_open",
        /// None is.
        Open = "open",
    }
}

impl BreakerState {
    /// The value of the metric `comanda_circuit_breaker_state`.
    pub fn gauge(self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::HalfOpen => 1,
            Self::Open => 2,
        }
    }
}

/// When a breaker opens and closes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BreakerSettings {
    /// This many failures in a row open it.
    pub failures_to_open: u32,
    /// It stays open for so long.
    pub open_for: TimeDelta,
    /// … up to this much shorter or longer.
    pub jitter_percent: u8,
    /// A trial that has not reported by then has failed. Longer than the time limit of the guarded call.
    pub trial_deadline: TimeDelta,
    /// No more trials than this are under way at once.
    pub concurrent_trials: usize,
    /// This many good trials close it.
    pub successes_to_close: u32,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            failures_to_open: 5,
            open_for: TimeDelta::seconds(30),
            jitter_percent: 10,
            trial_deadline: TimeDelta::seconds(10),
            concurrent_trials: 2,
            successes_to_close: 2,
        }
    }
}

/// How a guarded call ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallOutcome {
    /// The dependency answered, be it that our request was wrong.
    Answered,
    /// It did not: a timeout, a refused or reset connection, a 5xx.
    Failed,
}

/// The right to make one call, to be given back with its outcome. One that is dropped counts for nothing, unless it
/// was a trial: then it has failed at its deadline.
#[derive(PartialEq, Eq, Debug)]
#[must_use = "make the call, then record its outcome"]
pub struct Permit {
    generation: u64,
    /// The number of the trial; none while the breaker is closed.
    trial: Option<u64>,
    draw: Draw,
}

impl Permit {
    /// Whether much depends on this call.
    pub fn is_trial(&self) -> bool {
        self.trial.is_some()
    }
}

/// The call is not made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not called: it failed too often of late")]
pub struct BreakerOpen {
    /// Asking earlier is pointless.
    pub retry_at: Timestamp,
}

/// A circuit breaker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    phase: Phase,
    /// Rises with each change of phase, so that late reports of calls from before are recognised.
    generation: u64,
    trials_begun: u64,
    announced: BreakerState,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Phase {
    Closed { failures: u32 },
    Open { until: Timestamp },
    HalfOpen { successes: u32, trials: Vec<Trial> },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Trial {
    number: u64,
    deadline: Timestamp,
    draw: Draw,
}

impl Phase {
    fn state(&self) -> BreakerState {
        match self {
            Self::Closed { .. } => BreakerState::Closed,
            Self::Open { .. } => BreakerState::Open,
            Self::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }
}

impl Breaker {
    /// A closed one.
    pub fn new(settings: BreakerSettings) -> Self {
        Self {
            settings,
            phase: Phase::Closed { failures: 0 },
            generation: 0,
            trials_begun: 0,
            announced: BreakerState::Closed,
        }
    }

    /// The state at that time, which time alone may have changed.
    pub fn state(&self, now: Timestamp) -> BreakerState {
        let mut then = self.clone();
        then.advance(now);
        then.phase.state()
    }

    /// The state, if it is another than this method last told: what is to be logged after each call of the others.
    pub fn news(&mut self, now: Timestamp) -> Option<BreakerState> {
        self.advance(now);
        let state = self.phase.state();
        let is_news = state != self.announced;
        self.announced = state;
        is_news.then_some(state)
    }

    /// Asks to make a call. The draw decides for how long the breaker stays open if this very call opens it.
    ///
    /// # Errors
    /// [`BreakerOpen`]: the caller fails like any other way.
    pub fn allow(&mut self, now: Timestamp, draw: Draw) -> Result<Permit, BreakerOpen> {
        self.advance(now);
        let generation = self.generation;
        let permit = |trial| Permit {
            generation,
            trial,
            draw,
        };
        match &mut self.phase {
            Phase::Closed { .. } => Ok(permit(None)),
            Phase::Open { until } => Err(BreakerOpen { retry_at: *until }),
            Phase::HalfOpen { trials, .. } => {
                let deadlines = trials.iter().map(|trial| trial.deadline);
                if let Some(retry_at) = deadlines
                    .min()
                    .filter(|_| trials.len() >= self.settings.concurrent_trials)
                {
                    return Err(BreakerOpen { retry_at });
                }
                self.trials_begun += 1;
                trials.push(Trial {
                    number: self.trials_begun,
                    deadline: now + self.settings.trial_deadline,
                    draw,
                });
                Ok(permit(Some(self.trials_begun)))
            }
        }
    }

    /// Tells how a permitted call ended. Reports of calls that began before the last change are ignored.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a permit is used up: recorded twice, one call would count as two"
    )]
    pub fn record(&mut self, permit: Permit, outcome: CallOutcome, now: Timestamp) {
        self.advance(now);
        let Permit {
            generation,
            trial,
            draw,
        } = permit;
        if generation != self.generation {
            return;
        }
        match (&mut self.phase, outcome) {
            (Phase::Closed { failures }, CallOutcome::Answered) => *failures = 0,
            (Phase::Closed { failures }, CallOutcome::Failed) => {
                *failures += 1;
                if *failures >= self.settings.failures_to_open {
                    self.open(now, draw);
                }
            }
            (Phase::HalfOpen { successes, trials }, CallOutcome::Answered) => {
                trials.retain(|under_way| Some(under_way.number) != trial);
                *successes += 1;
                if *successes >= self.settings.successes_to_close {
                    self.enter(Phase::Closed { failures: 0 });
                }
            }
            (Phase::HalfOpen { .. }, CallOutcome::Failed) => self.open(now, draw),
            (Phase::Open { .. }, _) => {}
        }
    }

    /// Does what time alone does: opens after a trial's deadline, half-opens after the wait.
    fn advance(&mut self, now: Timestamp) {
        loop {
            match &self.phase {
                Phase::Open { until } if *until <= now => self.enter(Phase::HalfOpen {
                    successes: 0,
                    trials: Vec::new(),
                }),
                Phase::HalfOpen { trials, .. } => {
                    let overdue = trials.iter().filter(|trial| trial.deadline <= now);
                    let Some(lost) = overdue.min_by_key(|trial| trial.deadline).copied() else {
                        return;
                    };
                    self.open(lost.deadline, lost.draw);
                }
                Phase::Closed { .. } | Phase::Open { .. } => return,
            }
        }
    }

    fn open(&mut self, at: Timestamp, draw: Draw) {
        let BreakerSettings {
            open_for,
            jitter_percent,
            ..
        } = self.settings;
        let until = at + spread(open_for, jitter_percent, draw);
        self.enter(Phase::Open { until });
    }

    fn enter(&mut self, phase: Phase) {
        self.generation += 1;
        self.phase = phase;
    }
}

#[cfg(test)]
mod tests;
