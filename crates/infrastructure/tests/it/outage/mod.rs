//! Redis is flushed, killed, rolled back, stopped: whoever listens hears each event once and in order all the same.

mod ahead;
mod counted;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use comanda_infrastructure::events::bus::Signal;
use comanda_infrastructure::events::{EventBus, Feed, Listener, LoggedEvent, Publisher};
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::Instant;

use self::counted::Counted;
use crate::bus::redis_bus;
use crate::events::{Log, SHARDS, stage, until};
use crate::redis::{RedisCluster, RedisSentinel, RedisServer};

/// The worst that is allowed: live again after Redis is back.
const FLOOR: Duration = Duration::from_secs(10);

/// What somebody has heard, shard by shard.
#[derive(Default)]
struct Heard(Mutex<BTreeMap<i32, Vec<i64>>>);

impl Listener for Heard {
    fn event(&self, event: &Arc<LoggedEvent>) -> Option<BoxFuture<'static, ()>> {
        self.0
            .lock()
            .unwrap()
            .entry(event.shard)
            .or_default()
            .push(event.pos);
        None
    }
    fn epoch_changed(&self, epoch: &str) {
        panic!("no epoch changes here: {epoch}");
    }
    fn signal(&self, _: &Arc<Signal>) {}
}

/// A worker and a gateway on Redis, each with connections of its own.
struct House {
    log: Log,
    heard: Arc<Heard>,
    carried: Arc<AtomicUsize>,
    gateway: Arc<dyn EventBus>,
    feed: Feed,
    stop: watch::Sender<bool>,
    sequencer: JoinHandle<()>,
    publisher: JoinHandle<()>,
    staged: BTreeMap<i32, usize>,
}

impl House {
    async fn new(url: &str) -> Self {
        let log = Log::new().await;
        let carried = Arc::new(AtomicUsize::new(0));
        let gateway: Arc<dyn EventBus> = Arc::new(Counted {
            bus: redis_bus(url, "gateway"),
            carried: carried.clone(),
        });
        let heard = Arc::new(Heard::default());
        let feed = Feed::start(gateway.clone(), log.database.relay.clone(), heard.clone())
            .await
            .unwrap();
        let (sequencer, leads, batches) = log.sequencer();
        let (stop, stopped) = watch::channel(false);
        let publisher = Publisher::new(log.database.relay.clone(), redis_bus(url, "worker"));
        Self {
            heard,
            carried,
            gateway,
            feed,
            stop,
            sequencer: spawn_local(sequencer.run(stopped)),
            publisher: spawn_local(publisher.run(leads, batches)),
            staged: BTreeMap::new(),
            log,
        }
    }

    /// Something happens in every shard, `times` times.
    async fn happen(&mut self, times: usize) {
        for _ in 0..times {
            for branch in 0..SHARDS {
                stage(&self.log.client, branch, "a", true).await;
                *self.staged.entry(branch).or_default() += 1;
            }
        }
    }

    /// Everything that happened is heard, once and in order.
    async fn all_heard(&self, when: &str) {
        let wanted: BTreeMap<i32, Vec<i64>> = self
            .staged
            .iter()
            .map(|(shard, count)| (*shard, (1..).take(*count).collect()))
            .collect();
        let began = Instant::now();
        loop {
            if *self.heard.0.lock().unwrap() == wanted {
                return;
            }
            let heard = self.heard.0.lock().unwrap().clone();
            assert!(began.elapsed() < FLOOR, "{when}: {heard:?} instead of {wanted:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The feed hears by way of Redis, not of the log alone.
    async fn live(&mut self, when: &str) {
        let began = Instant::now();
        let before = self.carried.load(Ordering::Relaxed);
        while self.carried.load(Ordering::Relaxed) == before {
            assert!(began.elapsed() < FLOOR, "{when}: not live within {FLOOR:?}");
            self.happen(1).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.all_heard(when).await;
    }

    /// Redis holds the end of the log again.
    async fn refilled(&self, when: &str) {
        let epoch = self.log.epoch().await;
        for (shard, count) in &self.staged {
            let wanted = i64::try_from(*count).unwrap();
            until(when, async || {
                let top = self.gateway.top(&epoch, *shard).await;
                top.is_ok_and(|top| top == wanted).then_some(())
            })
            .await;
        }
    }

    async fn end(self) {
        self.stop.send(true).unwrap();
        self.sequencer.await.unwrap();
        self.publisher.await.unwrap();
        self.feed.stop().await;
    }
}

async fn house(url: &str, story: impl AsyncFnOnce(&mut House)) {
    LocalSet::new()
        .run_until(async {
            let mut house = House::new(url).await;
            house.live("at first").await;
            story(&mut house).await;
            house.end().await;
        })
        .await;
}

#[tokio::test]
async fn flushing_loses_nothing() {
    let server = RedisServer::start();
    house(&server.url(), async |house| {
        for _ in 0..3 {
            house.happen(5).await;
            assert_eq!(server.command("FLUSHALL"), "+OK\r\n");
            house.happen(5).await;
        }
        house.all_heard("after flushing").await;
        house.live("after flushing").await;
    })
    .await;
}

#[tokio::test]
async fn a_killed_redis_comes_back_empty() {
    let mut server = RedisServer::start();
    house(&server.url(), async |house| {
        house.happen(20).await;
        server.kill();
        house.happen(5).await;
        house.all_heard("while it is gone").await;
        // Each begins right after a look at the log: the time it takes is that between two looks.
        let began = Instant::now();
        for _ in 0..5 {
            house.happen(1).await;
            house.all_heard("while it is gone").await;
        }
        let each = began.elapsed() / 5;
        assert!(
            each < Duration::from_millis(600),
            "{each:?} between two looks at the log"
        );
        server.run();
        house.live("after it came back").await;
        house.refilled("after it came back").await;
    })
    .await;
}

/// What it had saved is older than what it had been told.
#[tokio::test]
async fn a_rolled_back_redis_is_filled_up() {
    let mut server = RedisServer::start();
    house(&server.url(), async |house| {
        house.happen(3).await;
        house.refilled("at first").await;
        assert_eq!(server.command("SAVE"), "+OK\r\n");
        house.happen(4).await;
        house.refilled("before it goes").await;
        server.kill();
        server.run();
        house.refilled("after it came back").await;
        house.live("after it came back").await;
    })
    .await;
}

/// It takes connections and answers nothing.
#[tokio::test]
async fn a_redis_that_hangs_delays_and_loses_nothing() {
    let server = RedisServer::start();
    house(&server.url(), async |house| {
        server.signal("STOP");
        let began = Instant::now();
        house.happen(5).await;
        house.all_heard("while it hangs").await;
        let took = began.elapsed();
        assert!(took < Duration::from_secs(5), "{took:?}");
        server.signal("CONT");
        house.live("after it goes on").await;
    })
    .await;
}

#[tokio::test]
async fn one_server_of_a_cluster_dies_and_comes_back() {
    let mut cluster = RedisCluster::start();
    let url = cluster.url();
    house(&url, async |house| {
        cluster.nodes[1].kill();
        house.happen(5).await;
        house.all_heard("while one is gone").await;
        cluster.nodes[1].run();
        house.live("after it came back").await;
        house.refilled("after it came back").await;
    })
    .await;
}

#[tokio::test]
async fn a_replica_takes_over_from_a_master_that_dies() {
    let mut sentinel = RedisSentinel::start();
    let url = sentinel.url();
    house(&url, async |house| {
        sentinel.master.kill();
        house.happen(5).await;
        house.all_heard("while it is gone").await;
        house.live("under another master").await;
        house.refilled("under another master").await;
    })
    .await;
    assert!(sentinel.replica.command("ROLE").contains("master"));
}

/// Nothing is reachable when the processes start; when it is, nothing has to be done by hand.
#[tokio::test]
async fn redis_may_come_later() {
    let mut server = RedisServer::start();
    server.kill();
    LocalSet::new()
        .run_until(async {
            let mut house = House::new(&server.url()).await;
            house.happen(3).await;
            house.all_heard("without Redis").await;
            server.run();
            house.live("once it is there").await;
            house.refilled("once it is there").await;
            house.end().await;
        })
        .await;
}
