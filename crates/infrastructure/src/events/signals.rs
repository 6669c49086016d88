//! What is told once and not kept, on its way from the operation to the bus.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tracing::warn;

use super::EventBus;
use super::bus::Signal;
use crate::outbox::shard;

/// Signals that may wait for the bus; more are dropped, as signals may be.
const WAITING: usize = 1024;

/// Takes signals from whoever causes them; never waits.
#[derive(Clone)]
pub struct Signals {
    sender: mpsc::Sender<Signal>,
    receiver: Arc<Mutex<Option<mpsc::Receiver<Signal>>>>,
}

impl Default for Signals {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        Self {
            sender,
            receiver: Arc::new(Mutex::new(Some(receiver))),
        }
    }
}

impl Signals {
    /// Sends one, if there is room.
    pub fn send(&self, signal: Signal) {
        // A full or closed queue drops it: whoever misses it reads the cart again.
        let _ = self.sender.try_send(signal);
    }

    /// Carries them to the bus until nobody can send any more. Once; a second call has nothing to do.
    pub async fn carry(self, bus: Arc<dyn EventBus>, shards: u32) {
        let receiver = self
            .receiver
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(mut receiver) = receiver else {
            return;
        };
        while let Some(signal) = receiver.recv().await {
            let shard = shard(signal.tenant_id, signal.branch_id, shards);
            if let Err(error) = bus.signal(shard, &signal).await {
                warn!(%error, "signals.not_sent");
            }
        }
    }
}
