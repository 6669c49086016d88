//! What the leading worker reads from the database is on its metrics page, and what workers do about dead letters.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use comanda_testkit::cluster::{TestDatabase, vars};
use comanda_testkit::process::Process;

/// Two letters of one queue, of which one is put away, an event that nobody can number (its shard does not exist), a
/// consumer that is behind, and an address for webhooks.
const FACTS: &str = "
    INSERT INTO dead_letter (tenant_id, id, source, source_id, payload, error_class, error_code, error_text, attempts,
                             state, first_failed_at, last_failed_at, resolved_at, created_at)
    SELECT t.tenant_id, gen_random_uuid(), 'event', state, 'null', 'unknown', 'test', '', 1, state,
           now() - interval '2 h', now(), CASE state WHEN 'archived' THEN now() END, now()
      FROM (SELECT tenant_id FROM tenant ORDER BY tenant_id LIMIT 1) t, unnest(ARRAY['pending', 'archived']) state;
    INSERT INTO outbox_stage (tenant_id, branch_id, shard, event_id, type, subject, data, occurred_at)
    SELECT tenant_id, id, 999, gen_random_uuid(), 'x', 'x', '{}', now() - interval '1 h' FROM branch LIMIT 1;
    INSERT INTO event_consumer (consumer, shard, pos) VALUES ('slow', 1, 3), ('slow', 2, 4);
    UPDATE event_shard SET pos = 10, published_pos = 10 WHERE shard IN (1, 2);
    INSERT INTO webhook_endpoint (tenant_id, id, url, event_types, sealed_secret, created_at)
    SELECT tenant_id, gen_random_uuid(), 'https://example.com', '{*}', '\\x00', now() FROM tenant LIMIT 1;";

/// The value of a line of the page.
fn value(page: &str, line: &str) -> Option<f64> {
    let found = page
        .lines()
        .find_map(|text| text.strip_prefix(line)?.strip_prefix(' '))?;
    Some(found.parse().unwrap())
}

/// The page, as soon as this line is on it and is not zero.
async fn page_with(server: &Process, line: &str) -> String {
    let began = Instant::now();
    loop {
        let answer = reqwest::get(format!("{}/metrics", server.operations))
            .await
            .unwrap();
        let page = answer.text().await.unwrap();
        if value(&page, line).is_some_and(|value| value > 0.0) {
            return page;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "no {line}:\n{page}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn gauges_follow_the_database() {
    let database = TestDatabase::seeded().await;
    let client = database.connect().await;
    client.batch_execute(FACTS).await.unwrap();
    let server = Process::start(
        env!("CARGO_BIN_EXE_comanda-api"),
        &[],
        &vars(&database.url, &BTreeMap::new()),
    );
    let began = Instant::now();
    let page = loop {
        let answer = reqwest::get(format!("{}/metrics", server.operations))
            .await
            .unwrap();
        let page = answer.text().await.unwrap();
        if value(&page, "comanda_outbox_staged").is_some_and(|staged| staged > 0.0) {
            break page;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "no gauges:\n{page}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    for (line, expected) in [
        ("comanda_outbox_staged", 1.0),
        ("comanda_event_consumer_lag{consumer=\"slow\"}", 13.0),
        ("comanda_dlq_messages{source=\"event\",state=\"pending\"}", 1.0),
        ("comanda_dlq_messages{source=\"event\",state=\"archived\"}", 1.0),
        ("comanda_dlq_messages{source=\"webhook\",state=\"pending\"}", 0.0),
        ("comanda_dlq_oldest_seconds{source=\"webhook\"}", 0.0),
        (
            "comanda_queue_messages{queue=\"webhook\",state=\"accepted\"}",
            0.0,
        ),
        ("comanda_queue_messages{queue=\"webhook\",state=\"dead\"}", 0.0),
        ("comanda_webhook_endpoints{state=\"enabled\"}", 1.0),
        ("comanda_webhook_oldest_pending_seconds", 0.0),
    ] {
        assert_eq!(value(&page, line), Some(expected), "{line}\n{page}");
    }
    for (line, least) in [
        ("comanda_outbox_oldest_seconds", 3600.0),
        ("comanda_dlq_oldest_seconds{source=\"event\"}", 7200.0),
    ] {
        let age = value(&page, line).unwrap();
        assert!((least..least + 600.0).contains(&age), "{line}: {age}");
    }
}

#[tokio::test]
async fn a_worker_processes_dead_letters_by_itself() {
    let database = TestDatabase::seeded().await;
    let client = database.connect().await;
    client
        .batch_execute(
            "INSERT INTO dead_letter (tenant_id, id, source, source_id, payload, error_class, error_code, error_text, \
                 attempts, first_failed_at, last_failed_at, next_attempt_at, created_at) \
             SELECT tenant_id, gen_random_uuid(), 'event', class, 'null', class, 'test', '', 1, now(), now(), now(), now() \
               FROM (SELECT tenant_id FROM tenant ORDER BY tenant_id LIMIT 1) t, \
                    unnest(ARRAY['unrecoverable', 'unknown']) class",
        )
        .await
        .unwrap();
    let server = Process::start(
        env!("CARGO_BIN_EXE_comanda-api"),
        &[],
        &vars(&database.url, &BTreeMap::new()),
    );
    let moved = "comanda_dlq_transitions_total{source=\"event\",from=\"pending\",to=\"archived\"}";
    let page = page_with(&server, moved).await;
    assert_eq!(value(&page, moved), Some(1.0), "{page}");
    let sql = "SELECT source_id || ' ' || state FROM dead_letter ORDER BY 1";
    let rows = client.query(sql, &[]).await.unwrap();
    let states: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(states, ["unknown pending", "unrecoverable archived"]);
}
