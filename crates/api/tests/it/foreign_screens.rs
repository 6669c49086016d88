//! Kitchen screens of other companies: they see the board and move tickets with a key, as the kitchen does.

use comanda_security::policy::Scope;
use comanda_testkit::dinner::Dinner;
use comanda_testkit::{Client, TestApp};
use serde_json::{Value, json};

const SCREEN: [Scope; 2] = [Scope::TicketsRead, Scope::TicketsWrite];
const MOVES: [&str; 4] = ["start", "ready", "recall", "deliver"];

/// A round in the kitchen of Centro, and a screen there.
struct Kitchen {
    app: TestApp,
    dinner: Dinner,
    round: String,
    screen: Client,
}

impl Kitchen {
    async fn busy() -> Self {
        let app = TestApp::start().await;
        let dinner = Dinner::seated(&app).await;
        dinner.fill_cart().await;
        let round = dinner.place().await;
        dinner.submit(&round).await;
        let olga = app.staff("olga").await;
        let screen = app.key_in(&olga, &SCREEN, &[&dinner.branch]).await;
        Self {
            app,
            dinner,
            round,
            screen,
        }
    }

    /// A key of Centro with these scopes.
    async fn key(&self, scopes: &[Scope]) -> Client {
        let olga = self.app.staff("olga").await;
        self.app.key_in(&olga, scopes, &[&self.dinner.branch]).await
    }

    fn board(&self, audience: &str) -> String {
        format!("/v1/{audience}/branches/{}/tickets", self.dinner.branch)
    }

    /// The work as the screen sees it.
    async fn tickets(&self) -> Vec<Value> {
        self.screen
            .get(&self.board("integration"))
            .await
            .expect(200)
            .list("/data")
    }

    async fn round(&self) -> Value {
        let path = format!("/v1/waiter/rounds/{}", self.round);
        self.dinner.leo.get(&path).await.expect(200).json()
    }
}

fn path_of(ticket: &Value, step: &str) -> String {
    format!("/v1/integration/tickets/{}/{step}", id_of(ticket))
}

fn id_of(ticket: &Value) -> &str {
    ticket["id"]
        .as_str()
        .unwrap_or_else(|| panic!("no ticket: {ticket}"))
}

#[tokio::test]
async fn a_screen_shows_what_the_kitchens_own_shows() {
    let kitchen = Kitchen::busy().await;
    for query in [
        "",
        "?station=grill",
        "?status=pending,ready&limit=1",
        "?status=delivered",
    ] {
        let nora = &kitchen.dinner.nora;
        let own = nora
            .get(&format!("{}{query}", kitchen.board("kitchen")))
            .await
            .expect(200);
        let seen = kitchen
            .screen
            .get(&format!("{}{query}", kitchen.board("integration")))
            .await
            .expect(200);
        assert_eq!(seen.at("/data"), own.at("/data"), "{query}");
        assert!(!seen.header("comanda-cursor").is_empty(), "{}", seen.report());
    }
    assert!(kitchen.tickets().await.len() > 1);
}

#[tokio::test]
async fn a_screen_brings_a_round_to_the_table() {
    let kitchen = Kitchen::busy().await;
    let screen = &kitchen.screen;
    let me = screen.get("/v1/integration/me").await.expect(200);
    let tickets = kitchen.tickets().await;
    let first = &tickets[0];
    for (step, status) in [
        ("start", "in_progress"),
        ("ready", "ready"),
        ("recall", "in_progress"),
    ] {
        let moved = screen.act(&path_of(first, step), &json!({})).await.expect(200);
        assert_eq!(moved.at("/status"), status, "{}", moved.report());
        assert!(!moved.header("etag").is_empty(), "{}", moved.report());
    }
    let round = kitchen.round().await;
    assert_eq!(round["status"], "in_kitchen", "{round}");
    let by = &round["timeline"].as_array().unwrap().last().unwrap()["by"];
    let expected = json!({ "kind": "api_key", "id": me.at("/id"), "name": me.at("/name") });
    assert_eq!(by, &expected, "{round}");

    let early = screen.act(&path_of(first, "deliver"), &json!({})).await;
    let early = early.refused(409, "ticket_wrong_state");
    assert_eq!(early.at("/current_status"), "in_progress", "{}", early.report());

    for ticket in &tickets {
        let _ = screen
            .act(&path_of(ticket, "ready"), &json!({}))
            .await
            .expect(200);
        let _ = screen
            .act(&path_of(ticket, "deliver"), &json!({}))
            .await
            .expect(200);
    }
    assert_eq!(kitchen.round().await["status"], "served");
    assert_eq!(kitchen.tickets().await, Vec::<Value>::new());

    // The trace and the events name the key.
    let database = kitchen.app.database.connect().await;
    let traced: Vec<(String, bool)> = database
        .query(
            "SELECT action, entity_id IN (SELECT id FROM kitchen_ticket) FROM audit_stage
             WHERE actor_kind = 'api_key' AND actor_id = (SELECT id FROM api_key) ORDER BY id",
            &[],
        )
        .await
        .unwrap()
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    let mut wanted = vec!["ticket.start", "ticket.ready", "ticket.recall"];
    wanted.extend(tickets.iter().flat_map(|_| ["ticket.ready", "ticket.deliver"]));
    let wanted: Vec<(String, bool)> = wanted.into_iter().map(|name| (name.to_owned(), true)).collect();
    assert_eq!(traced, wanted);
    let served = told(&kitchen, "dev.comanda.round.served.v1").await;
    assert_eq!(served["data"]["actor"], expected, "{served}");
}

/// The first event of this type, as managers are told.
async fn told(kitchen: &Kitchen, wanted: &str) -> Value {
    let mut after = 0;
    loop {
        let list = format!(
            "/v1/admin/branches/{}/events?wait=20&after={after}",
            kitchen.dinner.branch
        );
        let answer = kitchen.dinner.marta.get(&list).await.expect(200);
        let events = answer.list("/data");
        assert!(!events.is_empty(), "nothing came in time: {}", answer.report());
        if let Some(found) = events.into_iter().find(|event| event["type"] == wanted) {
            return found;
        }
        after = answer.number("/last");
    }
}

#[tokio::test]
async fn a_repeated_step_is_taken_once() {
    let kitchen = Kitchen::busy().await;
    let tickets = kitchen.tickets().await;
    let start = path_of(&tickets[0], "start");
    kitchen
        .screen
        .command(&start)
        .await
        .refused(400, "idempotency_key_missing");
    let once = kitchen.screen.key("tap-1");
    let first = once.command(&start).await.expect(200);
    let again = once.command(&start).await.expect(200);
    assert_eq!(again.header("idempotency-replayed"), "true", "{}", again.report());
    assert_eq!(again.bytes, first.bytes);
    once.command(&path_of(&tickets[1], "start"))
        .await
        .refused(422, "idempotency_key_reused");
    // Another key's taps are its own: to the ticket this is a second start.
    let other = kitchen.key(&SCREEN).await;
    other
        .key("tap-1")
        .command(&start)
        .await
        .refused(409, "ticket_wrong_state");
    let stale = kitchen.screen.seen(first.number("/version") - 1);
    stale
        .act(&path_of(&tickets[0], "ready"), &json!({}))
        .await
        .refused(412, "precondition_failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_screen_and_a_cook_begin_a_ticket_once() {
    let kitchen = Kitchen::busy().await;
    for ticket in kitchen.tickets().await {
        let own = format!("/v1/kitchen/tickets/{}/start", id_of(&ticket));
        let (foreign, body) = (path_of(&ticket, "start"), json!({}));
        let (one, other) = tokio::join!(
            kitchen.screen.act(&foreign, &body),
            kitchen.dinner.nora.act(&own, &body)
        );
        let (begun, late) = if one.status.is_success() {
            (one, other)
        } else {
            (other, one)
        };
        let begun = begun.expect(200);
        assert_eq!(
            begun.number("/version"),
            ticket["version"].as_i64().unwrap() + 1,
            "{}",
            begun.report()
        );
        late.refused(409, "ticket_wrong_state");
    }
}

#[tokio::test]
async fn a_screen_may_what_its_scopes_say() {
    let kitchen = Kitchen::busy().await;
    let tickets = kitchen.tickets().await;
    let board = kitchen.board("integration");
    let reader = kitchen.key(&[Scope::TicketsRead]).await;
    let writer = kitchen.key(&[Scope::TicketsWrite]).await;
    let missing = writer.get(&board).await.refused(403, "scope_missing");
    assert_eq!(
        missing.at("/required_scope"),
        "tickets:read",
        "{}",
        missing.report()
    );
    for step in MOVES {
        let missing = reader
            .act(&path_of(&tickets[0], step), &json!({}))
            .await
            .refused(403, "scope_missing");
        assert_eq!(
            missing.at("/required_scope"),
            "tickets:write",
            "{}",
            missing.report()
        );
    }
    assert_eq!(reader.get(&board).await.expect(200).list("/data"), tickets);
    let _ = writer
        .act(&path_of(&tickets[0], "start"), &json!({}))
        .await
        .expect(200);
}

#[tokio::test]
async fn a_screen_of_another_branch_finds_nothing() {
    let kitchen = Kitchen::busy().await;
    let tickets = kitchen.tickets().await;
    let olga = kitchen.app.staff("olga").await;
    let branches = olga.get("/v1/admin/branches").await.expect(200).list("/data");
    let palermo = branches
        .iter()
        .find(|branch| branch["slug"] == "palermo")
        .and_then(|branch| branch["id"].as_str())
        .unwrap_or_else(|| panic!("no Palermo: {branches:?}"));
    let elsewhere = kitchen.app.key_in(&olga, Scope::ALL, &[palermo]).await;
    elsewhere
        .get(&kitchen.board("integration"))
        .await
        .refused(404, "not_found");
    let own = format!("/v1/integration/branches/{palermo}/tickets");
    let own = elsewhere.get(&own).await.expect(200);
    assert_eq!(own.list("/data"), Vec::<Value>::new());
    for step in MOVES {
        elsewhere
            .act(&path_of(&tickets[0], step), &json!({}))
            .await
            .refused(404, "not_found");
    }
    assert_eq!(kitchen.tickets().await, tickets, "nothing has moved");
}
