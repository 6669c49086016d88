//! The whole dinner of `api.md` 8, step by step, with its numbers; then its variations.

use comanda_testkit::dinner::Dinner;
use comanda_testkit::{Answer, Client, TestApp};
use serde_json::{Value, json};

fn pesos(minor: i64) -> Value {
    json!({ "amount": minor, "currency": "ARS" })
}

fn amount(answer: &Answer, pointer: &str) -> i64 {
    answer.number(&format!("{pointer}/amount"))
}

#[tokio::test]
async fn three_guests_dine_and_pay() {
    let app = TestApp::start().await;
    // 1–4: staff, branch, table, printed code
    let marta = app.staff("marta").await;
    let (leo, nora) = (app.staff("leo").await, app.staff("nora").await);
    let branches = marta.get("/v1/admin/branches").await.expect(200);
    let branch = branches.text("/data/0/id");
    assert_eq!(branches.at("/data/0/slug"), "centro");
    assert_eq!(branches.at("/next_cursor"), Value::Null);
    let tables = marta
        .get(&format!("/v1/admin/branches/{branch}/tables?code=SAL-01"))
        .await
        .expect(200);
    let table = tables.text("/data/0/id");
    assert_eq!(tables.at("/data/0/status"), "free");
    assert_eq!(tables.list("/data").len(), 1);
    let qr = marta
        .get(&format!("/v1/admin/tables/{table}/qr"))
        .await
        .expect(200);
    assert_eq!(qr.text("/code").len(), 68);
    assert!(qr.text("/svg").contains("<svg"));
    assert_eq!(qr.number("/qr_version"), 1);

    // 5: three phones scan
    let open = json!({ "code": qr.text("/code"), "party_size": 3 });
    let first = app
        .anyone()
        .post("/v1/public/tables/open", &open)
        .await
        .expect(201);
    assert_eq!(
        (first.at("/session/status"), first.number("/session/seating")),
        (json!("open"), 1)
    );
    assert_eq!(first.number("/expires_in"), 1800);
    let session = first.text("/session/id");
    let second = app
        .anyone()
        .post("/v1/public/tables/open", &open)
        .await
        .expect(200);
    let third = app
        .anyone()
        .post("/v1/public/tables/open", &open)
        .await
        .expect(200);
    assert_eq!(second.text("/session/id"), session);

    // 6: they register
    let t1 = app.anyone().with_token(first.text("/table_token"));
    let ana = t1
        .post(
            "/v1/diner/register",
            &json!({ "name": "Ana", "client_ref": "ana-phone-0001" }),
        )
        .await
        .expect(201);
    assert_eq!(
        (ana.at("/diner/color"), ana.number("/expires_in")),
        (json!("#E4572E"), 43200)
    );
    assert_eq!(ana.at("/device_token"), Value::Null);
    let t2 = app.anyone().with_token(second.text("/table_token"));
    let bruno = t2
        .post("/v1/diner/register", &json!({ "name": "Bruno" }))
        .await
        .expect(201);
    let t3 = app.anyone().with_token(third.text("/table_token"));
    let carla = t3
        .post("/v1/diner/register", &json!({ "name": "Carla" }))
        .await
        .expect(201);
    let ids = [
        ana.text("/diner/id"),
        bruno.text("/diner/id"),
        carla.text("/diner/id"),
    ];
    let phone = |registered: &Answer| app.anyone().with_token(registered.text("/diner_token"));
    let (ana, bruno, carla) = (phone(&ana), phone(&bruno), phone(&carla));

    // 7: the menu
    let menu = ana.get("/v1/diner/menu?lang=es").await.expect(200);
    let dish = |code: &str| find(&menu.json(), code);
    let bife = dish("bife_chorizo");
    let option = |code: &str| {
        let groups = bife["modifier_groups"].as_array().unwrap();
        let mut options = groups
            .iter()
            .flat_map(|group| group["options"].as_array().unwrap().clone());
        options.find(|option| option["code"] == code).unwrap()["id"].clone()
    };

    // 8: the cart
    let lines = "/v1/diner/cart/lines";
    let without_point =
        json!({ "product_id": bife["id"], "qty": 1, "modifiers": [{ "option_id": option("huevo_frito") }] });
    let refused = ana
        .post(lines, &without_point)
        .await
        .refused(422, "modifiers_invalid");
    assert_eq!(
        (refused.at("/errors/0/pointer"), refused.at("/errors/0/code")),
        (json!("/modifiers"), json!("too_few"))
    );
    let with_point = json!({
        "product_id": bife["id"], "qty": 1, "notes": "sin sal",
        "modifiers": [{ "option_id": option("jugoso") }, { "option_id": option("huevo_frito") }],
    });
    assert_eq!(
        ana.post(lines, &with_point).await.expect(201).header("etag"),
        "\"v1\""
    );
    let provoleta = json!({ "product_id": dish("provoleta")["id"], "qty": 1, "sharing": "table" });
    assert_eq!(
        ana.post(lines, &provoleta).await.expect(201).header("etag"),
        "\"v2\""
    );
    let empanadas = json!({ "product_id": dish("empanada_carne")["id"], "qty": 2 });
    assert_eq!(
        bruno.post(lines, &empanadas).await.expect(201).header("etag"),
        "\"v3\""
    );
    let limonada = json!({ "product_id": dish("limonada")["id"], "qty": 1 });
    assert_eq!(
        carla.post(lines, &limonada).await.expect(201).header("etag"),
        "\"v4\""
    );

    // 9
    let cart = bruno.get("/v1/diner/cart").await.expect(200);
    assert_eq!((cart.number("/version"), cart.header("etag")), (4, "\"v4\""));
    assert_eq!(cart.at("/total"), pesos(4_660_000));
    assert_eq!(cart.list("/lines").len(), 4);

    // 10–12: placing, repeating, misusing the key
    let place = json!({ "selection": "table", "expected_total": pesos(4_660_000) });
    let placed = ana
        .key("place-1")
        .seen(4)
        .post("/v1/diner/rounds", &place)
        .await
        .expect(201);
    let round = placed.text("/id");
    assert_eq!(placed.header("location"), format!("/v1/diner/rounds/{round}"));
    assert_eq!((placed.header("etag"), placed.number("/number")), ("\"v1\"", 1));
    assert_eq!(
        (placed.at("/status"), placed.list("/items").len()),
        (json!("pending"), 4)
    );
    assert_eq!(
        ana.get("/v1/diner/cart").await.expect(200).list("/lines").len(),
        0
    );
    let again = ana
        .key("place-1")
        .seen(4)
        .post("/v1/diner/rounds", &place)
        .await
        .expect(201);
    assert_eq!(again.bytes, placed.bytes);
    assert_eq!(again.header("idempotency-replayed"), "true");
    let misuse = json!({ "selection": "mine" });
    let _ = ana
        .key("place-1")
        .post("/v1/diner/rounds", &misuse)
        .await
        .refused(422, "idempotency_key_reused");

    // 13–14: confirmed and submitted
    let confirmed = leo
        .key("c1")
        .command(&format!("/v1/waiter/rounds/{round}/confirm"))
        .await
        .expect(200);
    assert_eq!(
        (confirmed.at("/status"), confirmed.header("etag")),
        (json!("confirmed"), "\"v2\"")
    );
    let submit = format!("/v1/waiter/rounds/{round}/submit");
    let forbidden = leo.key("s1").command(&submit).await.refused(403, "forbidden");
    assert_eq!(forbidden.at("/required_roles"), json!(["manager", "admin"]));
    assert_eq!(
        marta.key("s2").command(&submit).await.expect(200).at("/status"),
        "submitted"
    );

    // 15–17: the kitchen
    let board = nora
        .get(&format!("/v1/kitchen/branches/{branch}/tickets?status=pending"))
        .await
        .expect(200);
    assert_eq!(board.list("/data").len(), 3);
    let ticket = |station: &str| {
        let tickets = board.list("/data");
        let found = tickets
            .iter()
            .find(|ticket| ticket["station"] == station)
            .unwrap();
        found["id"].as_str().unwrap().to_owned()
    };
    let (grill, hot, bar) = (ticket("grill"), ticket("hot_kitchen"), ticket("bar"));
    let act = async |key: &str, id: &str, action: &str| {
        nora.key(key)
            .command(&format!("/v1/kitchen/tickets/{id}/{action}"))
            .await
            .expect(200)
            .at("/status")
    };
    let status = async || {
        leo.get(&format!("/v1/waiter/rounds/{round}"))
            .await
            .expect(200)
            .at("/status")
    };
    assert_eq!(act("k1", &grill, "start").await, "in_progress");
    assert_eq!(status().await, "in_kitchen");
    assert_eq!(act("k2", &grill, "ready").await, "ready");
    assert_eq!(act("k3", &hot, "ready").await, "ready");
    assert_eq!(act("k4", &bar, "ready").await, "ready");
    assert_eq!(status().await, "ready");
    let served = leo
        .key("v1")
        .command(&format!("/v1/waiter/rounds/{round}/serve"))
        .await
        .expect(200);
    assert_eq!(served.at("/status"), "served");
    let delivered = nora
        .get(&format!("/v1/kitchen/branches/{branch}/tickets?status=delivered"))
        .await
        .expect(200);
    assert_eq!(delivered.list("/data").len(), 3);

    // 18: the bill
    let split = json!({ "split": { "method": "equal", "participants": ids } });
    let check = carla
        .key("check-1")
        .post("/v1/diner/check", &split)
        .await
        .expect(201);
    let check_id = check.text("/id");
    assert_eq!(
        (check.at("/status"), amount(&check, "/due")),
        (json!("requested"), 4_660_000)
    );
    let shares: Vec<i64> = (0..3)
        .map(|n| amount(&check, &format!("/split/shares/{n}/amount")))
        .collect();
    assert_eq!(shares, [1_553_334, 1_553_333, 1_553_333]);
    let closed = ana
        .post(lines, &with_point)
        .await
        .refused(409, "session_not_open");
    assert_eq!(closed.at("/current_status"), "paying");

    // 19–21: three payments
    let online = json!({ "provider": "sandbox", "tip": pesos(100_000), "provider_options": { "outcome": "approved" } });
    let paid = ana
        .key("pay-ana")
        .post("/v1/diner/payments", &online)
        .await
        .expect(201);
    assert_eq!(
        (
            paid.at("/status"),
            amount(&paid, "/amount"),
            amount(&paid, "/tip")
        ),
        (json!("approved"), 1_553_334, 100_000)
    );
    assert_eq!(
        allocations(&marta, check_id, &paid).await,
        [("Bife de chorizo".to_owned(), 1_553_334)]
    );
    let payments = format!("/v1/billing/checks/{check_id}/payments");
    let cash = json!({
        "provider": "cash", "amount": pesos(1_553_333), "tendered": pesos(1_600_000), "payer_diner_id": ids[1],
    });
    let paid = leo.key("pay-bru").post(&payments, &cash).await.expect(201);
    assert_eq!(
        (paid.at("/status"), amount(&paid, "/change")),
        (json!("approved"), 46_667)
    );
    let expected = [
        ("Empanada de carne cortada a cuchillo".to_owned(), 560_000),
        ("Provoleta a la parrilla".to_owned(), 980_000),
        ("Bife de chorizo".to_owned(), 13_333),
    ];
    assert_eq!(allocations(&marta, check_id, &paid).await, expected);
    let terminal = json!({
        "provider": "card_terminal", "amount": pesos(1_553_333), "payer_diner_id": ids[2],
        "reference": "VISA 4242 auth 081733",
    });
    let paid = leo.key("pay-car").post(&payments, &terminal).await.expect(201);
    let expected = [
        ("Limonada con menta y jengibre".to_owned(), 450_000),
        ("Bife de chorizo".to_owned(), 1_103_333),
    ];
    assert_eq!(allocations(&marta, check_id, &paid).await, expected);

    // 22
    let check = bruno.get("/v1/diner/check").await.expect(200);
    assert_eq!(
        (
            check.at("/status"),
            amount(&check, "/paid"),
            amount(&check, "/due")
        ),
        (json!("paid"), 4_660_000, 0)
    );
    assert_eq!(
        (amount(&check, "/surplus"), amount(&check, "/tips")),
        (0, 100_000)
    );
    let outstanding: Vec<i64> = (0..3)
        .map(|n| amount(&check, &format!("/split/shares/{n}/outstanding")))
        .collect();
    assert_eq!(outstanding, [0, 0, 0]);

    // 23–25: closing, receipt, the ended visit
    let closing = format!("/v1/waiter/sessions/{session}/close");
    let closed = leo.key("close-1").post(&closing, &json!({})).await.expect(200);
    assert_eq!(
        (closed.at("/status"), closed.number("/seating")),
        (json!("closed"), 2)
    );
    assert_eq!(closed.at("/close_reason"), "paid");
    let tables = marta
        .get(&format!("/v1/admin/branches/{branch}/tables?code=SAL-01"))
        .await
        .expect(200);
    assert_eq!(tables.at("/data/0/status"), "free");
    let receipt = format!("/v1/billing/checks/{check_id}/receipt");
    let page = leo.header("accept", "text/html").get(&receipt).await.expect(200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(String::from_utf8_lossy(&page.bytes).contains("Bife de chorizo"));
    let receipt = leo
        .header("accept", "application/json")
        .get(&receipt)
        .await
        .expect(200);
    assert_eq!(
        (receipt.at("/kind"), amount(&receipt, "/total")),
        (json!("receipt"), 4_660_000)
    );
    let public = receipt
        .text("/public_url")
        .strip_prefix("http://localhost:8080")
        .unwrap()
        .to_owned();
    assert_eq!(
        app.anyone().get(&public).await.expect(200).at("/total"),
        pesos(4_660_000)
    );
    let _ = ana.get("/v1/diner/cart").await.refused(401, "seating_ended");
    let again = ana
        .key("place-1")
        .seen(4)
        .post("/v1/diner/rounds", &place)
        .await
        .expect(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.bytes, placed.bytes);
}

/// Which charges a payment covers, by what they are.
async fn allocations(staff: &Client, check: &str, payment: &Answer) -> Vec<(String, i64)> {
    let check = staff
        .get(&format!("/v1/billing/checks/{check}"))
        .await
        .expect(200);
    let charges = check.list("/charges");
    payment
        .list("/allocations")
        .iter()
        .map(|allocation| {
            let charge = charges
                .iter()
                .find(|charge| charge["id"] == allocation["charge_id"])
                .unwrap();
            let amount = allocation["amount"]["amount"].as_i64().unwrap();
            (charge["description"].as_str().unwrap().to_owned(), amount)
        })
        .collect()
}

fn find(menu: &Value, code: &str) -> Value {
    let categories = menu["categories"].as_array().unwrap().clone();
    let mut dishes = categories
        .iter()
        .flat_map(|category| category["products"].as_array().unwrap().clone());
    dishes.find(|dish| dish["code"] == code).unwrap()
}

#[tokio::test]
async fn milk_is_filtered_and_raises_alerts() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let filtered = dinner.ana().get("/v1/diner/menu?exclude=milk").await.expect(200);
    let shown = filtered.json().to_string();
    assert!(!shown.contains("\"provoleta\""), "provolone contains milk");
    assert!(!shown.contains("\"noquis\""), "gnocchi may contain milk");
    assert!(shown.contains("\"bife_chorizo\""));
    let milk = json!({ "preferences": { "exclude_allergens": ["milk"] } });
    let _ = dinner.ana().patch("/v1/diner/me", &milk).await.expect(200);
    let line = json!({ "product_id": dinner.dish("provoleta"), "qty": 1 });
    let cart = dinner.ana().post("/v1/diner/cart/lines", &line).await.expect(201);
    assert_eq!(cart.at("/lines/0/allergen_alerts"), json!(["milk"]));
    let round = dinner.place().await;
    let placed = dinner
        .leo
        .get(&format!("/v1/waiter/rounds/{round}"))
        .await
        .expect(200);
    assert_eq!(placed.at("/items/0/allergen_alerts"), json!(["milk"]));
}

#[tokio::test]
async fn a_voided_lemonade_is_not_billed() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let round = dinner.eat().await;
    let seen = dinner
        .marta
        .get(&format!("/v1/waiter/rounds/{round}"))
        .await
        .expect(200);
    let lemonade = seen
        .list("/items")
        .into_iter()
        .find(|item| item["station"] == "bar")
        .unwrap();
    let void = format!(
        "/v1/waiter/rounds/{round}/items/{}/void",
        lemonade["id"].as_str().unwrap()
    );
    let voided = dinner
        .marta
        .act(&void, &json!({ "qty": 1, "reason": "came warm" }))
        .await
        .expect(200);
    assert_eq!(voided.at("/total"), pesos(4_210_000));
    let check = dinner
        .carla()
        .act("/v1/diner/check", &json!({}))
        .await
        .expect(201);
    assert_eq!(check.at("/total"), pesos(4_210_000));
}

#[tokio::test]
async fn an_unpaid_table_does_not_close() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let _ = dinner.eat().await;
    let _ = dinner.ask_for_check().await;
    let closing = format!("/v1/waiter/sessions/{}/close", dinner.session);
    let refused = dinner
        .leo
        .act(&closing, &json!({}))
        .await
        .refused(409, "check_unpaid");
    assert_eq!(refused.at("/due"), pesos(4_660_000));
}

#[tokio::test]
async fn a_payment_that_is_notified_three_times_is_one_payment() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let _ = dinner.eat().await;
    let _ = dinner.ask_for_check().await;
    let online = json!({ "provider": "sandbox", "provider_options": { "outcome": "duplicated" } });
    let paid = dinner.ana().act("/v1/diner/payments", &online).await.expect(201);
    assert_eq!(paid.at("/status"), "approved");
    let check = dinner.ana().get("/v1/diner/check").await.expect(200);
    assert_eq!(check.list("/payments").len(), 1);
    assert_eq!(
        (amount(&check, "/paid"), amount(&check, "/surplus")),
        (1_553_334, 0)
    );
}
