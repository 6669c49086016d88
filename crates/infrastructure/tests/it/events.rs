//! From the staged row to the feed, on the real database.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use comanda_infrastructure::clock::Sources;
use comanda_infrastructure::db::DbError;
use comanda_infrastructure::events::bus::{MemoryBus, Signal};
use comanda_infrastructure::events::{
    Bell, EventBus, Feed, Leadership, Listener, LoggedEvent, Publisher, ReplayError, Sequenced, Sequencer,
    log, new_epoch, prepare_days, replay,
};
use comanda_infrastructure::postgres::Database;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::{Instant, timeout};
use tokio_postgres::Client;

use crate::house::{Empty, config, connect};

/// What the sequencer tells the publisher of.
pub type Batch = Vec<Arc<LoggedEvent>>;

pub const SHARDS: i32 = 4;
const BRANCHES: &str = "INSERT INTO tenant (tenant_id, name, default_locale, created_at) \
        VALUES ('00000000-0000-0000-0000-000000000001', 'House', 'es', now()); \
     INSERT INTO branch (tenant_id, id, name, slug, currency, locale, timezone, created_at) \
        SELECT '00000000-0000-0000-0000-000000000001', lpad(n::text, 32, '0')::uuid, 'Branch', 'branch-' || n, 'ARS', \
               'es', 'America/Argentina/Mendoza', now() FROM generate_series(0, 5) n";
const SOON: Duration = Duration::from_secs(10);

/// A database with partitions, and a way around its walls.
pub struct Log {
    pub database: Database,
    pub client: Client,
    empty: Empty,
}

impl Log {
    pub async fn new() -> Self {
        let empty = Empty::new().await;
        let database = Database::open_with(&config(&empty.url, &[]), Sources::system(), false)
            .await
            .unwrap();
        prepare_days(&database.relay).await.unwrap();
        let client = connect(&empty.url).await;
        client.batch_execute(BRANCHES).await.unwrap();
        Self {
            database,
            client,
            empty,
        }
    }

    pub async fn epoch(&self) -> String {
        log::positions(&self.database.relay).await.unwrap().0
    }

    pub async fn shard(&self, shard: i32) -> Vec<LoggedEvent> {
        log::of_shard(&self.database.relay, shard, 0, 100_000)
            .await
            .unwrap()
    }

    pub async fn lead(&self) -> Leadership {
        let mut leadership = Leadership::open(&self.database.relay).await.unwrap();
        leadership.take().await.unwrap();
        leadership
    }

    pub fn sequencer(&self) -> (Sequencer, watch::Receiver<Vec<i32>>, mpsc::Receiver<Batch>) {
        let (leads, led) = watch::channel(Vec::new());
        let (batches, published) = mpsc::channel(64);
        let relay = self.database.relay.clone();
        let out = Sequenced { leads, batches };
        (
            Sequencer {
                relay,
                bell: Bell::default(),
                batch: 50,
                out,
            },
            led,
            published,
        )
    }
}

/// Stages an event of a branch. The branch is its number, and decides the shard.
pub async fn stage(client: &Client, branch: i32, subject: &str, numbered: bool) {
    let insert = format!(
        "INSERT INTO outbox_stage (tenant_id, branch_id, shard, event_id, type, subject, data, occurred_at, numbered) \
         VALUES ('00000000-0000-0000-0000-000000000001', lpad('{branch}', 32, '0')::uuid, {shard}, \
                 gen_random_uuid(), 'dev.comanda.test.v1', '{subject}', '{{}}', now(), {numbered})",
        shard = branch % SHARDS
    );
    client.batch_execute(&insert).await.unwrap();
}

pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < SOON, "not within {SOON:?}: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Sixteen writers, each with an object of its own per branch, while the leader moves. Transactions stay open for
/// different times, so that rows become visible in another order than their numbers'.
#[tokio::test]
async fn positions_have_no_gaps_and_objects_keep_their_order() {
    const WRITERS: usize = 16;
    const EACH: usize = 30;
    let log = Log::new().await;
    LocalSet::new()
        .run_until(async {
            let (sequencer, _led, mut moved) = log.sequencer();
            let (stop, stopped) = watch::channel(false);
            let leading = spawn_local(sequencer.run(stopped));
            let draining = spawn_local(async move { while moved.recv().await.is_some() {} });
            let writers = (0..WRITERS).map(|writer| {
                let url = log.empty.url.clone();
                spawn_local(async move {
                    let client = connect(&url).await;
                    for nth in 0..EACH {
                        client.batch_execute("BEGIN").await.unwrap();
                        let branch = i32::try_from((writer + nth) % 6).unwrap();
                        stage(&client, branch, &format!("{writer}:{nth}"), true).await;
                        let pause = (writer * 7 + nth * 3) % 5;
                        client
                            .batch_execute(&format!("SELECT pg_sleep(0.00{pause}); COMMIT"))
                            .await
                            .unwrap();
                    }
                })
            });
            for writer in writers.collect::<Vec<JoinHandle<()>>>() {
                writer.await.unwrap();
            }
            until("everything is numbered", async || {
                let left: i64 = log
                    .client
                    .query_one("SELECT count(*) FROM outbox_stage", &[])
                    .await
                    .unwrap()
                    .get(0);
                (left == 0).then_some(())
            })
            .await;
            stop.send(true).unwrap();
            leading.await.unwrap();
            draining.await.unwrap();
        })
        .await;
    let mut total = 0;
    let mut seqs: BTreeMap<_, Vec<i64>> = BTreeMap::new();
    for shard in 0..SHARDS {
        let events = log.shard(shard).await;
        total += events.len();
        let mut last: HashMap<String, usize> = HashMap::new();
        for (event, pos) in events.iter().zip(1..) {
            assert_eq!(event.pos, pos, "shard {shard}");
            seqs.entry(event.branch_id).or_default().push(event.seq.unwrap());
            let (writer, nth) = event.subject.split_once(':').unwrap();
            let nth: usize = nth.parse().unwrap();
            if let Some(before) = last.insert(writer.to_owned(), nth) {
                assert!(
                    before < nth,
                    "writer {writer} of shard {shard}: {before} before {nth}"
                );
            }
        }
    }
    assert_eq!(total, WRITERS * EACH);
    for (branch, seqs) in seqs {
        let gapless: Vec<i64> = (1..).take(seqs.len()).collect();
        assert_eq!(seqs, gapless, "branch {branch:?}");
    }
}

#[tokio::test]
async fn internal_events_have_a_position_but_no_number() {
    let log = Log::new().await;
    for (nth, numbered) in [true, false, true].into_iter().enumerate() {
        stage(&log.client, 1, &nth.to_string(), numbered).await;
    }
    log.lead().await.sequence(10).await.unwrap();
    let events: Vec<_> = log
        .shard(1)
        .await
        .iter()
        .map(|event| (event.pos, event.seq))
        .collect();
    assert_eq!(events, [(1, Some(1)), (2, None), (3, Some(2))]);
}

#[tokio::test]
async fn a_former_leader_writes_nothing() {
    let log = Log::new().await;
    let mut former = log.lead().await;
    assert_eq!(former.shards().count(), 4);
    // Whoever comes second finds every lock taken.
    let second = log.lead().await;
    assert_eq!(second.shards().count(), 0);
    stage(&log.client, 1, "a", true).await;
    log.client
        .batch_execute("UPDATE event_shard SET term = term + 1 WHERE shard = 1")
        .await
        .unwrap();
    let refused = former.sequence(10).await.unwrap_err();
    assert!(matches!(refused, DbError::Fenced), "{refused}");
    assert!(log.shard(1).await.is_empty());
    drop(former);
    let mut next = second;
    until("the locks are free", async || {
        (next.take().await.unwrap() > 0 || next.shards().count() > 0).then_some(())
    })
    .await;
    until("every lock is free", async || {
        next.take().await.unwrap();
        (next.shards().count() == 4).then_some(())
    })
    .await;
    assert_eq!(next.sequence(10).await.unwrap().len(), 1);
    assert_eq!(log.shard(1).await.len(), 1);
}

#[tokio::test]
async fn a_leader_whose_connection_dies_is_followed_within_two_seconds() {
    let log = Log::new().await;
    LocalSet::new()
        .run_until(async {
            let first = log.lead().await;
            let (sequencer, _led, mut moved) = log.sequencer();
            let (stop, stopped) = watch::channel(false);
            let standby = spawn_local(sequencer.run(stopped));
            stage(&log.client, 2, "a", true).await;
            let kill = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted \
                        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) LIMIT 1";
            assert!(log.client.query_one(kill, &[]).await.unwrap().get::<_, bool>(0));
            let batch = timeout(Duration::from_secs(2), moved.recv()).await.unwrap().unwrap();
            assert_eq!(batch[0].subject, "a");
            stop.send(true).unwrap();
            standby.await.unwrap();
            drop(first);
        })
        .await;
}

#[tokio::test]
async fn what_was_numbered_but_not_published_reaches_the_bus() {
    let log = Log::new().await;
    let bus: Arc<dyn EventBus> = Arc::new(MemoryBus::default());
    for nth in 0..3 {
        stage(&log.client, 1, &nth.to_string(), true).await;
    }
    // The process dies here, after the commit.
    let first = log.lead().await.sequence(10).await.unwrap();
    let epoch = log.epoch().await;
    // One of three had been published.
    bus.publish(&epoch, 1, &[Arc::new(first[0].clone())])
        .await
        .unwrap();
    LocalSet::new()
        .run_until(async {
            let (leads, led) = watch::channel(Vec::new());
            let (batches, moved) = mpsc::channel(1);
            let publisher =
                spawn_local(Publisher::new(log.database.relay.clone(), bus.clone()).run(led, moved));
            leads.send(vec![1]).unwrap();
            let seen: Vec<_> = timeout(
                SOON,
                bus.tail(&epoch, &BTreeMap::from([(1, 0)]))
                    .take(3)
                    .map(|event| event.unwrap().pos)
                    .collect(),
            )
            .await
            .unwrap();
            assert_eq!(seen, [1, 2, 3]);
            drop((leads, batches));
            publisher.await.unwrap();
        })
        .await;
    let published: i64 = log
        .client
        .query_one("SELECT published_pos FROM event_shard WHERE shard = 1", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(published, 3);
}

#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Listener for Heard {
    fn event(&self, event: &Arc<LoggedEvent>) -> Option<BoxFuture<'static, ()>> {
        self.0.lock().unwrap().push(event.pos.to_string());
        None
    }
    fn epoch_changed(&self, epoch: &str) {
        self.0.lock().unwrap().push(epoch.to_owned());
    }
    fn signal(&self, signal: &Arc<Signal>) {
        self.0.lock().unwrap().push(signal.name.clone());
    }
}

#[tokio::test]
async fn the_feed_fills_holes_and_notices_a_new_epoch() {
    let log = Log::new().await;
    let bus: Arc<dyn EventBus> = Arc::new(MemoryBus::default());
    let heard = Arc::new(Heard::default());
    let epoch = log.epoch().await;
    LocalSet::new()
        .run_until(async {
            let feed = Feed::start(bus.clone(), log.database.relay.clone(), heard.clone())
                .await
                .unwrap();
            for nth in 0..3 {
                stage(&log.client, 1, &nth.to_string(), true).await;
            }
            let events = log.lead().await.sequence(10).await.unwrap();
            // The bus has lost the first two.
            bus.publish(&epoch, 1, &[Arc::new(events[2].clone())])
                .await
                .unwrap();
            let expect = async |wanted: &[&str]| {
                until("heard", async || {
                    (*heard.0.lock().unwrap() == *wanted).then_some(())
                })
                .await;
            };
            expect(&["1", "2", "3"]).await;
            let begun = new_epoch(&log.database.relay, "a test").await.unwrap();
            assert_eq!(begun.from, epoch);
            expect(&["1", "2", "3", &begun.to]).await;
            let slow = Duration::from_millis(1500);
            until("it keeps up", async || {
                (feed.lateness().behind() < slow).then_some(())
            })
            .await;
            // Without the log nobody knows what there is to hear.
            log.database.relay.close();
            until("it falls behind", async || {
                (feed.lateness().behind() > slow).then_some(())
            })
            .await;
            feed.stop().await;
        })
        .await;
}

/// What the bus has lost, or holds wrongly, is there again; a dry run only says so.
#[tokio::test]
async fn the_bus_is_written_anew_from_the_log() {
    let log = Log::new().await;
    let relay = &log.database.relay;
    for nth in 0..5 {
        stage(&log.client, 1, &nth.to_string(), true).await;
    }
    log.lead().await.sequence(100).await.unwrap();
    let (epoch, events) = (log.epoch().await, log.shard(1).await);
    let bus = MemoryBus::default();
    bus.publish(&epoch, 1, &[Arc::new(events[4].clone())])
        .await
        .unwrap();

    let planned = replay(relay, &bus, Some(1), true).await.unwrap();
    let [one] = planned.as_slice() else {
        panic!("{planned:?}")
    };
    assert_eq!((one.shard, one.from, one.to, one.count), (1, 1, 5, 5));
    let all = BTreeMap::from([(1, 0)]);
    let held = async |count| bus.tail(&epoch, &all).take(count).collect::<Vec<_>>().await;
    assert_eq!(held(1).await[0].as_ref().unwrap().pos, 5);

    let written = replay(relay, &bus, None, false).await.unwrap();
    assert_eq!(written.len(), usize::try_from(SHARDS).unwrap());
    assert_eq!(written[1], planned[0]);
    let positions: Vec<i64> = held(5)
        .await
        .into_iter()
        .map(|event| event.unwrap().pos)
        .collect();
    assert_eq!(positions, [1, 2, 3, 4, 5]);
    let wrong = replay(relay, &bus, Some(99), false).await;
    assert!(matches!(wrong, Err(ReplayError::NoShard(99))), "{wrong:?}");
}
