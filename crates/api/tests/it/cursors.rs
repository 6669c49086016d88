//! `Comanda-Cursor`: what a screen has read, and from where it goes on listening.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use comanda_domain::cursor::StreamCursor;
use comanda_security::policy::Scope;
use comanda_testkit::dinner::Dinner;
use comanda_testkit::{Answer, Client, TestApp};
use serde_json::{Value, json};

use crate::party::Party;

/// What screens start from.
const STARTS: [&str; 21] = [
    "/v1/billing/branches/{branch_id}/checks",
    "/v1/billing/checks/{check_id}",
    "/v1/billing/payments/{payment_id}",
    "/v1/diner/cart",
    "/v1/diner/check",
    "/v1/diner/payments/{payment_id}",
    "/v1/diner/rounds",
    "/v1/diner/rounds/{round_id}",
    "/v1/diner/service-calls",
    "/v1/diner/session",
    "/v1/integration/branches/{branch_id}/tickets",
    "/v1/kitchen/branches/{branch_id}/rounds",
    "/v1/kitchen/branches/{branch_id}/tickets",
    "/v1/kitchen/rounds/{round_id}",
    "/v1/kitchen/tickets/{ticket_id}",
    "/v1/waiter/branches/{branch_id}/rounds",
    "/v1/waiter/branches/{branch_id}/service-calls",
    "/v1/waiter/branches/{branch_id}/tables",
    "/v1/waiter/rounds/{round_id}",
    "/v1/waiter/sessions/{session_id}",
    "/v1/waiter/tables/{table_id}",
];

#[track_caller]
fn cursor(answer: &Answer) -> StreamCursor {
    let text = answer.header("comanda-cursor");
    let cursor: StreamCursor = text.parse().unwrap_or_else(|_| panic!("{}", answer.report()));
    assert!(cursor.epoch.is_some(), "{}", answer.report());
    cursor
}

/// The head of a branch, once everything staged has its number.
async fn head(app: &TestApp, branch: &str) -> StreamCursor {
    const HEAD: &str = "
        SELECT epoch || '-' || coalesce((SELECT value FROM branch_counter c JOIN branch b ON b.id = c.branch_id
                                          WHERE b.slug = $1 AND c.name = 'event_seq'), 0)
          FROM event_epoch WHERE NOT EXISTS (SELECT FROM outbox_stage)";
    let client = app.database.connect().await;
    let began = Instant::now();
    loop {
        if let Some(row) = client.query_opt(HEAD, &[&branch]).await.unwrap() {
            return row.get::<_, String>(0).parse().unwrap();
        }
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "events are not numbered"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn every_read_that_a_screen_starts_from_has_its_cursor() {
    let app = TestApp::start().await;
    let marta = app.staff("marta").await;
    let mut party = Party::eating(&app, &marta, "centro", "SAL-01").await;
    party.pay().await;
    let olga = app.staff("olga").await;
    let screen = app
        .key_in(&olga, &[Scope::TicketsRead], &[&party.ids["brn"]])
        .await;
    let document = app.anyone().get("/openapi.json").await.expect(200).json();
    let promised: Vec<&str> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, item)| item["get"]["responses"]["200"]["headers"]["Comanda-Cursor"].is_object())
        .map(|(path, _)| path.as_str())
        .collect();
    assert_eq!(promised, STARTS);

    let head = head(&app, "centro").await;
    assert!(head.seq > 0);
    for path in STARTS {
        let names = [
            ("{branch_id}", "brn"),
            ("{check_id}", "chk"),
            ("{payment_id}", "pay"),
            ("{round_id}", "rnd"),
            ("{ticket_id}", "tkt"),
            ("{session_id}", "ses"),
            ("{table_id}", "tbl"),
        ];
        let filled = names
            .iter()
            .fold(path.to_owned(), |path, (name, id)| match party.ids.get(id) {
                Some(id) => path.replace(name, id),
                None => path,
            });
        let who = if path.starts_with("/v1/diner/") {
            &party.guest
        } else if path.starts_with("/v1/integration/") {
            &screen
        } else {
            &marta
        };
        let answer = who.get(&filled).await.expect(200);
        assert_eq!(cursor(&answer), head, "{}", answer.report());
    }
}

/// A read, as a screen keeps it: how far it goes, and which rounds it shows.
async fn read(phone: &Client) -> (u64, BTreeSet<String>) {
    let answer = phone.get("/v1/diner/rounds").await.expect(200);
    let ids = answer
        .list("/data")
        .iter()
        .map(|round| text(&round["id"]))
        .collect();
    (cursor(&answer).seq, ids)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// While rounds are placed, numbered and read at once, no read claims more than it shows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_up_to_the_cursor_is_in_the_body() {
    const ROUNDS: usize = 24;
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let path = format!("/v1/waiter/sessions/{}/rounds", dinner.session);
    let order = json!({ "items": [{ "product_id": dinner.dish("limonada"), "qty": 1 }] });
    let leo = dinner.leo.clone();
    let placing = tokio::spawn(async move {
        for _ in 0..ROUNDS {
            let _ = leo.act(&path, &order).await.expect(201);
        }
    });
    let mut reads = Vec::new();
    while !placing.is_finished() {
        reads.push(read(dinner.ana()).await);
    }
    placing.await.unwrap();
    let head = head(&app, "centro").await;
    reads.push(read(dinner.ana()).await);

    let client = app.database.connect().await;
    let placed = client
        .query(
            "SELECT seq, subject FROM event_log WHERE type = 'dev.comanda.round.pending.v1'",
            &[],
        )
        .await
        .unwrap();
    let placed: Vec<(u64, String)> = placed
        .iter()
        .map(|row| (row.get::<_, i64>(0).try_into().unwrap(), row.get(1)))
        .collect();
    assert_eq!(placed.len(), ROUNDS);
    let (last, shown) = reads.last().unwrap();
    assert_eq!((*last, shown.len()), (head.seq, ROUNDS));
    println!("{} reads", reads.len());
    for (seq, shown) in &reads {
        let missing: Vec<_> = placed
            .iter()
            .filter(|(at, id)| at <= seq && !shown.contains(id))
            .collect();
        assert!(missing.is_empty(), "up to {seq} without {missing:?}");
    }
}

#[tokio::test]
async fn a_cursor_is_that_of_the_own_branch() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let centro = head(&app, "centro").await;
    assert!(centro.seq > 0);
    let board = |branch: &str| format!("/v1/kitchen/branches/{branch}/tickets");
    let stranger = app.stranger().await;
    let own = stranger.get("/v1/admin/branches").await.expect(200);
    let read = stranger.get(&board(own.text("/data/0/id"))).await.expect(200);
    assert_eq!(
        cursor(&read),
        StreamCursor { seq: 0, ..centro },
        "{}",
        read.report()
    );
    let refused = stranger
        .get(&board(&dinner.branch))
        .await
        .refused(404, "not_found");
    assert_eq!(refused.header("comanda-cursor"), "", "{}", refused.report());
}
