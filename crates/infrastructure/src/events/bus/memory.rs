//! The bus of a process that does everything itself.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::{BoxFuture, FutureExt, ready};
use futures_util::stream::{self, BoxStream, SelectAll, StreamExt};
use tokio::sync::{broadcast, watch};

use super::{BusError, EventBus, Signal};
use crate::events::LoggedEvent;
use crate::events::ring::{KEPT, Ring};

/// Signals that wait for a slow reader; older ones are dropped, as signals may be.
const SIGNALS: usize = 1024;

/// A ring per shard. Empty when the process starts: what is older is read from the log.
pub struct MemoryBus {
    shards: Mutex<HashMap<(String, i32), Arc<Shard>>>,
    signals: broadcast::Sender<Arc<Signal>>,
}

struct Shard {
    ring: Mutex<Ring>,
    top: watch::Sender<i64>,
}

impl Shard {
    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tail(self: Arc<Self>, after: i64) -> BoxStream<'static, Result<Arc<LoggedEvent>, BusError>> {
        let top = self.top.subscribe();
        let start = (self, top, after, VecDeque::new());
        stream::unfold(start, |(shard, mut top, mut after, mut waiting)| async move {
            loop {
                if let Some(event) = waiting.pop_front() {
                    return Some((Ok(event), (shard, top, after, waiting)));
                }
                top.borrow_and_update();
                waiting = shard.ring().after(after).into();
                match waiting.back() {
                    Some(last) => after = last.pos,
                    None => top.changed().await.ok()?,
                }
            }
        })
        .boxed()
    }
}

impl Default for MemoryBus {
    fn default() -> Self {
        Self {
            shards: Mutex::default(),
            signals: broadcast::Sender::new(SIGNALS),
        }
    }
}

impl MemoryBus {
    fn shard(&self, epoch: &str, shard: i32) -> Arc<Shard> {
        let mut shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        shards
            .entry((epoch.to_owned(), shard))
            .or_insert_with(|| {
                Arc::new(Shard {
                    ring: Mutex::default(),
                    top: watch::Sender::new(0),
                })
            })
            .clone()
    }
}

impl EventBus for MemoryBus {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn kept(&self) -> i64 {
        i64::try_from(KEPT).unwrap_or(i64::MAX)
    }

    fn publish<'a>(
        &'a self,
        epoch: &'a str,
        shard: i32,
        events: &'a [Arc<LoggedEvent>],
    ) -> BoxFuture<'a, Result<(), BusError>> {
        let shard = self.shard(epoch, shard);
        let top = {
            let mut ring = shard.ring();
            let refused = events
                .iter()
                .filter(|event| !ring.push(Arc::clone(event)))
                .count();
            metrics::counter!("comanda_events_duplicates_refused_total")
                .increment(u64::try_from(refused).unwrap_or(u64::MAX));
            ring.top()
        };
        shard.top.send_replace(top);
        ready(Ok(())).boxed()
    }

    fn top<'a>(&'a self, epoch: &'a str, shard: i32) -> BoxFuture<'a, Result<i64, BusError>> {
        ready(Ok(self.shard(epoch, shard).ring().top())).boxed()
    }

    fn clear<'a>(&'a self, epoch: &'a str, shard: i32) -> BoxFuture<'a, Result<(), BusError>> {
        *self.shard(epoch, shard).ring() = Ring::default();
        ready(Ok(())).boxed()
    }

    fn tail(
        &self,
        epoch: &str,
        after: &BTreeMap<i32, i64>,
    ) -> BoxStream<'static, Result<Arc<LoggedEvent>, BusError>> {
        let tails = after
            .iter()
            .map(|(shard, after)| self.shard(epoch, *shard).tail(*after));
        tails.collect::<SelectAll<_>>().boxed()
    }

    fn let_go<'a>(&'a self, epoch: &'a str, shards: &'a [i32]) -> BoxFuture<'a, Result<u64, BusError>> {
        let mut all = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.len();
        all.retain(|(other, shard), _| other == epoch || !shards.contains(shard));
        let gone = u64::try_from(before - all.len()).unwrap_or(u64::MAX);
        ready(Ok(gone)).boxed()
    }

    fn signal<'a>(&'a self, _shard: i32, signal: &'a Signal) -> BoxFuture<'a, Result<(), BusError>> {
        // Nobody listening is no failure.
        let _ = self.signals.send(Arc::new(signal.clone()));
        ready(Ok(())).boxed()
    }

    fn signals(&self) -> BoxStream<'static, Result<Arc<Signal>, BusError>> {
        stream::unfold(self.signals.subscribe(), |mut signals| async move {
            loop {
                match signals.recv().await {
                    Ok(signal) => return Some((Ok(signal), signals)),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                }
            }
        })
        .boxed()
    }

    /// There are no other processes.
    fn ring(&self) -> BoxFuture<'_, Result<(), BusError>> {
        ready(Ok(())).boxed()
    }

    fn rings(&self) -> BoxStream<'static, Result<(), BusError>> {
        stream::pending().boxed()
    }
}
