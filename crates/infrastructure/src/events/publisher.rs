//! Puts what has been numbered on the bus; what it holds back, or has lost, it reads from the log.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{error, info, warn};

use super::former::FormerEpochs;
use super::{BusError, EventBus, LoggedEvent, gauge, log};
use crate::db::{DbError, Relay};

/// How often the log is compared with what was published, and the places are stored.
const COMPARE: Duration = Duration::from_secs(1);
/// How long a shard rests after a failure.
const REST: Duration = Duration::from_millis(200);
/// Events that are read from the log at once.
const CHUNK: i64 = 500;
/// What the metrics call a bus that is ahead of the log.
const AHEAD: &str = "bus_ahead_of_log";

/// Where a shard stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// What the bus holds has to be asked, from this moment on.
    Unknown(Option<Instant>),
    /// Everything up to here is on the bus.
    At(i64),
    /// The bus is ahead of the log; only a new epoch helps.
    Stopped,
}

#[derive(Debug, thiserror::Error)]
enum PublishError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Log(#[from] DbError),
}

/// Publishes the shards that this process leads.
pub struct Publisher {
    relay: Relay,
    bus: Arc<dyn EventBus>,
    epoch: String,
    places: BTreeMap<i32, Place>,
    /// Where the log stood when it was last compared.
    seen: BTreeMap<i32, i64>,
    stored: BTreeMap<i32, i64>,
    /// Shards have been taken over, and the epoch was not asked for since.
    taken_over: bool,
    former: FormerEpochs,
}

impl Publisher {
    /// Publishes nothing yet.
    pub fn new(relay: Relay, bus: Arc<dyn EventBus>) -> Self {
        // There from the start, so that the first one is seen to be one more.
        metrics::counter!("comanda_invariant_violations_total", "invariant" => AHEAD).increment(0);
        Self {
            relay,
            bus,
            epoch: String::new(),
            places: BTreeMap::new(),
            seen: BTreeMap::new(),
            stored: BTreeMap::new(),
            taken_over: false,
            former: FormerEpochs::default(),
        }
    }

    /// Publishes until the sequencer is gone and everything it said has been dealt with. On a thread with a local
    /// set.
    pub async fn run(
        mut self,
        mut leads: watch::Receiver<Vec<i32>>,
        mut batches: mpsc::Receiver<Vec<Arc<LoggedEvent>>>,
    ) {
        let mut compare = interval(COMPARE);
        compare.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut retry = interval(REST);
        retry.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                Ok(()) = leads.changed() => {
                    let shards = leads.borrow_and_update().clone();
                    self.lead(&shards);
                    self.find_places().await;
                }
                batch = batches.recv() => match batch {
                    Some(batch) => self.publish(&batch).await,
                    None => break,
                },
                _ = compare.tick() => self.compare().await,
                _ = retry.tick() => self.find_places().await,
            }
        }
        self.store().await;
    }

    /// Shards that are new begin at what the bus holds.
    fn lead(&mut self, shards: &[i32]) {
        self.taken_over |= shards.iter().any(|shard| !self.places.contains_key(shard));
        self.places.retain(|shard, _| shards.contains(shard));
        for shard in shards {
            self.places.entry(*shard).or_insert(Place::Unknown(None));
        }
    }

    /// Publishes a batch, in the order of shard and position.
    async fn publish(&mut self, batch: &[Arc<LoggedEvent>]) {
        for events in batch.chunk_by(|one, next| one.shard == next.shard) {
            let (Some(first), Some(last)) = (events.first(), events.last()) else {
                continue;
            };
            let next = match self.places.get(&first.shard) {
                Some(Place::At(at)) if at + 1 == first.pos => self.send(first.shard, events, last.pos).await,
                // What lies between was not heard of.
                Some(Place::At(at)) if at + 1 < first.pos => self.catch_up(first.shard, *at).await,
                _ => continue,
            };
            self.settle(first.shard, next);
        }
    }

    async fn send(&self, shard: i32, events: &[Arc<LoggedEvent>], last: i64) -> Result<i64, PublishError> {
        self.bus.publish(&self.epoch, shard, events).await?;
        metrics::counter!("comanda_events_published_total", "bus" => self.bus.name())
            .increment(u64::try_from(events.len()).unwrap_or(u64::MAX));
        Ok(last)
    }

    fn settle(&mut self, shard: i32, outcome: Result<i64, PublishError>) {
        let place = match outcome {
            Ok(at) => Place::At(at),
            Err(PublishError::Bus(error @ BusError::AheadOfLog { .. })) => {
                metrics::counter!("comanda_invariant_violations_total", "invariant" => AHEAD).increment(1);
                error!(%error, remedy = "comanda outbox new-epoch", "publisher.stopped");
                Place::Stopped
            }
            Err(error) => {
                warn!(%error, shard, "publisher.failed");
                Place::Unknown(Some(Instant::now() + REST))
            }
        };
        self.places.insert(shard, place);
    }

    /// Takes up the shards whose place is unknown, side by side: where the bus is several servers, one that does not
    /// answer holds up nobody else's shards.
    async fn find_places(&mut self) {
        let now = Instant::now();
        let due =
            |place: &Place| matches!(place, Place::Unknown(from) if from.is_none_or(|from| from <= now));
        let places = self.places.iter().filter(|(_, place)| due(place));
        let shards: Vec<i32> = places.map(|(shard, _)| *shard).collect();
        if shards.is_empty() {
            return;
        }
        if let Err(error) = self.find_epoch().await {
            return warn!(%error, "publisher.find_epoch");
        }
        let found = join_all(
            shards
                .iter()
                .map(async |shard| (*shard, self.take_over(*shard).await)),
        )
        .await;
        for (shard, outcome) in found {
            self.settle(shard, outcome);
        }
    }

    async fn find_epoch(&mut self) -> Result<(), DbError> {
        if self.taken_over {
            let (epoch, _) = log::positions(&self.relay).await?;
            self.begin(epoch);
            self.taken_over = false;
            self.let_go();
        }
        Ok(())
    }

    /// In another life of the log everything begins anew. Says whether it is another.
    fn begin(&mut self, epoch: String) -> bool {
        if epoch == self.epoch {
            return false;
        }
        self.epoch = epoch;
        self.places
            .values_mut()
            .for_each(|place| *place = Place::Unknown(None));
        self.seen.clear();
        self.stored.clear();
        true
    }

    /// From what the bus holds to the end of the log.
    async fn take_over(&self, shard: i32) -> Result<i64, PublishError> {
        // In this order: the log never falls behind what has been published.
        let top = self.bus.top(&self.epoch, shard).await?;
        let (_, heads) = log::positions(&self.relay).await?;
        let head = heads
            .iter()
            .find(|(other, _)| *other == shard)
            .map_or(0, |(_, head)| *head);
        if top > head {
            return Err(BusError::AheadOfLog { shard, top, head }.into());
        }
        self.catch_up(shard, top.max(head - self.bus.kept())).await
    }

    /// What the bus holds of other epochs does not stay for ever.
    fn let_go(&mut self) {
        let shards = self.places.keys().copied().collect();
        self.former
            .let_go(Arc::clone(&self.bus), self.epoch.clone(), shards);
    }

    async fn catch_up(&self, shard: i32, mut at: i64) -> Result<i64, PublishError> {
        loop {
            let events = log::of_shard(&self.relay, shard, at, CHUNK).await?;
            let events: Vec<_> = events.into_iter().map(Arc::new).collect();
            let Some(last) = events.last() else {
                return Ok(at);
            };
            at = self.send(shard, &events, last.pos).await?;
        }
    }

    /// Notices what was not heard of, and a new epoch.
    async fn compare(&mut self) {
        let (epoch, heads) = match log::positions(&self.relay).await {
            Ok(positions) => positions,
            Err(error) => return warn!(%error, "publisher.compare"),
        };
        if self.begin(epoch) {
            self.let_go();
        }
        for &(shard, head) in &heads {
            let Some(place) = self.places.get(&shard).copied() else {
                continue;
            };
            metrics::gauge!("comanda_event_log_pos", "shard" => shard.to_string()).set(gauge(head));
            if let Place::At(at) = place {
                if at > head {
                    // Restored under our feet.
                    let ahead = BusError::AheadOfLog { shard, top: at, head };
                    self.settle(shard, Err(ahead.into()));
                    continue;
                }
                metrics::gauge!("comanda_event_stream_lag", "shard" => shard.to_string())
                    .set(gauge(head - at));
                // What has been numbered since may still wait for its turn here.
                if at < self.seen.get(&shard).copied().unwrap_or(0) {
                    let outcome = self.catch_up(shard, at).await;
                    self.settle(shard, outcome);
                }
            }
        }
        self.seen = heads.into_iter().collect();
        self.look_after().await;
        self.store().await;
    }

    /// Asks the bus whether it still holds what was published: one that was emptied or went back may not have failed
    /// anybody who publishes little.
    async fn look_after(&mut self) {
        let places = self.places.iter().filter_map(|(shard, place)| match place {
            Place::At(at) => Some((*shard, *at)),
            Place::Unknown(_) | Place::Stopped => None,
        });
        let tops = places.map(async |(shard, at)| (shard, at, self.bus.top(&self.epoch, shard).await));
        for (shard, at, top) in join_all(tops).await {
            match top {
                Ok(top) if top == at => {}
                Ok(top) => {
                    info!(shard, at, top, "publisher.bus_moved");
                    self.places.insert(shard, Place::Unknown(None));
                }
                Err(error) => self.settle(shard, Err(error.into())),
            }
        }
    }

    /// Stores how far it has come, for lag and retention.
    async fn store(&mut self) {
        let moved: BTreeMap<i32, i64> = self
            .places
            .iter()
            .filter_map(|(shard, place)| match place {
                Place::At(at) if self.stored.get(shard) != Some(at) => Some((*shard, *at)),
                _ => None,
            })
            .collect();
        if moved.is_empty() {
            return;
        }
        let stored = log::store_published(&self.relay, &moved).await;
        match stored {
            Ok(()) => self.stored.extend(moved),
            Err(error) => warn!(%error, "publisher.store"),
        }
    }
}
