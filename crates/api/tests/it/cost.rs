//! What requests cost: round trips and commits of placing, and statements that do not grow with the rows.
//!
//! A proxy between the server and PostgreSQL counts them. The server has one connection, so nothing can hide on
//! another one.

use std::collections::BTreeMap;

use comanda_infrastructure::clock::Sources;
use comanda_testkit::cluster::TestDatabase;
use comanda_testkit::dinner::Dinner;
use comanda_testkit::proxy::{self, Counts};
use comanda_testkit::{Answer, Client, TestApp};
use serde_json::{Value, json};

const ROUNDS: &str = "/v1/diner/rounds";
const LINES: &str = "/v1/diner/cart/lines";

/// An application whose database is reached through the proxy.
struct Metered {
    app: TestApp,
    counts: Counts,
}

/// What one request cost.
struct Cost {
    answer: Answer,
    trips: u64,
    commits: u64,
    statements: Vec<String>,
}

impl Metered {
    async fn start() -> Self {
        let database = TestDatabase::seeded().await;
        let (port, counts) = proxy::start(TestDatabase::socket()).await;
        let settings = [
            ("DATABASE_URL", database.url_through(port)),
            // Only what requests cost is counted.
            ("COMANDA_DATABASE_RELAY_URL", database.url.clone()),
            ("COMANDA_DATABASE_POOL", "1".to_owned()),
        ];
        let settings: BTreeMap<_, _> = settings.map(|(name, value)| (name.to_owned(), value)).into();
        let app = TestApp::on(database, Sources::system(), &settings);
        Self { app, counts }
    }

    async fn cost(&self, request: impl Future<Output = Answer>) -> Cost {
        let (trips, commits) = (self.counts.trips(), self.counts.commits());
        drop(self.counts.take_statements());
        let answer = request.await;
        Cost {
            answer,
            trips: self.counts.trips() - trips,
            commits: self.counts.commits() - commits,
            statements: own(self.counts.take_statements()),
        }
    }

    /// The cost of a read once its statements are prepared.
    async fn read(&self, who: &Client, path: &str) -> Cost {
        let _ = who.get(path).await.expect(200);
        let cost = self.cost(who.get(path)).await;
        assert_eq!(cost.answer.status, 200, "{}", cost.answer.report());
        cost
    }
}

/// A line of one dish in the cart.
async fn want(dinner: &Dinner, guest: &Client, dish: &str) {
    let line = json!({ "product_id": dinner.dish(dish), "qty": 1 });
    let _ = guest.post(LINES, &line).await.expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn placing_takes_two_round_trips_and_one_commit() {
    let metered = Metered::start().await;
    let dinner = Dinner::seated(&metered.app).await;
    let place = json!({ "selection": "table" });
    // Twice, so that all statements are prepared.
    for _ in 0..2 {
        dinner.fill_cart().await;
        let _ = dinner.ana().act(ROUNDS, &place).await.expect(201);
    }
    dinner.fill_cart().await;
    let phone = dinner.ana().key("measured");
    let cost = metered.cost(phone.post(ROUNDS, &place)).await;
    println!(
        "placing: {} round trips, {} commits, {} statements",
        cost.trips,
        cost.commits,
        cost.statements.len()
    );
    let placed = cost.answer.expect(201);
    assert!(cost.trips <= 3, "{} round trips", cost.trips);
    assert_eq!(cost.commits, 1);
    assert!(cost.statements.len() <= 14, "{:#?}", cost.statements);

    let again = metered.cost(phone.post(ROUNDS, &place)).await;
    println!(
        "repeated: {} round trips, {} commits, {} statements",
        again.trips,
        again.commits,
        again.statements.len()
    );
    assert_eq!(again.answer.header("idempotency-replayed"), "true");
    assert_eq!(again.answer.bytes, placed.bytes);
    assert!(again.trips <= 3, "{} round trips", again.trips);
    assert!(again.commits <= 1, "{} commits", again.commits);

    let refused = metered.cost(dinner.ana().act(ROUNDS, &place)).await;
    let _ = refused.answer.refused(409, "cart_empty");
    assert!(refused.trips <= 3, "{} round trips", refused.trips);
    assert_eq!(refused.commits, 0);
}

#[track_caller]
fn within(budget: usize, what: &str, statements: &[String]) {
    println!("{what}: {} of {budget} statements", statements.len());
    assert!(
        statements.len() <= budget,
        "{what}: {} statements, the budget is {budget}: {statements:#?}",
        statements.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_keep_their_budgets() {
    let metered = Metered::start().await;
    let dinner = Dinner::seated(&metered.app).await;
    dinner.fill_cart().await;
    let cost = metered
        .cost(dinner.ana().act(ROUNDS, &json!({ "selection": "table" })))
        .await;
    let round = cost.answer.expect(201);
    let round = round.text("/id");
    within(14, "place_round", &cost.statements);
    dinner.submit(round).await;
    dinner.serve(round).await;
    let split = json!({ "split": { "method": "equal" } });
    let cost = metered.cost(dinner.ana().act("/v1/diner/check", &split)).await;
    let check = cost.answer.expect(201);
    within(14, "request_check", &cost.statements);
    let path = format!("/v1/billing/checks/{}/payments", check.text("/id"));
    let cash = |amount: i64| json!({ "provider": "cash", "amount": { "amount": amount, "currency": "ARS" } });
    let _ = dinner.leo.act(&path, &cash(1_000_000)).await.expect(201);
    let cost = metered.cost(dinner.leo.act(&path, &cash(3_660_000))).await;
    let _ = cost.answer.expect(201);
    within(14, "register_payment", &cost.statements);
    let path = format!("/v1/waiter/sessions/{}/close", dinner.session);
    let cost = metered.cost(dinner.leo.act(&path, &json!({}))).await;
    let _ = cost.answer.expect(200);
    within(18, "session close", &cost.statements);
}

/// Without what is asked at intervals, whatever is requested: types by the driver, once per connection, and whether
/// a login still stands, every few seconds.
fn own(statements: Vec<String>) -> Vec<String> {
    let at_intervals = |sql: &String| sql.contains("pg_catalog") || sql.contains("\"token_epoch\"");
    statements.into_iter().filter(|sql| !at_intervals(sql)).collect()
}

/// A list that is read, and its budget.
struct Listing {
    what: &'static str,
    who: Client,
    path: String,
    budget: usize,
}

/// Every list whose rows are those of a whole evening at one table.
fn listings(dinner: &Dinner) -> Vec<Listing> {
    let branch = &dinner.branch;
    let (leo, nora, marta) = (&dinner.leo, &dinner.nora, &dinner.marta);
    let listing = |what, who: &Client, path: String, budget| Listing {
        what,
        who: who.clone(),
        path,
        budget,
    };
    vec![
        listing(
            "round list",
            leo,
            format!("/v1/waiter/branches/{branch}/rounds?limit=200"),
            5,
        ),
        listing(
            "kitchen's round list",
            nora,
            format!("/v1/kitchen/branches/{branch}/rounds?limit=200"),
            5,
        ),
        listing(
            "kitchen board",
            nora,
            format!("/v1/kitchen/branches/{branch}/tickets?limit=200"),
            5,
        ),
        listing(
            "floor list",
            leo,
            format!("/v1/waiter/branches/{branch}/tables?limit=200"),
            6,
        ),
        listing(
            "check list",
            leo,
            format!("/v1/billing/branches/{branch}/checks?limit=200"),
            8,
        ),
        listing(
            "service calls",
            leo,
            format!("/v1/waiter/branches/{branch}/service-calls?limit=200"),
            5,
        ),
        listing(
            "admin tables",
            marta,
            format!("/v1/admin/branches/{branch}/tables?limit=200"),
            3,
        ),
    ]
}

/// Ids that are made anew when rows are multiplied, and the references to them.
const IDS: [&str; 13] = [
    "id",
    "table_id",
    "session_id",
    "diner_id",
    "raised_by_diner_id",
    "payer_diner_id",
    "round_id",
    "round_item_id",
    "ticket_id",
    "check_id",
    "charge_id",
    "payment_id",
    "split_id",
];

/// Copies rows so often: every id named in `ids` becomes another one, the same wherever it occurs.
async fn multiply(metered: &Metered, tables: &[(&str, &str, &str)], ids: &[&str], times: i32) {
    let admin = metered.app.database.connect().await;
    // Whoever copies whole evenings need not be told that they are in order.
    admin
        .batch_execute("SET session_replication_role = replica")
        .await
        .unwrap();
    for (table, rows, changes) in tables {
        let columns = admin
            .query(
                "SELECT attname::text FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 \
                 AND NOT attisdropped AND attname::text = ANY($2::text[])",
                &[table, &ids],
            )
            .await
            .unwrap();
        let mut new: Vec<String> = columns
            .iter()
            .map(|row| row.get::<_, String>(0))
            .map(|column| format!("'{column}', md5(s.{column}::text || n)::uuid"))
            .collect();
        new.extend((!changes.is_empty()).then(|| (*changes).to_owned()));
        let sql = format!(
            "INSERT INTO {table} SELECT c.* FROM {table} s, generate_series(1, {times}) n, \
             LATERAL jsonb_populate_record(s, jsonb_build_object({})) c WHERE {rows}",
            new.join(", ")
        );
        admin
            .batch_execute(&sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_cost_the_same_at_two_hundred_rows() {
    let metered = Metered::start().await;
    let dinner = Dinner::seated(&metered.app).await;
    dinner.fill_cart().await;
    let round = dinner.place().await;
    dinner.submit(&round).await;
    let _ = dinner
        .bruno()
        .post("/v1/diner/service-calls", &json!({ "type": "waiter" }))
        .await
        .expect(201);
    let check = dinner.ask_for_check().await;
    let cash = json!({ "provider": "cash", "amount": { "amount": 1_000_000, "currency": "ARS" } });
    let path = format!("/v1/billing/checks/{check}/payments");
    let _ = dinner.leo.act(&path, &cash).await.expect(201);

    let mut few = Vec::new();
    for listing in listings(&dinner) {
        let cost = metered.read(&listing.who, &listing.path).await;
        within(listing.budget, listing.what, &cost.statements);
        few.push(cost.statements);
    }
    let evening = [
        (
            "restaurant_table",
            "s.id IN (SELECT table_id FROM table_session)",
            "'code', 'MORE-' || n",
        ),
        ("table_session", "true", ""),
        ("diner", "true", ""),
        ("service_call", "true", ""),
        ("round", "true", ""),
        ("round_item", "true", ""),
        ("round_item_modifier", "true", ""),
        ("round_item_sharer", "true", ""),
        ("kitchen_ticket", "true", ""),
        ("kitchen_ticket_item", "true", ""),
        ("guest_check", "true", "'number', s.number + n"),
        ("charge", "true", ""),
        ("check_split", "true", ""),
        ("check_share", "true", ""),
        ("payment", "true", ""),
        ("payment_cover", "true", ""),
        ("allocation", "true", ""),
    ];
    // The table comes first: until then the only session tells which one is ours.
    multiply(&metered, &evening, &IDS, 199).await;
    for (listing, before) in listings(&dinner).into_iter().zip(few) {
        let cost = metered.read(&listing.who, &listing.path).await;
        assert_eq!(cost.answer.list("/data").len(), 200, "{}", listing.what);
        assert_eq!(cost.statements, before, "{}", listing.what);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_reads_long_lists_at_the_same_cost() {
    let metered = Metered::start().await;
    let dinner = Dinner::seated(&metered.app).await;
    for _ in 0..2 {
        dinner.fill_cart().await;
        let _ = dinner.place().await;
    }
    dinner.fill_cart().await;
    want(&dinner, dinner.bruno(), "provoleta").await;
    let pages = [
        ("round list", ROUNDS, 5),
        ("cart read", "/v1/diner/cart", 5),
        ("menu", "/v1/diner/menu?lang=es", 8),
    ];
    let size = |answer: &Answer, what: &str| match what {
        "menu" => answer
            .list("/categories")
            .iter()
            .map(|category| category["products"].as_array().map_or(0, Vec::len))
            .sum(),
        "cart read" => answer.list("/lines").len(),
        _ => answer.list("/data").len(),
    };
    let mut few = Vec::new();
    for (what, path, budget) in pages {
        let cost = metered.read(dinner.ana(), path).await;
        within(budget, what, &cost.statements);
        few.push((size(&cost.answer, what), cost.statements));
    }
    let rounds = [
        ("round", "true", "'number', s.number + 2 * n"),
        ("round_item", "true", ""),
        ("round_item_modifier", "true", ""),
        ("round_item_sharer", "true", ""),
    ];
    multiply(&metered, &rounds, &["id", "round_id", "round_item_id"], 99).await;
    let cart = [
        ("cart_line", "true", ""),
        ("cart_line_modifier", "true", ""),
        ("cart_line_sharer", "true", ""),
    ];
    multiply(&metered, &cart, &["id", "line_id", "cart_line_id"], 39).await;
    let menu = [
        ("product", "true", "'code', s.code || '_' || n"),
        ("branch_product", "true", ""),
        ("product_allergen", "true", ""),
        ("product_modifier_group", "true", ""),
    ];
    multiply(&metered, &menu, &["id", "product_id"], 3).await;
    for ((what, path, _), (before, statements)) in pages.into_iter().zip(few) {
        let cost = metered.read(dinner.ana(), path).await;
        let now = size(&cost.answer, what);
        println!("{what}: {before} rows, then {now}");
        assert!(now >= 200, "{what}: {now} rows");
        assert_eq!(cost.statements, statements, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_check_costs_the_same_with_many_payments() {
    let metered = Metered::start().await;
    let dinner = Dinner::seated(&metered.app).await;
    let _ = dinner.eat().await;
    let check = dinner.ask_for_check().await;
    let path = format!("/v1/billing/checks/{check}/payments");
    let pay = |amount: i64| json!({ "provider": "cash", "amount": { "amount": amount, "currency": "ARS" } });
    let before = metered.read(dinner.ana(), "/v1/diner/check").await;
    within(8, "check read", &before.statements);
    for amount in [1, 20, 300, 4_000] {
        let _ = dinner.leo.act(&path, &pay(amount)).await.expect(201);
    }
    let after = metered.read(dinner.ana(), "/v1/diner/check").await;
    assert_eq!(after.answer.list("/payments").len(), 4);
    assert_eq!(after.statements, before.statements);
    let by_staff = metered
        .read(&dinner.leo, &format!("/v1/billing/checks/{check}"))
        .await;
    within(8, "check read by staff", &by_staff.statements);
    let _: Value = by_staff.answer.json();
}
