//! One contract, four buses: the process itself, and Redis as one server, as a Cluster and behind a Sentinel.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use comanda_domain::breaker::{BreakerSettings, BreakerState};
use comanda_infrastructure::breaker::CircuitBreaker;
use comanda_infrastructure::clock::Sources;
use comanda_infrastructure::events::bus::{MemoryBus, RedisBus, Signal};
use comanda_infrastructure::events::{Bell, BusError, Document, EventBus, LoggedEvent, carry, listen};
use comanda_infrastructure::redis::{Redis, RedisAddress, RedisConfig};
use futures_util::StreamExt;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::redis::{RedisCluster, RedisSentinel, RedisServer};

const SOON: Duration = Duration::from_secs(10);
const EPOCH: &str = "0000000a";
const NEXT_EPOCH: &str = "0000000b";

/// What a bus runs on.
enum Ground {
    Memory(Arc<MemoryBus>),
    Single(RedisServer),
    Cluster(RedisCluster),
    Sentinel(RedisSentinel),
}

impl Ground {
    fn memory() -> Self {
        Self::Memory(Arc::default())
    }
    fn single() -> Self {
        Self::Single(RedisServer::start())
    }
    fn cluster() -> Self {
        Self::Cluster(RedisCluster::start())
    }
    fn sentinel() -> Self {
        Self::Sentinel(RedisSentinel::start())
    }

    /// The bus as another process sees it.
    fn bus(&self, process: &str) -> Arc<dyn EventBus> {
        match self {
            Self::Memory(bus) => bus.clone(),
            Self::Single(server) => redis_bus(&server.url(), process),
            Self::Cluster(cluster) => redis_bus(&cluster.url(), process),
            Self::Sentinel(sentinel) => redis_bus(&sentinel.url(), process),
        }
    }

    fn servers(&self) -> Vec<&RedisServer> {
        match self {
            Self::Memory(_) => Vec::new(),
            Self::Single(server) => vec![server],
            Self::Cluster(cluster) => cluster.nodes.iter().collect(),
            Self::Sentinel(sentinel) => vec![&sentinel.master],
        }
    }
}

pub fn breaker() -> Arc<CircuitBreaker> {
    let settings = BreakerSettings {
        open_for: chrono::TimeDelta::milliseconds(500),
        ..BreakerSettings::default()
    };
    Arc::new(CircuitBreaker::new("redis_events", settings, Sources::system()))
}

/// A bus over the servers at this address; they need not answer.
pub fn redis_bus(url: &str, process: &str) -> Arc<dyn EventBus> {
    guarded_bus(url, process, breaker())
}

pub fn guarded_bus(url: &str, process: &str, breaker: Arc<CircuitBreaker>) -> Arc<dyn EventBus> {
    let config = RedisConfig {
        address: RedisAddress::parse(url).unwrap(),
        pool: 4,
        timeout: Duration::from_millis(500),
    };
    Arc::new(RedisBus::new(
        Redis::new(&config).unwrap(),
        breaker,
        1000,
        process,
    ))
}

/// What the log says at a position, as large as you like.
pub fn event(shard: i32, pos: i64, bytes: usize) -> Arc<LoggedEvent> {
    let moment = DateTime::from_timestamp_micros(1_795_176_000_123_456 + pos).unwrap();
    Arc::new(LoggedEvent {
        tenant_id: Uuid::from_u128(1),
        branch_id: (pos % 2 == 0).then(|| Uuid::from_u128(2)),
        shard,
        pos,
        seq: (pos % 2 == 0).then_some(pos / 2),
        event_id: Uuid::from_u128(1000 + u128::try_from(pos).unwrap()),
        type_: "dev.comanda.test.v1".to_owned(),
        subject: format!("ñ {shard}:{pos}"),
        session_id: None,
        sector_id: Some(Uuid::from_u128(3)),
        attributes: Some(Document::from(&json!({ "correlationid": "req_1" }))),
        data: Document::from(&json!({
            "filling": "\u{1f35d}".repeat(bytes / 4), "none": null, "amount": 9_007_199_254_740_993_i64,
        })),
        occurred_at: moment,
        recorded_at: moment,
    })
}

fn events(shard: i32, positions: std::ops::RangeInclusive<i64>) -> Vec<Arc<LoggedEvent>> {
    positions.map(|pos| event(shard, pos, 0)).collect()
}

/// The next `count` events of a tail, by shard.
async fn read(
    tail: &mut (impl futures_util::Stream<Item = Result<Arc<LoggedEvent>, BusError>> + Unpin),
    count: usize,
) -> BTreeMap<i32, VecDeque<Arc<LoggedEvent>>> {
    let mut found: BTreeMap<i32, VecDeque<_>> = BTreeMap::new();
    for nth in 0..count {
        let event = timeout(SOON, tail.next()).await;
        let event = event.unwrap_or_else(|_| panic!("{nth} of {count} came: {found:?}"));
        let event = event.unwrap().unwrap();
        found.entry(event.shard).or_default().push_back(event);
    }
    found
}

/// Order, what is there and what comes, positions that differ by shard, and the newest.
async fn order(ground: Ground) {
    let (writer, reader) = (ground.bus("writer"), ground.bus("reader"));
    assert_eq!(writer.top(EPOCH, 1).await.unwrap(), 0);
    writer.publish(EPOCH, 1, &events(1, 1..=5)).await.unwrap();
    writer.publish(EPOCH, 2, &events(2, 1..=3)).await.unwrap();
    let mut tail = reader.tail(EPOCH, &BTreeMap::from([(1, 2), (2, 0), (3, 0)]));
    let there = read(&mut tail, 6).await;
    assert_eq!(there[&1], events(1, 3..=5));
    assert_eq!(there[&2], events(2, 1..=3));
    for pos in 6..=8 {
        writer.publish(EPOCH, 1, &events(1, pos..=pos)).await.unwrap();
        assert_eq!(read(&mut tail, 1).await[&1], events(1, pos..=pos));
    }
    writer.publish(EPOCH, 3, &events(3, 1..=1)).await.unwrap();
    assert_eq!(read(&mut tail, 1).await[&3], events(3, 1..=1));
    assert_eq!(reader.top(EPOCH, 1).await.unwrap(), 8);
    assert_eq!(reader.top(NEXT_EPOCH, 1).await.unwrap(), 0);
}

/// Whoever does not know what it has published begins anew; nobody reads anything twice.
async fn repeats(ground: Ground) {
    let (writer, reader) = (ground.bus("writer"), ground.bus("reader"));
    let mut tail = reader.tail(EPOCH, &BTreeMap::from([(0, 0)]));
    for range in [1..=4, 1..=4, 2..=3, 3..=700] {
        writer.publish(EPOCH, 0, &events(0, range)).await.unwrap();
    }
    assert_eq!(read(&mut tail, 700).await[&0], events(0, 1..=700));
    // A hole stays a hole: the reader sees it by the position.
    writer.publish(EPOCH, 0, &events(0, 705..=705)).await.unwrap();
    writer.publish(EPOCH, 0, &events(0, 701..=706)).await.unwrap();
    assert_eq!(read(&mut tail, 2).await[&0], events(0, 705..=706));
}

async fn large_ones(ground: Ground) {
    let bus = ground.bus("one");
    let all: Vec<_> = (1..=20).map(|pos| event(5, pos, 64 * 1024)).collect();
    bus.publish(EPOCH, 5, &all).await.unwrap();
    let mut tail = bus.tail(EPOCH, &BTreeMap::from([(5, 0)]));
    assert_eq!(read(&mut tail, all.len()).await[&5], all);
}

/// They reach who listens, of all shards, and are not kept.
async fn signals(ground: Ground) {
    let (one, other) = (ground.bus("one"), ground.bus("other"));
    let signal = |nth: i32| Signal {
        tenant_id: Uuid::from_u128(1),
        branch_id: Uuid::from_u128(2),
        session_id: Uuid::from_u128(3),
        name: "cart.changed".to_owned(),
        data: json!({ "nth": nth }),
    };
    one.signal(1, &signal(-1)).await.unwrap();
    let mut heard = other.signals();
    // Until it listens, what is said is lost.
    let began = Instant::now();
    while timeout(Duration::from_millis(20), heard.next()).await.is_err() {
        assert!(began.elapsed() < SOON, "nothing was heard");
        one.signal(1, &signal(0)).await.unwrap();
    }
    for nth in 1..=3 {
        one.signal(nth, &signal(nth)).await.unwrap();
    }
    let mut after = Vec::new();
    while after.len() < 3 {
        let next = timeout(SOON, heard.next())
            .await
            .expect("a signal")
            .unwrap()
            .unwrap();
        if next.data["nth"] != 0 {
            after.push(next.as_ref().clone());
        }
    }
    assert_eq!(after, (1..=3).map(signal).collect::<Vec<_>>());
}

/// A life of the log that is over is let go of; that of now, and other shards, are not.
async fn epochs(ground: Ground) {
    let bus = ground.bus("one");
    for shard in [1, 2] {
        bus.publish(EPOCH, shard, &events(shard, 1..=2)).await.unwrap();
        bus.publish(NEXT_EPOCH, shard, &events(shard, 1..=1))
            .await
            .unwrap();
    }
    let mut tail = bus.tail(NEXT_EPOCH, &BTreeMap::from([(1, 0)]));
    assert_eq!(read(&mut tail, 1).await[&1], events(1, 1..=1));
    assert_eq!(bus.let_go(NEXT_EPOCH, &[1]).await.unwrap(), 1);
    assert_eq!(bus.let_go(NEXT_EPOCH, &[1]).await.unwrap(), 0);
    let ends = |shard: i32, epoch: &str| {
        let servers = ground.servers().into_iter();
        let mut lives = servers.map(|server| server.command(&format!("TTL comanda:ev:{{{shard}}}:{epoch}")));
        // The others answer that it is not theirs.
        lives.any(|life| matches!(life.trim_end(), ":3600" | ":3599" | ":3598"))
    };
    if !ground.servers().is_empty() {
        assert!(ends(1, EPOCH));
    }
    assert!(!ends(1, NEXT_EPOCH) && !ends(2, EPOCH));
    bus.publish(NEXT_EPOCH, 1, &events(1, 2..=2)).await.unwrap();
    assert_eq!(read(&mut tail, 1).await[&1], events(1, 2..=2));
    assert_eq!(bus.top(EPOCH, 2).await.unwrap(), 2);
}

macro_rules! contract {
    ($($ground:ident),*) => { $(
        mod $ground {
            use super::Ground;

            #[tokio::test]
            async fn order() { super::order(Ground::$ground()).await; }
            #[tokio::test]
            async fn repeats() { super::repeats(Ground::$ground()).await; }
            #[tokio::test]
            async fn large_ones() { super::large_ones(Ground::$ground()).await; }
            #[tokio::test]
            async fn signals() { super::signals(Ground::$ground()).await; }
            #[tokio::test]
            async fn epochs() { super::epochs(Ground::$ground()).await; }
        }
    )* };
}

contract!(memory, single, cluster, sentinel);

/// The bell is heard in other processes, and not where it was rung.
#[tokio::test]
async fn the_bell_rings_elsewhere() {
    let ground = Ground::single();
    let (one, other) = (ground.bus("one"), ground.bus("other"));
    let (mut own, mut heard) = (one.rings(), other.rings());
    let began = Instant::now();
    while timeout(Duration::from_millis(20), heard.next()).await.is_err() {
        assert!(began.elapsed() < SOON, "the bell was not heard");
        one.ring().await.unwrap();
    }
    // The other's ring comes behind all of one's own, and is the first that is heard.
    let began = Instant::now();
    let first = loop {
        assert!(began.elapsed() < SOON, "the other's bell was not heard");
        other.ring().await.unwrap();
        if let Ok(first) = timeout(Duration::from_millis(20), own.next()).await {
            break first;
        }
        one.ring().await.unwrap();
    };
    first.unwrap().unwrap();
}

/// From the bell of one process to that of another.
#[tokio::test]
async fn a_bell_wakes_whoever_waits_in_another_process() {
    let ground = Ground::single();
    let (here, there) = (Bell::default(), Bell::default());
    let (stop, stopped) = watch::channel(false);
    let carrying = tokio::spawn(carry(here.clone(), ground.bus("one")));
    let listening = tokio::spawn(listen(there.clone(), ground.bus("other"), stopped));
    let began = Instant::now();
    while timeout(Duration::from_millis(20), there.rung()).await.is_err() {
        assert!(began.elapsed() < SOON, "the bell was not heard");
        here.ring();
    }
    stop.send(true).unwrap();
    listening.await.unwrap();
    carrying.abort();
}

/// Without an answer every call is an error, and soon none is made; time alone lets it be tried again.
#[tokio::test]
async fn the_breaker_opens_and_closes() {
    let mut server = RedisServer::start();
    let guard = breaker();
    let bus = guarded_bus(&server.url(), "one", guard.clone());
    bus.publish(EPOCH, 1, &events(1, 1..=1)).await.unwrap();
    server.kill();
    for nth in 0..5 {
        let refused = bus.publish(EPOCH, 1, &events(1, 2..=2)).await.unwrap_err();
        assert!(matches!(refused, BusError::Unavailable(_)), "{nth}: {refused}");
    }
    assert_eq!(guard.state(), BreakerState::Open);
    let refused = bus.publish(EPOCH, 1, &events(1, 2..=2)).await.unwrap_err();
    assert!(matches!(refused, BusError::Open(_)), "{refused}");
    server.run();
    crate::events::until("the breaker half-opens", async || {
        (guard.state() == BreakerState::HalfOpen).then_some(())
    })
    .await;
    for _ in 0..2 {
        bus.publish(EPOCH, 1, &events(1, 2..=2)).await.unwrap();
    }
    assert_eq!(guard.state(), BreakerState::Closed);
}
