//! `comanda outbox …`, each command in a good and in a bad case.

use std::collections::BTreeMap;
use std::time::Duration;

use comanda_cli::commands::outbox::verify::{look, show};
use comanda_cli::exit::Exit;
use comanda_cli::output::Output;
use comanda_infrastructure::clock::Sources;
use comanda_infrastructure::events::verify::Part;
use comanda_infrastructure::postgres::Database;
use comanda_testkit::TestApp;
use comanda_testkit::cluster::{TestDatabase, config};
use comanda_testkit::redis::RedisServer;
use tokio_postgres::Client;

use crate::command::{comanda, comanda_with};

/// Twenty events of the demo's first branch.
const STAGED: &str = "
    INSERT INTO outbox_stage (tenant_id, branch_id, shard, event_id, type, subject, data, occurred_at)
    SELECT b.tenant_id, b.id, 3, gen_random_uuid(), 'dev.comanda.table.status_changed.v1', 'x', '{}', now()
      FROM (SELECT tenant_id, id FROM branch ORDER BY id LIMIT 1) b, generate_series(1, 20)";
const SEQUENCED: &str = "
    SELECT comanda_event_partitions(current_date);
    SELECT count(*) FROM comanda_sequence(ARRAY[3], ARRAY[0]::bigint[], 100, current_date, now())";

#[tokio::test]
async fn holes_and_lost_tops_are_found() {
    let stored = TestDatabase::seeded().await;
    let database = Database::open_with(&config(&stored.url, &BTreeMap::new()), Sources::system(), false)
        .await
        .unwrap();
    let client = stored.connect().await;
    client.batch_execute(STAGED).await.unwrap();
    client.batch_execute(SEQUENCED).await.unwrap();
    let whole = look(&database.relay, Part::default()).await.unwrap();
    assert!(whole.ok, "{whole:?}");
    assert!(
        show(
            &whole,
            Output {
                quiet: true,
                ..Output::default()
            }
        )
        .is_ok()
    );

    client
        .batch_execute("DELETE FROM event_log WHERE pos = 7 OR pos = 20")
        .await
        .unwrap();
    let broken = look(&database.relay, Part::default()).await.unwrap();
    let kinds = serde_json::to_value(&broken).unwrap();
    let found: Vec<(&str, &str, i64, i64)> = kinds["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| {
            (
                p["kind"].as_str().unwrap(),
                p["of"].as_str().unwrap(),
                p["from"].as_i64().unwrap(),
                p["to"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("hole", "pos", 6, 8),
            ("counter", "pos", 19, 20),
            ("hole", "seq", 6, 8),
            ("counter", "seq", 19, 20),
        ]
    );
    let other = Part {
        shard: Some(4),
        branch: None,
    };
    assert!(look(&database.relay, other).await.unwrap().ok);
    let failure = show(
        &broken,
        Output {
            json: true,
            ..Output::default()
        },
    )
    .unwrap_err();
    assert_eq!(failure.exit, Exit::ProblemsFound);
    database.close().await.unwrap();
}

/// Waits until the server has published everything.
async fn published(client: &Client, what: &str) {
    for _ in 0..1000 {
        let sql = "SELECT (SELECT count(*) FROM outbox_stage) + \
                   (SELECT count(*) FROM event_shard WHERE published_pos < pos)";
        let left: i64 = client.query_one(sql, &[]).await.unwrap().get(0);
        if left == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not published within 10 s: {what}");
}

#[tokio::test]
async fn a_log_without_a_leader_is_a_problem() {
    let database = TestDatabase::seeded().await;
    let client = database.connect().await;
    client.batch_execute(STAGED).await.unwrap();
    let said = comanda(&database, "outbox stats --json").await;
    assert_eq!((said.exit, said.error().as_str()), (6, "no_leader"), "{said:?}");
    let stats = said.json();
    assert_eq!(stats["staged"], 20);
    assert_eq!(stats["shards"].as_array().unwrap().len(), 16);
    assert!(stats["shards"][3]["leader"].is_null(), "{stats}");
}

#[tokio::test]
async fn a_server_that_runs_leads_every_shard_and_goes_on_in_a_new_epoch() {
    let app = TestApp::start().await;
    let client = app.database.connect().await;
    client.batch_execute(STAGED).await.unwrap();
    published(&client, "what was staged").await;
    let said = comanda(&app.database, "outbox stats --json").await;
    assert_eq!(said.exit, 0, "{said:?}");
    let stats = said.json();
    let shard = &stats["shards"][3];
    assert_eq!(
        (&shard["pos"], &shard["lag"], &stats["staged"]),
        (&20.into(), &0.into(), &0.into())
    );
    assert!(
        !shard["leader"].as_str().unwrap().is_empty() && shard["term"].as_i64() > Some(0),
        "{shard}"
    );
    let table = comanda(&app.database, "outbox stats").await.stdout;
    assert!(table.contains("PUBLISHED") && !table.contains("none"), "{table}");

    let epoch = stats["epoch"].as_str().unwrap().to_owned();
    let planned = comanda(&app.database, "outbox new-epoch --reason test --dry-run --json").await;
    assert_eq!(
        (&planned.json()["from"], &planned.json()["to"]),
        (&epoch.as_str().into(), &serde_json::Value::Null)
    );
    let begun = comanda(&app.database, "outbox new-epoch --reason restored --json").await;
    assert_eq!(begun.exit, 0, "{begun:?}");
    assert_eq!(begun.json()["from"], epoch.as_str());
    let to = begun.json()["to"].as_str().unwrap().to_owned();
    assert!(
        to != epoch && to.len() == 8 && u32::from_str_radix(&to, 16).is_ok(),
        "{to}"
    );
    let row = client
        .query_one("SELECT epoch, reason FROM event_epoch", &[])
        .await
        .unwrap();
    assert_eq!(
        (row.get::<_, String>(0), row.get::<_, String>(1)),
        (to, "restored".to_owned())
    );
    // The running process finds its places again and publishes in the new epoch.
    client.batch_execute(STAGED).await.unwrap();
    published(&client, "in the new epoch").await;
    assert_eq!(comanda(&app.database, "outbox verify --json").await.exit, 0);
}

#[tokio::test]
async fn there_is_nothing_to_replay_to_within_one_process() {
    let database = TestDatabase::seeded().await;
    let said = comanda(&database, "outbox replay --all --json").await;
    assert_eq!(
        (said.exit, said.error().as_str()),
        (2, "no_shared_bus"),
        "{said:?}"
    );
}

#[tokio::test]
async fn streams_are_written_anew() {
    let database = TestDatabase::seeded().await;
    let client = database.connect().await;
    client.batch_execute(STAGED).await.unwrap();
    client.batch_execute(SEQUENCED).await.unwrap();
    let mut server = RedisServer::start();
    let redis = BTreeMap::from([("REDIS_URL".to_owned(), server.url())]);
    let said = comanda_with(&database, "outbox replay --shard 3 --json", &redis).await;
    assert_eq!(said.exit, 0, "{said:?}");
    let row = client
        .query_one("SELECT epoch FROM event_epoch", &[])
        .await
        .unwrap();
    let length = format!("XLEN comanda:ev:{{3}}:{}", row.get::<_, String>(0));
    assert_eq!(server.command(&length), ":20\r\n", "{said:?}");

    server.kill();
    let said = comanda_with(&database, "outbox replay --shard 3 --json", &redis).await;
    assert_eq!(
        (said.exit, said.error().as_str()),
        (7, "bus_unreachable"),
        "{said:?}"
    );
}
