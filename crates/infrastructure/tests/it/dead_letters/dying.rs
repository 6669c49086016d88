//! The processor dies between any two of its steps: nothing is lost and nothing is done twice.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use comanda_domain::dead_letter::{ErrorClass, Source};
use comanda_infrastructure::clock::Sources;
use comanda_infrastructure::dead_letters::{Actor, DeadLetterProcessor, Handlers, Run};
use comanda_infrastructure::failpoint;
use comanda_infrastructure::postgres::Database;

use super::morgue::{Handler, Morgue};
use crate::house::config;

/// Every boundary that a run crosses: before and after each commit, after the handler, after the line of the archive.
const PLACES: [&str; 7] = [
    "dlq_changed",
    "dlq_claimed",
    "dlq_attempted",
    "dlq_settling",
    "dlq_settled",
    "dlq_exported",
    "dlq_done",
];
/// The test below, as the parent starts it.
const CHILD: &str = "dead_letters::dying::one_run";
const URL: &str = "TEST_MORGUE_URL";
const EXPORTS: &str = "TEST_MORGUE_EXPORTS";
const PLACE: &str = "TEST_MORGUE_PLACE";
const SIGABRT: i32 = 6;

#[expect(
    clippy::disallowed_methods,
    reason = "how the parent tells its child what to do"
)]
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// One run in a process of its own, on the database that the parent names, or on a new one.
#[tokio::test]
async fn one_run() {
    let Some(url) = told(URL) else {
        let morgue = Morgue::new().await;
        let id = morgue.bury(Source::Webhook, ErrorClass::Retryable, "alone").await;
        run(&morgue.empty.url, &morgue.exports.display().to_string(), None).await;
        assert_eq!(morgue.state(id).await, "resolved");
        return;
    };
    run(&url, &told(EXPORTS).unwrap(), told(PLACE)).await;
}

async fn run(url: &str, exports: &str, place: Option<String>) {
    if let Some(place) = place {
        failpoint::arm(&place);
    }
    let database = Database::open_with(&config(url, &[]), Sources::system(), false)
        .await
        .unwrap();
    let handlers = Handlers::default().with(Source::Webhook, std::sync::Arc::new(Handler::default()));
    let exports = Some(exports.into());
    let processor = DeadLetterProcessor::new(database.relay.clone(), handlers, exports, Actor::Processor);
    processor.process(&Run::default()).await.unwrap();
}

/// How the child ended: the signal, if one killed it.
async fn child(morgue: &Morgue, place: Option<&str>) -> Option<i32> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([CHILD, "--exact", "--nocapture"])
        .env(URL, &morgue.empty.url)
        .env(EXPORTS, &morgue.exports);
    if let Some(place) = place {
        command.env(PLACE, place);
    }
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap();
    let signal = output.status.signal();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(signal.is_some() || output.status.success(), "{place:?}: {text}");
    assert!(text.contains("running 1 test"), "{place:?}: {text}");
    signal
}

/// Leases end and waits are over.
async fn time_passes(morgue: &Morgue) {
    morgue
        .client
        .batch_execute(
            "UPDATE dead_letter SET lease_until = now() - interval '1 s' WHERE state = 'retrying'; \
             UPDATE dead_letter SET next_attempt_at = now() - interval '1 s' WHERE next_attempt_at IS NOT NULL",
        )
        .await
        .unwrap();
}

/// The entries of a letter follow each other, and the last one is where it stands.
async fn trace_is_whole(morgue: &Morgue, place: &str) {
    let broken: i64 = morgue
        .client
        .query_one(
            "WITH trace AS ( \
                 SELECT entity_id, before->>'state' AS from_state, after->>'state' AS to_state, stage_id, \
                        lag(after->>'state', 1, 'pending') OVER (PARTITION BY entity_id ORDER BY stage_id) AS expected \
                   FROM audit_stage), \
             last AS (SELECT DISTINCT ON (entity_id) entity_id, to_state FROM trace ORDER BY entity_id, stage_id DESC) \
             SELECT (SELECT count(*) FROM trace WHERE from_state <> expected) \
                  + (SELECT count(*) FROM dead_letter d LEFT JOIN last l ON l.entity_id = d.id \
                      WHERE d.state <> coalesce(l.to_state, 'pending'))",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(broken, 0, "{place}: the trace is not what happened");
}

#[tokio::test]
async fn whoever_dies_at_any_step_loses_nothing_and_doubles_nothing() {
    for place in PLACES {
        let morgue = Morgue::new().await;
        let first = morgue.bury(Source::Webhook, ErrorClass::Retryable, "first").await;
        let gone = morgue
            .bury(Source::Webhook, ErrorClass::Unrecoverable, "gone")
            .await;
        let second = morgue
            .bury(Source::Webhook, ErrorClass::Retryable, "second")
            .await;
        let unknown = morgue.bury(Source::Webhook, ErrorClass::Unknown, "unknown").await;

        assert_eq!(
            child(&morgue, Some(place)).await,
            Some(SIGABRT),
            "{place} was not reached"
        );
        trace_is_whole(&morgue, place).await;
        let open = "dead_letter WHERE state IN ('pending', 'retrying')";
        let mut runs = 0;
        while morgue.count(open).await > 1 {
            assert!(runs < 6, "{place}: it does not come to an end");
            time_passes(&morgue).await;
            assert_eq!(child(&morgue, None).await, None, "{place}");
            trace_is_whole(&morgue, place).await;
            runs += 1;
        }
        println!("{place}: done after {runs} more runs");
        for (id, state) in [
            (first, "resolved"),
            (gone, "archived"),
            (second, "resolved"),
            (unknown, "pending"),
        ] {
            assert_eq!(morgue.state(id).await, state, "{place}: {id}");
        }
        assert_eq!(morgue.count("done").await, 2, "{place}");
        let lines = morgue.exported();
        let repeats = if place == "dlq_exported" { 2 } else { 1 };
        // Where the death came between the line and the state, the line is there twice.
        assert!((1..=repeats).contains(&lines.len()), "{place}: {lines:?}");
        assert!(
            lines.iter().all(|line| line["id"] == gone.to_string()),
            "{place}: {lines:?}"
        );
    }
}
