//! Proving who one is, staying it, and being cut off.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta};
use comanda_infrastructure::clock::ManualClock;
use comanda_testkit::dinner::{Dinner, code_of};
use comanda_testkit::{Answer, Client, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::operations::{fresh, problem};

/// How long a revocation may take.
const PROMISE: Duration = Duration::from_secs(1);

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(
        DateTime::from_timestamp(1_795_561_200, 0).unwrap(),
    ))
}

async fn login(app: &TestApp, name: &str, password: &str) -> Answer {
    let body =
        json!({ "tenant": "buen-sabor", "email": format!("{name}@buensabor.demo"), "password": password });
    app.anyone().post("/v1/auth/login", &body).await
}

async fn leo(app: &TestApp) -> Answer {
    login(app, "leo", "comanda-demo-waiter").await.expect(200)
}

async fn refresh(app: &TestApp, token: &str) -> Answer {
    app.anyone()
        .post("/v1/auth/refresh", &json!({ "refresh_token": token }))
        .await
}

fn access(app: &TestApp, login: &Answer) -> Client {
    app.anyone().with_token(login.text("/access_token"))
}

/// Asks again and again until the answer is this refusal; it must come within the promise.
async fn soon_refused(caller: &Client, path: &str, status: u16, code: &str) {
    let began = Instant::now();
    loop {
        let answer = caller.get(path).await;
        if answer.at("/code") == code {
            let _ = answer.refused(status, code);
            return;
        }
        // Some of the time is the answer's own.
        assert!(
            began.elapsed() < PROMISE * 2,
            "not refused in time: {}",
            answer.report()
        );
    }
}

async fn sql(app: &TestApp, statement: &str) {
    app.database
        .connect()
        .await
        .batch_execute(statement)
        .await
        .unwrap();
}

#[tokio::test]
async fn whatever_is_wrong_with_a_login_has_one_answer() {
    let app = TestApp::start().await;
    sql(
        &app,
        "UPDATE app_user SET disabled_at = now() WHERE email = 'sol@buensabor.demo'",
    )
    .await;
    let attempts = [
        ("nobody-here", "leo@buensabor.demo", "comanda-demo-waiter"),
        ("", "leo@buensabor.demo", "comanda-demo-waiter"),
        ("la-otra-mesa", "leo@buensabor.demo", "comanda-demo-waiter"),
        ("buen-sabor", "nobody@buensabor.demo", "comanda-demo-waiter"),
        ("buen-sabor", "", ""),
        ("buen-sabor", "leo@buensabor.demo", "comanda-demo-waiter "),
        ("buen-sabor", "leo@buensabor.demo", "comanda-demo-manager"),
        ("buen-sabor", "leo@buensabor.demo", ""),
        ("buen-sabor", "sol@buensabor.demo", "comanda-demo-waiter"),
    ];
    let mut answers = Vec::new();
    for (tenant, email, password) in attempts {
        let body = json!({ "tenant": tenant, "email": email, "password": password });
        let answer = app
            .anyone()
            .header("x-request-id", "same")
            .post("/v1/auth/login", &body)
            .await;
        assert_eq!(
            problem(&answer),
            "credentials_invalid",
            "{body}\n{}",
            answer.report()
        );
        answers.push(answer.json());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:#?}");
    let _ = leo(&app).await;
}

#[tokio::test]
async fn a_login_without_any_role_is_of_no_use() {
    let app = TestApp::start().await;
    sql(&app, "DELETE FROM staff_grant WHERE user_id = (SELECT id FROM app_user WHERE email = 'sol@buensabor.demo')").await;
    let answer = login(&app, "sol", "comanda-demo-waiter").await;
    assert_eq!(problem(&answer), "forbidden", "{}", answer.report());
}

#[tokio::test]
async fn a_login_says_who_one_is() {
    let app = TestApp::start().await;
    let login = leo(&app).await;
    assert_eq!(
        (login.at("/token_type"), login.number("/expires_in")),
        (json!("Bearer"), 900)
    );
    assert!(login.text("/refresh_token").starts_with("cmdr_"));
    let user = login.at("/user");
    assert_eq!((&user["name"], &user["is_owner"]), (&json!("Leo"), &json!(false)));
    assert_eq!(
        (&user["grants"][0]["role"], &user["grants"][0]["branch_name"]),
        (&json!("waiter"), &json!("Buen Sabor Centro"))
    );
    let me = access(&app, &login).get("/v1/auth/me").await.expect(200);
    assert_eq!(me.json(), user);
}

#[tokio::test]
async fn a_refresh_token_is_used_once_and_ten_seconds_more() {
    let clock = clock();
    let app = TestApp::with_clock(clock.clone()).await;
    let first = leo(&app).await;
    let token = first.text("/refresh_token");
    let second = refresh(&app, token).await.expect(200);
    let successor = second.text("/refresh_token");
    assert_ne!(token, successor);
    // A lost answer, or a second tab: the same successor, for ten seconds.
    clock.advance(TimeDelta::seconds(10));
    let again = refresh(&app, token).await.expect(200);
    assert_eq!(again.text("/refresh_token"), successor);
    for login in [&first, &second, &again] {
        let _ = access(&app, login).get("/v1/auth/me").await.expect(200);
    }
    // Two at once get the same.
    let (one, two) = tokio::join!(refresh(&app, successor), refresh(&app, successor));
    let (one, two) = (one.expect(200), two.expect(200));
    assert_eq!(one.text("/refresh_token"), two.text("/refresh_token"));
    let _ = refresh(&app, one.text("/refresh_token")).await.expect(200);
}

#[tokio::test]
async fn a_refresh_token_used_again_ends_the_login() {
    let clock = clock();
    let app = TestApp::with_clock(clock.clone()).await;
    let (first, other) = (leo(&app).await, leo(&app).await);
    let token = first.text("/refresh_token");
    let second = refresh(&app, token).await.expect(200);
    let thief = access(&app, &second);
    let _ = thief.get("/v1/auth/me").await.expect(200);
    let elsewhere = access(&app, &other);
    let _ = elsewhere.get("/v1/auth/me").await.expect(200);
    clock.advance(TimeDelta::milliseconds(10_001));
    let reused = refresh(&app, token).await;
    assert_eq!(problem(&reused), "refresh_reused", "{}", reused.report());
    // The family is over, whatever is presented …
    for token in [token, second.text("/refresh_token")] {
        assert_eq!(problem(&refresh(&app, token).await), "token_invalid");
    }
    // … and the epoch has risen: every access token of the person is outdated within a second.
    soon_refused(&thief, "/v1/auth/me", 401, "token_invalid").await;
    soon_refused(&elsewhere, "/v1/auth/me", 401, "token_invalid").await;
    // The other login goes on.
    let goes_on = refresh(&app, other.text("/refresh_token")).await.expect(200);
    let _ = access(&app, &goes_on).get("/v1/auth/me").await.expect(200);
    let trace = app.database.connect().await;
    let entries = trace
        .query_one(
            "SELECT count(*) FROM audit_stage WHERE action = 'auth.refresh_reuse'",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(entries.get::<_, i64>(0), 1);
}

#[tokio::test]
async fn refresh_tokens_that_are_none() {
    let clock = clock();
    let app = TestApp::with_clock(clock.clone()).await;
    let login = leo(&app).await;
    let token = login.text("/refresh_token");
    let (head, secret) = token.rsplit_once('_').unwrap();
    let strange = format!("{head}_{}", "A".repeat(secret.len()));
    let unknown = format!("cmdr_{}_{secret}", &fresh("fam")[4..]);
    for wrong in [
        "",
        "nonsense",
        "cmdr_",
        &token[..60],
        &format!("{token}A"),
        &unknown,
        login.text("/access_token").get(..150).unwrap(),
    ] {
        assert_eq!(problem(&refresh(&app, wrong).await), "token_invalid", "{wrong}");
    }
    let _ = refresh(&app, token).await.expect(200);
    // Made up, but of a login that goes on: somebody knows its name, and that is enough to end it.
    assert_eq!(problem(&refresh(&app, &strange).await), "refresh_reused");
    // Seven days without use.
    let idle = leo(&app).await;
    clock.advance(TimeDelta::days(7));
    assert_eq!(
        problem(&refresh(&app, idle.text("/refresh_token")).await),
        "token_invalid"
    );
}

#[tokio::test]
async fn a_cookie_carries_the_refresh_token_where_it_is_wanted() {
    let app = TestApp::start().await;
    let body = json!({ "tenant": "buen-sabor", "email": "leo@buensabor.demo", "password": "comanda-demo-waiter", "mode": "cookie" });
    let login = app.anyone().post("/v1/auth/login", &body).await.expect(200);
    assert_eq!(login.at("/refresh_token"), Value::Null);
    let cookie = login.header("set-cookie");
    for part in [
        "comanda_refresh=cmdr_",
        "HttpOnly",
        "SameSite=Strict",
        "Path=/v1/auth",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let browser = app.anyone().header("cookie", cookie.split(';').next().unwrap());
    // Only our own pages may use it.
    for foreign in [
        None,
        Some("https://evil.example"),
        Some("null"),
        Some("http://localhost:8080.evil.example"),
    ] {
        let caller = foreign.map_or_else(|| browser.clone(), |origin| browser.header("origin", origin));
        let refused = caller.command("/v1/auth/refresh").await;
        assert_eq!(problem(&refused), "invalid_parameter", "{}", refused.report());
    }
    let refreshed = browser
        .header("origin", "http://localhost:8080")
        .command("/v1/auth/refresh")
        .await
        .expect(200);
    assert_eq!(refreshed.at("/refresh_token"), Value::Null);
    assert!(
        refreshed
            .header("set-cookie")
            .starts_with("comanda_refresh=cmdr_"),
        "{}",
        refreshed.report()
    );
    assert_ne!(refreshed.header("set-cookie"), cookie);
    let out = access(&app, &refreshed)
        .command("/v1/auth/logout")
        .await
        .expect(204);
    assert!(
        out.header("set-cookie").starts_with("comanda_refresh=;"),
        "{}",
        out.report()
    );
}

#[tokio::test]
async fn logging_out_ends_this_login_or_all() {
    let app = TestApp::start().await;
    let (one, two, three) = (leo(&app).await, leo(&app).await, leo(&app).await);
    let sol = login(&app, "sol", "comanda-demo-waiter").await.expect(200);
    for login in [&one, &two, &three, &sol] {
        let _ = access(&app, login).get("/v1/auth/me").await.expect(200);
    }
    let _ = access(&app, &one).command("/v1/auth/logout").await.expect(204);
    soon_refused(&access(&app, &one), "/v1/auth/me", 401, "token_invalid").await;
    assert_eq!(
        problem(&refresh(&app, one.text("/refresh_token")).await),
        "token_invalid"
    );
    let _ = access(&app, &two).get("/v1/auth/me").await.expect(200);
    let _ = access(&app, &two)
        .command("/v1/auth/logout-all")
        .await
        .expect(204);
    for login in [&two, &three] {
        soon_refused(&access(&app, login), "/v1/auth/me", 401, "token_invalid").await;
        assert_eq!(
            problem(&refresh(&app, login.text("/refresh_token")).await),
            "token_invalid"
        );
    }
    let _ = access(&app, &sol).get("/v1/auth/me").await.expect(200);
    // Logging in again within the same second works.
    let _ = access(&app, &leo(&app).await)
        .get("/v1/auth/me")
        .await
        .expect(200);
}

#[tokio::test]
async fn a_new_password_ends_all_other_logins() {
    let app = TestApp::start().await;
    let (here, elsewhere) = (leo(&app).await, leo(&app).await);
    let change = async |current: &str, new: &str| {
        access(&app, &here)
            .post("/v1/auth/password", &json!({ "current": current, "new": new }))
            .await
    };
    assert_eq!(
        problem(&change("not it at all", "pampa-y-la-via-9").await),
        "credentials_invalid"
    );
    for (new, fault) in [
        ("short", "too_short"),
        (&*"a".repeat(129), "too_long"),
        ("leo@buensabor.demo", "not_allowed"),
    ] {
        let refused = change("comanda-demo-waiter", new).await;
        assert_eq!(problem(&refused), "validation_failed", "{}", refused.report());
        assert_eq!(
            (refused.at("/errors/0/pointer"), refused.at("/errors/0/code")),
            (json!("/new"), json!(fault)),
            "{}",
            refused.report()
        );
    }
    let _ = change("comanda-demo-waiter", "pampa-y-la-via-9")
        .await
        .expect(204);
    soon_refused(&access(&app, &elsewhere), "/v1/auth/me", 401, "token_invalid").await;
    assert_eq!(
        problem(&refresh(&app, elsewhere.text("/refresh_token")).await),
        "token_invalid"
    );
    let goes_on = refresh(&app, here.text("/refresh_token")).await.expect(200);
    let _ = access(&app, &goes_on).get("/v1/auth/me").await.expect(200);
    assert_eq!(
        problem(&login(&app, "leo", "comanda-demo-waiter").await),
        "credentials_invalid"
    );
    let _ = login(&app, "leo", "pampa-y-la-via-9").await.expect(200);
}

#[tokio::test]
async fn an_access_token_lives_a_quarter_of_an_hour() {
    let clock = clock();
    let app = TestApp::with_clock(clock.clone()).await;
    let caller = access(&app, &leo(&app).await);
    clock.advance(TimeDelta::seconds(900));
    let _ = caller.get("/v1/auth/me").await.expect(200);
    // Clocks may differ by five seconds.
    clock.advance(TimeDelta::seconds(6));
    assert_eq!(problem(&caller.get("/v1/auth/me").await), "token_expired");
}

#[tokio::test]
async fn a_token_that_was_touched_is_none() {
    let app = TestApp::start().await;
    let token = leo(&app).await.text("/access_token");
    let parts: Vec<&str> = token.split('.').collect();
    let mut tampered = vec![
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{}.", parts[1]),
        format!("{token}."),
        token.to_uppercase(),
    ];
    for at in [3, parts[0].len() + 10, token.len() - 20] {
        let mut bytes = token.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        tampered.push(String::from_utf8(bytes).unwrap());
    }
    for token in tampered {
        let answer = app.anyone().with_token(&token).get("/v1/auth/me").await;
        assert_eq!(problem(&answer), "token_invalid", "{token}\n{}", answer.report());
    }
    // The word before the token may be spelled as one likes.
    let _ = app
        .anyone()
        .header("authorization", &format!("bEARER {token}"))
        .get("/v1/auth/me")
        .await
        .expect(200);
}

#[tokio::test]
async fn a_token_of_another_kind_is_named_so() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated_at(&app, "SAL-01", &["Ana"]).await;
    let login = leo(&app).await;
    let scanned = app
        .anyone()
        .post("/v1/public/tables/open", &json!({ "code": dinner.code }))
        .await
        .expect(200);
    let visitor = app.anyone().with_token(scanned.text("/table_token"));
    let with_refresh = app.anyone().with_token(login.text("/refresh_token"));
    for (caller, path, code) in [
        (&with_refresh, "/v1/auth/me", "token_wrong_audience"),
        (&with_refresh, "/v1/diner/cart", "token_wrong_audience"),
        (&dinner.leo, "/v1/diner/session", "token_wrong_audience"),
        (dinner.ana(), "/v1/auth/me", "token_wrong_audience"),
        (dinner.ana(), "/v1/admin/branches", "token_wrong_audience"),
        (&visitor, "/v1/auth/me", "token_wrong_audience"),
        (&visitor, "/v1/diner/cart", "registration_required"),
        (&visitor, "/v1/diner/check", "registration_required"),
        (&visitor, "/v1/diner/rounds", "registration_required"),
        (&visitor, "/v1/diner/me", "registration_required"),
    ] {
        let answer = caller.get(path).await;
        assert_eq!(problem(&answer), code, "{}", answer.report());
    }
    let _ = visitor.get("/v1/diner/session").await.expect(200);
    let _ = visitor.get("/v1/diner/menu").await.expect(200);
    let again = dinner
        .ana()
        .post("/v1/diner/register", &json!({ "name": "Ana" }))
        .await;
    assert_eq!(problem(&again), "token_wrong_audience");
}

#[tokio::test]
async fn a_suspended_restaurant_serves_nobody() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated_at(&app, "SAL-01", &["Ana"]).await;
    let first = leo(&app).await;
    let caller = access(&app, &first);
    let _ = caller.get("/v1/auth/me").await.expect(200);
    sql(
        &app,
        "UPDATE tenant SET status = 'suspended' WHERE name = 'Buen Sabor'",
    )
    .await;
    soon_refused(&caller, "/v1/auth/me", 403, "tenant_suspended").await;
    assert_eq!(
        problem(&login(&app, "leo", "comanda-demo-waiter").await),
        "tenant_suspended"
    );
    // A wrong password learns nothing of it.
    assert_eq!(
        problem(&login(&app, "leo", "nonsense").await),
        "credentials_invalid"
    );
    assert_eq!(
        problem(&refresh(&app, first.text("/refresh_token")).await),
        "tenant_suspended"
    );
    let scan = app
        .anyone()
        .post("/v1/public/tables/open", &json!({ "code": dinner.code }))
        .await;
    assert_eq!(problem(&scan), "tenant_suspended");
    let _ = app.stranger().await.get("/v1/auth/me").await.expect(200);
}

#[tokio::test]
async fn a_phone_is_out_once_the_visit_has_ended() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated_at(&app, "SAL-01", &["Ana"]).await;
    let scanned = app
        .anyone()
        .post("/v1/public/tables/open", &json!({ "code": dinner.code }))
        .await
        .expect(200);
    let visitor = app.anyone().with_token(scanned.text("/table_token"));
    let closing = format!("/v1/waiter/sessions/{}/close", dinner.session);
    let _ = dinner.leo.act(&closing, &json!({})).await.expect(200);
    let ana = dinner.ana();
    for (method, path, body) in [
        (Method::GET, "/v1/diner/session", None),
        (Method::GET, "/v1/diner/menu", None),
        (Method::GET, "/v1/diner/me", None),
        (Method::GET, "/v1/diner/cart", None),
        (Method::GET, "/v1/diner/rounds", None),
        (Method::GET, "/v1/diner/check", None),
        (Method::GET, "/v1/diner/bill", None),
        (Method::GET, "/v1/diner/service-calls", None),
        (
            Method::POST,
            "/v1/diner/service-calls",
            Some(json!({ "type": "waiter" })),
        ),
        (
            Method::POST,
            "/v1/diner/rounds",
            Some(json!({ "selection": "table" })),
        ),
        (Method::POST, "/v1/diner/check", Some(json!({}))),
        (
            Method::POST,
            "/v1/diner/payments",
            Some(json!({ "provider": "sandbox" })),
        ),
        (Method::PATCH, "/v1/diner/me", Some(json!({ "name": "Ana" }))),
    ] {
        let answer = ana.key(&fresh("key")).send(method, path, body.as_ref()).await;
        assert_eq!(problem(&answer), "seating_ended", "{}", answer.report());
    }
    for path in ["/v1/diner/session", "/v1/diner/menu"] {
        assert_eq!(problem(&visitor.get(path).await), "seating_ended");
    }
    let late = visitor
        .post("/v1/diner/register", &json!({ "name": "Bruno" }))
        .await;
    assert_eq!(problem(&late), "seating_ended", "{}", late.report());
    // The next party at the table is another visit.
    let next = app
        .anyone()
        .post("/v1/public/tables/open", &json!({ "code": dinner.code }))
        .await
        .expect(201);
    assert_ne!(next.text("/session/id"), dinner.session);
    assert_eq!(problem(&ana.get("/v1/diner/cart").await), "seating_ended");
}

#[tokio::test]
async fn tokens_of_phones_expire() {
    let clock = clock();
    let app = TestApp::with_clock(clock.clone()).await;
    let dinner = Dinner::seated_at(&app, "SAL-01", &["Ana"]).await;
    let scanned = app
        .anyone()
        .post("/v1/public/tables/open", &json!({ "code": dinner.code }))
        .await
        .expect(200);
    let visitor = app.anyone().with_token(scanned.text("/table_token"));
    clock.advance(TimeDelta::seconds(1800 + 6));
    assert_eq!(problem(&visitor.get("/v1/diner/session").await), "token_expired");
    let _ = dinner.ana().get("/v1/diner/session").await.expect(200);
    clock.advance(TimeDelta::hours(12));
    assert_eq!(
        problem(&dinner.ana().get("/v1/diner/session").await),
        "token_expired"
    );
}

#[tokio::test]
async fn a_table_code_is_genuine_or_nothing() {
    let app = TestApp::start().await;
    let marta = app.staff("marta").await;
    let branch = marta
        .get("/v1/admin/branches")
        .await
        .expect(200)
        .text("/data/0/id")
        .to_owned();
    let (_, code) = code_of(&marta, &branch, "SAL-02").await;
    let scan = async |code: &str| {
        app.anyone()
            .post("/v1/public/tables/open", &json!({ "code": code }))
            .await
    };
    let is_invalid = async |code: &str| {
        let answer = scan(code).await;
        assert_eq!(
            problem(&answer),
            "table_code_invalid",
            "{code}\n{}",
            answer.report()
        );
    };
    for forged in [
        "",
        "nonsense",
        &"A".repeat(68),
        &code[1..],
        &format!("{code}A"),
        &format!(" {code}"),
        &code.to_lowercase(),
    ] {
        is_invalid(forged).await;
    }
    // Every single character matters.
    for at in 0..code.len() {
        let mut bytes = code.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        is_invalid(&String::from_utf8(bytes).unwrap()).await;
    }
    let opened = scan(&code).await.expect(201);
    // A new sticker ends the old one, but not the visit.
    let table =
        "tenant_id = (SELECT tenant_id FROM tenant_directory WHERE slug = 'buen-sabor') AND code = 'SAL-02'";
    sql(
        &app,
        &format!("UPDATE restaurant_table SET qr_version = qr_version + 1 WHERE {table}"),
    )
    .await;
    is_invalid(&code).await;
    let visitor = app.anyone().with_token(opened.text("/table_token"));
    let _ = visitor.get("/v1/diner/session").await.expect(200);
    // Nor is a table that is gone.
    let (_, code) = code_of(&marta, &branch, "SAL-03").await;
    sql(
        &app,
        "UPDATE restaurant_table SET deleted_at = now() WHERE code = 'SAL-03'",
    )
    .await;
    is_invalid(&code).await;
}

#[tokio::test]
async fn a_table_may_not_be_opened_by_just_anyone() {
    let app = TestApp::start().await;
    let marta = app.staff("marta").await;
    let branch = marta
        .get("/v1/admin/branches")
        .await
        .expect(200)
        .text("/data/0/id")
        .to_owned();
    let open = async |table: &str, join_code: Option<&str>| {
        let (_, code) = code_of(&marta, &branch, table).await;
        let mut body = json!({ "code": code });
        if let Some(join_code) = join_code {
            body["join_code"] = json!(join_code);
        }
        app.anyone().post("/v1/public/tables/open", &body).await
    };
    sql(
        &app,
        "UPDATE restaurant_table SET out_of_service = true WHERE code = 'SAL-04'",
    )
    .await;
    assert_eq!(problem(&open("SAL-04", None).await), "table_out_of_service");

    sql(
        &app,
        "UPDATE branch SET join_code_required = true WHERE slug = 'centro'",
    )
    .await;
    let (table, _) = code_of(&marta, &branch, "SAL-05").await;
    let opened = marta
        .act(&format!("/v1/waiter/tables/{table}/open"), &json!({}))
        .await
        .expect(201);
    let right = opened.text("/join_code");
    let wrong = if right == "0000" { "0001" } else { "0000" };
    for given in [None, Some(""), Some(wrong), Some(&right[..3]), Some("x")] {
        let answer = open("SAL-05", given).await;
        assert_eq!(
            problem(&answer),
            "join_code_invalid",
            "{given:?}\n{}",
            answer.report()
        );
    }
    let joined = open("SAL-05", Some(right)).await.expect(200);
    assert_eq!(joined.at("/session/id"), opened.at("/id"));

    sql(
        &app,
        "UPDATE branch SET diners_may_open = false WHERE slug = 'centro'",
    )
    .await;
    assert_eq!(problem(&open("SAL-06", None).await), "table_not_open");
    let _ = open("SAL-05", Some(right)).await.expect(200);
}
