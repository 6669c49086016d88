//! The bus holds what the log does not: the log was restored.

use std::sync::Arc;

use comanda_infrastructure::events::{EventBus, LoggedEvent, Publisher};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, LocalSet, spawn_local};

use crate::bus::{event, redis_bus};
use crate::events::{Log, stage, until};
use crate::redis::RedisServer;

/// How often in this process a bus was seen ahead of the log.
fn violations() -> u64 {
    let page = comanda_infrastructure::telemetry::metrics().unwrap().render();
    let name = "comanda_invariant_violations_total{invariant=\"bus_ahead_of_log\"} ";
    let line = page.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(0, |count| count.parse().unwrap())
}

/// A publisher of its own, that leads one shard.
struct Leading {
    leads: watch::Sender<Vec<i32>>,
    batches: mpsc::Sender<Vec<Arc<LoggedEvent>>>,
    running: JoinHandle<()>,
}

impl Leading {
    fn new(log: &Log, bus: Arc<dyn EventBus>) -> Self {
        let (leads, led) = watch::channel(vec![]);
        let (batches, numbered) = mpsc::channel(8);
        let running = spawn_local(Publisher::new(log.database.relay.clone(), bus).run(led, numbered));
        leads.send(vec![1]).unwrap();
        Self {
            leads,
            batches,
            running,
        }
    }

    async fn end(self) {
        drop((self.leads, self.batches));
        self.running.await.unwrap();
    }
}

/// The log was restored without a new epoch: what is new would be taken for what was there before. A new epoch helps,
/// and lets the streams of the old one end.
#[tokio::test]
async fn a_bus_ahead_of_the_log_is_left_alone_until_a_new_epoch() {
    let server = RedisServer::start();
    let bus = redis_bus(&server.url(), "worker");
    let log = Log::new().await;
    LocalSet::new()
        .run_until(async {
            let epoch = log.epoch().await;
            let key = |epoch: &str| format!("comanda:ev:{{1}}:{epoch}");
            bus.publish(&epoch, 1, &[event(1, 7, 0)]).await.unwrap();
            let before = violations();
            let leading = Leading::new(&log, bus.clone());
            let mut leadership = log.lead().await;
            for nth in 0..3 {
                stage(&log.client, 1, &nth.to_string(), true).await;
                let batch = leadership.sequence(10).await.unwrap();
                leading
                    .batches
                    .send(batch.into_iter().map(Arc::new).collect())
                    .await
                    .unwrap();
            }
            until("it is counted", async || (violations() > before).then_some(())).await;
            assert_eq!(server.command(&format!("XLEN {}", key(&epoch))), ":1\r\n");
            log.client
                .batch_execute("UPDATE event_epoch SET epoch = '0000abcd'")
                .await
                .unwrap();
            until("the new epoch is published", async || {
                (bus.top("0000abcd", 1).await.unwrap() == 3).then_some(())
            })
            .await;
            until("the old one ends", async || {
                let life = server.command(&format!("TTL {}", key(&epoch)));
                (life.starts_with(":36") || life.starts_with(":35")).then_some(())
            })
            .await;
            assert_eq!(server.command(&format!("TTL {}", key("0000abcd"))), ":-1\r\n");
            leading.end().await;
        })
        .await;
}

/// The log goes back while it is published: seen within a second, not only by the next leader.
#[tokio::test]
async fn a_log_that_goes_back_stops_publishing() {
    let server = RedisServer::start();
    let bus = redis_bus(&server.url(), "worker");
    let log = Log::new().await;
    LocalSet::new()
        .run_until(async {
            let epoch = log.epoch().await;
            let before = violations();
            let leading = Leading::new(&log, bus.clone());
            let mut leadership = log.lead().await;
            let mut happen = async |log: &Log| {
                stage(&log.client, 1, "a", true).await;
                let batch = leadership.sequence(10).await.unwrap();
                leading.batches.send(batch.into_iter().map(Arc::new).collect()).await.unwrap();
            };
            for _ in 0..5 {
                happen(&log).await;
            }
            until("published", async || (bus.top(&epoch, 1).await.unwrap() == 5).then_some(())).await;
            log.client
                .batch_execute(
                    "DELETE FROM event_log WHERE shard = 1 AND pos > 2; UPDATE event_shard SET pos = 2 WHERE shard = 1",
                )
                .await
                .unwrap();
            until("it is counted", async || (violations() > before).then_some(())).await;
            for _ in 0..6 {
                happen(&log).await;
            }
            // Whatever it was told has been dealt with when it ends.
            leading.end().await;
            assert_eq!(bus.top(&epoch, 1).await.unwrap(), 5);
        })
        .await;
}
