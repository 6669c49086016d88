//! What a run does with one letter of each kind.

use std::fs;

use comanda_domain::dead_letter::{Decision, ErrorClass, LetterState, Source, decide};
use comanda_infrastructure::dead_letters::{Filter, Outcome, Run};
use serde_json::json;
use tokio::task::LocalSet;

use super::morgue::Morgue;

const WEBHOOK: Source = Source::Webhook;

#[tokio::test]
async fn each_class_goes_its_way() {
    let morgue = Morgue::new().await;
    let retryable = morgue.bury(WEBHOOK, ErrorClass::Retryable, "one").await;
    let refused = morgue.bury(Source::Event, ErrorClass::Unrecoverable, "two").await;
    let unknown = morgue.bury(WEBHOOK, ErrorClass::Unknown, "three").await;
    let failing = morgue.bury(WEBHOOK, ErrorClass::Retryable, "fail").await;

    let report = morgue.run().await;
    let numbers = [
        report.examined,
        report.retried,
        report.resolved,
        report.archived,
        report.kept,
        report.failed,
        report.remaining,
    ];
    assert_eq!(numbers, [4, 2, 1, 1, 1, 1, 2], "{report:?}");
    let items: Vec<_> = report
        .items
        .iter()
        .map(|item| (item.id, item.decision, item.result, item.code.as_deref()))
        .collect();
    assert_eq!(
        items,
        [
            (retryable, "retry", Outcome::Resolved, None),
            (refused, "archive", Outcome::Archived, None),
            (failing, "retry", Outcome::Failed, Some("busy")),
            (unknown, "keep", Outcome::Kept, Some("unknown")),
        ]
    );
    assert_eq!(morgue.state(retryable).await, "resolved");
    assert_eq!(morgue.state(refused).await, "archived");
    assert_eq!(morgue.state(unknown).await, "pending");
    assert_eq!(morgue.state(failing).await, "pending");
    assert_eq!(
        morgue.column(failing, "error_text").await.unwrap(),
        "come back later"
    );
    assert_eq!(morgue.column(failing, "attempts").await.unwrap(), "10");
    assert_eq!(
        morgue.column(retryable, "resolved_by").await.unwrap(),
        "processor"
    );
    assert_eq!(morgue.count("done").await, 1);

    // The archive keeps everything, here and outside.
    let lines = morgue.exported();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["id"], refused.to_string());
    assert_eq!(lines[0]["payload"], json!({ "said": "two" }));
    assert_eq!(morgue.column(refused, "payload->>'said'").await.unwrap(), "two");

    // Every change has its entry, and nothing else has.
    let rows = morgue
        .client
        .query(
            "SELECT action, actor_kind, entity_id::text, before->>'state', after->>'state' FROM audit_stage ORDER BY stage_id",
            &[],
        )
        .await
        .unwrap();
    let trace: Vec<String> = rows
        .iter()
        .map(|row| {
            let id: String = row.get(2);
            let names = [(retryable, "one"), (refused, "two"), (failing, "fail")];
            let name = names
                .iter()
                .find(|(known, _)| known.0.to_string() == id)
                .unwrap()
                .1;
            let [action, actor, from, to] = [0, 1, 3, 4].map(|n| row.get::<_, String>(n));
            format!("{name}: {action} by {actor}, {from} to {to}")
        })
        .collect();
    assert_eq!(
        trace,
        [
            "one: dead_letter.retry by system, pending to retrying",
            "one: dead_letter.resolve by system, retrying to resolved",
            "two: dead_letter.archive by system, pending to archived",
            "fail: dead_letter.retry by system, pending to retrying",
            "fail: dead_letter.put_back by system, retrying to pending",
        ]
    );
}

#[tokio::test]
async fn a_dry_run_decides_the_same_and_changes_nothing() {
    let morgue = Morgue::new().await;
    for (class, name) in [
        (ErrorClass::Retryable, "one"),
        (ErrorClass::Unrecoverable, "two"),
        (ErrorClass::Unknown, "three"),
        (ErrorClass::Retryable, "four"),
    ] {
        morgue.bury(WEBHOOK, class, name).await;
    }
    morgue.bury(Source::Audit, ErrorClass::Retryable, "five").await;
    let before = morgue.dump().await;
    let dry = Run {
        dry_run: true,
        ..Run::default()
    };
    let planned = morgue.processor().process(&dry).await.unwrap();
    assert_eq!(morgue.dump().await, before);
    assert!(morgue.exported().is_empty() && !morgue.exports.exists());
    assert!(morgue.handler.tries().is_empty());
    assert_eq!(
        (planned.resolved, planned.remaining, planned.failed),
        (0, 5, 1),
        "{planned:?}"
    );

    let done = morgue.run().await;
    let decisions = |report: &comanda_infrastructure::dead_letters::Report| {
        let items = report.items.iter();
        items.map(|item| (item.id, item.decision)).collect::<Vec<_>>()
    };
    assert_eq!(decisions(&planned), decisions(&done));
    assert_eq!(
        (planned.examined, planned.retried, planned.archived, planned.kept),
        (done.examined, done.retried, done.archived, done.kept)
    );
    assert_ne!(morgue.dump().await, before);
}

#[tokio::test]
async fn a_failing_letter_is_tried_five_times_ever_later_and_then_left_to_a_person() {
    let morgue = Morgue::new().await;
    let id = morgue.bury(WEBHOOK, ErrorClass::Retryable, "fail").await;
    for minutes in [1, 4, 16, 64] {
        assert_eq!(morgue.run().await.failed, 1);
        let wait = "extract(epoch FROM next_attempt_at - last_failed_at)::bigint";
        let wait: i64 = morgue.column(id, wait).await.unwrap().parse().unwrap();
        assert!(
            (minutes * 48..=minutes * 72).contains(&wait),
            "{wait} s, not {minutes} min"
        );
        // Not before it is due.
        morgue.pass(wait - 1);
        assert_eq!(morgue.run().await.examined, 0);
        morgue.pass(2);
    }
    assert_eq!(morgue.run().await.failed, 1);
    assert_eq!(morgue.column(id, "next_attempt_at").await, None);
    morgue.pass(365 * 24 * 3600);
    let report = morgue.run().await;
    assert_eq!(
        (report.kept, report.retried, report.remaining),
        (1, 0, 1),
        "{report:?}"
    );
    assert_eq!(report.items[0].code.as_deref(), Some("used_up"));
    assert_eq!(morgue.handler.tries().len(), 5);
}

#[tokio::test]
async fn a_handler_that_is_refused_for_good_or_panics_stops_only_its_own_letter() {
    let morgue = Morgue::new().await;
    let refused = morgue.bury(WEBHOOK, ErrorClass::Retryable, "refuse").await;
    let panicking = morgue.bury(WEBHOOK, ErrorClass::Retryable, "panic").await;
    let fine = morgue.bury(WEBHOOK, ErrorClass::Retryable, "fine").await;
    let report = morgue.run().await;
    assert_eq!((report.resolved, report.failed), (1, 2), "{report:?}");
    assert_eq!(morgue.state(fine).await, "resolved");
    assert_eq!(morgue.column(panicking, "error_code").await.unwrap(), "panicked");
    morgue.pass(100);
    let report = morgue.run().await;
    assert_eq!(
        (report.archived, report.kept, report.retried),
        (1, 1, 0),
        "{report:?}"
    );
    assert_eq!(morgue.state(refused).await, "archived");
    assert_eq!(morgue.state(panicking).await, "pending");
}

#[tokio::test]
async fn what_the_effect_cannot_write_is_not_resolved() {
    let morgue = Morgue::new().await;
    let id = morgue.bury(WEBHOOK, ErrorClass::Retryable, "twice").await;
    morgue
        .client
        .batch_execute("INSERT INTO done VALUES ('twice')")
        .await
        .unwrap();
    let report = morgue.run().await;
    assert_eq!((report.resolved, report.failed), (0, 1), "{report:?}");
    assert_eq!(morgue.state(id).await, "pending");
    assert_eq!(morgue.column(id, "error_code").await.unwrap(), "database");
}

#[tokio::test]
async fn without_a_handler_a_letter_is_kept_as_it_is_and_told_of() {
    let morgue = Morgue::new().await;
    for name in ["one", "two", "three"] {
        morgue
            .bury(Source::ProviderNotification, ErrorClass::Retryable, name)
            .await;
    }
    let fine = morgue.bury(WEBHOOK, ErrorClass::Retryable, "fine").await;
    let before = morgue.dump().await;
    let run = Run {
        max_messages: 2,
        ..Run::default()
    };
    let report = morgue.processor().process(&run).await.unwrap();
    assert_eq!(
        (report.examined, report.resolved, report.failed),
        (2, 1, 1),
        "{report:?}"
    );
    assert_eq!(report.items[1].result, Outcome::NoHandler);
    assert_eq!(morgue.state(fine).await, "resolved");
    let after = morgue.dump().await;
    let untouched = |dump: &[String]| {
        dump.iter()
            .filter(|row| row.contains("provider_notification"))
            .count()
    };
    assert_eq!(untouched(&before), 3);
    assert!(
        before
            .iter()
            .filter(|row| row.contains("provider_notification"))
            .all(|row| after.contains(row))
    );
}

#[tokio::test]
async fn an_archive_that_cannot_be_written_keeps_its_letters_and_stops_no_others() {
    let morgue = Morgue::new().await;
    fs::create_dir_all(morgue.exports.parent().unwrap()).unwrap();
    fs::write(&morgue.exports, "a file where the folder belongs").unwrap();
    let first = morgue.bury(WEBHOOK, ErrorClass::Unrecoverable, "one").await;
    let second = morgue.bury(WEBHOOK, ErrorClass::Unrecoverable, "two").await;
    let fine = morgue.bury(WEBHOOK, ErrorClass::Retryable, "fine").await;
    let report = morgue.run().await;
    assert_eq!(
        (report.archived, report.failed, report.resolved),
        (0, 1, 1),
        "{report:?}"
    );
    assert_eq!(morgue.state(fine).await, "resolved");
    fs::remove_file(&morgue.exports).unwrap();
    let report = morgue.run().await;
    assert_eq!(report.archived, 2, "{report:?}");
    for id in [first, second] {
        assert_eq!(morgue.state(id).await, "archived");
    }
    assert_eq!(morgue.exported().len(), 2);
}

#[tokio::test]
async fn a_line_that_was_cut_off_spoils_no_other() {
    let morgue = Morgue::new().await;
    let id = morgue.bury(WEBHOOK, ErrorClass::Unrecoverable, "one").await;
    fs::create_dir_all(&morgue.exports).unwrap();
    let file = morgue
        .exports
        .join(format!("dead-letters-{}.ndjson", morgue.now().date_naive()));
    fs::write(&file, "{\"id\":\"dlt_cut").unwrap();
    assert_eq!(morgue.run().await.archived, 1);
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    let line: serde_json::Value = serde_json::from_str(lines[1]).unwrap();
    assert_eq!(line["id"], id.to_string());
}

/// The lease of a processor that hangs ends; whoever comes next goes on, and the first one writes nothing any more.
#[tokio::test]
async fn a_lease_that_ran_out_is_taken_by_another_and_fenced() {
    let morgue = Morgue::new().await;
    let id = morgue.bury(WEBHOOK, ErrorClass::Retryable, "hang").await;
    LocalSet::new()
        .run_until(async {
            let first = morgue.processor();
            let first =
                tokio::task::spawn_local(async move { first.process(&Run::default()).await.unwrap() });
            morgue.handler.hanging.notified().await;
            assert_eq!(morgue.state(id).await, "retrying");
            assert_eq!(morgue.run().await.examined, 0, "somebody is at it");

            morgue.pass(121);
            let report = morgue.run().await;
            assert_eq!(report.items[0].result, Outcome::Released, "{report:?}");
            assert_eq!((report.failed, report.remaining), (1, 1), "{report:?}");
            morgue.pass(100);
            let second = morgue.processor();
            let second =
                tokio::task::spawn_local(async move { second.process(&Run::default()).await.unwrap() });
            morgue.handler.hanging.notified().await;
            // In the order in which they began to wait: the first one wakes first.
            morgue.handler.release.notify_one();
            let report = first.await.unwrap();
            assert_eq!(report.items[0].result, Outcome::Lost, "{report:?}");
            assert_eq!(morgue.count("done").await, 0);
            assert_eq!(morgue.state(id).await, "retrying");
            morgue.handler.release.notify_one();
            let report = second.await.unwrap();
            assert_eq!(report.resolved, 1, "{report:?}");
        })
        .await;
    assert_eq!(morgue.count("done").await, 1);
    assert_eq!(morgue.state(id).await, "resolved");
    assert_eq!(morgue.column(id, "redrives").await.unwrap(), "2");
}

/// Every kind of letter that the table can hold: what the queries find is what the decision says.
#[tokio::test]
async fn the_queries_and_the_decision_agree() {
    let morgue = Morgue::new().await;
    morgue
        .client
        .execute(
            "INSERT INTO dead_letter (tenant_id, id, source, source_id, payload, error_class, error_code, error_text, \
                attempts, redrives, first_failed_at, last_failed_at, next_attempt_at, state, lease_owner, lease_until, \
                resolved_at, created_at) \
             SELECT '00000000-0000-0000-0000-000000000001', gen_random_uuid(), 'webhook', \
                    concat_ws('-', state, class, redrives, due), 'null', class, 'test', '', 9, redrives, now, now, \
                    CASE state WHEN 'pending' THEN at END, state, CASE state WHEN 'retrying' THEN 'me' END, \
                    CASE state WHEN 'retrying' THEN coalesce(at, now) END, \
                    CASE WHEN state IN ('resolved', 'archived', 'discarded') THEN now END, now \
               FROM (SELECT $1::text::timestamptz AS now) clock, unnest(ARRAY['pending', 'retrying', 'resolved', 'archived', 'discarded']) state, \
                    unnest(ARRAY['retryable', 'unrecoverable', 'unknown']) class, \
                    unnest(ARRAY[0, 4, 5, 6]) redrives, unnest(ARRAY[-1, 0, 1, 9]) due, \
                    LATERAL (SELECT CASE WHEN due < 9 THEN now + due * interval '1 s' END AS at) ats",
            &[&morgue.now().to_rfc3339()],
        )
        .await
        .unwrap();
    let all = morgue
        .processor()
        .list(Filter {
            source: None,
            state: None,
            limit: 1000,
        })
        .await
        .unwrap();
    assert_eq!(all.len(), 5 * 3 * 4 * 4);
    let dry = Run {
        dry_run: true,
        max_messages: 1000,
        source: None,
    };
    let planned = morgue.processor().process(&dry).await.unwrap();
    for letter in all {
        let decision = decide(letter.facts(), morgue.now());
        let found = planned.items.iter().find(|item| item.id == letter.id);
        let found = found.map_or("left out", |item| item.decision);
        let expected = match decision {
            Decision::Retry => "retry",
            Decision::Archive => "archive",
            Decision::Release => "release",
            Decision::Keep(_) if letter.state == LetterState::Pending => "keep",
            Decision::Keep(_) | Decision::NotDue => "left out",
        };
        assert_eq!(found, expected, "{letter:?}");
    }
}
