//! Whether this process may be given work (`operations.md` 3). Redis being away is no reason against it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use comanda_infrastructure::gateway::EventService;
use comanda_infrastructure::services::Services;
use serde::Serialize;

/// How late those who listen may be told.
const LATE: Duration = Duration::from_secs(10);

/// What readiness depends on.
#[derive(Clone)]
pub struct Readiness {
    /// The use cases, over their database.
    pub services: Services,
    /// What those who listen here hear.
    pub events: EventService,
    /// Set once the process is to stop.
    pub draining: Arc<AtomicBool>,
}

/// One thing that must be well.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// `draining`, `database`, `events`.
    pub name: &'static str,
    /// Whether it is.
    pub ok: bool,
    /// What is wrong.
    pub cause: Option<String>,
}

impl Check {
    fn new(name: &'static str, cause: Option<String>) -> Self {
        Self {
            name,
            ok: cause.is_none(),
            cause,
        }
    }
}

impl Readiness {
    /// Everything that must be well.
    pub async fn checks(&self) -> Vec<Check> {
        let draining = self.draining.load(Ordering::Relaxed);
        let database = self.services.ready().await;
        vec![
            Check::new(
                "draining",
                draining.then(|| "the process is about to stop".to_owned()),
            ),
            Check::new("database", database.err().map(|error| error.to_string())),
            events(self.events.behind()),
        ]
    }
}

/// Whether what happens is told in time.
fn events(behind: Option<Duration>) -> Check {
    let late = behind.filter(|behind| *behind >= LATE);
    Check::new(
        "events",
        late.map(|behind| format!("{} seconds behind", behind.as_secs())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_seconds_late_is_too_late() {
        for in_time in [None, Some(Duration::ZERO), Some(Duration::from_millis(9_999))] {
            assert!(events(in_time).ok, "{in_time:?}");
        }
        let late = events(Some(LATE));
        assert_eq!(
            (late.ok, late.cause.as_deref()),
            (false, Some("10 seconds behind"))
        );
    }
}
