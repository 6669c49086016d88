//! Many at once, on a real PostgreSQL: what a crowd does leaves what one would have left.

use comanda_testkit::dinner::Dinner;
use comanda_testkit::{Answer, Client, TestApp};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// How many ask at once.
const CROWD: usize = 16;

const ROUNDS: &str = "/v1/diner/rounds";
const LINES: &str = "/v1/diner/cart/lines";
const CHECK: &str = "/v1/diner/check";

fn pesos(minor: i64) -> Value {
    json!({ "amount": minor, "currency": "ARS" })
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers
        .iter()
        .filter(|answer| answer.status.as_u16() == status)
        .count()
}

/// All answers are successes and tell of the same object: one made it, the others found it.
#[track_caller]
fn one_made_it(answers: &[Answer], id: &str) {
    let reports: Vec<String> = answers.iter().map(Answer::report).collect();
    assert_eq!(count(answers, 201), 1, "{reports:#?}");
    assert_eq!(count(answers, 200), answers.len() - 1, "{reports:#?}");
    let first = answers[0].at(id);
    assert!(
        answers.iter().all(|answer| answer.at(id) == first),
        "{reports:#?}"
    );
}

/// Exactly one answer succeeds; gives the others.
#[track_caller]
fn one_won(answers: Vec<Answer>, status: u16, refusal: (u16, &str)) -> Vec<Answer> {
    let reports: Vec<String> = answers.iter().map(Answer::report).collect();
    assert_eq!(count(&answers, status), 1, "{reports:#?}");
    let others = answers
        .into_iter()
        .filter(|answer| answer.status.as_u16() != status);
    others
        .map(|answer| answer.refused(refusal.0, refusal.1))
        .collect()
}

async fn rounds(phone: &Client) -> Vec<Value> {
    phone.get(ROUNDS).await.expect(200).list("/data")
}

/// Guests at this table, by number.
async fn party(app: &TestApp, table: &str, size: usize) -> Dinner {
    let names: Vec<String> = (1..=size).map(|n| format!("Guest {n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Dinner::seated_at(app, table, &names).await
}

#[tokio::test]
async fn one_key_places_one_round() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    dinner.fill_cart().await;
    let place = json!({ "selection": "table" });
    let ana = dinner.ana().key("one");
    let answers = join_all((0..CROWD).map(|_| ana.insist(ROUNDS, &place))).await;
    for answer in &answers {
        assert_eq!(answer.status, 201, "{}", answer.report());
        assert_eq!(answer.bytes, answers[0].bytes);
        assert_eq!(answer.header("etag"), "\"v1\"");
        assert_eq!(answer.header("location"), answers[0].header("location"));
    }
    let fresh = answers
        .iter()
        .filter(|answer| answer.header("idempotency-replayed").is_empty());
    assert_eq!(fresh.count(), 1);
    assert_eq!(rounds(dinner.ana()).await.len(), 1);
    let other = json!({ "selection": "mine" });
    let _ = ana
        .post(ROUNDS, &other)
        .await
        .refused(422, "idempotency_key_reused");
    assert_eq!(rounds(dinner.ana()).await.len(), 1);
}

#[tokio::test]
async fn another_payload_under_the_key_never_has_an_effect() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let [all, mine] = [json!({ "selection": "table" }), json!({ "selection": "mine" })];
    for attempt in 0..6_usize {
        dinner.fill_cart().await;
        let ana = dinner.ana().key(&format!("both-{attempt}"));
        let bodies = (0..CROWD).map(|n| if (n + attempt) % 2 == 0 { &all } else { &mine });
        let answers = join_all(bodies.map(|body| ana.insist(ROUNDS, body))).await;
        let (done, refused): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| answer.status.is_success());
        assert_eq!((done.len(), refused.len()), (CROWD / 2, CROWD / 2));
        assert!(done.iter().all(|answer| answer.bytes == done[0].bytes));
        for answer in refused {
            let _ = answer.refused(422, "idempotency_key_reused");
        }
        assert_eq!(rounds(dinner.ana()).await.len(), attempt + 1);
    }
}

#[tokio::test]
async fn concurrent_rounds_are_numbered_without_gaps_and_consume_each_line_once() {
    let app = TestApp::start().await;
    let dinner = party(&app, "SAL-02", 8).await;
    let dishes =
        ["limonada", "empanada_carne"].map(|dish| json!({ "product_id": dinner.dish(dish), "qty": 1 }));
    let wishes = dishes
        .iter()
        .flat_map(|dish| dinner.guests.iter().map(move |guest| (dish, guest)));
    let added = join_all(wishes.map(|(dish, guest)| guest.phone.post(LINES, dish))).await;
    // Nothing is lost, and every change has a version of its own.
    let mut versions: Vec<i64> = added.iter().map(|answer| answer.number("/version")).collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=16).collect::<Vec<i64>>());
    let cart = dinner.ana().get("/v1/diner/cart").await.expect(200);
    assert_eq!(cart.number("/version"), 16);
    let lines = cart.list("/lines");
    assert_eq!(lines.len(), 16);

    let placings = lines.iter().enumerate().map(|(n, line)| {
        let body = json!({ "selection": "lines", "line_ids": [line["id"]] });
        let phone = &dinner.guests[n % dinner.guests.len()].phone;
        async move { phone.act(ROUNDS, &body).await.expect(201) }
    });
    let placed = join_all(placings).await;
    let mut numbers: Vec<i64> = placed.iter().map(|round| round.number("/number")).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=16).collect::<Vec<i64>>());
    assert!(placed.iter().all(|round| round.list("/items").len() == 1));
    let cart = dinner.ana().get("/v1/diner/cart").await.expect(200);
    assert_eq!((cart.list("/lines").len(), cart.number("/version")), (0, 32));
}

#[tokio::test]
async fn equal_lines_of_one_guest_become_one_and_nothing_is_lost() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let line = json!({ "product_id": dinner.dish("limonada"), "qty": 2 });
    let added = join_all((0..CROWD).map(|_| dinner.ana().post(LINES, &line))).await;
    assert_eq!(count(&added, 201), CROWD);
    let cart = dinner.ana().get("/v1/diner/cart").await.expect(200);
    let lines = cart.list("/lines");
    assert_eq!((lines.len(), cart.number("/version")), (1, 16));
    assert_eq!(lines[0]["qty"], 32);
}

#[tokio::test]
async fn one_cart_is_ordered_once_by_many_keys() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    dinner.fill_cart().await;
    let place = json!({ "selection": "table" });
    let phones = (0..CROWD).map(|n| &dinner.guests[n % 3].phone);
    let answers = join_all(phones.map(|phone| phone.act(ROUNDS, &place))).await;
    let _ = one_won(answers, 201, (409, "cart_empty"));
    assert_eq!(rounds(dinner.ana()).await.len(), 1);
}

#[tokio::test]
async fn many_scans_open_one_session() {
    let app = TestApp::start().await;
    let marta = app.staff("marta").await;
    let branch = marta.get("/v1/admin/branches").await.expect(200);
    let branch = branch.text("/data/0/id");
    for table in ["SAL-03", "SAL-04", "TER-01", "BAR-01"] {
        let (_, code) = comanda_testkit::dinner::code_of(&marta, branch, table).await;
        let anyone = app.anyone();
        let body = json!({ "code": code });
        let scans = join_all((0..CROWD).map(|_| anyone.post("/v1/public/tables/open", &body))).await;
        one_made_it(&scans, "/session/id");
    }
}

#[tokio::test]
async fn of_two_waiters_one_opens_the_table() {
    let app = TestApp::start().await;
    let (marta, leo) = (app.staff("marta").await, app.staff("leo").await);
    let branch = marta.get("/v1/admin/branches").await.expect(200);
    let branch = branch.text("/data/0/id");
    for table in ["SAL-05", "SAL-06", "SAL-07", "SAL-08"] {
        let (id, code) = comanda_testkit::dinner::code_of(&marta, branch, table).await;
        let path = format!("/v1/waiter/tables/{id}/open");
        let body = json!({ "party_size": 2 });
        let (first, second) = futures_util::join!(leo.act(&path, &body), marta.act(&path, &body));
        let _ = one_won(vec![first, second], 201, (409, "table_occupied"));
        let scanned = app
            .anyone()
            .post("/v1/public/tables/open", &json!({ "code": code }))
            .await;
        assert_eq!(scanned.status, 200, "{}", scanned.report());
    }
}

#[tokio::test]
async fn many_requests_make_one_check() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let _ = dinner.eat().await;
    let body = json!({ "split": { "method": "equal" } });
    let phones = (0..CROWD).map(|n| &dinner.guests[n % 3].phone);
    let answers = join_all(phones.map(|phone| phone.act(CHECK, &body))).await;
    one_made_it(&answers, "/id");
    let checks = dinner
        .leo
        .get(&format!("/v1/billing/branches/{}/checks", dinner.branch))
        .await
        .expect(200);
    assert_eq!(checks.list("/data").len(), 1);
}

#[tokio::test]
async fn many_submits_make_one_set_of_tickets() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    dinner.fill_cart().await;
    let round = dinner.place().await;
    let _ = dinner
        .leo
        .act(&format!("/v1/waiter/rounds/{round}/confirm"), &json!({}))
        .await
        .expect(200);
    let path = format!("/v1/waiter/rounds/{round}/submit");
    let body = json!({});
    let answers = join_all((0..CROWD).map(|_| dinner.marta.act(&path, &body))).await;
    for late in one_won(answers, 200, (409, "round_wrong_state")) {
        assert_eq!(late.at("/current_status"), "submitted");
    }
    let board = dinner
        .nora
        .get(&format!("/v1/kitchen/branches/{}/tickets", dinner.branch))
        .await
        .expect(200);
    assert_eq!(board.list("/data").len(), 3);
}

#[tokio::test]
async fn many_calls_are_one_and_one_waiter_takes_it() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let body = json!({ "type": "waiter" });
    for _ in 0..4 {
        let phones = (0..CROWD).map(|n| &dinner.guests[n % 3].phone);
        let calls = join_all(phones.map(|phone| phone.post("/v1/diner/service-calls", &body))).await;
        one_made_it(&calls, "/id");
        let call = calls[0].text("/id");
        let path = format!("/v1/waiter/service-calls/{call}/ack");
        let (leo, marta) = futures_util::join!(dinner.leo.command(&path), dinner.marta.command(&path));
        let winner = if leo.status == 200 { "Leo" } else { "Marta" };
        for late in one_won(vec![leo, marta], 200, (409, "service_call_wrong_state")) {
            assert_eq!(late.at("/current_status"), "acked", "{}", late.report());
            assert_eq!(late.at("/by/name"), winner, "{}", late.report());
        }
        let close = format!("/v1/waiter/service-calls/{call}/close");
        let _ = dinner.leo.command(&close).await.expect(200);
    }
}

/// Who orders while the check is asked for.
#[derive(Clone, Copy, Debug)]
enum Orderer {
    /// A guest, whose round waits for staff.
    Guest,
    /// A waiter, whose round is confirmed at once.
    Waiter,
}

/// P9. Every table has eaten before, so that there is something to bill.
async fn race(app: &TestApp, table: &str, orderer: Orderer) {
    let dinner = Dinner::seated_at(app, table, &["Ana"]).await;
    let dish = dinner.dish("limonada");
    let items = json!({ "items": [{ "product_id": dish, "qty": 1 }] });
    let for_table = format!("/v1/waiter/sessions/{}/rounds", dinner.session);
    let ask = format!("/v1/billing/sessions/{}/check", dinner.session);
    let _ = dinner.leo.act(&for_table, &items).await.expect(201);
    for attempt in 0..6_u32 {
        let _ = dinner
            .ana()
            .post(LINES, &json!({ "product_id": dish, "qty": 1 }))
            .await
            .expect(201);
        let place = async {
            match orderer {
                Orderer::Guest => dinner.ana().act(ROUNDS, &json!({ "selection": "table" })).await,
                Orderer::Waiter => dinner.leo.act(&for_table, &items).await,
            }
        };
        let check = async {
            dinner
                .marta
                .act(&ask, &json!({ "pending_rounds": "confirm" }))
                .await
        };
        let (placed, check) = if attempt % 2 == 0 {
            futures_util::join!(place, check)
        } else {
            let (check, placed) = futures_util::join!(check, place);
            (placed, check)
        };
        let check = check.expect(201);
        let billed: Vec<Value> = check
            .list("/charges")
            .iter()
            .map(|charge| charge["round_item_id"].clone())
            .collect();
        if placed.status == 201 {
            let item = placed.at("/items/0/id");
            assert!(
                billed.contains(&item),
                "{orderer:?}, {table}, attempt {attempt}: {item} is not on the check\n{}{}",
                placed.report(),
                check.report()
            );
        } else {
            let late = placed.refused(409, "session_not_open");
            assert_eq!(late.at("/current_status"), "paying");
        }
        let reopen = format!("/v1/waiter/sessions/{}/reopen", dinner.session);
        let _ = dinner.leo.act(&reopen, &json!({})).await.expect(200);
    }
}

#[tokio::test]
async fn a_round_is_on_the_check_or_refused() {
    let app = TestApp::start().await;
    let tables = ["SAL-01", "SAL-02", "SAL-03", "SAL-04", "SAL-05", "SAL-06"];
    let orderers = [Orderer::Guest, Orderer::Waiter];
    let races = tables.iter().zip(orderers.iter().cycle());
    join_all(races.map(|(table, orderer)| race(&app, table, *orderer))).await;
}

/// A guest's request that refuses to bill while rounds are pending: one of both goes, never both past each other.
#[tokio::test]
async fn a_pending_round_holds_the_check_back_or_comes_too_late() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let _ = dinner.eat().await;
    let dish = dinner.dish("limonada");
    for attempt in 0..10_u32 {
        let line = json!({ "product_id": dish, "qty": 1 });
        let _ = dinner.ana().post(LINES, &line).await.expect(201);
        let (all, split) = (json!({ "selection": "table" }), json!({}));
        let place = dinner.ana().act(ROUNDS, &all);
        let check = dinner.bruno().act(CHECK, &split);
        let (placed, check) = futures_util::join!(place, check);
        let told = format!("attempt {attempt}\n{}{}", placed.report(), check.report());
        match (placed.status.as_u16(), check.status.as_u16()) {
            (201, 409) => {
                let _ = check.refused(409, "rounds_pending");
                let cancel = format!("{ROUNDS}/{}/cancel", placed.text("/id"));
                let _ = dinner.ana().act(&cancel, &json!({})).await.expect(200);
            }
            (409, 201) => {
                let _ = placed.refused(409, "session_not_open");
                let reopen = format!("/v1/waiter/sessions/{}/reopen", dinner.session);
                let _ = dinner.leo.act(&reopen, &json!({})).await.expect(200);
            }
            _ => panic!("{told}"),
        }
    }
}

#[tokio::test]
async fn the_last_cents_are_paid_once() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let _ = dinner.eat().await;
    let check = dinner.ask_for_check().await;
    let payments = format!("/v1/billing/checks/{check}/payments");
    let own = "/v1/diner/payments".to_owned();
    let cash = |amount: i64| json!({ "provider": "cash", "amount": pesos(amount) });
    let online = |amount: i64| {
        json!({
            "provider": "sandbox", "amount": pesos(amount), "provider_options": { "outcome": "approved" },
        })
    };
    // Nine of ten parts, each wanted by more than may have it.
    let mut wishes = Vec::new();
    for n in 0..CROWD {
        wishes.push(match n % 3 {
            0 => (&dinner.leo, &payments, cash(466_000)),
            1 => (&dinner.marta, &payments, cash(466_000)),
            _ => (dinner.ana(), &own, online(466_000)),
        });
    }
    let pay = |(who, path, body): (&Client, &String, Value)| {
        let (who, path) = (who.clone(), path.clone());
        async move { who.act(&path, &body).await }
    };
    let answers = join_all(wishes.into_iter().map(pay)).await;
    let taken = count(&answers, 201);
    assert_eq!(taken, 10, "ten parts fill the check");
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        // Once the check is paid it takes nothing more.
        assert_eq!(answer.status, 409, "{}", answer.report());
        let code = answer.text("/code");
        assert!(
            ["payment_exceeds_due", "check_wrong_state"].contains(&code),
            "{}",
            answer.report()
        );
    }
    let check = dinner.ana().get(CHECK).await.expect(200);
    assert_eq!(check.at("/status"), "paid");
    assert_eq!(
        (check.number("/paid/amount"), check.number("/due/amount")),
        (4_660_000, 0)
    );
    assert_eq!(
        (check.number("/surplus/amount"), check.number("/reserved/amount")),
        (0, 0)
    );
}

#[tokio::test]
async fn two_race_for_the_last_cent() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let _ = dinner.eat().await;
    let check = dinner.ask_for_check().await;
    let payments = format!("/v1/billing/checks/{check}/payments");
    let most = json!({ "provider": "cash", "amount": pesos(4_659_999) });
    let _ = dinner.leo.act(&payments, &most).await.expect(201);
    let cent = json!({ "provider": "cash", "amount": pesos(1) });
    let online =
        json!({ "provider": "sandbox", "amount": pesos(1), "provider_options": { "outcome": "approved" } });
    let (by_hand, by_phone) = futures_util::join!(
        dinner.leo.act(&payments, &cent),
        dinner.bruno().act("/v1/diner/payments", &online)
    );
    let told = format!("{}{}", by_hand.report(), by_phone.report());
    assert_eq!(count(&[by_hand, by_phone], 201), 1, "{told}");
    let check = dinner.ana().get(CHECK).await.expect(200);
    assert_eq!(
        (check.number("/paid/amount"), check.number("/due/amount")),
        (4_660_000, 0)
    );
}
