//! Another secret for a key, while it is used everywhere.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta};
use comanda_infrastructure::clock::{Clock, ManualClock};
use comanda_security::policy::Scope;
use comanda_testkit::process::Process;
use comanda_testkit::{Client, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::signing::Signing;

const KEYS: &str = "/v1/admin/api-keys";
const ME: &str = "/v1/integration/me";

async fn made(owner: &Client, more: Value) -> (String, &'static str) {
    let branches = owner.get("/v1/admin/branches").await.expect(200);
    let mut body = json!({
        "name": "Till", "scopes": ["menu:read"], "branch_ids": [branches.text("/data/0/id")],
    });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let made = owner.post(KEYS, &body).await.expect(201);
    (format!("{KEYS}/{}", made.text("/id")), made.text("/secret"))
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(
        DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
    ))
}

#[tokio::test]
async fn both_secrets_work_for_the_overlap() {
    let clock = clock();
    let app = TestApp::with_clock(clock.clone()).await;
    let olga = app.staff("olga").await;
    let (path, old) = made(&olga, json!({ "ip_allow": ["127.0.0.0/8"] })).await;
    let before = olga.get(&path).await.expect(200);
    let rotate = format!("{path}/rotate");
    let rotated = olga.post(&rotate, &json!({ "overlap": "1h" })).await.expect(200);
    let until = rotated.text("/previous_valid_until");
    assert_eq!(until, "2027-01-15T09:00:00.000Z");
    for same in [
        "/id",
        "/key_id",
        "/scopes",
        "/branch_ids",
        "/ip_allow",
        "/expires_at",
    ] {
        assert_eq!(rotated.at(same), before.at(same), "{same}: {}", rotated.report());
    }
    let new = app.anyone().with_token(rotated.text("/secret"));
    let old = app.anyone().with_token(old);
    assert_eq!(new.get(ME).await.expect(200).header("comanda-key-expires"), "");
    assert_eq!(old.get(ME).await.expect(200).header("comanda-key-expires"), until);

    let again = olga
        .post(&rotate, &json!({}))
        .await
        .refused(409, "api_key_wrong_state");
    assert_eq!(again.at("/current_status"), "rotating");
    olga.post(&rotate, &json!({ "overlap": "2h" }))
        .await
        .refused(422, "validation_failed");
    let forced = olga.post(&rotate, &json!({ "force": true })).await.expect(200);
    old.get(ME).await.refused(401, "token_invalid");
    let _ = new.get(ME).await.expect(200);
    clock.advance(TimeDelta::hours(24));
    new.get(ME).await.refused(401, "token_invalid");
    let newest = app.anyone().with_token(forced.text("/secret"));
    let _ = newest.get(ME).await.expect(200);

    let olga = app.staff("olga").await;
    let at_once = olga.post(&rotate, &json!({ "overlap": "0" })).await.expect(200);
    assert_eq!(at_once.at("/previous_valid_until"), Value::Null);
    newest.get(ME).await.refused(401, "token_invalid");
    let database = app.database.connect().await;
    let traced: i64 = database
        .query_one(
            "SELECT count(*) FROM audit_stage WHERE after ->> 'secret' = 'rotated'",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(traced, 3);
}

#[tokio::test]
async fn what_has_ended_is_not_rotated() {
    let clock = clock();
    let app = TestApp::with_clock(clock.clone()).await;
    let olga = app.staff("olga").await;
    let end = (Clock::now(&*clock) + TimeDelta::minutes(5)).to_rfc3339();
    let (ending, _) = made(&olga, json!({ "expires_at": end })).await;
    let rotated = olga
        .post(&format!("{ending}/rotate"), &json!({}))
        .await
        .expect(200);
    assert_eq!(rotated.at("/previous_valid_until"), rotated.at("/expires_at"));
    let (revoked, _) = made(&olga, json!({})).await;
    let _ = olga.delete(&revoked).await.expect(200);
    clock.advance(TimeDelta::minutes(5));
    for (path, status) in [(ending, "expired"), (revoked, "revoked")] {
        let answer = olga
            .post(&format!("{path}/rotate"), &json!({ "force": true }))
            .await;
        let refused = answer.refused(409, "api_key_wrong_state");
        assert_eq!(refused.at("/current_status"), status);
    }
    let unknown = format!("{KEYS}/key_01m6e22wg0f2sbd6h75gvkq2c9/rotate");
    olga.post(&unknown, &json!({})).await.refused(404, "not_found");
}

#[tokio::test]
async fn both_signing_secrets_work_for_the_overlap() {
    let app = TestApp::start().await;
    let olga = app.staff("olga").await;
    let old = Signing::made(&olga, &[Scope::MenuRead], json!({})).await;
    let rotate = format!("{KEYS}/{}/rotate", old.id);
    let rotated = olga.post(&rotate, &json!({ "overlap": "7d" })).await.expect(200);
    let new = Signing::of(&rotated);
    let anyone = app.anyone();
    let ask = async |key: &Signing| key.signed(Method::GET, ME, None).send(&anyone).await;
    let until = rotated.text("/previous_valid_until");
    assert_eq!(ask(&old).await.expect(200).header("comanda-key-expires"), until);
    assert_eq!(ask(&new).await.expect(200).header("comanda-key-expires"), "");
    let newest = Signing::of(
        &olga
            .post(&rotate, &json!({ "overlap": "0", "force": true }))
            .await
            .expect(200),
    );
    for ended in [&old, &new] {
        ask(ended).await.refused(401, "signature_invalid");
    }
    let _ = ask(&newest).await.expect(200);
}

mod slow {
    use super::*;

    /// Two processes, a key that is sent and one that signs, both used all the time: whoever has a secret that works is
    /// never refused, also in the moment of its birth.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn rotating_under_load_refuses_nobody() {
        let app = TestApp::among_others().await;
        let other = Process::start(
            env!("CARGO_BIN_EXE_comanda-api"),
            &[],
            &app.vars_of_another(&BTreeMap::new()),
        );
        let olga = app.staff("olga").await;
        let (path, sent) = made(&olga, json!({})).await;
        let signing = Signing::made(&olga, &[Scope::MenuRead], json!({})).await;
        let stop = Arc::new(AtomicBool::new(false));
        let mut users = Vec::new();
        for url in [&app.url, &other.url] {
            let (first, stop) = (app.anyone().at(url).with_token(sent), stop.clone());
            users.push(tokio::spawn(async move {
                let mut count = 0;
                while !stop.load(Ordering::Relaxed) {
                    let _ = first.get(ME).await.expect(200);
                    count += 1;
                }
                count
            }));
        }
        let mut forced = json!({ "overlap": "24h" });
        let rotated = olga.post(&format!("{path}/rotate"), &forced).await.expect(200);
        let signed = olga
            .post(&format!("{KEYS}/{}/rotate", signing.id), &forced)
            .await
            .expect(200);
        let renewed = Signing::of(&signed);
        for _ in 0..50 {
            for url in [&app.url, &other.url] {
                let by = app.anyone().at(url);
                let _ = by.with_token(rotated.text("/secret")).get(ME).await.expect(200);
                for key in [&signing, &renewed] {
                    let _ = key.signed(Method::GET, ME, None).send(&by).await.expect(200);
                }
            }
        }
        stop.store(true, Ordering::Relaxed);
        for user in users {
            assert!(user.await.unwrap() > 10);
        }
        // A new secret is good everywhere at once, although the key was known there a moment ago.
        forced["force"] = json!(true);
        let mut newest = rotated.text("/secret");
        for round in 0..20 {
            for url in [&app.url, &other.url] {
                let _ = app.anyone().at(url).with_token(newest).get(ME).await.expect(200);
            }
            let rotated = olga.post(&format!("{path}/rotate"), &forced).await.expect(200);
            newest = rotated.text("/secret");
            let answer = app.anyone().at(&other.url).with_token(newest).get(ME).await;
            assert_eq!(answer.status, 200, "round {round}: {}", answer.report());
        }
    }

    /// Revoked, it is refused on every process within a second.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_revoked_key_is_out_everywhere_within_a_second() {
        let app = TestApp::among_others().await;
        let other = Process::start(
            env!("CARGO_BIN_EXE_comanda-api"),
            &[],
            &app.vars_of_another(&BTreeMap::new()),
        );
        let olga = app.staff("olga").await;
        let (path, sent) = made(&olga, json!({})).await;
        let signing = Signing::made(&olga, &[Scope::MenuRead], json!({})).await;
        let elsewhere = app.anyone().at(&other.url);
        let key = elsewhere.with_token(sent);
        let _ = key.get(ME).await.expect(200);
        let _ = signing
            .signed(Method::GET, ME, None)
            .send(&elsewhere)
            .await
            .expect(200);
        for path in [path, format!("{KEYS}/{}", signing.id)] {
            let _ = olga.delete(&path).await.expect(200);
        }
        let began = Instant::now();
        loop {
            let answers = [
                key.get(ME).await,
                signing.signed(Method::GET, ME, None).send(&elsewhere).await,
            ];
            if answers.iter().all(|answer| answer.status == 401) {
                break;
            }
            // Whoever asked before the second was over may still have been let in.
            let reports = answers.map(|answer| answer.report());
            assert!(began.elapsed() < Duration::from_millis(1_200), "{reports:?}");
        }
    }
}
