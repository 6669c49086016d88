//! Sockets as a browser sees them.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use comanda_infrastructure::clock::ManualClock;
use comanda_testkit::TestApp;
use comanda_testkit::dinner::Dinner;
use comanda_testkit::process::Process;
use comanda_testkit::screen::Screen;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

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
async fn the_table_sees_the_cart_and_each_other_and_staff_does_not() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let [ana, bruno, ..] = dinner.guests.as_slice() else {
        panic!("three guests")
    };
    let (mut phone, _) = Screen::ready(&app, "diner", &bruno.phone, json!({})).await;
    let (mut other, _) = Screen::ready(&app, "diner", &ana.phone, json!({})).await;
    let line = json!({ "product_id": dinner.dish("limonada"), "qty": 2 });
    let cart = ana.phone.post("/v1/diner/cart/lines", &line).await.expect(201);
    let heard = phone.frame_of("signal").await;
    let data = &heard["event"]["data"];
    assert_eq!(heard["event"]["type"], "dev.comanda.cart.changed.v1", "{heard}");
    assert_eq!(
        (&data["cart_version"], &data["change"]),
        (&cart.at("/version"), &json!("added")),
        "{heard}"
    );
    assert_eq!(data["lines"][0]["qty"], 2, "{heard}");

    other
        .send(&json!({ "op": "presence", "state": "choosing" }))
        .await;
    let heard = phone.frame_of("signal").await;
    assert_eq!(heard["event"]["data"]["diner_id"], ana.id.as_str(), "{heard}");
    let _ = ana
        .phone
        .act("/v1/diner/rounds", &json!({ "selection": "mine" }))
        .await
        .expect(201);
    let heard = phone.frame_of("signal").await;
    assert_eq!(heard["event"]["data"]["change"], "consumed", "{heard}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_ends_takes_its_sockets_along() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let branch = json!({ "branch_id": dinner.branch });
    let other = app.staff("leo").await;
    let (mut ours, _) = Screen::ready(&app, "waiter", &dinner.leo, branch.clone()).await;
    let (mut theirs, _) = Screen::ready(&app, "waiter", &other, branch.clone()).await;
    let _ = dinner.leo.command("/v1/auth/logout").await.expect(204);
    assert_eq!(ours.closed().await, (4401, "token_invalid".to_owned()));
    theirs.send(&json!({ "op": "ping" })).await;
    theirs.frame_of("pong").await;
    let _ = other.command("/v1/auth/logout-all").await.expect(204);
    assert_eq!(theirs.closed().await, (4401, "token_invalid".to_owned()));
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

/// A client that shakes hands, says who it is, and reads no more.
async fn deaf(app: &TestApp, dinner: &Dinner) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let address = app.url.trim_start_matches("http://").parse().unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let token = dinner.leo.token();
    let request = format!(
        "GET /v1/ws/waiter HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-protocol: comanda.v1, bearer.{token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    // A masked text frame; a mask of zeros leaves it as it is.
    let subscribe = json!({ "op": "subscribe", "branch_id": dinner.branch }).to_string();
    let length = u8::try_from(subscribe.len()).unwrap();
    let mut frame = vec![0x81, 0x80 | length, 0, 0, 0, 0];
    frame.extend(subscribe.as_bytes());
    stream.write_all(&frame).await.unwrap();
    let mut heard = Vec::new();
    while !String::from_utf8_lossy(&heard).contains("\"ready\"") {
        let mut buffer = [0; 1024];
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&heard));
        heard.extend(&buffer[..read]);
    }
    stream
}

/// Events of about 60 KiB, as the log would keep them.
const LARGE: &str =
    "INSERT INTO outbox_stage (tenant_id, branch_id, shard, event_id, type, subject, data, occurred_at)
    SELECT b.tenant_id, b.id, s.shard, gen_random_uuid(), 'dev.comanda.menu.changed.v1', 'menu',
           jsonb_build_object('menu_version', n, 'changed', '[]'::jsonb, 'padding', repeat('x', 60000)), now()
      FROM (SELECT tenant_id, id FROM branch WHERE slug = 'centro') b,
           (SELECT shard FROM event_shard ORDER BY shard LIMIT 1) s, generate_series($1::integer, $1 + 2) n";
/// How many events of [`LARGE`] there are at once: few enough for the queue of whoever reads, however slowly the machine
/// lets it.
const PORTION: i32 = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_stops_reading_is_cut_and_delays_nobody() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let mut deaf = deaf(&app, &dinner).await;
    let (mut marta, _) = Screen::ready(
        &app,
        "admin",
        &dinner.marta,
        json!({ "branch_id": dinner.branch }),
    )
    .await;
    let client = app.database.connect().await;
    let mut last = 0;
    for n in 1..=252 {
        if n % PORTION == 1 {
            client.execute(LARGE, &[&n]).await.unwrap();
        }
        let heard = marta.event("menu.changed").await;
        assert_eq!(heard["event"]["data"]["menu_version"], n);
        assert!(heard["seq"].as_u64().unwrap() > last);
        last = heard["seq"].as_u64().unwrap();
    }
    // Once it reads again it hears what was under way, and then why it is cut.
    let mut heard = Vec::new();
    deaf.read_to_end(&mut heard).await.unwrap();
    let end = &heard[heard.len().saturating_sub(40)..];
    let reason = "too_slow";
    assert!(end.ends_with(reason.as_bytes()), "{end:?}");
    let code = &end[end.len() - reason.len() - 2..end.len() - reason.len()];
    assert_eq!(u16::from_be_bytes(code.try_into().unwrap()), 4410);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_lives_as_long_as_its_token_and_longer_with_a_fresh_one() {
    let clock = Arc::new(ManualClock::new(
        DateTime::from_timestamp(1_795_561_200, 0).unwrap(),
    ));
    let app = TestApp::with_clock(clock.clone()).await;
    let dinner = Dinner::seated(&app).await;
    let branch = json!({ "branch_id": dinner.branch });
    // Three seconds past its end the token is still taken, for clocks differ; five seconds later the socket ends.
    clock.advance(TimeDelta::seconds(15 * 60 + 3));
    let mut renewed = Screen::greeted(&app, "waiter", &dinner.leo, branch.clone()).await;
    assert_eq!(renewed.frame_of("expiring").await["in_ms"], 0);
    let mut ends = Screen::greeted(&app, "waiter", &dinner.leo, branch).await;
    let fresh = app.staff("leo").await;
    renewed
        .send(&json!({ "op": "auth", "token": fresh.token() }))
        .await;
    assert_eq!(ends.closed().await, (4401, "token_expired".to_owned()));
    renewed.send(&json!({ "op": "ping", "n": 1 })).await;
    assert_eq!(renewed.frame_of("pong").await["n"], 1);
    // Somebody else's token renews nothing.
    renewed
        .send(&json!({ "op": "auth", "token": dinner.marta.token() }))
        .await;
    assert_eq!(renewed.closed().await, (4401, "token_invalid".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_says_nothing_is_not_waited_for() {
    let app = TestApp::start().await;
    let mut screen = Screen::open(&app.url, "waiter", &[]).await.expect("it opens");
    assert_eq!(screen.frame().await["op"], "hello");
    assert_eq!(screen.closed().await, (4408, "no_auth".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_stops_sends_its_screens_elsewhere() {
    let database = comanda_testkit::cluster::TestDatabase::seeded().await;
    let vars = comanda_testkit::cluster::vars(&database.url, &BTreeMap::new());
    let mut server = Process::start(env!("CARGO_BIN_EXE_comanda-api"), &[], &vars);
    let mut screen = Screen::open(&server.url, "waiter", &[]).await.expect("it opens");
    assert_eq!(screen.frame().await["op"], "hello");
    server.signal("TERM");
    let told = screen.frame_of("reconnect").await;
    assert!(told["after_ms"].as_u64().unwrap() <= 5000, "{told}");
    assert_eq!(screen.closed().await, (4503, "going_away".to_owned()));
    assert_eq!(server.ended().code(), Some(0));
}
