//! Webhooks, from the round that is placed to the receiver that is called.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use comanda_infrastructure::clock::{Clock, ManualClock, Sources, SystemClock};
use comanda_infrastructure::dead_letters::{Actor, DeadLetterProcessor, Run};
use comanda_infrastructure::postgres::Database;
use comanda_infrastructure::webhooks::worker::WebhookWorker;
use comanda_security::policy::Scope;
use comanda_testkit::cluster::{TestDatabase, config};
use comanda_testkit::dinner::Dinner;
use comanda_testkit::process::Process;
use comanda_testkit::receiver::{Receiver, Reply};
use comanda_testkit::{Answer, Client, TestApp};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::sync::watch;
use tokio::task::LocalSet;
use tokio::time::timeout;

const HOOKS: &str = "/v1/integration/webhooks";
const PATIENCE: Duration = Duration::from_secs(20);

/// An integration of the branch where a party sits.
struct House {
    app: TestApp,
    dinner: Dinner,
    key: Client,
}

impl House {
    async fn open() -> Self {
        Self::of(TestApp::start().await).await
    }

    async fn with_clock(clock: Arc<ManualClock>) -> Self {
        Self::of(TestApp::with_clock(clock).await).await
    }

    async fn of(app: TestApp) -> Self {
        let dinner = Dinner::seated(&app).await;
        let olga = app.staff("olga").await;
        let key = app
            .key_in(&olga, &[Scope::WebhooksWrite], &[&dinner.branch])
            .await;
        Self { app, dinner, key }
    }

    /// A receiver of these types.
    async fn hook(&self, url: &str, types: &[&str]) -> Answer {
        let body = json!({ "url": url, "event_types": types, "branch_ids": [self.dinner.branch] });
        self.key.post(HOOKS, &body).await.expect(201)
    }

    /// The first of the receiver's deliveries for which this holds.
    async fn delivery(&self, hook: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let found = timeout(PATIENCE, async {
            loop {
                let list = self
                    .key
                    .get(&format!("{HOOKS}/{hook}/deliveries"))
                    .await
                    .expect(200);
                if let Some(found) = list.list("/data").into_iter().find(&holds) {
                    return found;
                }
                tokio::task::yield_now().await;
            }
        });
        let Ok(found) = found.await else {
            let all = self.key.get(&format!("{HOOKS}/{hook}/deliveries")).await;
            panic!("no such delivery\n{}", all.report());
        };
        found
    }

    /// accepted, settled, pending, dead
    async fn conservation(&self) -> (i64, i64, i64, i64) {
        let database = self.app.database.connect().await;
        let row = database
            .query_one(
                "SELECT accepted, settled, pending, dead FROM queue_conservation WHERE queue = 'webhook'",
                &[],
            )
            .await
            .unwrap();
        let sums = (row.get(0), row.get(1), row.get(2), row.get(3));
        assert_eq!(
            sums.0,
            sums.1 + sums.2 + sums.3,
            "accepted = settled + pending + dead: {sums:?}"
        );
        sums
    }

    async fn one(&self, sql: &str) -> String {
        let database = self.app.database.connect().await;
        database.query_one(sql, &[]).await.unwrap().get(0)
    }
}

fn standing_clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(SystemClock.now()))
}

fn time(value: &Value) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(value.as_str().unwrap_or_default())
        .unwrap_or_else(|error| panic!("{value}: {error}"))
        .to_utc()
}

/// A further worker on the database of a server.
async fn worker(database: &TestDatabase, sources: Sources) -> (Database, WebhookWorker) {
    let config = config(&database.url, &BTreeMap::new());
    let opened = Database::open_with(&config, sources, false).await.unwrap();
    let worker = WebhookWorker::assemble(&opened.relay, opened.db.bell(), &config);
    (opened, worker)
}

/// A server without workers.
async fn without_workers(sources: Sources) -> TestApp {
    let extra = BTreeMap::from([("COMANDA_ROLE".to_owned(), "api".to_owned())]);
    TestApp::among_others_with(sources, &extra).await
}

#[tokio::test]
async fn events_arrive_in_order_and_signed_as_the_standard_says() {
    let house = House::open().await;
    let receiver = Receiver::content().await;
    let hook = house.hook(&receiver.url, &["round.*", "check.paid"]).await;
    let secret = hook.text("/secret");
    assert!(secret.starts_with("whsec_"), "{}", hook.report());
    house.dinner.fill_cart().await;
    let round = house.dinner.place().await;
    house.dinner.submit(&round).await;
    let calls = receiver.until(3).await;
    let verifier = Webhook::new(secret).unwrap();
    let types: Vec<Value> = calls.iter().map(|call| call.json()["type"].clone()).collect();
    let wanted =
        ["pending", "confirmed", "submitted"].map(|name| json!(format!("dev.comanda.round.{name}.v1")));
    assert_eq!(types, wanted);
    for call in &calls {
        verifier
            .verify(&call.body, &call.headers)
            .unwrap_or_else(|error| panic!("{error}: {call:?}"));
        let body = call.json();
        assert_eq!(call.line, "POST /hook");
        assert_eq!(call.header("content-type"), "application/json");
        assert_eq!(call.header("webhook-id"), body["id"]);
        assert_eq!(body["timestamp"], body["time"]);
        assert_eq!(body["data"]["branch_id"], json!(house.dinner.branch));
        assert_eq!(body["data"]["round"]["id"], json!(round));
    }
    let sequences: Vec<String> = calls
        .iter()
        .map(|call| call.json()["sequence"].to_string())
        .collect();
    assert!(sequences.is_sorted(), "{sequences:?}");
    let foreign = Webhook::new("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
    assert!(foreign.verify(&calls[0].body, &calls[0].headers).is_err());

    let id = hook.text("/id");
    for call in &calls {
        let delivered = house
            .delivery(id, |one| {
                one["event_id"] == call.header("webhook-id") && one["status"] == "delivered"
            })
            .await;
        assert_eq!(delivered["attempts"][0]["response_code"], 204, "{delivered}");
    }
    let (accepted, settled, ..) = house.conservation().await;
    assert_eq!((accepted, settled), (3, 3));
    let sealed = house
        .one("SELECT encode(sealed_secret, 'escape') FROM webhook_endpoint")
        .await;
    assert!(!sealed.contains(secret), "sealed at rest");
}

#[tokio::test]
async fn both_secrets_sign_while_one_replaces_the_other() {
    let house = House::open().await;
    let receiver = Receiver::content().await;
    let hook = house.hook(&receiver.url, &["round.*"]).await;
    let path = format!("{HOOKS}/{}", hook.text("/id"));
    let rotated = house
        .key
        .command(&format!("{path}/rotate-secret"))
        .await
        .expect(200);
    let secrets = [hook.text("/secret"), rotated.text("/secret")];
    assert_ne!(secrets[0], secrets[1]);
    let tested = house.key.command(&format!("{path}/test")).await.expect(200);
    let call = receiver.until(1).await.remove(0);
    assert_eq!(call.header("webhook-signature").split(' ').count(), 2);
    for secret in secrets {
        Webhook::new(secret)
            .unwrap()
            .verify(&call.body, &call.headers)
            .unwrap();
    }
    // A test is no event.
    let body = call.json();
    assert_eq!(body["type"], "dev.comanda.webhook.test.v1");
    assert_eq!(body["id"], tested.at("/event_id"));
    assert!(body.get("sequence").is_none(), "{body}");
    // Once the time is over, only the new one signs.
    let database = house.app.database.connect().await;
    let past = "UPDATE webhook_endpoint SET previous_valid_until = now() - interval '1 second'";
    database.batch_execute(past).await.unwrap();
    let _ = house.key.command(&format!("{path}/test")).await.expect(200);
    let call = receiver.until(2).await.remove(1);
    assert!(
        Webhook::new(secrets[0])
            .unwrap()
            .verify(&call.body, &call.headers)
            .is_err()
    );
    Webhook::new(secrets[1])
        .unwrap()
        .verify(&call.body, &call.headers)
        .unwrap();
}

#[tokio::test]
async fn what_does_not_arrive_is_sent_again_by_the_schedule() {
    let clock = standing_clock();
    let house = House::with_clock(clock.clone()).await;
    let receiver = Receiver::scripted(|before, _| match before {
        0 => Reply::status(500).body("broken"),
        1 => Reply::status(302).header("location", "http://127.0.0.1:9/elsewhere"),
        2 => Reply::status(503).header("retry-after", "600"),
        _ => Reply::status(200),
    })
    .await;
    let hook = house.hook(&receiver.url, &["round.*"]).await;
    let id = hook.text("/id");
    house.dinner.fill_cart().await;
    let _ = house.dinner.place().await;
    let mut seen = Vec::new();
    for (attempt, code, least, most) in [(1, 500, 4, 6), (2, 302, 24, 36), (3, 503, 600, 600)] {
        let _ = receiver.until(attempt).await;
        let waiting = house
            .delivery(id, |one| {
                one["attempts"].as_array().map(Vec::len) == Some(attempt)
            })
            .await;
        assert_eq!(
            (&waiting["status"], &waiting["response_code"]),
            (&json!("pending"), &json!(code))
        );
        let wait = time(&waiting["next_attempt_at"]) - clock.now();
        let (least, most) = (TimeDelta::seconds(least), TimeDelta::seconds(most));
        assert!(
            wait >= least - TimeDelta::milliseconds(1) && wait <= most,
            "{wait}: {waiting}"
        );
        seen.push(waiting);
        clock.advance(wait + TimeDelta::milliseconds(1));
    }
    assert_eq!(seen[2]["attempts"][0]["reply"], "broken", "{:?}", seen[2]);
    assert_eq!(seen[2]["attempts"][0]["error"], "http_500");
    // Overloaded: one at a time, until it accepts something.
    let _ = house.delivery(id, |one| one["status"] == "delivered").await;
    let calls = receiver.until(4).await;
    let ids: Vec<&str> = calls.iter().map(|call| call.header("webhook-id")).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert!(calls.iter().all(|call| call.body == calls[0].body));
    let health = "SELECT concurrency || ' ' || (failing_since IS NULL) FROM webhook_endpoint";
    assert_eq!(house.one(health).await, "4 true");
}

#[tokio::test]
async fn what_is_given_up_is_a_dead_letter_until_somebody_takes_it_back() {
    let clock = standing_clock();
    let house = House::with_clock(clock.clone()).await;
    let receiver = Receiver::scripted(|before, _| Reply::status(if before < 9 { 500 } else { 200 })).await;
    let hook = house.hook(&receiver.url, &["round.*"]).await;
    let id = hook.text("/id");
    house.dinner.fill_cart().await;
    let _ = house.dinner.place().await;
    let failed = loop {
        let attempts = receiver.calls().len();
        let _ = receiver.until(attempts.max(1)).await;
        let now = house
            .delivery(id, |one| {
                one["attempts"].as_array().map_or(0, Vec::len) == receiver.calls().len()
            })
            .await;
        let _ = house.conservation().await;
        if now["status"] == "failed" {
            break now;
        }
        clock.advance(time(&now["next_attempt_at"]) - clock.now() + TimeDelta::milliseconds(1));
        let _ = receiver.until(receiver.calls().len().max(attempts + 1)).await;
    };
    assert_eq!(failed["attempts"].as_array().unwrap().len(), 9, "{failed}");
    assert_eq!(house.conservation().await, (1, 0, 0, 1));
    let letter =
        "SELECT concat_ws(' ', source, source_id, error_class, error_code, attempts, state) FROM dead_letter";
    let delivery = failed["id"].as_str().unwrap();
    assert_eq!(
        house.one(letter).await,
        format!("webhook {delivery} retryable http_500 9 pending")
    );

    let path = format!("/v1/integration/deliveries/{delivery}/retry");
    let again = house.key.key("once").command(&path).await.expect(200);
    assert_eq!(again.at("/status"), "pending");
    let repeated = house.key.key("once").command(&path).await.expect(200);
    assert_eq!(repeated.header("idempotency-replayed"), "true");
    let _ = house.delivery(id, |one| one["status"] == "delivered").await;
    assert_eq!(house.conservation().await, (1, 1, 0, 0));
    assert!(
        house.one(letter).await.ends_with("resolved"),
        "{}",
        house.one(letter).await
    );
    let calls = receiver.until(10).await;
    assert_eq!(calls[9].header("webhook-id"), calls[0].header("webhook-id"));
}

#[tokio::test]
async fn the_processor_of_dead_letters_delivers_what_was_given_up() {
    let house = House::of(without_workers(Sources::system()).await).await;
    let receiver = Receiver::scripted(|before, _| Reply::status(if before == 0 { 500 } else { 200 })).await;
    let hook = house.hook(&receiver.url, &["round.*"]).await;
    let test = format!("{HOOKS}/{}/test", hook.text("/id"));
    let tested = house.key.command(&test).await.expect(200);
    let database = house.app.database.connect().await;
    let dead = format!(
        "UPDATE webhook_delivery SET status = 'failed', next_attempt_at = NULL, settled_at = now();
         INSERT INTO dead_letter (tenant_id, id, source, source_id, payload, error_class, error_code, error_text,
                attempts, first_failed_at, last_failed_at, next_attempt_at, created_at)
         SELECT tenant_id, id, 'webhook', '{}', '{{}}', 'retryable', 'http_500', '', 9, now(), now(), now(), now()
           FROM webhook_delivery",
        tested.text("/id")
    );
    database.batch_execute(&dead).await.unwrap();
    let (opened, _) = worker(&house.app.database, Sources::system()).await;
    let settings = config(&house.app.database.url, &BTreeMap::new());
    let processor =
        DeadLetterProcessor::assemble(&opened.relay, opened.db.bell(), &settings, Actor::Processor);

    let first = processor.process(&Run::default()).await.unwrap();
    assert_eq!((first.resolved, first.failed), (0, 1), "{first:?}");
    assert_eq!(house.conservation().await, (1, 0, 0, 1));
    let due = "UPDATE dead_letter SET next_attempt_at = now() - interval '1 second'";
    database.batch_execute(due).await.unwrap();
    let second = processor.process(&Run::default()).await.unwrap();
    assert_eq!((second.resolved, second.failed), (1, 0), "{second:?}");
    assert_eq!(house.conservation().await, (1, 1, 0, 0));
    let calls = receiver.until(2).await;
    assert_eq!(calls[0].header("webhook-id"), calls[1].header("webhook-id"));
    let delivered = house
        .delivery(hook.text("/id"), |one| one["status"] == "delivered")
        .await;
    assert_eq!(delivered["attempts"].as_array().unwrap().len(), 2, "{delivered}");
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_switched_off_and_the_house_is_told() {
    let house = House::open().await;
    let gone = Receiver::scripted(|before, _| Reply::status(if before == 0 { 410 } else { 200 })).await;
    let watching = Receiver::content().await;
    let hook = house.hook(&gone.url, &["round.*"]).await;
    let _ = house.hook(&watching.url, &["webhook.disabled"]).await;
    house.dinner.fill_cart().await;
    let round = house.dinner.place().await;
    let told = watching.until(1).await.remove(0).json();
    assert_eq!(told["type"], "dev.comanda.webhook.disabled.v1");
    assert_eq!(told["data"]["webhook_id"], hook.at("/id"));
    assert_eq!(told["data"]["reason"], "gone");
    let path = format!("{HOOKS}/{}", hook.text("/id"));
    let off = house.key.get(&path).await.expect(200);
    assert_eq!(
        (off.at("/enabled"), off.at("/disabled_reason")),
        (json!(false), json!("gone"))
    );
    // Its deliveries wait, also those of events that happen meanwhile …
    house.dinner.submit(&round).await;
    let confirmed = |one: &Value| one["event_type"] == "dev.comanda.round.submitted.v1";
    let waiting = house.delivery(hook.text("/id"), confirmed).await;
    assert_eq!(
        (&waiting["status"], &waiting["attempt"]),
        (&json!("pending"), &json!(0))
    );
    assert_eq!(gone.calls().len(), 1);
    // … and go on when it is switched on again.
    let on = house
        .key
        .patch(&path, &json!({ "enabled": true }))
        .await
        .expect(200);
    assert_eq!(on.at("/disabled_reason"), Value::Null);
    let calls = gone.until(4).await;
    assert_eq!(calls[1].header("webhook-id"), calls[0].header("webhook-id"));
    let submitted = house
        .delivery(hook.text("/id"), |one| {
            confirmed(one) && one["status"] == "delivered"
        })
        .await;
    assert_eq!(submitted["attempt"], 1);
}

#[tokio::test]
async fn a_receiver_that_fails_for_five_days_is_switched_off() {
    let clock = standing_clock();
    let house = House::with_clock(clock.clone()).await;
    let receiver = Receiver::scripted(|_, _| Reply::status(500)).await;
    let hook = house.hook(&receiver.url, &["round.*"]).await;
    house.dinner.fill_cart().await;
    let _ = house.dinner.place().await;
    let _ = house
        .delivery(hook.text("/id"), |one| one["response_code"] == 500)
        .await;
    clock.advance(TimeDelta::days(5));
    let _ = receiver.until(2).await;
    let path = format!("{HOOKS}/{}", hook.text("/id"));
    let off = timeout(PATIENCE, async {
        loop {
            let now = house.key.get(&path).await.expect(200);
            if now.at("/enabled") == json!(false) {
                return now;
            }
        }
    });
    assert_eq!(off.await.unwrap().at("/disabled_reason"), "failing");
}

#[tokio::test]
async fn a_crash_between_sending_and_recording_repeats_the_same_id() {
    let house = House::of(without_workers(Sources::system()).await).await;
    let receiver = Receiver::content().await;
    let hook = house.hook(&receiver.url, &["round.*"]).await;
    house.dinner.fill_cart().await;
    let _ = house.dinner.place().await;
    let place = BTreeMap::from([("COMANDA_FAILPOINT".to_owned(), "webhook_sent".to_owned())]);
    let program = env!("CARGO_BIN_EXE_comanda-api");
    let mut dying = Process::start(program, &[], &house.app.vars_of_another(&place));
    assert!(!dying.ended().success());
    let first = receiver.until(1).await.remove(0);
    let waiting = house.delivery(hook.text("/id"), |_| true).await;
    assert_eq!(
        (&waiting["status"], &waiting["attempt"]),
        (&json!("pending"), &json!(1))
    );
    assert_eq!(house.conservation().await, (1, 0, 1, 0));

    // Nobody else has it before its lease ends.
    let clock = standing_clock();
    let (_opened, worker) = worker(&house.app.database, Sources::new(clock.clone())).await;
    assert_eq!(worker.claim(10).await.unwrap().len(), 0);
    clock.advance(TimeDelta::seconds(61));
    let mut claimed = worker.claim(10).await.unwrap();
    assert_eq!(claimed.len(), 1);
    let _ = worker.deliver(claimed.remove(0)).await;
    let calls = receiver.until(2).await;
    assert_eq!(calls[1].header("webhook-id"), first.header("webhook-id"));
    assert_eq!(calls[1].body, first.body);
    assert_eq!(house.conservation().await, (1, 1, 0, 0));
}

#[tokio::test]
async fn whoever_lost_the_lease_records_nothing() {
    let house = House::of(without_workers(Sources::system()).await).await;
    let receiver = Receiver::scripted(|before, _| match before {
        0 => Reply::status(500).held(),
        _ => Reply::status(200),
    })
    .await;
    let hook = house.hook(&receiver.url, &["round.*"]).await;
    let test = format!("{HOOKS}/{}/test", hook.text("/id"));
    let _ = house.key.command(&test).await.expect(200);
    let clock = standing_clock();
    let (_opened, worker) = worker(&house.app.database, Sources::new(clock.clone())).await;
    let paused = worker.claim(1).await.unwrap().remove(0);
    let sending = worker.deliver(paused);
    let overtaking = async {
        let _ = receiver.until(1).await;
        clock.advance(TimeDelta::seconds(61));
        let taken = worker.claim(1).await.unwrap().remove(0);
        let _ = worker.deliver(taken).await;
        receiver.let_go();
    };
    let _ = tokio::join!(sending, overtaking);
    let delivered = house.delivery(hook.text("/id"), |_| true).await;
    assert_eq!(
        (&delivered["status"], &delivered["response_code"]),
        (&json!("delivered"), &json!(200))
    );
    assert_eq!(delivered["attempts"].as_array().unwrap().len(), 1, "{delivered}");
}

#[tokio::test]
async fn two_workers_never_send_one_delivery_at_once() {
    let house = House::of(without_workers(Sources::system()).await).await;
    let receiver = Receiver::content().await;
    let mut hooks = Vec::new();
    for _ in 0..4 {
        let hook = house.hook(&receiver.url, &["round.*"]).await;
        hooks.push(hook.text("/id").to_owned());
    }
    for _ in 0..10 {
        for hook in &hooks {
            let _ = house
                .key
                .command(&format!("{HOOKS}/{hook}/test"))
                .await
                .expect(200);
        }
    }
    let (stop, stopped) = watch::channel(false);
    let (one_database, one) = worker(&house.app.database, Sources::system()).await;
    let (other_database, other) = worker(&house.app.database, Sources::system()).await;
    let workers = LocalSet::new();
    let running = workers.run_until(async {
        let tasks = [one, other].map(|worker| tokio::task::spawn_local(worker.run(stopped.clone())));
        let calls = receiver.until(40).await;
        stop.send_replace(true);
        for task in tasks {
            task.await.unwrap();
        }
        calls
    });
    let calls = running.await;
    drop((one_database, other_database));
    assert_eq!(receiver.most_at_once(), 1);
    let mut ids: Vec<&str> = calls.iter().map(|call| call.header("webhook-id")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), receiver.calls().len()), (40, 40));
    assert_eq!(house.conservation().await, (40, 40, 0, 0));
}

#[tokio::test]
async fn a_broken_receiver_delays_nobody_else() {
    let house = House::open().await;
    let hanging = Receiver::scripted(|_, _| Reply::status(200).held()).await;
    let swift = Receiver::content().await;
    let _ = house.hook(&hanging.url, &["round.*"]).await;
    let _ = house.hook(&swift.url, &["round.*"]).await;
    house.dinner.fill_cart().await;
    let round = house.dinner.place().await;
    let _ = hanging.until(1).await;
    house.dinner.submit(&round).await;
    let calls = swift.until(3).await;
    assert_eq!(calls.len(), 3);
    // One of a receiver and branch at a time.
    assert_eq!(hanging.calls().len(), 1);
    hanging.let_go();
    let _ = hanging.until(3).await;
}

#[tokio::test]
async fn a_range_is_sent_again_with_the_same_ids() {
    let house = House::open().await;
    house.dinner.fill_cart().await;
    let early = Receiver::content().await;
    let first = house.hook(&early.url, &["round.*"]).await;
    let round = house.dinner.place().await;
    house.dinner.submit(&round).await;
    let sent = early.until(3).await;
    let id = first.text("/id");
    for call in &sent {
        let event = call.header("webhook-id").to_owned();
        let arrived = |one: &Value| one["event_id"] == json!(event) && one["status"] == "delivered";
        let _ = house.delivery(id, arrived).await;
    }
    let branch = &house.dinner.branch;
    let path = format!("{HOOKS}/{id}/replay");
    let dry = json!({ "branch_id": branch, "after": 0, "dry_run": true });
    assert_eq!(
        house.key.post(&path, &dry).await.expect(200).json(),
        json!({ "count": 3, "dry_run": true })
    );
    assert_eq!(house.conservation().await, (3, 3, 0, 0));
    let one_type = json!({ "branch_id": branch, "after": 0, "event_types": ["round.confirmed"] });
    assert_eq!(
        house
            .key
            .post(&path, &one_type)
            .await
            .expect(200)
            .number("/count"),
        1
    );
    let calls = early.until(4).await;
    assert_eq!(calls[3].header("webhook-id"), calls[1].header("webhook-id"));
    assert_eq!(calls[3].body, calls[1].body);
    // Behind one number and before another.
    let number = |n: usize| sent[n].json()["data"]["seq"].as_i64().unwrap();
    let middle = json!({ "branch_id": branch, "after": number(0), "before": number(2), "dry_run": true });
    assert_eq!(
        house.key.post(&path, &middle).await.expect(200).number("/count"),
        1
    );

    // A receiver that was not there yet gets what it missed.
    let late = Receiver::content().await;
    let second = house.hook(&late.url, &["round.*"]).await;
    let path = format!("{HOOKS}/{}/replay", second.text("/id"));
    let all = json!({ "branch_id": branch, "after": 0 });
    assert_eq!(house.key.post(&path, &all).await.expect(200).number("/count"), 3);
    let missed = late.until(3).await;
    let ids = |calls: &[comanda_testkit::receiver::Received]| -> Vec<String> {
        calls
            .iter()
            .map(|call| call.header("webhook-id").to_owned())
            .collect()
    };
    assert_eq!(ids(&missed), ids(&sent));
    let _ = house.conservation().await;
}

#[tokio::test]
async fn addresses_that_are_not_for_us_are_refused() {
    let house = House::open().await;
    let refused = [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://10.1.2.3/",
        "https://192.168.0.1/",
        "https://172.16.0.1/",
        "https://169.254.169.254/latest",
        "https://100.64.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00::1]/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://192.88.98.1:8443/",
        "https://user:word@192.88.98.1/",
        "https://192.88.98.1/#part",
        "http://192.88.98.1/",
        "http://10.0.0.1/",
        "ftp://192.88.98.1/",
        "file:///etc/passwd",
        "nonsense",
    ];
    for url in refused {
        let body = json!({ "url": url, "event_types": ["round.*"], "branch_ids": [house.dinner.branch] });
        let answer = house.key.post(HOOKS, &body).await.expect(422);
        assert_eq!(
            answer.at("/code"),
            "webhook_url_forbidden",
            "{url}: {}",
            answer.report()
        );
        assert_eq!(answer.at("/errors/0/pointer"), "/url");
    }
    let hook = house.hook("https://192.88.98.1/hook", &["round.*"]).await;
    let path = format!("{HOOKS}/{}", hook.text("/id"));
    let moved = house
        .key
        .patch(&path, &json!({ "url": "https://10.0.0.1/" }))
        .await;
    let _ = moved.refused(422, "webhook_url_forbidden");
    // Not only at registration: whatever stands in the row is judged again at the call.
    let database = house.app.database.connect().await;
    let inward = "UPDATE webhook_endpoint SET url = 'https://localhost/hook'";
    database.batch_execute(inward).await.unwrap();
    let _ = house.key.command(&format!("{path}/test")).await.expect(200);
    let tried = house
        .delivery(hook.text("/id"), |one| one["attempts"][0]["error"].is_string())
        .await;
    assert_eq!(tried["attempts"][0]["error"], "address_refused", "{tried}");
    assert_eq!(tried["status"], "pending");
}

#[tokio::test]
async fn receivers_are_managed_by_keys_of_their_branches() {
    let house = House::open().await;
    let olga = house.app.staff("olga").await;
    let branches = olga.get("/v1/admin/branches").await.expect(200).list("/data");
    let other = branches
        .iter()
        .filter_map(|branch| branch["id"].as_str())
        .find(|id| *id != house.dinner.branch)
        .unwrap();
    let elsewhere = house.app.key_in(&olga, &[Scope::WebhooksWrite], &[other]).await;
    let both = house
        .app
        .key_in(&olga, &[Scope::WebhooksWrite], &[other, &house.dinner.branch])
        .await;
    let hook = house.hook("https://192.88.98.1/hook", &["round.*"]).await;
    let path = format!("{HOOKS}/{}", hook.text("/id"));
    elsewhere.get(&path).await.refused(404, "not_found");
    assert_eq!(elsewhere.get(HOOKS).await.expect(200).list("/data").len(), 0);
    let shared = json!({
        "url": "https://192.88.98.1/both", "event_types": ["check.paid"], "branch_ids": [other, house.dinner.branch],
    });
    house.key.post(HOOKS, &shared).await.refused(404, "not_found");
    let wide = both.post(HOOKS, &shared).await.expect(201);
    // What also concerns others is not for a key of one of them.
    house
        .key
        .get(&format!("{HOOKS}/{}", wide.text("/id")))
        .await
        .refused(404, "not_found");
    assert_eq!(both.get(HOOKS).await.expect(200).list("/data").len(), 2);

    house
        .key
        .seen(9)
        .patch(&path, &json!({}))
        .await
        .refused(412, "precondition_failed");
    let body = json!({ "event_types": ["round.served", "round.served.v1"], "enabled": false });
    let changed = house.key.seen(1).patch(&path, &body).await.expect(200);
    assert_eq!(
        changed.at("/event_types"),
        json!(["round.served", "round.served"])
    );
    assert_eq!(changed.at("/disabled_reason"), "by_hand");
    assert_eq!(changed.header("etag"), "\"v2\"");
    assert!(changed.at("/secret").is_null(), "{}", changed.report());

    // What waits is skipped with its receiver.
    let tested = house.key.command(&format!("{path}/test")).await.expect(200);
    assert_eq!(house.conservation().await, (1, 0, 1, 0));
    let _ = house.key.delete(&path).await.expect(204);
    assert_eq!(house.conservation().await, (1, 1, 0, 0));
    house.key.get(&path).await.refused(404, "not_found");
    house.key.delete(&path).await.refused(404, "not_found");
    let retry = format!("/v1/integration/deliveries/{}/retry", tested.text("/id"));
    house.key.command(&retry).await.refused(404, "not_found");

    for _ in 1..20 {
        let _ = house.hook("https://192.88.98.1/hook", &["round.*"]).await;
    }
    let body = json!({ "url": "https://192.88.98.1/", "event_types": ["round.*"], "branch_ids": [house.dinner.branch] });
    house
        .key
        .post(HOOKS, &body)
        .await
        .refused(422, "validation_failed");
}
