//! A gateway that runs: the feed that tells the hub, and what the hub asks.

use std::sync::Arc;

use tokio::task::{JoinHandle, spawn_local};

use super::{EventService, Hub};
use crate::db::{Db, DbError, Relay};
use crate::events::{EventBus, Feed};

/// The running gateway of a process.
pub struct Gateway {
    /// What it offers.
    pub events: EventService,
    feed: Feed,
    tending: JoinHandle<()>,
    carrying: JoinHandle<()>,
}

impl Gateway {
    /// Begins to listen at the end of the log. On a thread with a local set.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn start(
        db: &Db,
        relay: &Relay,
        bus: Arc<dyn EventBus>,
        public_url: &str,
    ) -> Result<Self, DbError> {
        let (hub, tending) = Hub::new(db.clone(), public_url);
        let tending = spawn_local(tending.run());
        let carrying = spawn_local(db.signals().clone().carry(Arc::clone(&bus), db.shards()));
        let feed = Feed::start(bus, relay.clone(), hub.clone()).await?;
        let events = EventService::new(db.clone(), hub, public_url);
        Ok(Self {
            events,
            feed,
            tending,
            carrying,
        })
    }

    /// Ends it.
    pub async fn stop(self) {
        self.feed.stop().await;
        self.tending.abort();
        self.carrying.abort();
    }
}
