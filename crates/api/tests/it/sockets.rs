//! Sockets as a browser sees them.

use comanda_testkit::TestApp;
use comanda_testkit::dinner::Dinner;
use comanda_testkit::screen::Screen;
use serde_json::{Value, json};

async fn order(dinner: &Dinner, guest: usize, dish: &str) -> Value {
    let phone = &dinner.guests[guest].phone;
    let line = json!({ "product_id": dinner.dish(dish), "qty": 1 });
    let _ = phone.post("/v1/diner/cart/lines", &line).await.expect(201);
    let placed = phone
        .act("/v1/diner/rounds", &json!({ "selection": "table" }))
        .await;
    placed.expect(201).json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_screen_of_the_room_hears_of_a_round_and_goes_on_from_its_cursor() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let branch = json!({ "branch_id": dinner.branch });
    let (mut leo, ready) = Screen::ready(&app, "waiter", &dinner.leo, branch.clone()).await;
    assert_eq!(
        (&ready["recovered"], &ready["reason"]),
        (&json!(false), &json!("no_cursor")),
        "{ready}"
    );
    let (mut marta, _) = Screen::ready(&app, "admin", &dinner.marta, branch.clone()).await;
    let (mut ana, _) = Screen::ready(&app, "diner", &dinner.guests[0].phone, json!({})).await;

    let round = order(&dinner, 0, "provoleta").await;
    for screen in [&mut leo, &mut marta, &mut ana] {
        let heard = screen.event("round.pending").await;
        assert_eq!(heard["event"]["data"]["round"]["id"], round["id"], "{heard}");
        assert_eq!(heard["seq"], heard["event"]["data"]["seq"], "{heard}");
    }
    let last = leo_confirms(&dinner, &round, &mut leo).await;
    leo.leave().await;

    // What happens while the screen is away comes when it is back, in order, without a gap.
    order(&dinner, 1, "limonada").await;
    let after = json!({ "branch_id": dinner.branch, "after": last });
    let (mut leo, ready) = Screen::ready(&app, "waiter", &dinner.leo, after).await;
    assert_eq!(ready["recovered"], true, "{ready}");
    let missed = leo.frame_of("event").await;
    assert_eq!(missed["prev"], last, "{missed}");
    let head = ready["head"].as_u64().unwrap();
    let pending = if missed["event"]["type"] == "dev.comanda.round.pending.v1" {
        missed
    } else {
        leo.event("round.pending").await
    };
    assert!(
        pending["seq"].as_u64().unwrap() <= head.max(pending["seq"].as_u64().unwrap()),
        "{pending}"
    );
}

async fn leo_confirms(dinner: &Dinner, round: &Value, screen: &mut Screen) -> Value {
    let id = round["id"].as_str().unwrap();
    let _ = dinner
        .leo
        .act(&format!("/v1/waiter/rounds/{id}/confirm"), &json!({}))
        .await
        .expect(200);
    screen.event("round.confirmed").await["seq"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_visit_cuts_its_phones_after_telling_them() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let (mut ana, _) = Screen::ready(&app, "diner", &dinner.guests[0].phone, json!({})).await;
    let close = format!("/v1/waiter/sessions/{}/close", dinner.session);
    let _ = dinner.leo.act(&close, &json!({})).await.expect(200);
    let told = ana.event("session.closed").await;
    assert_eq!(told["event"]["data"]["reason"], "empty", "{told}");
    assert_eq!(ana.closed().await, (4409, "seating_ended".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_is_seen_with_its_code() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let branch = json!({ "branch_id": dinner.branch });
    let phone = &dinner.guests[0].phone;
    let nobody = app.anyone().with_token("eyJ.not.valid");
    let stranger = app.stranger().await;
    let cases = [
        ("waiter", &nobody, branch.clone(), (4401, "token_invalid")),
        ("waiter", phone, branch.clone(), (4403, "role")),
        ("kitchen", &dinner.leo, branch.clone(), (4403, "role")),
        ("admin", &dinner.leo, branch.clone(), (4403, "role")),
        ("waiter", &stranger, branch.clone(), (4403, "branch")),
        ("diner", &dinner.leo, json!({}), (4400, "malformed")),
        (
            "diner",
            phone,
            json!({ "branch_id": "brn_00000000000000000000000000" }),
            (4403, "branch"),
        ),
        (
            "waiter",
            &dinner.leo,
            json!({ "branch_id": 7 }),
            (4400, "malformed"),
        ),
    ];
    for (view, who, auth, (code, reason)) in cases {
        let mut screen = Screen::greeted(&app, view, who, auth.clone()).await;
        let error = screen.frame().await;
        assert_eq!(error["op"], "error", "{view} {auth}: {error}");
        assert_eq!(
            screen.closed().await,
            (code, reason.to_owned()),
            "{view} {auth}: {error}"
        );
    }
    for (text, reason) in [
        ("{", "malformed"),
        ("[]", "malformed"),
        (r#"{"op":"dance"}"#, "unknown_op"),
        (r#"{"op":"filter","sectors":"all"}"#, "unknown_op"),
    ] {
        let (mut screen, _) = Screen::ready(&app, "kitchen", &dinner.nora, branch.clone()).await;
        screen.raw(text).await;
        assert_eq!(screen.closed().await, (4400, reason.to_owned()), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pings_are_answered_and_spaces_and_further_members_do_not_matter() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let (mut ana, _) = Screen::ready(&app, "diner", &dinner.guests[0].phone, json!({})).await;
    ana.raw("  { \"op\" :\n \"ping\" , \"n\" : 7 , \"more\": [1] }  ")
        .await;
    assert_eq!(ana.frame_of("pong").await["n"], 7);
    for n in 0..40 {
        ana.send(&json!({ "op": "ping", "n": n })).await;
    }
    assert_eq!(ana.closed().await, (4429, "frames".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_may_come_as_sub_protocol_but_never_in_the_address() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let offer = format!("comanda.v1, bearer.{}", dinner.leo.token());
    let headers = [("sec-websocket-protocol", offer.as_str())];
    let mut leo = Screen::open(&app.url, "waiter", &headers)
        .await
        .expect("it opens");
    assert_eq!(leo.protocol.as_deref(), Some("comanda.v1"));
    leo.send(&json!({ "op": "subscribe", "branch_id": dinner.branch }))
        .await;
    assert_eq!(leo.frame_of("ready").await["branch_id"], dinner.branch.as_str());

    let (status, problem) = Screen::open(&app.url, "waiter?token=secret", &[])
        .await
        .err()
        .expect("refused");
    assert_eq!(
        (status, &problem["code"]),
        (400, &json!("invalid_parameter")),
        "{problem}"
    );
    let (status, _) = Screen::open(&app.url, "chef", &[]).await.err().expect("refused");
    assert_eq!(status, 404);
    let wrong = [("origin", "https://elsewhere.example")];
    let mut screen = Screen::open(&app.url, "waiter", &wrong).await.expect("it opens");
    screen
        .send(&json!({ "op": "auth", "token": dinner.leo.token(), "branch_id": dinner.branch }))
        .await;
    assert_eq!(screen.closed().await, (4403, "origin".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fifth_socket_of_a_guest_is_closed_and_leaving_makes_room() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let phone = &dinner.guests[0].phone;
    let mut screens = Vec::new();
    for _ in 0..4 {
        screens.push(Screen::ready(&app, "diner", phone, json!({})).await.0);
    }
    let mut fifth = Screen::greeted(&app, "diner", phone, json!({})).await;
    assert_eq!(fifth.closed().await, (4429, "connections".to_owned()));
    screens.pop().unwrap().leave().await;
    loop {
        let mut again = Screen::greeted(&app, "diner", phone, json!({})).await;
        if again.frame().await["op"] == "ready" {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_hears_nothing_of_another() {
    let app = TestApp::start().await;
    let ours = Dinner::seated(&app).await;
    let theirs = Dinner::seated_at(&app, "SAL-02", &["Dora"]).await;
    let (mut dora, _) = Screen::ready(&app, "diner", &theirs.guests[0].phone, json!({})).await;
    let secret = order(&ours, 0, "limonada").await;
    let own = order(&theirs, 0, "limonada").await;
    let heard = dora.event("round.pending").await;
    assert_eq!(heard["event"]["data"]["round"]["id"], own["id"], "{heard}");
    let listed = theirs.guests[0]
        .phone
        .get("/v1/diner/events?after=0")
        .await
        .expect(200);
    assert!(
        !listed.json().to_string().contains(secret["id"].as_str().unwrap()),
        "{}",
        listed.report()
    );
    assert!(
        listed.json().to_string().contains(own["id"].as_str().unwrap()),
        "{}",
        listed.report()
    );
}
