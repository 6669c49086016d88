//! A gateway that runs: the feed that tells the hub, and what the hub asks.

use std::sync::Arc;

use tokio::task::{JoinHandle, spawn_local};

use super::told::Told;
use super::{EventService, Hub};
use crate::api_keys::ApiKeyService;
use crate::db::{Db, DbError, Relay};
use crate::events::{EventBus, Feed};

/// The running gateway of a process.
pub struct Gateway {
    /// What it offers.
    pub events: EventService,
    feed: Option<Feed>,
    tending: JoinHandle<()>,
    carrying: Option<JoinHandle<()>>,
}

impl Gateway {
    /// Begins to listen at the end of the log; without a bus nobody listens here. On a thread with a local set.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn start(
        db: &Db,
        relay: &Relay,
        bus: Option<Arc<dyn EventBus>>,
        api_keys: ApiKeyService,
        public_url: &str,
    ) -> Result<Self, DbError> {
        let (hub, tending) = Hub::new(db.clone(), public_url);
        let tending = spawn_local(tending.run());
        let mut carrying = None;
        let mut feed = None;
        if let Some(bus) = bus {
            let signals = db.signals().clone();
            carrying = Some(spawn_local(signals.carry(Arc::clone(&bus), db.shards())));
            let told = Arc::new(Told {
                hub: hub.clone(),
                api_keys,
            });
            feed = Some(Feed::start(bus, relay.clone(), told).await?);
        }
        let lateness = feed.as_ref().map(|feed| feed.lateness().clone());
        let events = EventService::new(db.clone(), hub, lateness, public_url);
        Ok(Self {
            events,
            feed,
            tending,
            carrying,
        })
    }

    /// Ends it.
    pub async fn stop(self) {
        if let Some(feed) = self.feed {
            feed.stop().await;
        }
        if let Some(carrying) = self.carrying {
            carrying.abort();
        }
        self.tending.abort();
    }
}
