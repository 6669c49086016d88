//! Keys of integrations: made once, checked at each request, cut off within a second.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use comanda_infrastructure::clock::{ManualClock, Sources};
use comanda_security::policy::Scope;
use comanda_testkit::cluster::TestDatabase;
use comanda_testkit::{Client, TestApp, proxy};
use serde_json::{Value, json};

const KEYS: &str = "/v1/admin/api-keys";
const ME: &str = "/v1/integration/me";

async fn branch_of(owner: &Client) -> String {
    let branches = owner.get("/v1/admin/branches").await.expect(200);
    branches.text("/data/0/id").to_owned()
}

/// The same text with another letter in place of its n-th.
fn slip(key: &str, at: usize) -> String {
    let letter = if key[at..].starts_with('z') { "y" } else { "z" };
    format!("{}{letter}{}", &key[..at], &key[at + 1..])
}

#[tokio::test]
async fn a_key_is_shown_once_and_tells_what_it_may() {
    let app = TestApp::start().await;
    let olga = app.staff("olga").await;
    let branch = branch_of(&olga).await;
    let body = json!({
        "name": "Till", "scopes": ["tickets:read", "menu:read", "menu:read"], "branch_ids": [branch],
        "expires_at": "2031-01-31T23:59:00Z", "ip_allow": ["127.0.0.0/8", "::1"],
    });
    let made = olga.post(KEYS, &body).await.expect(201);
    let secret = made.text("/secret");
    assert!(
        secret.starts_with("cmd_test_") && secret.len() == 75,
        "{}",
        made.report()
    );
    assert_eq!(made.header("location"), format!("{KEYS}/{}", made.text("/id")));
    assert_eq!(made.at("/scopes"), json!(["menu:read", "tickets:read"]));
    assert_eq!(made.at("/state"), "active");

    let key = app.anyone().with_token(secret);
    let me = key.get(ME).await.expect(200);
    for member in ["/id", "/key_id", "/name", "/scopes", "/branch_ids"] {
        assert_eq!(me.at(member), made.at(member), "{member}: {}", me.report());
    }
    let branches = key.get("/v1/integration/branches").await.expect(200);
    assert_eq!(branches.list("/data").len(), 1);
    assert_eq!(branches.at("/data/0/id"), json!(branch));

    // Never again, and nowhere in the database.
    let (_, hidden) = secret.rsplit_once('_').unwrap();
    let one = olga
        .get(&format!("{KEYS}/{}", made.text("/id")))
        .await
        .expect(200);
    let all = olga.get(KEYS).await.expect(200);
    for answer in [&one, &all] {
        assert!(
            !answer.json().to_string().contains(&hidden[..43]),
            "{}",
            answer.report()
        );
    }
    let database = app.database.connect().await;
    let row =
        "SELECT k::text || coalesce((SELECT string_agg(a::text, '') FROM audit_stage a), '') FROM api_key k";
    let stored: String = database.query_one(row, &[]).await.unwrap().get(0);
    assert!(stored.contains(made.text("/key_id")) && !stored.contains(&hidden[..43]));
    let traced: i64 = database
        .query_one(
            "SELECT count(*) FROM audit_stage WHERE action = 'api_key.manage'",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(traced, 1);
}

#[tokio::test]
async fn impossible_keys_are_not_made() {
    let app = TestApp::start().await;
    let olga = app.staff("olga").await;
    let branch = branch_of(&olga).await;
    for (member, value, pointer, code) in [
        ("scopes", json!([]), "/scopes", "too_short"),
        ("scopes", json!(["menu:eat"]), "/scopes/0", "not_allowed"),
        ("branch_ids", json!([]), "/branch_ids", "too_short"),
        (
            "expires_at",
            json!("2001-01-01T00:00:00Z"),
            "/expires_at",
            "too_small",
        ),
        ("expires_at", json!("tomorrow"), "/expires_at", "wrong_format"),
        ("ip_allow", json!(["192.0.2.1/24"]), "/ip_allow/0", "wrong_format"),
    ] {
        let mut body = json!({ "name": "Till", "scopes": ["menu:read"], "branch_ids": [branch] });
        body[member] = value;
        let refused = olga.post(KEYS, &body).await;
        assert_eq!(refused.at("/code"), "validation_failed", "{}", refused.report());
        assert_eq!(refused.at("/errors/0/pointer"), pointer, "{}", refused.report());
        assert_eq!(refused.at("/errors/0/code"), code, "{}", refused.report());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slip_is_refused_without_a_query() {
    let database = TestDatabase::seeded().await;
    let (port, counts) = proxy::start(TestDatabase::socket()).await;
    let settings = [
        ("DATABASE_URL", database.url_through(port)),
        ("COMANDA_DATABASE_RELAY_URL", database.url.clone()),
    ];
    let settings: BTreeMap<_, _> = settings.map(|(name, value)| (name.to_owned(), value)).into();
    let app = TestApp::on(database, Sources::system(), &settings);
    let key = app.key(&app.staff("olga").await, Scope::ALL).await;
    let secret = key.token().to_owned();
    let _ = key.get(ME).await.expect(200);
    drop(counts.take_statements());
    for at in (0..secret.len()).filter(|at| *at > 8) {
        app.anyone()
            .with_token(&slip(&secret, at))
            .get(ME)
            .await
            .refused(401, "token_invalid");
    }
    let asked = counts.take_statements();
    let about_keys: Vec<&String> = asked.iter().filter(|sql| sql.contains("api_key")).collect();
    // The use of the good key is kept in the background, perhaps only now.
    let looked: Vec<&&String> = about_keys
        .iter()
        .filter(|sql| !sql.contains("last_used_at\" ="))
        .collect();
    assert!(looked.is_empty(), "{looked:#?}");
}

#[tokio::test]
async fn whoever_does_not_have_the_secret_learns_nothing() {
    let app = TestApp::start().await;
    let olga = app.staff("olga").await;
    let (one, other) = (app.key(&olga, Scope::ALL).await, app.key(&olga, Scope::ALL).await);
    // Well-formed, but of another key, and of another restaurant.
    let stranger = app.key(&app.stranger().await, Scope::ALL).await;
    let theirs = stranger.get(ME).await.expect(200);
    assert_ne!(
        theirs.at("/tenant_id"),
        one.get(ME).await.expect(200).at("/tenant_id")
    );
    let unknown = comanda_security::api_key::issue(
        comanda_security::api_key::KeyEnvironment::Test,
        &comanda_security::SystemEntropy::new(),
    )
    .unwrap();
    let unknown = secrecy::ExposeSecret::expose_secret(&unknown.text).to_owned();
    app.anyone()
        .with_token(&unknown)
        .get(ME)
        .await
        .refused(401, "token_invalid");
    // Kinds do not mix.
    for (who, path) in [
        (&olga, ME),
        (&other, KEYS),
        (&other, "/v1/diner/me"),
        (&other, "/v1/auth/me"),
    ] {
        who.get(path).await.refused(401, "token_wrong_audience");
    }
    app.anyone().get(ME).await.refused(401, "unauthenticated");
    app.anyone()
        .with_token("nonsense")
        .get(ME)
        .await
        .refused(401, "token_invalid");
}

#[tokio::test]
async fn a_key_ends_with_its_time_its_address_and_its_revocation() {
    let clock = Arc::new(ManualClock::new(
        DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
    ));
    let app = TestApp::with_clock(clock.clone()).await;
    let olga = app.staff("olga").await;
    let branch = branch_of(&olga).await;
    let make = async |more: Value| {
        let mut body = json!({ "name": "Till", "scopes": ["menu:read"], "branch_ids": [branch] });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        olga.post(KEYS, &body).await.expect(201)
    };
    let elsewhere = make(json!({ "ip_allow": ["192.0.2.0/24"] })).await;
    let elsewhere = app.anyone().with_token(elsewhere.text("/secret"));
    elsewhere.get(ME).await.refused(401, "token_invalid");

    let ending =
        make(json!({ "expires_at": (clock_now(&clock) + TimeDelta::minutes(5)).to_rfc3339() })).await;
    let ends = app.anyone().with_token(ending.text("/secret"));
    let _ = ends.get(ME).await.expect(200);
    clock.advance(TimeDelta::minutes(5));
    ends.get(ME).await.refused(401, "token_expired");
    let shown = olga
        .get(&format!("{KEYS}/{}", ending.text("/id")))
        .await
        .expect(200);
    assert_eq!(shown.at("/state"), "expired");

    let revoked = make(json!({})).await;
    let gone = app.anyone().with_token(revoked.text("/secret"));
    let _ = gone.get(ME).await.expect(200);
    let path = format!("{KEYS}/{}", revoked.text("/id"));
    olga.seen(7)
        .delete(&path)
        .await
        .refused(412, "precondition_failed");
    let first = olga.seen(1).delete(&path).await.expect(200);
    assert_eq!(first.at("/state"), "revoked");
    gone.get(ME).await.refused(401, "token_invalid");
    // Again: nothing changes.
    let again = olga.delete(&path).await.expect(200);
    for member in ["/state", "/revoked_at", "/revoked_by", "/version"] {
        assert_eq!(again.at(member), first.at(member), "{member}: {}", again.report());
    }
}

fn clock_now(clock: &ManualClock) -> DateTime<chrono::Utc> {
    comanda_infrastructure::clock::Clock::now(clock)
}

#[tokio::test]
async fn its_use_is_kept_to_the_minute() {
    let clock = Arc::new(ManualClock::new(
        DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
    ));
    let app = TestApp::with_clock(clock.clone()).await;
    let olga = app.staff("olga").await;
    let key = app.key(&olga, &[Scope::MenuRead]).await;
    let used = async || olga.get(KEYS).await.expect(200).at("/data/0/last_used_at");
    assert_eq!(used().await, Value::Null);
    let _ = key.get(ME).await.expect(200);
    let first = loop {
        match used().await {
            Value::Null => tokio::task::yield_now().await,
            text => break text,
        }
    };
    assert_eq!(first, "2027-01-15T08:00:00.000Z");
    let database = app.database.connect().await;
    let version: i64 = database
        .query_one("SELECT version FROM api_key", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(version, 1, "being used is no change");
}
