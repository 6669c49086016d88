//! A bus that is watched.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use comanda_infrastructure::events::bus::Signal;
use comanda_infrastructure::events::{BusError, EventBus, LoggedEvent};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

/// A bus that counts what its tails bring.
pub struct Counted {
    pub bus: Arc<dyn EventBus>,
    pub carried: Arc<AtomicUsize>,
}

impl EventBus for Counted {
    fn name(&self) -> &'static str {
        self.bus.name()
    }
    fn kept(&self) -> i64 {
        self.bus.kept()
    }
    fn publish<'a>(
        &'a self,
        epoch: &'a str,
        shard: i32,
        events: &'a [Arc<LoggedEvent>],
    ) -> BoxFuture<'a, Result<(), BusError>> {
        self.bus.publish(epoch, shard, events)
    }
    fn top<'a>(&'a self, epoch: &'a str, shard: i32) -> BoxFuture<'a, Result<i64, BusError>> {
        self.bus.top(epoch, shard)
    }
    fn clear<'a>(&'a self, epoch: &'a str, shard: i32) -> BoxFuture<'a, Result<(), BusError>> {
        self.bus.clear(epoch, shard)
    }
    fn tail(
        &self,
        epoch: &str,
        after: &BTreeMap<i32, i64>,
    ) -> BoxStream<'static, Result<Arc<LoggedEvent>, BusError>> {
        let carried = self.carried.clone();
        self.bus
            .tail(epoch, after)
            .inspect(move |event| {
                carried.fetch_add(usize::from(event.is_ok()), Ordering::Relaxed);
            })
            .boxed()
    }
    fn let_go<'a>(&'a self, epoch: &'a str, shards: &'a [i32]) -> BoxFuture<'a, Result<u64, BusError>> {
        self.bus.let_go(epoch, shards)
    }
    fn signal<'a>(&'a self, shard: i32, signal: &'a Signal) -> BoxFuture<'a, Result<(), BusError>> {
        self.bus.signal(shard, signal)
    }
    fn signals(&self) -> BoxStream<'static, Result<Arc<Signal>, BusError>> {
        self.bus.signals()
    }
    fn ring(&self) -> BoxFuture<'_, Result<(), BusError>> {
        self.bus.ring()
    }
    fn rings(&self) -> BoxStream<'static, Result<(), BusError>> {
        self.bus.rings()
    }
}
