//! Many letters, several processors, and letters that arrive meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use comanda_domain::dead_letter::{ErrorClass, Source};
use comanda_infrastructure::clock::Sources;
use comanda_infrastructure::dead_letters::{Actor, DeadLetterProcessor, Handlers, Run};
use comanda_infrastructure::postgres::Database;
use tokio::task::LocalSet;

use super::morgue::Morgue;
use crate::house::config;

const WEBHOOK: Source = Source::Webhook;

#[tokio::test]
async fn letters_for_people_block_no_run_however_many_they_are() {
    let morgue = Morgue::new().await;
    for n in 0..150 {
        morgue
            .bury(WEBHOOK, ErrorClass::Unknown, &format!("unknown{n}"))
            .await;
        morgue
            .bury(WEBHOOK, ErrorClass::Retryable, &format!("tired{n}"))
            .await;
    }
    morgue
        .client
        .batch_execute(
            "UPDATE dead_letter SET redrives = 5, next_attempt_at = NULL WHERE source_id LIKE 'tired%'",
        )
        .await
        .unwrap();
    let youngest = morgue.bury(WEBHOOK, ErrorClass::Retryable, "young").await;
    let report = morgue.run().await;
    assert_eq!(morgue.state(youngest).await, "resolved");
    assert_eq!(
        (report.examined, report.resolved, report.kept, report.remaining),
        (100, 1, 99, 300),
        "{report:?}"
    );
    let more = Run {
        max_messages: 1000,
        ..Run::default()
    };
    let report = morgue.processor().process(&more).await.unwrap();
    assert_eq!((report.examined, report.kept, report.retried), (300, 300, 0));
    assert_eq!(morgue.handler.tries(), ["young"]);
}

#[tokio::test]
async fn two_processors_at_once_have_one_effect() {
    let morgue = Morgue::new().await;
    let mut names = Vec::new();
    for n in 0..60 {
        let name = format!("letter{n:02}");
        morgue.bury(WEBHOOK, ErrorClass::Retryable, &name).await;
        names.push(name);
        morgue
            .bury(WEBHOOK, ErrorClass::Unrecoverable, &format!("gone{n:02}"))
            .await;
    }
    let other = Database::open_with(
        &config(&morgue.empty.url, &[]),
        Sources::new(morgue.clock.clone()),
        false,
    )
    .await
    .unwrap();
    let handlers = Handlers::default().with(WEBHOOK, morgue.handler.clone());
    let exports = Some(morgue.exports.clone());
    let other = DeadLetterProcessor::new(other.relay.clone(), handlers, exports, Actor::Processor);
    let run = Run::default();
    let one = morgue.processor();
    let (one, two) = tokio::join!(one.process(&run), other.process(&run));
    let (one, two) = (one.unwrap(), two.unwrap());
    println!("{} and {} letters", one.examined, two.examined);
    assert!(one.examined > 0 && two.examined > 0, "they did not run at once");
    assert_eq!(
        (one.resolved + two.resolved, one.archived + two.archived),
        (60, 60)
    );
    assert_eq!(morgue.handler.tries(), names);
    assert_eq!(morgue.count("done").await, 60);
    assert_eq!(morgue.exported().len(), 60);
    let ids: BTreeSet<String> = morgue
        .exported()
        .iter()
        .map(|line| line["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 60);
    // Claim and result of each, and one change of each archived letter.
    assert_eq!(morgue.count("audit_stage").await, 60 * 2 + 60);
}

#[tokio::test]
async fn letters_that_arrive_meanwhile_are_neither_lost_nor_done_twice() {
    let morgue = Morgue::new().await;
    morgue.handler.url.lock().unwrap().clone_from(&morgue.empty.url);
    let mut expected = Vec::new();
    for n in 0..20 {
        let name = format!("spawn{n}");
        morgue.bury(WEBHOOK, ErrorClass::Retryable, &name).await;
        expected.extend([format!("child-of-{name}-a"), format!("child-of-{name}-b"), name]);
    }
    expected.sort();
    let mut resolved = 0;
    for run in 0.. {
        let report = morgue.run().await;
        resolved += report.resolved;
        println!("run {run}: {} of {}", report.resolved, report.examined);
        if report.remaining == 0 {
            break;
        }
        assert!(run < 10, "{report:?}");
    }
    assert_eq!(resolved, 60);
    assert_eq!(morgue.handler.tries(), expected);
    assert_eq!(morgue.count("done").await, 60);
    assert_eq!(morgue.count("dead_letter WHERE state = 'resolved'").await, 60);
}

/// Deliveries that die, are delivered after all, are archived: at every moment everything is somewhere, once.
#[tokio::test]
async fn queues_are_conserved_at_every_moment() {
    let morgue = Morgue::new().await;
    morgue
        .client
        .batch_execute(
            "INSERT INTO branch (tenant_id, id, name, slug, currency, locale, timezone, created_at) \
                 SELECT tenant_id, tenant_id, 'B', 'branch', 'ARS', 'es', 'America/Argentina/Mendoza', now() FROM tenant; \
             INSERT INTO webhook_endpoint (tenant_id, id, url, event_types, sealed_secret, created_at) \
                 SELECT tenant_id, tenant_id, 'https://example.com', '{*}', '\\x00', now() FROM tenant; \
             INSERT INTO webhook_delivery (tenant_id, id, endpoint_id, branch_id, event_id, event_type, body, attempt, \
                                           status, created_at, settled_at) \
                 SELECT tenant_id, gen_random_uuid(), tenant_id, tenant_id, gen_random_uuid(), 'x', n::text, 9, \
                        'failed', now(), now() FROM tenant, generate_series(0, 39) n; \
             GRANT SELECT, UPDATE ON webhook_delivery TO comanda_relay; \
             CREATE FUNCTION deliver() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 UPDATE webhook_delivery SET status = 'delivered' WHERE body = substr(NEW.source_id, 5); \
                 PERFORM pg_sleep(0.003); RETURN NEW; END $$; \
             CREATE TRIGGER deliver AFTER INSERT ON done FOR EACH ROW EXECUTE FUNCTION deliver()",
        )
        .await
        .unwrap();
    for n in 0..40 {
        let class = [ErrorClass::Retryable, ErrorClass::Unrecoverable][usize::from(n % 4 == 3)];
        morgue.bury(WEBHOOK, class, &format!("item{n}")).await;
    }
    let line = async || {
        let row = morgue
            .client
            .query_one(
                "SELECT accepted, settled, pending, dead FROM queue_conservation",
                &[],
            )
            .await
            .unwrap();
        let numbers: [i64; 4] = [0, 1, 2, 3].map(|n| row.get(n));
        assert_eq!(numbers[0], numbers[1] + numbers[2] + numbers[3], "{numbers:?}");
        numbers
    };
    assert_eq!(line().await, [40, 0, 0, 40]);
    let samples = LocalSet::new()
        .run_until(async {
            let processor = morgue.processor();
            let running =
                tokio::task::spawn_local(async move { processor.process(&Run::default()).await.unwrap() });
            let mut seen = BTreeSet::new();
            while !running.is_finished() {
                seen.insert(line().await);
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            let report = running.await.unwrap();
            assert_eq!((report.resolved, report.archived), (30, 10), "{report:?}");
            seen
        })
        .await;
    println!("{} different samples", samples.len());
    assert!(samples.len() > 5, "too few samples to say anything: {samples:?}");
    assert_eq!(line().await, [40, 30, 0, 10]);
}
