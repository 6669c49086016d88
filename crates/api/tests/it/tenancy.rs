//! Another restaurant's objects, and another party's, do not exist: wherever their ids are put, the answer is the
//! one for an id that nobody has, and nothing changes.

use std::collections::BTreeMap;

use comanda_testkit::{Answer, Client, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::operations::{Operation, fresh, problem};
use crate::party::Party;

/// Every operation and whether ids can be put into its path, body or query. A new operation is added here, and with
/// ids in its body or query to `pointed_at` or `guests_point_at`.
const OPERATIONS: &[(&str, &str)] = &[
    ("DELETE /v1/admin/api-keys/{key_id}", "path"),
    ("DELETE /v1/diner/cart", ""),
    ("DELETE /v1/diner/cart/lines/{line_id}", "path"),
    ("DELETE /v1/integration/webhooks/{webhook_id}", "path"),
    ("GET /livez", ""),
    ("GET /readyz", ""),
    ("GET /v1/admin/api-keys", ""),
    ("GET /v1/admin/api-keys/{key_id}", "path"),
    ("GET /v1/admin/branches", ""),
    ("GET /v1/admin/branches/{branch_id}", "path"),
    ("GET /v1/admin/branches/{branch_id}/events", "path"),
    ("GET /v1/admin/branches/{branch_id}/tables", "path"),
    ("GET /v1/admin/tables/{table_id}", "path"),
    ("GET /v1/admin/tables/{table_id}/qr", "path"),
    ("GET /v1/auth/me", ""),
    ("GET /v1/billing/branches/{branch_id}/checks", "path query"),
    ("GET /v1/billing/checks/{check_id}", "path"),
    ("GET /v1/billing/checks/{check_id}/receipt", "path"),
    ("GET /v1/billing/payments/{payment_id}", "path"),
    ("GET /v1/billing/sessions/{session_id}/bill", "path"),
    ("GET /v1/diner/bill", ""),
    ("GET /v1/diner/cart", ""),
    ("GET /v1/diner/check", ""),
    ("GET /v1/diner/check/receipt", ""),
    ("GET /v1/diner/events", ""),
    ("GET /v1/diner/me", ""),
    ("GET /v1/diner/menu", ""),
    ("GET /v1/diner/payments/{payment_id}", "path"),
    ("GET /v1/diner/rounds", ""),
    ("GET /v1/diner/rounds/{round_id}", "path"),
    ("GET /v1/diner/service-calls", ""),
    ("GET /v1/diner/session", ""),
    ("GET /v1/events", "query"),
    ("GET /v1/events/stream", "query"),
    ("GET /v1/integration/branches", ""),
    ("GET /v1/integration/branches/{branch_id}/events", "path"),
    ("GET /v1/integration/branches/{branch_id}/tickets", "path"),
    ("GET /v1/integration/me", ""),
    ("GET /v1/integration/webhooks", ""),
    ("GET /v1/integration/webhooks/{webhook_id}", "path"),
    ("GET /v1/integration/webhooks/{webhook_id}/deliveries", "path"),
    ("GET /v1/kitchen/branches/{branch_id}/events", "path"),
    ("GET /v1/kitchen/branches/{branch_id}/rounds", "path"),
    ("GET /v1/kitchen/branches/{branch_id}/tickets", "path"),
    ("GET /v1/kitchen/rounds/{round_id}", "path"),
    ("GET /v1/kitchen/tickets/{ticket_id}", "path"),
    ("GET /v1/public/receipts/{receipt_code}", ""),
    ("GET /v1/waiter/branches/{branch_id}/events", "path"),
    ("GET /v1/waiter/branches/{branch_id}/rounds", "path query"),
    ("GET /v1/waiter/branches/{branch_id}/service-calls", "path"),
    ("GET /v1/waiter/branches/{branch_id}/tables", "path query"),
    ("GET /v1/waiter/rounds/{round_id}", "path"),
    ("GET /v1/waiter/sessions/{session_id}", "path"),
    ("GET /v1/waiter/tables/{table_id}", "path"),
    ("PATCH /v1/diner/cart/lines/{line_id}", "path body"),
    ("PATCH /v1/diner/me", ""),
    ("PATCH /v1/integration/webhooks/{webhook_id}", "path body"),
    ("POST /v1/admin/api-keys", "body"),
    ("POST /v1/admin/api-keys/{key_id}/rotate", "path"),
    ("POST /v1/auth/login", ""),
    ("POST /v1/auth/logout", ""),
    ("POST /v1/auth/logout-all", ""),
    ("POST /v1/auth/password", ""),
    ("POST /v1/auth/refresh", ""),
    ("POST /v1/billing/checks/{check_id}/payments", "path body"),
    ("POST /v1/billing/payments/{payment_id}/cancel", "path"),
    ("POST /v1/billing/sandbox/payments/{payment_id}/settle", "path"),
    ("POST /v1/billing/sessions/{session_id}/check", "path body"),
    ("POST /v1/diner/cart/lines", "body"),
    ("POST /v1/diner/check", "body"),
    ("POST /v1/diner/payments", "body"),
    ("POST /v1/diner/payments/{payment_id}/cancel", "path"),
    ("POST /v1/diner/register", ""),
    ("POST /v1/diner/rounds", "body"),
    ("POST /v1/diner/rounds/{round_id}/cancel", "path"),
    ("POST /v1/diner/service-calls", ""),
    ("POST /v1/diner/service-calls/{call_id}/cancel", "path"),
    ("POST /v1/integration/deliveries/{delivery_id}/retry", "path"),
    ("POST /v1/integration/tickets/{ticket_id}/deliver", "path"),
    ("POST /v1/integration/tickets/{ticket_id}/ready", "path"),
    ("POST /v1/integration/tickets/{ticket_id}/recall", "path"),
    ("POST /v1/integration/tickets/{ticket_id}/start", "path"),
    ("POST /v1/integration/webhooks", "body"),
    ("POST /v1/integration/webhooks/{webhook_id}/replay", "path body"),
    ("POST /v1/integration/webhooks/{webhook_id}/rotate-secret", "path"),
    ("POST /v1/integration/webhooks/{webhook_id}/test", "path"),
    ("POST /v1/kitchen/rounds/{round_id}/ready", "path"),
    ("POST /v1/kitchen/rounds/{round_id}/recall", "path"),
    ("POST /v1/kitchen/rounds/{round_id}/serve", "path"),
    ("POST /v1/kitchen/rounds/{round_id}/start", "path"),
    ("POST /v1/kitchen/tickets/{ticket_id}/deliver", "path"),
    (
        "POST /v1/kitchen/tickets/{ticket_id}/items/{item_id}/ready",
        "path",
    ),
    (
        "POST /v1/kitchen/tickets/{ticket_id}/items/{item_id}/recall",
        "path",
    ),
    (
        "POST /v1/kitchen/tickets/{ticket_id}/items/{item_id}/start",
        "path",
    ),
    ("POST /v1/kitchen/tickets/{ticket_id}/ready", "path"),
    ("POST /v1/kitchen/tickets/{ticket_id}/recall", "path"),
    ("POST /v1/kitchen/tickets/{ticket_id}/start", "path"),
    ("POST /v1/public/tables/open", ""),
    ("POST /v1/waiter/rounds/{round_id}/cancel", "path"),
    ("POST /v1/waiter/rounds/{round_id}/confirm", "path"),
    ("POST /v1/waiter/rounds/{round_id}/items/{item_id}/void", "path"),
    ("POST /v1/waiter/rounds/{round_id}/serve", "path"),
    ("POST /v1/waiter/rounds/{round_id}/submit", "path"),
    ("POST /v1/waiter/service-calls/{call_id}/ack", "path"),
    ("POST /v1/waiter/service-calls/{call_id}/close", "path"),
    ("POST /v1/waiter/sessions/{session_id}/close", "path"),
    ("POST /v1/waiter/sessions/{session_id}/diners", "path"),
    ("POST /v1/waiter/sessions/{session_id}/reopen", "path"),
    ("POST /v1/waiter/sessions/{session_id}/rounds", "path body"),
    ("POST /v1/waiter/tables/{table_id}/open", "path"),
    ("PUT /v1/billing/checks/{check_id}/split", "path body"),
    ("PUT /v1/diner/check/split", "body"),
    (
        "PUT /v1/kitchen/branches/{branch_id}/options/{option_id}/availability",
        "path",
    ),
    (
        "PUT /v1/kitchen/branches/{branch_id}/products/{product_id}/availability",
        "path",
    ),
];

type Ids = BTreeMap<&'static str, String>;

/// A request with foreign ids in its body, which is made from one's own ids and those that are to be put in.
struct Pointed {
    operation: &'static str,
    path: String,
    version: Option<i64>,
    body: fn(&Ids, &Ids) -> Value,
    code: &'static str,
}

/// Whoever attacks, with two tables: at one the party eats, at the other it pays.
struct Attacker {
    admin: Client,
    key: Client,
    eating: Party,
    paying: Party,
}

impl Attacker {
    async fn of(app: &TestApp, admin: Client, branch: &str, tables: [&str; 2]) -> Self {
        let eating = Party::eating(app, &admin, branch, tables[0]).await;
        let mut paying = Party::eating(app, &admin, branch, tables[1]).await;
        paying.pay().await;
        let key = paying.integrate(app, &admin).await;
        Self {
            admin,
            key,
            eating,
            paying,
        }
    }

    /// Foreign ids among a guest's own, in bodies.
    async fn guests_point_at(&self) -> Vec<(Pointed, &Party)> {
        let check = self.paying.guest.get("/v1/diner/check").await.expect(200);
        let line = format!("/v1/diner/cart/lines/{}", self.eating.ids["crt"]);
        let eating = |operation, path: &str, code, body| {
            (
                Pointed {
                    operation,
                    path: path.to_owned(),
                    version: None,
                    body,
                    code,
                },
                &self.eating,
            )
        };
        let add = "POST /v1/diner/cart/lines";
        let change = "PATCH /v1/diner/cart/lines/{line_id}";
        let mut list = vec![
            eating(
                add,
                "/v1/diner/cart/lines",
                "items_unavailable",
                |_, put| json!({ "product_id": put["prd"], "qty": 1 }),
            ),
            eating(
                add,
                "/v1/diner/cart/lines",
                "modifiers_invalid",
                |own, put| json!({ "product_id": own["prd"], "qty": 1, "modifiers": [{ "option_id": put["mdo"] }] }),
            ),
            eating(
                add,
                "/v1/diner/cart/lines",
                "diner_not_in_session",
                |own, put| json!({ "product_id": own["prd"], "qty": 1, "sharing": "group", "shared_with": [own["dnr"], put["dnr"]] }),
            ),
            eating(
                change,
                &line,
                "modifiers_invalid",
                |_, put| json!({ "modifiers": [{ "option_id": put["mdo"] }] }),
            ),
            eating(
                change,
                &line,
                "diner_not_in_session",
                |own, put| json!({ "sharing": "group", "shared_with": [own["dnr"], put["dnr"]] }),
            ),
            eating(
                "POST /v1/diner/rounds",
                "/v1/diner/rounds",
                "not_found",
                |_, put| json!({ "selection": "lines", "line_ids": [put["crt"]] }),
            ),
            eating(
                "POST /v1/diner/rounds",
                "/v1/diner/rounds",
                "not_found",
                |own, put| json!({ "selection": "lines", "line_ids": [own["crt"], put["crt"]] }),
            ),
            eating(
                "POST /v1/diner/check",
                "/v1/diner/check",
                "split_participants_invalid",
                |own, put| json!({ "split": { "method": "equal", "participants": [own["dnr"], put["dnr"]] } }),
            ),
            eating(
                "POST /v1/diner/check",
                "/v1/diner/check",
                "split_participants_invalid",
                custom_split_of_request,
            ),
        ];
        let split = "PUT /v1/diner/check/split";
        let at_check = |operation, path: &str, code, body| {
            let pointed = Pointed {
                operation,
                path: path.to_owned(),
                version: Some(check.number("/version")),
                body,
                code,
            };
            (pointed, &self.paying)
        };
        list.push(at_check(
            split,
            "/v1/diner/check/split",
            "split_participants_invalid",
            equal_split,
        ));
        list.push(at_check(
            split,
            "/v1/diner/check/split",
            "split_participants_invalid",
            custom_split,
        ));
        list.push(at_check(
            "POST /v1/diner/payments",
            "/v1/diner/payments",
            "diner_not_in_session",
            |_, put| json!({ "provider": "sandbox", "covers": [put["dnr"]] }),
        ));
        list
    }

    /// Foreign ids among the staff's own, in bodies.
    async fn pointed_at(&self) -> Vec<Pointed> {
        let (eating, paying) = (&self.eating.ids, &self.paying.ids);
        let rounds = format!("/v1/waiter/sessions/{}/rounds", eating["ses"]);
        let request = format!("/v1/billing/sessions/{}/check", eating["ses"]);
        let check = format!("/v1/billing/checks/{}", paying["chk"]);
        let hook = format!("/v1/integration/webhooks/{}", paying["whk"]);
        let version = Some(self.admin.get(&check).await.expect(200).number("/version"));
        let pointed = |operation, path: &str, code, body| Pointed {
            operation,
            path: path.to_owned(),
            version,
            body,
            code,
        };
        let place = "POST /v1/waiter/sessions/{session_id}/rounds";
        let pay = "POST /v1/billing/checks/{check_id}/payments";
        vec![
            pointed(
                "POST /v1/admin/api-keys",
                "/v1/admin/api-keys",
                "not_found",
                |own, put| json!({ "name": "Till", "scopes": ["menu:read"], "branch_ids": [own["brn"], put["brn"]] }),
            ),
            pointed(
                "POST /v1/integration/webhooks",
                "/v1/integration/webhooks",
                "not_found",
                |own, put| json!({ "url": "https://192.88.98.1/", "event_types": ["round.*"], "branch_ids": [own["brn"], put["brn"]] }),
            ),
            pointed(
                "PATCH /v1/integration/webhooks/{webhook_id}",
                &hook,
                "not_found",
                |_, put| json!({ "branch_ids": [put["brn"]] }),
            ),
            pointed(
                "POST /v1/integration/webhooks/{webhook_id}/replay",
                &format!("{hook}/replay"),
                "not_found",
                |_, put| json!({ "branch_id": put["brn"], "after": 0 }),
            ),
            pointed(
                place,
                &rounds,
                "items_unavailable",
                |_, put| json!({ "items": [{ "product_id": put["prd"], "qty": 1 }] }),
            ),
            pointed(
                place,
                &rounds,
                "modifiers_invalid",
                |own, put| json!({ "items": [{ "product_id": own["prd"], "qty": 1, "modifiers": [{ "option_id": put["mdo"] }] }] }),
            ),
            pointed(
                place,
                &rounds,
                "diner_not_in_session",
                |own, put| json!({ "items": [{ "product_id": own["prd"], "qty": 1, "diner_id": put["dnr"], "sharing": "own" }] }),
            ),
            pointed(
                place,
                &rounds,
                "diner_not_in_session",
                |own, put| json!({ "items": [{ "product_id": own["prd"], "qty": 1, "sharing": "group", "shared_with": [own["dnr"], put["dnr"]] }] }),
            ),
            pointed(
                "POST /v1/billing/sessions/{session_id}/check",
                &request,
                "split_participants_invalid",
                |own, put| json!({ "split": { "method": "equal", "participants": [own["dnr"], put["dnr"]] } }),
            ),
            pointed(
                "PUT /v1/billing/checks/{check_id}/split",
                &format!("{check}/split"),
                "split_participants_invalid",
                equal_split,
            ),
            pointed(
                "PUT /v1/billing/checks/{check_id}/split",
                &format!("{check}/split"),
                "split_participants_invalid",
                custom_split,
            ),
            pointed(
                pay,
                &format!("{check}/payments"),
                "diner_not_in_session",
                |_, put| json!({ "provider": "cash", "amount": { "amount": 100, "currency": "ARS" }, "payer_diner_id": put["dnr"] }),
            ),
            pointed(
                pay,
                &format!("{check}/payments"),
                "diner_not_in_session",
                |own, put| json!({ "provider": "sandbox", "payer_diner_id": own["dnr"], "covers": [put["dnr"]] }),
            ),
        ]
    }
}

fn equal_split(own: &Ids, put: &Ids) -> Value {
    json!({ "method": "equal", "participants": [own["dnr"], put["dnr"]] })
}

fn custom_split(_: &Ids, put: &Ids) -> Value {
    json!({ "method": "custom", "amounts": [{ "diner_id": put["dnr"], "amount": { "amount": 100, "currency": "ARS" } }] })
}

fn custom_split_of_request(own: &Ids, put: &Ids) -> Value {
    json!({ "split": custom_split(own, put) })
}

/// Ids of the same kinds that nobody has.
fn nobodys(ids: &Ids) -> Ids {
    ids.keys().map(|prefix| (*prefix, fresh(prefix))).collect()
}

/// Status and body without what differs from request to request.
fn without_ids(answer: &Answer, ids: &Ids) -> (u16, String) {
    let mut body = answer.json();
    if let Some(object) = body.as_object_mut() {
        object.remove("request_id");
    }
    let mut text = body.to_string();
    for id in ids.values() {
        text = text.replace(id.as_str(), "…");
    }
    (answer.status.as_u16(), text)
}

#[track_caller]
fn same(foreign: &Answer, foreign_ids: &Ids, unknown: &Answer, unknown_ids: &Ids) {
    assert_eq!(
        without_ids(foreign, foreign_ids),
        without_ids(unknown, unknown_ids),
        "a foreign id and one that nobody has are told apart\n{}\n{}",
        foreign.report(),
        unknown.report()
    );
}

async fn call(caller: &Client, operation: &Operation, ids: &Ids) -> Answer {
    let body = operation.has_command().then(|| operation.sample(ids, false));
    let caller = caller.key(&fresh("key"));
    // Elsewhere a version that differs would hide whether the rest is found.
    let caller = if operation.path.ends_with("/split") {
        caller.seen(1)
    } else {
        caller
    };
    caller
        .send(operation.method.clone(), &operation.at(ids), body.as_ref())
        .await
}

async fn point(caller: &Client, pointed: &Pointed, own: &Ids, put: &Ids) -> Answer {
    let method: Method = pointed.operation.split(' ').next().unwrap().parse().unwrap();
    let body = (pointed.body)(own, put);
    let caller = caller.key(&fresh("key"));
    let caller = pointed
        .version
        .map_or_else(|| caller.clone(), |version| caller.seen(version));
    let answer = caller.send(method, &pointed.path, Some(&body)).await;
    let report = format!("{body}\n{}", answer.report());
    assert_eq!(problem(&answer), pointed.code, "{report}");
    answer
}

/// Puts foreign ids into every path: all of them, and each alone among the attacker's own.
async fn attack_paths<'a>(
    caller: &Client,
    operations: impl IntoIterator<Item = &'a Operation>,
    own: &Ids,
    foreign: &Ids,
) {
    let unknown = nobodys(foreign);
    let pointed = operations
        .into_iter()
        .filter(|operation| !operation.is_public() && !operation.segments().is_empty());
    let mut count = 0;
    for operation in pointed {
        let prefixes: Vec<&str> = operation
            .segments()
            .iter()
            .map(|segment| operation.prefix(segment))
            .collect();
        let mut mixes: Vec<Vec<&str>> = vec![prefixes.clone()];
        if prefixes.len() > 1 {
            mixes.extend(prefixes.iter().map(|prefix| vec![*prefix]));
        }
        for mix in mixes {
            let with = |strange: &Ids| -> Ids {
                let mut ids = own.clone();
                ids.extend(
                    strange
                        .iter()
                        .filter(|(prefix, _)| mix.contains(prefix))
                        .map(|(prefix, id)| (*prefix, id.clone())),
                );
                ids
            };
            let answer = call(caller, operation, &with(foreign)).await;
            assert_eq!(problem(&answer), "not_found", "{}", answer.report());
            same(
                &answer,
                foreign,
                &call(caller, operation, &with(&unknown)).await,
                &unknown,
            );
            count += 1;
        }
    }
    assert!(count > 5, "only {count} attacks");
}

/// Everything that Buen Sabor has, table by table: rows and a digest of all their values.
async fn dump(app: &TestApp) -> BTreeMap<String, String> {
    let database = app.database.connect().await;
    let tables = database
        .query(
            "SELECT c.table_name::text FROM information_schema.columns c
             JOIN information_schema.tables t USING (table_schema, table_name)
             WHERE c.table_schema = 'public' AND c.column_name = 'tenant_id' AND t.table_type = 'BASE TABLE'",
            &[],
        )
        .await
        .unwrap();
    let mut dump: BTreeMap<String, String> = BTreeMap::new();
    for table in tables {
        let table: String = table.get(0);
        let digest = format!(
            "SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text)), '') FROM {table} t
             WHERE tenant_id = (SELECT tenant_id FROM tenant_directory WHERE slug = 'buen-sabor')"
        );
        dump.insert(table, database.query_one(&digest, &[]).await.unwrap().get(0));
    }
    assert!(dump.len() > 30, "only {} tables", dump.len());
    assert!(!dump["round_item"].starts_with("0 "), "there is something to see");
    dump
}

#[tokio::test]
async fn the_list_of_operations_is_whole() {
    let app = TestApp::start().await;
    let operations = Operation::all(&app).await;
    let mut names: Vec<String> = operations.iter().map(Operation::name).collect();
    names.sort();
    let listed: Vec<&str> = OPERATIONS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, listed, "say of a new operation where ids can be put");
    let has = |name: &str, place: &str| {
        OPERATIONS
            .iter()
            .any(|(listed, places)| *listed == name && places.split(' ').any(|p| p == place))
    };
    for operation in &operations {
        let name = operation.name();
        let in_path = operation
            .segments()
            .iter()
            .any(|segment| segment.ends_with("_id"));
        assert_eq!(has(&name, "path"), in_path, "{name}");
        let in_body = operation
            .body
            .as_ref()
            .is_some_and(|schema| schema.to_string().contains("_[0-7]"));
        assert_eq!(has(&name, "body"), in_body, "{name}");
        assert_eq!(
            has(&name, "query"),
            operation.query.iter().any(|name| name.ends_with("_id")),
            "{name}"
        );
    }
    let stranger = app.stranger().await;
    let attacker = Attacker::of(&app, stranger, "unica", ["SAL-01", "SAL-02"]).await;
    let mut pointed: Vec<&str> = attacker
        .pointed_at()
        .await
        .iter()
        .map(|pointed| pointed.operation)
        .collect();
    pointed.extend(
        attacker
            .guests_point_at()
            .await
            .iter()
            .map(|(pointed, _)| pointed.operation),
    );
    for (name, _) in OPERATIONS.iter().filter(|(name, _)| has(name, "body")) {
        assert!(
            pointed.contains(name),
            "no foreign id is put into the body of {name}"
        );
    }
}

#[tokio::test]
async fn another_restaurants_staff_finds_nothing() {
    let app = TestApp::start().await;
    let operations = Operation::all(&app).await;
    let olga = app.staff("olga").await;
    let mut victim = Party::eating(&app, &olga, "centro", "SAL-01").await;
    victim.pay().await;
    let _ = victim.integrate(&app, &olga).await;
    let attacker = Attacker::of(&app, app.stranger().await, "unica", ["SAL-01", "SAL-02"]).await;
    let (admin, own, foreign) = (&attacker.admin, &attacker.paying.ids, &victim.ids);
    let before = dump(&app).await;
    let for_staff: Vec<&Operation> = operations
        .iter()
        .filter(|operation| !operation.is_for_guests() && !operation.is_for_keys())
        .collect();
    attack_paths(admin, for_staff, own, foreign).await;
    let for_keys: Vec<&Operation> = operations
        .iter()
        .filter(|operation| operation.is_for_keys())
        .collect();
    attack_paths(&attacker.key, for_keys, own, foreign).await;
    let unknown = nobodys(foreign);
    for pointed in attacker.pointed_at().await {
        let own = if pointed.path.contains("/sessions/") {
            &attacker.eating.ids
        } else {
            own
        };
        let caller = if pointed.path.starts_with("/v1/integration/") {
            &attacker.key
        } else {
            admin
        };
        let answer = point(caller, &pointed, own, foreign).await;
        same(
            &answer,
            foreign,
            &point(caller, &pointed, own, &unknown).await,
            &unknown,
        );
    }
    // Lists hold nothing of theirs, with or without their ids in the query.
    let lists = operations.iter().filter(|operation| {
        operation.method == Method::GET
            && !operation.is_public()
            && !operation.is_for_guests()
            && !operation.is_for_everyone()
    });
    for operation in lists {
        let reader = if operation.is_for_keys() {
            &attacker.key
        } else {
            admin
        };
        let mut queries = vec![String::new()];
        for name in operation.query.iter().filter(|name| name.ends_with("_id")) {
            let prefix = name.get(..3).unwrap();
            queries.push(format!("?{name}={}", foreign[prefix]));
        }
        for query in queries {
            let answer = reader
                .get(&format!("{}{query}", operation.at(own)))
                .await
                .expect(200);
            let text = answer.json().to_string();
            for (prefix, id) in foreign {
                assert!(!text.contains(id.as_str()), "{prefix}: {}", answer.report());
            }
            if !query.is_empty() {
                assert_eq!(answer.at("/data"), json!([]), "{}", answer.report());
            }
        }
    }
    // Guests' and integrations' addresses are not for staff, whoever's.
    for operation in operations
        .iter()
        .filter(|operation| operation.is_for_guests() || operation.is_for_keys())
    {
        let answer = call(admin, operation, foreign).await;
        assert_eq!(problem(&answer), "token_wrong_audience", "{}", answer.report());
    }
    assert_eq!(dump(&app).await, before);
}

#[tokio::test]
async fn another_restaurants_guests_find_nothing() {
    let app = TestApp::start().await;
    let operations = Operation::all(&app).await;
    let olga = app.staff("olga").await;
    let mut victim = Party::eating(&app, &olga, "centro", "SAL-01").await;
    victim.pay().await;
    let _ = victim.integrate(&app, &olga).await;
    let attacker = Attacker::of(&app, app.stranger().await, "unica", ["SAL-01", "SAL-02"]).await;
    let before = dump(&app).await;
    attack_as_guests(&attacker, &operations, &victim.ids).await;
    let guest = &attacker.eating.guest;
    for operation in operations.iter().filter(|operation| {
        !operation.is_public() && !operation.is_for_guests() && !operation.is_for_everyone()
    }) {
        let answer = call(guest, operation, &victim.ids).await;
        assert_eq!(problem(&answer), "token_wrong_audience", "{}", answer.report());
    }
    assert_eq!(dump(&app).await, before);
}

async fn attack_as_guests(attacker: &Attacker, operations: &[Operation], foreign: &Ids) {
    for party in [&attacker.eating, &attacker.paying] {
        let for_guests: Vec<&Operation> = operations
            .iter()
            .filter(|operation| operation.is_for_guests())
            .collect();
        attack_paths(&party.guest, for_guests, &party.ids, foreign).await;
    }
    let unknown = nobodys(foreign);
    for (pointed, party) in attacker.guests_point_at().await {
        let shared = pointed.code == "items_unavailable" || pointed.code == "modifiers_invalid";
        if shared && foreign["brn"] == party.ids["brn"] {
            continue; // the menu belongs to both tables
        }
        let answer = point(&party.guest, &pointed, &party.ids, foreign).await;
        same(
            &answer,
            foreign,
            &point(&party.guest, &pointed, &party.ids, &unknown).await,
            &unknown,
        );
    }
}

#[tokio::test]
async fn the_next_table_finds_nothing() {
    let app = TestApp::start().await;
    let operations = Operation::all(&app).await;
    let olga = app.staff("olga").await;
    let mut victim = Party::eating(&app, &olga, "centro", "SAL-01").await;
    victim.pay().await;
    let attacker = Attacker::of(&app, olga, "centro", ["SAL-02", "TER-01"]).await;
    let before = dump(&app).await;
    attack_as_guests(&attacker, &operations, &victim.ids).await;
    assert_eq!(dump(&app).await, before);
}
