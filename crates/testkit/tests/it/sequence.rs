//! Numbering: no hole, no repeat, one leader.

use std::collections::BTreeMap;
use std::time::Duration;

use comanda_infrastructure::clock::Sources;
use comanda_infrastructure::db::DbError;
use comanda_infrastructure::events::Bell;
use comanda_infrastructure::events::sequencer::{Leadership, Sequencer};
use comanda_infrastructure::events::verify::{Part, verify};
use comanda_infrastructure::postgres::Database;
use comanda_testkit::cluster::{TestDatabase, config};
use tokio::sync::watch;
use tokio_postgres::Client;

/// Stages one event of a branch in a shard, its subject naming writer and turn.
const STAGE: &str = "
    INSERT INTO outbox_stage (tenant_id, branch_id, shard, event_id, type, subject, data, occurred_at, numbered)
    SELECT tenant_id, id, $1, gen_random_uuid(), 'dev.comanda.table.status_changed.v1', $2, '{}', now(), $3
      FROM branch ORDER BY id OFFSET $4 LIMIT 1";

async fn open() -> (TestDatabase, Database) {
    let stored = TestDatabase::seeded().await;
    let config = config(&stored.url, &BTreeMap::new());
    let database = Database::open_with(&config, Sources::system(), false)
        .await
        .unwrap();
    (stored, database)
}

async fn stage(client: &Client, shard: i32, subject: &str, numbered: bool, branch: i64) {
    client
        .execute(STAGE, &[&shard, &subject, &numbered, &branch])
        .await
        .unwrap();
}

async fn count(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

/// Waits until the query counts this many.
async fn until(client: &Client, wanted: i64, sql: &str) {
    let patience = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let found = count(client, sql).await;
        if found == wanted {
            return;
        }
        assert!(
            tokio::time::Instant::now() < patience,
            "{found} instead of {wanted}: {sql}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_many_write_at_once_is_numbered_without_holes() {
    let (stored, database) = open().await;
    let (stop, stopped) = watch::channel(false);
    let sequencer = Sequencer::new(database.relay.clone(), Bell::default(), 50);
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let running = tokio::task::spawn_local(sequencer.run(stopped));
            let mut writers = Vec::new();
            for writer in 0..16_i32 {
                let client = stored.connect().await;
                writers.push(tokio::spawn(async move {
                    for turn in 0..25 {
                        // Two branches with a shard each, and transactions that end in another order than they began.
                        client.batch_execute("BEGIN").await.unwrap();
                        stage(&client, writer % 2, &format!("{writer}-{turn:02}"), true, i64::from(writer % 2)).await;
                        if (writer + turn) % 3 == 0 {
                            tokio::task::yield_now().await;
                        }
                        client.batch_execute("COMMIT").await.unwrap();
                    }
                }));
            }
            for writer in writers {
                writer.await.unwrap();
            }
            let client = stored.connect().await;
            until(&client, 400, "SELECT count(*) FROM event_log").await;
            stop.send(true).unwrap();
            running.await.unwrap();
            assert_eq!(count(&client, "SELECT count(*) FROM outbox_stage").await, 0);
            assert_eq!(verify(&database.relay, Part::default()).await.unwrap(), []);
            let disordered = "SELECT count(*) FROM (
                SELECT subject, lag(subject) OVER (PARTITION BY split_part(subject, '-', 1) ORDER BY seq) AS before
                  FROM event_log) e WHERE before > subject";
            assert_eq!(count(&client, disordered).await, 0, "one writer's events change their order");
            let starts = "SELECT count(*) FROM (SELECT min(seq) AS first, max(seq) AS last FROM event_log
                GROUP BY branch_id HAVING min(seq) = 1 AND max(seq) = 200) b";
            assert_eq!(count(&client, starts).await, 2);
        })
        .await;
    database.close().await.unwrap();
}

#[tokio::test]
async fn internal_events_have_a_position_and_no_number() {
    let (stored, database) = open().await;
    let client = stored.connect().await;
    for (n, numbered) in [true, false, true].into_iter().enumerate() {
        stage(&client, 5, &n.to_string(), numbered, 0).await;
    }
    let mut lead = Leadership::begin(&database.relay).await.unwrap();
    lead.claim().await.unwrap();
    assert_eq!(lead.batch(100).await.unwrap(), 3);
    assert_eq!(lead.batch(100).await.unwrap(), 0);
    let rows = client
        .query("SELECT pos, seq FROM event_log ORDER BY pos", &[])
        .await
        .unwrap();
    let found: Vec<(i64, Option<i64>)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(found, [(1, Some(1)), (2, None), (3, Some(2))]);
    drop(lead);
    database.close().await.unwrap();
}

#[tokio::test]
async fn a_leader_of_an_older_term_writes_nothing() {
    let (stored, database) = open().await;
    let client = stored.connect().await;
    let mut old = Leadership::begin(&database.relay).await.unwrap();
    old.claim().await.unwrap();
    assert_eq!(old.terms().len(), 16);
    let mut standby = Leadership::begin(&database.relay).await.unwrap();
    standby.claim().await.unwrap();
    assert!(standby.terms().is_empty(), "a shard has two leaders");
    assert_eq!(standby.batch(100).await.unwrap(), 0);
    // As if the old one had slept through the end of its session and the term of another leader.
    client
        .batch_execute("UPDATE event_shard SET term = term + 1 WHERE shard = 9")
        .await
        .unwrap();
    stage(&client, 3, "late", true, 0).await;
    assert!(matches!(old.batch(100).await, Err(DbError::Fenced)));
    assert_eq!(count(&client, "SELECT count(*) FROM event_log").await, 0);
    assert_eq!(count(&client, "SELECT count(*) FROM outbox_stage").await, 1);
    drop((old, standby));
    database.close().await.unwrap();
}

#[tokio::test]
async fn whoever_leads_may_die_and_another_one_goes_on() {
    let (stored, database) = open().await;
    let client = stored.connect().await;
    let (stop, stopped) = watch::channel(false);
    let sequencer = || Sequencer::new(database.relay.clone(), Bell::default(), 500);
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let running = [
                tokio::task::spawn_local(sequencer().run(stopped.clone())),
                tokio::task::spawn_local(sequencer().run(stopped.clone())),
            ];
            for round in 1..=3 {
                stage(&client, round, "before", true, 0).await;
                until(
                    &client,
                    i64::from(2 * round - 1),
                    "SELECT count(*) FROM event_log",
                )
                .await;
                let ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks
                    WHERE locktype = 'advisory' AND classid = 1668246881 AND objid = 0
                      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
                until(&client, 1, ended).await;
                stage(&client, round, "after", true, 0).await;
                until(&client, i64::from(2 * round), "SELECT count(*) FROM event_log").await;
            }
            stop.send(true).unwrap();
            for job in running {
                job.await.unwrap();
            }
            assert_eq!(verify(&database.relay, Part::default()).await.unwrap(), []);
            let terms = count(&client, "SELECT min(term) FROM event_shard").await;
            assert!(terms >= 4, "terms rise with each leader: {terms}");
        })
        .await;
    database.close().await.unwrap();
}
