//! Lives of the log that are over.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tracing::info;

use super::EventBus;

/// How long to rest after a failure.
const REST: Duration = Duration::from_secs(5);

/// Lets go of what the bus holds of them, in the background; dropped, it stops.
#[derive(Debug, Default)]
pub(super) struct FormerEpochs(JoinSet<()>);

impl FormerEpochs {
    /// `epoch` is that of now, of these shards. On a thread with a local set.
    pub fn let_go(&mut self, bus: Arc<dyn EventBus>, epoch: String, shards: Vec<i32>) {
        // Whoever is still at it believes in an older one.
        self.0.abort_all();
        self.0.spawn_local(async move {
            loop {
                match bus.let_go(&epoch, &shards).await {
                    Ok(0) => return,
                    Ok(streams) => return info!(streams, "publisher.former_epochs"),
                    Err(_) => tokio::time::sleep(REST).await,
                }
            }
        });
    }
}
