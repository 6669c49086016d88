//! The regular run of a worker.

use std::time::Duration;

use tokio::sync::watch;
use tracing::{info, warn};

use super::{DeadLetterProcessor, Run};

/// Time between two runs. A redrive waits a minute at least, so looking more often finds little.
const PAUSE: Duration = Duration::from_mins(1);

/// Runs the processor again and again; when it is stopped, after the letter that it is at.
pub async fn process_regularly(processor: DeadLetterProcessor, mut stopped: watch::Receiver<bool>) {
    let run = Run::default();
    while !*stopped.borrow() {
        let told = stopped.clone();
        match processor.process_while(&run, || !*told.borrow()).await {
            Ok(report) if report.examined > report.kept => info!(
                retried = report.retried,
                resolved = report.resolved,
                archived = report.archived,
                failed = report.failed,
                remaining = report.remaining,
                "dead_letters.processed"
            ),
            Ok(_) => {}
            Err(error) => warn!(%error, "dead_letters.process"),
        }
        tokio::select! {
            _ = stopped.changed() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}
