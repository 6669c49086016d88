//! `comanda outbox verify` on a log that is whole, and on one that was tampered with.

use std::collections::BTreeMap;

use comanda_cli::commands::outbox::verify::{look, show};
use comanda_cli::exit::Exit;
use comanda_cli::output::Output;
use comanda_infrastructure::clock::Sources;
use comanda_infrastructure::events::verify::Part;
use comanda_infrastructure::postgres::Database;
use comanda_testkit::cluster::{TestDatabase, config};

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
