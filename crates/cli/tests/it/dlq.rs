//! `comanda dlq …`, each command in a good and in a bad case.

use std::collections::BTreeMap;
use std::path::Path;

use comanda_testkit::cluster::TestDatabase;
use serde_json::Value;
use tokio_postgres::Client;

use crate::command::{comanda, comanda_with};

/// A letter of the demo's first tenant; its id.
async fn bury(client: &Client, source: &str, class: &str, source_id: &str) -> String {
    client
        .execute(
            "INSERT INTO dead_letter (tenant_id, id, source, source_id, event_type, payload, error_class, error_code, \
                 error_text, attempts, first_failed_at, last_failed_at, next_attempt_at, created_at) \
             SELECT (SELECT tenant_id FROM tenant ORDER BY tenant_id LIMIT 1), gen_random_uuid(), $1, $3, 'round.ready', \
                    '{\"said\": \"hello\"}', $2, 'test', 'it was so', 9, now() - interval '3 h', now(), \
                    CASE WHEN $2 <> 'unknown' THEN now() END, now()",
            &[&source, &class, &source_id],
        )
        .await
        .unwrap();
    let sql = "SELECT id::text FROM dead_letter WHERE source_id = $1";
    let id: String = client.query_one(sql, &[&source_id]).await.unwrap().get(0);
    comanda_domain::ids::DeadLetterId(uuid::Uuid::parse_str(&id).unwrap()).to_string()
}

async fn states(client: &Client) -> Vec<String> {
    let rows = client
        .query(
            "SELECT source_id || ' ' || state FROM dead_letter ORDER BY 1",
            &[],
        )
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn letters_are_counted_listed_and_shown() {
    let database = TestDatabase::seeded().await;
    let client = database.connect().await;
    let empty = comanda(&database, "dlq-stats --json").await;
    assert_eq!(empty.exit, 0, "{empty:?}");
    assert_eq!(
        (&empty.json()["total"], &empty.json()["groups"]),
        (&0.into(), &Value::Array(Vec::new()))
    );
    let none = comanda(&database, "dlq list --json").await.json();
    assert_eq!(none["data"], Value::Array(Vec::new()));

    let event = bury(&client, "event", "unknown", "one").await;
    let webhook = bury(&client, "webhook", "retryable", "two").await;
    // A letter without its delivery: something was counted twice.
    let stats = comanda(&database, "dlq stats --json").await;
    assert_eq!(
        (stats.exit, stats.error().as_str()),
        (6, "not_conserved"),
        "{stats:?}"
    );
    let counted = stats.json();
    assert_eq!(counted["total"], 2);
    assert_eq!(counted["classes"][0]["error_class"], "unknown");
    assert_eq!(counted["conservation"][0]["dead"], 1);
    let table = comanda(&database, "dlq-stats").await.stdout;
    for word in ["SOURCE", "OLDEST", "CLASS", "ACCEPTED", "NO"] {
        assert!(table.contains(word), "{table}");
    }

    let list = comanda(&database, "dlq list --source event --json").await.json();
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    assert_eq!(list["data"][0]["id"], event.as_str());
    assert!(list["data"][0].get("payload").is_none(), "{list}");
    let table = comanda(&database, "dlq list --state pending").await.stdout;
    let line = table.lines().find(|line| line.starts_with(&webhook)).unwrap();
    let cells: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(
        cells[1..],
        ["webhook", "round.ready", "retryable", "9", "3h", "pending"]
    );

    let shown = comanda(&database, &format!("dlq show {webhook} --json"))
        .await
        .json();
    assert_eq!(shown["payload"]["said"], "hello");
    let text = comanda(&database, &format!("dlq show {webhook}")).await.stdout;
    assert!(text.contains("it was so") && text.contains("hello"), "{text}");
    let missing = comanda(&database, "dlq show dlt_01m87xbcs8e17r0avdqztd2p3x --json").await;
    assert_eq!((missing.exit, missing.error().as_str()), (3, "letter_not_found"));
    assert_eq!(
        comanda(&database, "dlq show rnd_01m87xbcs8e17r0avdqztd2p3x")
            .await
            .exit,
        2
    );
}

#[tokio::test]
async fn a_run_archives_outside_too_and_tells_what_it_cannot_do() {
    let database = TestDatabase::seeded().await;
    let client = database.connect().await;
    let exports = Path::new(env!("CARGO_TARGET_TMPDIR")).join("comanda-cli-dead-letters");
    let _ = std::fs::remove_dir_all(&exports);
    let settings = BTreeMap::from([(
        "COMANDA_DEAD_LETTER_EXPORT_DIR".to_owned(),
        exports.display().to_string(),
    )]);
    let gone = bury(&client, "event", "unrecoverable", "gone").await;
    bury(&client, "event", "unknown", "odd").await;
    let before = states(&client).await;
    let planned = comanda_with(&database, "dlq-process --dry-run --json", &settings).await;
    assert_eq!(planned.exit, 0, "{planned:?}");
    assert_eq!(
        (&planned.json()["archived"], &planned.json()["kept"]),
        (&1.into(), &1.into())
    );
    assert_eq!(states(&client).await, before);
    assert!(!exports.exists());

    let done = comanda_with(&database, "dlq process --max-messages 50 --json", &settings).await;
    assert_eq!(done.exit, 0, "{done:?}");
    let report = done.json();
    let numbers = [
        "examined",
        "retried",
        "resolved",
        "archived",
        "kept",
        "failed",
        "remaining",
    ];
    assert_eq!(
        numbers.map(|name| report[name].as_u64().unwrap()),
        [2, 0, 0, 1, 1, 0, 1]
    );
    assert_eq!(report["items"][0]["id"], gone.as_str());
    assert_eq!(states(&client).await, ["gone archived", "odd pending"]);
    let file = std::fs::read_dir(&exports).unwrap().next().unwrap().unwrap();
    assert!(std::fs::read_to_string(file.path()).unwrap().contains(&gone));

    // Audited with who typed it.
    let row = client
        .query_one(
            "SELECT actor_kind, actor_label, action FROM audit_stage WHERE entity_type = 'dead_letter'",
            &[],
        )
        .await
        .unwrap();
    let [kind, label, action] = [0, 1, 2].map(|n| row.get::<_, String>(n));
    assert_eq!(
        (kind.as_str(), action.as_str()),
        ("operator", "dead_letter.archive")
    );
    assert!(!label.is_empty() && label != "unknown", "{label}");

    // Nothing in this release handles these; that is no success.
    bury(&client, "audit", "retryable", "stuck").await;
    let stuck = comanda_with(&database, "dlq-process --json", &settings).await;
    assert_eq!(
        (stuck.exit, stuck.error().as_str()),
        (1, "letters_kept"),
        "{stuck:?}"
    );
    assert_eq!(
        states(&client).await,
        ["gone archived", "odd pending", "stuck pending"]
    );
    let table = comanda_with(&database, "dlq process --source audit", &settings).await;
    assert!(
        table.stdout.contains("no_handler") && table.stdout.contains("examined 1"),
        "{table:?}"
    );
    let _ = std::fs::remove_dir_all(&exports);
}

#[tokio::test]
async fn letters_are_archived_reopened_and_discarded_by_hand() {
    let database = TestDatabase::seeded().await;
    let client = database.connect().await;
    let one = bury(&client, "event", "unknown", "one").await;
    let two = bury(&client, "event", "unknown", "two").await;

    let planned = comanda(&database, &format!("dlq archive {one} --dry-run --json")).await;
    assert_eq!(planned.json()["items"][0]["result"], "planned");
    assert_eq!(states(&client).await, ["one pending", "two pending"]);
    let archived = comanda(&database, &format!("dlq archive {one} --note unreadable --json")).await;
    assert_eq!(archived.exit, 0, "{archived:?}");
    let item = &archived.json()["items"][0];
    assert_eq!(
        (&item["from"], &item["to"]),
        (&"pending".into(), &"archived".into())
    );
    assert_eq!(states(&client).await, ["one archived", "two pending"]);

    // One is in the wrong state; the other goes its way.
    let again = comanda(&database, &format!("dlq archive {one} {two} --json")).await;
    assert_eq!(
        (again.exit, again.error().as_str()),
        (5, "letter_wrong_state"),
        "{again:?}"
    );
    assert_eq!(states(&client).await, ["one archived", "two archived"]);
    let reopened = comanda(&database, "dlq reopen --all --source event").await;
    assert_eq!(reopened.exit, 0, "{reopened:?}");
    assert!(reopened.stdout.contains("RESULT") && reopened.stdout.contains("reopened"));
    assert_eq!(states(&client).await, ["one pending", "two pending"]);

    let helpless = comanda(&database, &format!("dlq retry {one} --json")).await;
    assert_eq!((helpless.exit, helpless.error().as_str()), (1, "letters_kept"));
    assert_eq!(helpless.json()["items"][0]["result"], "no_handler");
    let missing = comanda(&database, "dlq retry dlt_01m87xbcs8e17r0avdqztd2p3x --json").await;
    assert_eq!((missing.exit, missing.error().as_str()), (3, "letter_not_found"));

    // What cannot be taken back is not done by the way.
    let asked = comanda(&database, &format!("dlq discard {one} --json")).await;
    assert_eq!((asked.exit, asked.error().as_str()), (2, "confirmation_needed"));
    assert_eq!(states(&client).await, ["one pending", "two pending"]);
    let discarded = comanda(&database, &format!("dlq discard {one} --yes --note over --json")).await;
    assert_eq!(discarded.exit, 0, "{discarded:?}");
    assert_eq!(states(&client).await, ["one discarded", "two pending"]);
    assert_eq!(comanda(&database, &format!("dlq reopen {one}")).await.exit, 5);
}
