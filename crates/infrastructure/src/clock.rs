//! The only owner of the clock and of fresh ids.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, SubsecRound, Utc};
use comanda_domain::Timestamp;
use comanda_domain::ids::IdSource;
use uuid::{ContextV7, Uuid};

/// Gives the time.
pub trait Clock: Send + Sync {
    /// Now, in whole microseconds, as PostgreSQL keeps it.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> Timestamp {
        Utc::now().trunc_subsecs(6)
    }
}

/// A clock that stands still until it is moved; for tests.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that shows `at`.
    pub fn new(at: Timestamp) -> Self {
        Self(Mutex::new(at))
    }

    /// Moves the hand forward.
    pub fn advance(&self, by: chrono::TimeDelta) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Time and ids, shared by every use case of a process.
#[derive(Clone)]
pub struct Sources {
    clock: Arc<dyn Clock>,
    context: Arc<Mutex<ContextV7>>,
}

impl Sources {
    /// Ids follow the given clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            context: Arc::new(Mutex::new(ContextV7::new())),
        }
    }

    /// The clock of the machine.
    pub fn system() -> Self {
        Self::new(Arc::new(SystemClock))
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A source of ids that rise within this process.
    pub fn ids(&self) -> Ids {
        Ids(self.clone())
    }
}

/// Version 7 UUIDs that rise within the process, also within one millisecond.
#[derive(Clone)]
pub struct Ids(Sources);

impl IdSource for Ids {
    fn uuid(&mut self) -> Uuid {
        let now: DateTime<Utc> = self.0.now();
        let context = self.0.context.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
        Uuid::new_v7(uuid::Timestamp::from_unix(
            &*context,
            seconds,
            now.timestamp_subsec_nanos(),
        ))
    }
}
