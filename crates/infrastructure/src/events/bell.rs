//! The doorbell: says that something may have been staged. It may ring in vain, and be missed; who waits also looks
//! from time to time.

use std::sync::Arc;

use tokio::sync::Notify;

/// Wakes whoever waits in this process. Cheap to clone; all clones are one bell.
#[derive(Debug, Clone, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// Wakes one who waits, or the next who will.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Until it rings, or at once if it has rung since.
    pub async fn rung(&self) {
        self.0.notified().await;
    }
}
