//! How soon all is whole again.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::check::expected;
use super::fleet::Fleet;
use super::history::Heard;
use super::screens::Screen;
use super::{evidence, postgres};

/// How long all may take to be whole again after the last fault.
const CONVERGENCE: Duration = Duration::from_secs(15);

/// Waits until every event has its number and every screen has the last one that is for it. Gives how long after the
/// last fault that was.
pub async fn settle(fleet: &Fleet, screens: &[Screen], last_fault: Instant) -> Result<Duration, String> {
    loop {
        let behind = behind(fleet, screens).await;
        let after = last_fault.elapsed();
        match behind {
            None => return Ok(after),
            Some(who) if after > CONVERGENCE => return Err(format!("{after:?} after the last fault: {who}")),
            Some(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Who is not whole yet.
async fn behind(fleet: &Fleet, screens: &[Screen]) -> Option<String> {
    let found = async {
        let client = postgres::connect(&fleet.database).await?;
        evidence::read(&client).await
    };
    let found = match found.await {
        Ok(found) => found,
        Err(error) => return Some(format!("PostgreSQL does not answer: {error:?}")),
    };
    if found.staged > 0 {
        return Some(format!("{} events wait for their number", found.staged));
    }
    let late = screens.iter().find(|screen| {
        let history = screen.history();
        let due = expected(&history, &found.log, 0)
            .last()
            .and_then(|event| event.seq);
        let seen = |heard: &Heard| match heard {
            Heard::Event { seq, .. } => Some(*seq),
            _ => None,
        };
        history.heard.iter().filter_map(seen).max() < due
    });
    late.map(|screen| format!("{} has not got everything", screen.seat.name))
}
