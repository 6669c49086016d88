//! What a process with listeners reads: the bus, and the log where the bus has holes or fails.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use comanda_domain::backoff::FullJitter;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{info, warn};

use super::{BusError, EventBus, LoggedEvent, log};
use crate::db::{DbError, Relay};
use crate::draw::draw;
use crate::events::bus::Signal;

/// How often the log is read while the bus fails.
const POLL: Duration = Duration::from_millis(200);
/// How often the log is compared with what the bus brought.
const COMPARE: Duration = Duration::from_secs(1);
/// Events that are read from the log at once.
const CHUNK: i64 = 500;
/// A bus that worked for so long is asked again soon when it fails.
const GOOD: Duration = Duration::from_secs(10);

/// Hears everything that happens, shard by shard in order, each event once.
pub trait Listener: Send + Sync {
    /// An event. Gives what is to be waited for, briefly, before the next: whoever is told more at once than they can
    /// take in would lose their connection.
    fn event(&self, event: &Arc<LoggedEvent>) -> Option<BoxFuture<'static, ()>>;
    /// The log begins a new life: what was remembered of the old one is void.
    fn epoch_changed(&self, epoch: &str);
    /// A signal.
    fn signal(&self, signal: &Arc<Signal>);
}

/// Since when it is not known that a listener has heard everything. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Lateness(Arc<Mutex<Instant>>);

impl Lateness {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    fn complete_at(&self, looked: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = looked;
    }

    /// How long ago it was last known that the listener had heard everything: two seconds or so while all is well.
    pub fn behind(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

/// A feed that runs.
pub struct Feed {
    lateness: Lateness,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
}

impl Feed {
    /// Begins at the end of the log. On a thread with a local set.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn start(
        bus: Arc<dyn EventBus>,
        relay: Relay,
        listener: Arc<dyn Listener>,
    ) -> Result<Self, DbError> {
        let (epoch, heads) = log::positions(&relay).await?;
        let lateness = Lateness::new();
        let (stop, mut stopped) = watch::channel(false);
        let mut reader = Reader {
            bus,
            relay,
            listener,
            epoch,
            at: heads.into_iter().collect(),
            looked: None,
            failures: 0,
            lateness: lateness.clone(),
        };
        let running = tokio::task::spawn_local(async move {
            tokio::select! {
                _ = stopped.changed() => {}
                () = reader.run() => {}
            }
        });
        Ok(Self {
            lateness,
            stop,
            running,
        })
    }

    /// How late its listener may be.
    pub fn lateness(&self) -> &Lateness {
        &self.lateness
    }

    /// Ends it.
    pub async fn stop(self) {
        // Nobody listening means that it has ended.
        let _ = self.stop.send(true);
        let _ = self.running.await;
    }
}

/// Why following the bus ended.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Log(#[from] DbError),
    #[error("the bus has ended")]
    Ended,
}

/// Where the log stood.
struct Looked {
    at: Instant,
    heads: Vec<(i32, i64)>,
}

struct Reader {
    bus: Arc<dyn EventBus>,
    relay: Relay,
    listener: Arc<dyn Listener>,
    epoch: String,
    /// The newest position that the listener has heard, of each shard.
    at: BTreeMap<i32, i64>,
    /// Where the log stood when it was last looked at.
    looked: Option<Looked>,
    /// How often in a row the bus has failed.
    failures: u32,
    /// When the listener last had heard everything.
    lateness: Lateness,
}

impl Reader {
    async fn run(&mut self) {
        loop {
            let began = Instant::now();
            match self.follow().await {
                Ok(()) => continue,
                Err(error) => warn!(%error, "feed.bus_failed"),
            }
            self.failures = if began.elapsed() < GOOD {
                self.failures.saturating_add(1)
            } else {
                1
            };
            self.poll().await;
            info!("feed.bus_back");
        }
    }

    /// Follows the bus until it fails, or the epoch changes.
    async fn follow(&mut self) -> Result<(), Broken> {
        let mut tail = self.bus.tail(&self.epoch, &self.at);
        let mut signals = self.bus.signals();
        let mut compare = interval(COMPARE);
        compare.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = tail.next() => self.accept(event.ok_or(Broken::Ended)??).await?,
                signal = signals.next() => self.listener.signal(&signal.ok_or(Broken::Ended)??),
                _ = compare.tick() => {
                    let Some(looked) = self.look().await? else {
                        return Ok(());
                    };
                    // What has been numbered since the last look may still be on its way.
                    if let Some(due) = self.looked.replace(looked) {
                        self.complete(due).await?;
                    }
                }
            }
        }
    }

    /// Reads the log until the bus answers again.
    async fn poll(&mut self) {
        let first = self.at.keys().next().copied().unwrap_or(0);
        let (bus, epoch) = (Arc::clone(&self.bus), self.epoch.clone());
        let mut back = std::pin::pin!(answer(bus, epoch, first, self.failures));
        let mut poll = interval(POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                failures = &mut back => {
                    self.failures = failures;
                    return;
                }
                _ = poll.tick() => if let Err(error) = self.poll_once().await {
                    warn!(%error, "feed.poll");
                },
            }
        }
    }

    async fn poll_once(&mut self) -> Result<(), DbError> {
        match self.look().await? {
            Some(looked) => self.complete(looked).await,
            None => Ok(()),
        }
    }

    /// An event of the bus; what it has lost comes from the log.
    async fn accept(&mut self, event: Arc<LoggedEvent>) -> Result<(), DbError> {
        let at = self.at.get(&event.shard).copied().unwrap_or(0);
        if event.pos > at + 1 {
            self.catch_up(event.shard, event.pos - 1).await?;
        }
        self.deliver(&event).await;
        Ok(())
    }

    /// Reads the log up to a position.
    async fn catch_up(&mut self, shard: i32, to: i64) -> Result<(), DbError> {
        loop {
            let at = self.at.get(&shard).copied().unwrap_or(0);
            if at >= to {
                return Ok(());
            }
            let limit = CHUNK.min(to - at);
            let events = log::of_shard(&self.relay, shard, at, limit).await?;
            if events.is_empty() {
                return Ok(());
            }
            metrics::counter!("comanda_event_holes_filled_total")
                .increment(u64::try_from(events.len()).unwrap_or(u64::MAX));
            for event in events {
                self.deliver(&Arc::new(event)).await;
            }
        }
    }

    async fn deliver(&mut self, event: &Arc<LoggedEvent>) {
        let at = self.at.entry(event.shard).or_default();
        if event.pos <= *at {
            return;
        }
        *at = event.pos;
        if let Some(room) = self.listener.event(event) {
            room.await;
        }
    }

    /// Where the log stands. Nothing if it has begun a new life, with which this reader goes on.
    async fn look(&mut self) -> Result<Option<Looked>, DbError> {
        let at = Instant::now();
        let (epoch, heads) = log::positions(&self.relay).await?;
        if epoch != self.epoch {
            self.begin(epoch, heads);
            return Ok(None);
        }
        Ok(Some(Looked { at, heads }))
    }

    /// Fetches what the bus has not brought.
    async fn complete(&mut self, due: Looked) -> Result<(), DbError> {
        for (shard, head) in due.heads {
            self.catch_up(shard, head).await?;
        }
        self.lateness.complete_at(due.at);
        Ok(())
    }

    fn begin(&mut self, epoch: String, heads: Vec<(i32, i64)>) {
        info!(epoch, "feed.new_epoch");
        self.at = heads.into_iter().collect();
        self.looked = None;
        self.listener.epoch_changed(&epoch);
        self.epoch = epoch;
    }
}

/// Until the bus answers, and how often it had failed by then.
async fn answer(bus: Arc<dyn EventBus>, epoch: String, shard: i32, mut failures: u32) -> u32 {
    loop {
        let wait = FullJitter::BUS.wait(failures, draw());
        tokio::time::sleep(wait.to_std().unwrap_or(POLL)).await;
        match bus.top(&epoch, shard).await {
            Ok(_) => return failures,
            Err(_) => failures = failures.saturating_add(1),
        }
    }
}
