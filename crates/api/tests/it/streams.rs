//! Events as server-sent events.

use std::sync::Arc;

use chrono::TimeDelta;
use comanda_infrastructure::clock::{Clock, ManualClock, SystemClock};
use comanda_testkit::TestApp;
use comanda_testkit::dinner::Dinner;
use comanda_testkit::stream::{Sent, Stream};
use serde_json::{Value, json};

async fn order(dinner: &Dinner, guest: usize, dish: &str) -> String {
    let phone = &dinner.guests[guest].phone;
    let line = json!({ "product_id": dinner.dish(dish), "qty": 1 });
    let _ = phone.post("/v1/diner/cart/lines", &line).await.expect(201);
    let placed = phone
        .act("/v1/diner/rounds", &json!({ "selection": "table" }))
        .await;
    placed.expect(201).text("/id").to_owned()
}

async fn submit(dinner: &Dinner, round: &str) {
    for (who, step) in [(&dinner.leo, "confirm"), (&dinner.marta, "submit")] {
        let path = format!("/v1/waiter/rounds/{round}/{step}");
        let _ = who.act(&path, &json!({})).await.expect(200);
    }
}

fn seq(sent: &Sent) -> u64 {
    let id = sent.id.as_deref().unwrap_or_else(|| panic!("no id: {sent:?}"));
    let (epoch, seq) = id.split_once('-').unwrap();
    assert_eq!(epoch.len(), 8, "{id}");
    seq.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_tells_what_happens_and_goes_on_where_it_broke_off() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let all = format!("?branch_id={}&view=admin", dinner.branch);
    let mut marta = Stream::open(&dinner.marta, &all).await;
    assert_eq!(marta.hear().await.unwrap().retry, Some(2000));
    let first = marta.hear().await.unwrap();
    assert_eq!(
        (first.event.as_str(), &first.data["reason"]),
        ("resync", &json!("no_cursor")),
        "{first:?}"
    );
    assert_eq!(first.data["head"], seq(&first), "{first:?}");

    let round = order(&dinner, 0, "provoleta").await;
    let mut heard = vec![];
    loop {
        let sent = marta.hear().await.unwrap();
        heard.push(sent.clone());
        if sent.event == "round.pending.v1" {
            assert_eq!(sent.data["data"]["round"]["id"], round, "{sent:?}");
            assert_eq!(sent.data["data"]["seq"], seq(&sent), "{sent:?}");
            assert_eq!(sent.data["type"], "dev.comanda.round.pending.v1", "{sent:?}");
            break;
        }
    }
    drop(marta);

    // A browser says what it heard last; that goes before what the address still says.
    submit(&dinner, &round).await;
    let last = heard.last().unwrap().id.clone().unwrap();
    let again = dinner.marta.header("last-event-id", &last);
    let mut marta = Stream::open(&again, &format!("{all}&after=0")).await;
    assert_eq!(marta.hear().await.unwrap().retry, Some(2000));
    let ready = marta.hear().await.unwrap();
    assert_eq!(
        (ready.event.as_str(), &ready.id),
        ("ready", &Some(last)),
        "{ready:?}"
    );
    assert_eq!(ready.data["recovered"], true, "{ready:?}");
    while heard.last().unwrap().event != "ticket.created.v1" {
        heard.push(marta.hear().await.unwrap());
    }
    // A manager is told of every number, each once.
    let numbers: Vec<u64> = heard.iter().map(seq).collect();
    let from = numbers[0];
    let wanted: Vec<u64> = (from..).take(numbers.len()).collect();
    assert_eq!(numbers, wanted, "{heard:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_of_another_life_of_the_log_must_be_read_again() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let stale = dinner.leo.header("last-event-id", "00000001-1");
    let mut leo = Stream::open(&stale, &format!("?branch_id={}", dinner.branch)).await;
    let resync = leo.event("resync").await;
    assert_eq!(resync.data["reason"], "epoch_changed", "{resync:?}");
    assert_eq!(resync.data["head"], seq(&resync), "{resync:?}");
    order(&dinner, 0, "limonada").await;
    leo.event("round.pending.v1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_visit_ends_the_streams_of_its_phones_after_telling_them() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let mut ana = Stream::open(&dinner.guests[0].phone, "").await;
    let _ = ana.event("resync").await;
    let close = format!("/v1/waiter/sessions/{}/close", dinner.session);
    let _ = dinner.leo.act(&close, &json!({})).await.expect(200);
    let told = ana.event("session.closed.v1").await;
    assert_eq!(told.data["data"]["reason"], "empty", "{told:?}");
    let error = ana.hear().await.unwrap();
    assert_eq!(
        (error.event.as_str(), &error.data["code"]),
        ("error", &json!("seating_ended")),
        "{error:?}"
    );
    assert_eq!(error.data["instance"], "/v1/events/stream", "{error:?}");
    assert_eq!(ana.hear().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kitchen_sees_no_money_and_nobody_what_they_did_not_ask_for() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let mut nora = Stream::open(&dinner.nora, &format!("?branch_id={}&after=0", dinner.branch)).await;
    let own = "?types=round.*,check.paid&after=0";
    let mut ana = Stream::open(&dinner.guests[0].phone, own).await;
    for stream in [&mut nora, &mut ana] {
        assert_eq!(stream.event("ready").await.data["recovered"], true);
    }
    let round = order(&dinner, 0, "provoleta").await;
    submit(&dinner, &round).await;
    loop {
        let sent = nora.hear().await.unwrap();
        let text = sent.data.to_string();
        assert!(!text.contains("\"amount\"") && !text.contains("Ana"), "{text}");
        assert_ne!(sent.event, "round.pending.v1", "{text}");
        if sent.event == "ticket.created.v1" {
            break;
        }
    }
    let mut names = vec![];
    while names.last().is_none_or(|name| name != "round.submitted.v1") {
        names.push(ana.hear().await.unwrap().event);
    }
    let wanted = ["round.pending.v1", "round.confirmed.v1", "round.submitted.v1"];
    assert_eq!(names, wanted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_are_counted_refused_and_make_room() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let phone = &dinner.guests[0].phone;
    let mut open = vec![];
    for _ in 0..4 {
        let mut stream = Stream::open(phone, "").await;
        let _ = stream.event("resync").await;
        open.push(stream);
    }
    let listening = gauge(&app).await;
    assert_eq!(listening, 4, "streams have a role of their own");
    let _ = phone.get("/v1/events/stream").await.refused(429, "rate_limited");
    open.pop();
    // The server notices by itself that the client has gone.
    while phone.stream("/v1/events/stream").await.status() != 200 {
        tokio::task::yield_now().await;
    }
    let wrong = dinner.leo.header("last-event-id", "yesterday");
    let path = format!("/v1/events/stream?branch_id={}", dinner.branch);
    let refused = wrong.get(&path).await.refused(400, "invalid_parameter");
    assert_eq!(refused.at("/errors/0/pointer"), "/header/Last-Event-ID");
    let _ = dinner
        .leo
        .get("/v1/events/stream")
        .await
        .refused(400, "invalid_parameter");
    let _ = dinner
        .nora
        .get(&format!("{path}&view=waiter"))
        .await
        .refused(403, "forbidden");
    let _ = app.stranger().await.get(&path).await.refused(404, "not_found");
    let _ = app.anyone().get(&path).await.refused(401, "unauthenticated");
}

async fn gauge(app: &TestApp) -> i64 {
    let metrics = comanda_testkit::Client::new(&app.operations);
    let text = metrics.get("/metrics").await.expect(200);
    let text = String::from_utf8(text.bytes).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("comanda_ws_connections{") && line.contains("\"sse\""));
    let line = line.unwrap_or_else(|| panic!("no gauge: {text}"));
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_ends_ends_its_stream() {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let app = TestApp::with_clock(clock.clone()).await;
    let dinner = Dinner::seated(&app).await;
    // A second before its end; five more it is let go on.
    clock.advance(lifetime(dinner.leo.token(), &clock) - TimeDelta::seconds(1));
    let mut leo = Stream::open(&dinner.leo, &format!("?branch_id={}", dinner.branch)).await;
    let expiring = leo.event("expiring").await;
    let left = expiring.data["in_ms"].as_i64().unwrap();
    assert!((0..=1000).contains(&left), "{expiring:?}");
    let error = leo.event("error").await;
    assert_eq!(error.data["code"], "token_expired", "{error:?}");
    assert_eq!(leo.hear().await, None);
}

/// How long a token is still good.
fn lifetime(token: &str, clock: &ManualClock) -> TimeDelta {
    let claims = crate::documents::base64url(token.split('.').nth(1).unwrap());
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let end = chrono::DateTime::from_timestamp(claims["exp"].as_i64().unwrap(), 0).unwrap();
    end - clock.now()
}
