//! The doorbell: says that something may have been staged. It may ring in vain, and be missed; who waits also looks
//! from time to time.

use std::sync::Arc;
use std::time::Duration;

use comanda_domain::backoff::FullJitter;
use futures_util::StreamExt;
use tokio::sync::{Notify, watch};

use super::EventBus;
use crate::draw::draw;

/// Other processes hear of it at most once in so long.
const QUIET: Duration = Duration::from_millis(2);
/// How long whoever listens to the others waits after a failure, if it cannot be told.
const REST: Duration = Duration::from_secs(1);

/// Wakes whoever waits in this process, and those of others through [`carry`]. Cheap to clone; all clones are one
/// bell.
#[derive(Debug, Clone, Default)]
pub struct Bell {
    here: Arc<Notify>,
    beyond: Arc<Notify>,
}

impl Bell {
    /// Wakes one who waits, or the next who will, here and in other processes.
    pub fn ring(&self) {
        self.here.notify_one();
        self.beyond.notify_one();
    }

    /// Until it rings, or at once if it has rung since.
    pub async fn rung(&self) {
        self.here.notified().await;
    }
}

/// Carries the ringing of this process to the others; never ends. What cannot be carried is missed.
pub async fn carry(bell: Bell, bus: Arc<dyn EventBus>) {
    loop {
        bell.beyond.notified().await;
        // The breaker and the metrics tell of failures.
        let _ = bus.ring().await;
        tokio::time::sleep(QUIET).await;
    }
}

/// Lets the bell ring here when it rings in another process, until it is stopped.
pub async fn listen(bell: Bell, bus: Arc<dyn EventBus>, mut stopped: watch::Receiver<bool>) {
    let listening = async {
        let mut failures = 0_u32;
        loop {
            let mut rings = bus.rings();
            while let Some(Ok(())) = rings.next().await {
                failures = 0;
                bell.here.notify_one();
            }
            failures = failures.saturating_add(1);
            let wait = FullJitter::BUS.wait(failures, draw());
            tokio::time::sleep(wait.to_std().unwrap_or(REST)).await;
        }
    };
    tokio::select! {
        _ = stopped.changed() => {}
        () = listening => {}
    }
}
