//! The work of the worker role, on a thread of its own: a busy server does not delay it, nor it the server.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{LocalSet, spawn_local};
use tracing::error;

use super::upkeep::keep_up;
use super::{Bell, EventBus, Publisher, Sequenced, Sequencer, bell};
use crate::api_keys::forget_regularly;
use crate::db::Relay;
use crate::dead_letters::{DeadLetterProcessor, process_regularly};
use crate::services::Services;
use crate::webhooks::worker::WebhookWorker;
use crate::{gauges, jobs};

/// Batches that may wait for the publisher; what finds no room it reads from the log.
const WAITING: usize = 64;

/// What the workers need.
pub struct WorkerParts {
    /// Their way to the database.
    pub relay: Relay,
    /// Rings when something was staged.
    pub bell: Bell,
    /// Where events go.
    pub bus: Arc<dyn EventBus>,
    /// For the jobs.
    pub services: Services,
    /// Events of one batch at most.
    pub batch: u32,
    /// How long events are kept.
    pub retention: Duration,
    /// For what was given up.
    pub dead_letters: DeadLetterProcessor,
    /// Delivers webhooks.
    pub webhooks: WebhookWorker,
}

/// The running workers of a process.
pub struct Workers {
    stop: watch::Sender<bool>,
    ended: oneshot::Receiver<()>,
    thread: JoinHandle<()>,
}

impl Workers {
    /// Starts their thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(parts: WorkerParts) -> std::io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let (end, ended) = oneshot::channel();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new()
            .name("workers".into())
            .spawn(move || {
                LocalSet::new().block_on(&runtime, run(parts, stopped));
                // Nobody waiting is no failure.
                let _ = end.send(());
            })?;
        Ok(Self { stop, ended, thread })
    }

    /// Ends them in order: the batch is finished, leadership given up, what was numbered published.
    pub async fn stop(self) {
        // Nobody listening means that they have ended.
        let _ = self.stop.send(true);
        let _ = self.ended.await;
        if self.thread.join().is_err() {
            error!("workers.panicked");
        }
    }
}

async fn run(parts: WorkerParts, mut told: watch::Receiver<bool>) {
    // Lives as long as the workers, so that they end in order also when whoever started them is gone.
    let (stop, stopped) = watch::channel(false);
    let jobs = jobs::start(&parts.services);
    let upkeep = spawn_local(keep_up(parts.relay.clone(), parts.retention, stopped.clone()));
    let fan_out = spawn_local(parts.webhooks.clone().run_fan_out(stopped.clone()));
    let webhooks = spawn_local(parts.webhooks.run(stopped.clone()));
    let hearing = spawn_local(bell::listen(
        parts.bell.clone(),
        Arc::clone(&parts.bus),
        stopped.clone(),
    ));
    let (batches, numbered) = mpsc::channel(WAITING);
    let (leads, led) = watch::channel(Vec::new());
    let gauges = spawn_local(gauges::keep(parts.relay.clone(), led.clone(), stopped.clone()));
    let nonces = spawn_local(forget_regularly(parts.relay.clone(), stopped.clone()));
    let letters = spawn_local(process_regularly(parts.dead_letters, stopped.clone()));
    let publisher = spawn_local(Publisher::new(parts.relay.clone(), parts.bus).run(led, numbered));
    let sequencer = Sequencer {
        relay: parts.relay,
        bell: parts.bell,
        batch: i32::try_from(parts.batch).unwrap_or(i32::MAX),
        out: Sequenced { leads, batches },
    };
    let sequencer = spawn_local(sequencer.run(stopped));
    // An error means that whoever would stop them is gone.
    let _ = told.changed().await;
    stop.send_replace(true);
    // In this order; a task that has panicked has been reported.
    let _ = sequencer.await;
    let _ = publisher.await;
    let _ = upkeep.await;
    let _ = gauges.await;
    let _ = letters.await;
    let _ = nonces.await;
    let _ = fan_out.await;
    let _ = webhooks.await;
    let _ = hearing.await;
    jobs.stop().await;
}
