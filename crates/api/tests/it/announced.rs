//! What an event tells is what a screen reads at that moment: an evening with every event that an operation causes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use comanda_domain::event::EventName;
use comanda_domain::ids::TenantId;
use comanda_infrastructure::clock::{ManualClock, Sources};
use comanda_infrastructure::postgres::Database;
use comanda_infrastructure::services::Services;
use comanda_testkit::cluster::config;
use comanda_testkit::dinner::{Dinner, code_of};
use comanda_testkit::{Client, TestApp};
use serde_json::{Value, json};

/// What no operation causes yet.
const UNCAUSED: [EventName; 13] = [
    EventName::SessionMoved,
    EventName::SessionWaiterChanged,
    EventName::SessionPhonesRevoked,
    EventName::SessionFlaggedIdle,
    EventName::PaymentRefunded,
    EventName::PaymentChargedBack,
    EventName::PaymentRefundFailed,
    EventName::PaymentUnmatched,
    EventName::MenuChanged,
    EventName::AssignmentChanged,
    EventName::GrantChanged,
    EventName::ApiKeyExpiring,
    EventName::WebhookDisabled,
];

/// Of one branch, in order: what was numbered, then what is still staged. One statement, so one moment.
const EVENTS: &str = "
    SELECT type, subject, event_id::text, tenant_id::text, branch_id::text, data::text, attributes::text FROM (
        SELECT 1 AS part, seq AS nth, type, subject, event_id, tenant_id, branch_id, data, attributes FROM event_log
        UNION ALL
        SELECT 2, stage_id, type, subject, event_id, tenant_id, branch_id, data, attributes FROM outbox_stage) e
     ORDER BY part, nth";

struct Event {
    name: EventName,
    subject: String,
    data: Value,
}

/// An application, and what it has announced so far.
struct Evening {
    app: TestApp,
    clock: Arc<ManualClock>,
    branch: String,
    marta: Client,
    looked_at: usize,
    seen: BTreeSet<EventName>,
}

impl Evening {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::new(
            DateTime::from_timestamp(1_795_561_200, 0).unwrap(),
        ));
        let app = TestApp::with_clock(clock.clone()).await;
        let marta = app.staff("marta").await;
        let branch = marta.get("/v1/admin/branches").await.expect(200);
        Self {
            branch: branch.text("/data/0/id").to_owned(),
            app,
            clock,
            marta,
            looked_at: 0,
            seen: BTreeSet::new(),
        }
    }

    /// What was announced since the last look.
    async fn news(&mut self) -> Vec<Event> {
        let rows = self
            .app
            .database
            .connect()
            .await
            .query(EVENTS, &[])
            .await
            .unwrap();
        let fresh = rows.iter().skip(self.looked_at).map(|row| {
            let texts: Vec<&str> = (0..7).map(|column| row.get(column)).collect();
            let [kind, subject, id, tenant, branch, data, attributes] = texts[..] else {
                panic!("seven columns")
            };
            let data: Value = serde_json::from_str(data).unwrap();
            let attributes: Value = serde_json::from_str(attributes).unwrap();
            for id in [id, tenant, branch] {
                assert!(
                    !id.is_empty() && id != uuid::Uuid::nil().to_string(),
                    "{kind}: {data}"
                );
            }
            assert!(
                attributes["correlationid"]
                    .as_str()
                    .is_some_and(|id| !id.is_empty()),
                "{kind}"
            );
            Event {
                name: EventName::of_type(kind).unwrap(),
                subject: subject.to_owned(),
                data,
            }
        });
        let fresh: Vec<Event> = fresh.collect();
        self.looked_at = rows.len();
        fresh
    }

    /// Every event since the last look has all that it must have, and the last of each object shows the object as it
    /// is read now.
    async fn look(&mut self, after: &str) {
        let news = self.news().await;
        assert!(!news.is_empty(), "nothing was announced after {after}");
        let mut last: BTreeMap<(&str, &str), &Event> = BTreeMap::new();
        for event in &news {
            println!("{after}: {} {}", event.name, event.subject);
            self.complete(event);
            self.seen.insert(event.name);
            let of_calls = event.name == EventName::ServiceCallReminded;
            assert!(!of_calls || event.data["waiting_seconds"].as_i64() > Some(0));
            last.insert((event.name.family(), &event.subject), event);
        }
        for event in last.into_values() {
            self.same_as_read(event).await;
        }
    }

    /// The common members: nothing empty, nothing zero.
    fn complete(&self, event: &Event) {
        let Event { name, subject, data } = event;
        assert_eq!(data["aggregate"]["id"], subject.as_str(), "{name}: {data}");
        assert!(data["aggregate"]["version"].as_i64() >= Some(1), "{name}: {data}");
        assert_eq!(data["branch_id"], self.branch, "{name}: {data}");
        let kind = data["actor"]["kind"].as_str().unwrap();
        let nameless = matches!(kind, "system" | "provider");
        for member in ["id", "name"] {
            assert_eq!(
                data["actor"][member].is_null(),
                nameless,
                "{name}: {}",
                data["actor"]
            );
        }
        let at_a_table = name.family() != "product";
        for member in ["session_id", "sector_id", "table"] {
            assert_eq!(data[member].is_null(), !at_a_table, "{name}: {member} of {data}");
        }
        no_empty_ids(&name.to_string(), data);
    }

    /// The object as the event tells it, and as its route answers.
    async fn same_as_read(&self, event: &Event) {
        let Event { name, subject, data } = event;
        let (told, read) = match name.family() {
            "session" => (&data["session"], self.session(subject).await),
            "table" => (data, self.table(subject).await),
            "diner" => {
                let session = self.session(data["session_id"].as_str().unwrap()).await;
                (&data["diner"], among(&session["diners"], subject))
            }
            "round" => (
                &data["round"],
                self.get(&format!("/v1/waiter/rounds/{subject}")).await,
            ),
            "ticket" => (
                &data["ticket"],
                self.get(&format!("/v1/kitchen/tickets/{subject}")).await,
            ),
            "service_call" => {
                let all = format!(
                    "/v1/waiter/branches/{}/service-calls?status=open,acked,closed,canceled",
                    self.branch
                );
                (&data["call"], among(&self.get(&all).await["data"], subject))
            }
            "check" => (&data["check"], self.totals(subject).await),
            "payment" => {
                self.totals_are(name, &data["check"]).await;
                (
                    &data["payment"],
                    self.get(&format!("/v1/billing/payments/{subject}")).await,
                )
            }
            // There is no route that reads a switch alone.
            "product" => return,
            other => panic!("no route for {other}"),
        };
        let told = told
            .as_object()
            .unwrap_or_else(|| panic!("{name} without its object: {data}"));
        let read = read.as_object().unwrap();
        let version = &data["aggregate"]["version"];
        match name {
            EventName::TableStatusChanged => {
                for member in ["status", "out_of_service_reason"] {
                    assert_eq!(told[member], read[member], "{name}: {member}");
                }
            }
            // The provider has answered since: that it waits for the guest is no news to a screen.
            EventName::PaymentCreated => {
                let settled = ["status", "version", "checkout_url"];
                for (member, value) in told
                    .iter()
                    .filter(|(member, _)| !settled.contains(&member.as_str()))
                {
                    assert_eq!(value, &read[member], "{name}: {member}");
                }
                assert!(version.as_i64() < read["version"].as_i64(), "{name}");
                return;
            }
            _ => assert_eq!(told, read, "{name}"),
        }
        // A guest has no version that others see.
        if name.family() != "diner" {
            assert_eq!(version, &read["version"], "{name}");
        }
    }

    async fn totals_are(&self, name: &EventName, told: &Value) {
        assert_eq!(told, &self.totals(told["id"].as_str().unwrap()).await, "{name}");
    }

    async fn get(&self, path: &str) -> Value {
        self.marta.get(path).await.expect(200).json()
    }

    /// A visit, without what the staff's route adds to it.
    async fn session(&self, id: &str) -> Value {
        let mut read = self.get(&format!("/v1/waiter/sessions/{id}")).await;
        let members = read.as_object_mut().unwrap();
        for more in ["rounds", "calls", "check"] {
            assert!(members.remove(more).is_some(), "{more}");
        }
        read
    }

    /// A check, without its ledger.
    async fn totals(&self, id: &str) -> Value {
        let mut read = self.get(&format!("/v1/billing/checks/{id}")).await;
        let members = read.as_object_mut().unwrap();
        for more in ["charges", "adjustments", "payments"] {
            assert!(members.remove(more).is_some(), "{more}");
        }
        read
    }

    async fn table(&self, id: &str) -> Value {
        let tables = self
            .get(&format!("/v1/admin/branches/{}/tables?limit=200", self.branch))
            .await;
        among(&tables["data"], id)
    }

    /// A command of the staff, and what it announces.
    async fn act(&mut self, who: &Client, path: &str, body: &Value, status: u16) -> Value {
        let answer = who.act(path, body).await.expect(status).json();
        self.look(path).await;
        answer
    }
}

/// The object of this id in a list.
fn among(list: &Value, id: &str) -> Value {
    let found = list.as_array().unwrap().iter().find(|object| object["id"] == id);
    found.unwrap_or_else(|| panic!("no {id} in {list}")).clone()
}

/// Whatever is called an id names something.
fn no_empty_ids(path: &str, value: &Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let path = format!("{path}/{name}");
                if name == "id" || name.ends_with("_id") {
                    let names = member
                        .as_str()
                        .is_some_and(|id| id.split_once('_').is_some_and(|(_, rest)| rest.len() == 26));
                    let zero = member.as_str().is_some_and(|id| id.ends_with(&"0".repeat(26)));
                    assert!((member.is_null() || names) && !zero, "{path}: {member}");
                }
                no_empty_ids(&path, member);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| no_empty_ids(path, item)),
        _ => {}
    }
}

#[tokio::test]
async fn every_event_tells_the_object_as_it_is_read() {
    let mut evening = Evening::new().await;
    let dinner = arrive(&mut evening).await;
    call(&mut evening, &dinner).await;
    order(&mut evening, &dinner).await;
    take_back(&mut evening, &dinner).await;
    pay(&mut evening, &dinner).await;
    overpay(&mut evening).await;
    let missing: Vec<_> = EventName::ALL
        .iter()
        .filter(|name| !evening.seen.contains(name) && !UNCAUSED.contains(name))
        .collect();
    assert!(missing.is_empty(), "never announced: {missing:?}");
}

/// A scan opens the table; guests join, and one changes her colour.
async fn arrive(evening: &mut Evening) -> Dinner {
    let (_, code) = code_of(&evening.marta, &evening.branch, "SAL-01").await;
    let scan = json!({ "code": code, "party_size": 3 });
    let anyone = evening.app.anyone();
    let scanned = anyone.post("/v1/public/tables/open", &scan).await.expect(201);
    assert_eq!(scanned.number("/session/party_size"), 3);
    evening.look("a scan").await;
    let dinner = Dinner::seated_at(&evening.app, "SAL-01", &["Ana", "Bruno", "Carla"]).await;
    evening.look("registering").await;
    let _ = dinner
        .ana()
        .patch("/v1/diner/me", &json!({ "color": "#123456" }))
        .await
        .expect(200);
    evening.look("a new colour").await;
    dinner
}

/// One call is answered, another taken back.
async fn call(evening: &mut Evening, dinner: &Dinner) {
    const CALLS: &str = "/v1/diner/service-calls";
    let raised = dinner
        .bruno()
        .post(CALLS, &json!({ "type": "waiter", "note": "agua" }))
        .await
        .expect(201);
    evening.look("a call").await;
    evening.clock.advance(TimeDelta::seconds(31));
    let _ = dinner
        .ana()
        .post(CALLS, &json!({ "type": "waiter" }))
        .await
        .expect(200);
    evening.look("a reminder").await;
    for step in ["ack", "close"] {
        let path = format!("/v1/waiter/service-calls/{}/{step}", raised.text("/id"));
        let _ = dinner.leo.command(&path).await.expect(200);
        evening.look(step).await;
    }
    let raised = dinner
        .ana()
        .post(CALLS, &json!({ "type": "other" }))
        .await
        .expect(201);
    evening.look("another call").await;
    let _ = dinner
        .ana()
        .command(&format!("{CALLS}/{}/cancel", raised.text("/id")))
        .await
        .expect(200);
    evening.look("taking it back").await;
}

/// A round goes its whole way, once back to the kitchen. The eggs run out, and come back.
async fn order(evening: &mut Evening, dinner: &Dinner) {
    dinner.fill_cart().await;
    let nothing = json!({});
    let placed = evening
        .act(
            dinner.ana(),
            "/v1/diner/rounds",
            &json!({ "selection": "table" }),
            201,
        )
        .await;
    let round = placed["id"].as_str().unwrap();
    let waiter = format!("/v1/waiter/rounds/{round}");
    let kitchen = format!("/v1/kitchen/rounds/{round}");
    let marta = evening.marta.clone();
    evening
        .act(&dinner.leo, &format!("{waiter}/confirm"), &nothing, 200)
        .await;
    evening
        .act(&marta, &format!("{waiter}/submit"), &nothing, 200)
        .await;
    let board = evening
        .get(&format!(
            "/v1/kitchen/branches/{}/tickets?station=grill",
            evening.branch
        ))
        .await;
    let ticket = format!("/v1/kitchen/tickets/{}", board["data"][0]["id"].as_str().unwrap());
    let item = format!(
        "{ticket}/items/{}",
        board["data"][0]["items"][0]["id"].as_str().unwrap()
    );
    evening
        .act(&dinner.nora, &format!("{item}/start"), &nothing, 200)
        .await;
    evening
        .act(&dinner.nora, &format!("{ticket}/ready"), &nothing, 200)
        .await;
    evening
        .act(&dinner.nora, &format!("{ticket}/recall"), &nothing, 200)
        .await;
    evening
        .act(&dinner.nora, &format!("{kitchen}/ready"), &nothing, 200)
        .await;
    evening
        .act(&dinner.nora, &format!("{kitchen}/recall"), &nothing, 200)
        .await;
    evening
        .act(&dinner.nora, &format!("{kitchen}/ready"), &nothing, 200)
        .await;
    evening
        .act(&dinner.leo, &format!("{waiter}/serve"), &nothing, 200)
        .await;
    let egg = format!(
        "/v1/kitchen/branches/{}/options/{}/availability",
        evening.branch,
        dinner.option("bife_chorizo", "huevo_frito")
    );
    for available in [false, true] {
        let body = json!({ "available": available });
        let _ = dinner.nora.put(&egg, &body).await.expect(200);
        evening.look("eggs").await;
    }
}

/// Part of a round is taken back in the kitchen, then all of it.
async fn take_back(evening: &mut Evening, dinner: &Dinner) {
    let items = json!({ "items": [
        { "product_id": dinner.dish("empanada_carne"), "qty": 3, "notes": "sin pasas" },
        { "product_id": dinner.dish("limonada"), "qty": 1 },
    ], "confirm": true });
    let path = format!("/v1/waiter/sessions/{}/rounds", dinner.session);
    let placed = evening.act(&dinner.leo, &path, &items, 201).await;
    let round = format!("/v1/waiter/rounds/{}", placed["id"].as_str().unwrap());
    let marta = evening.marta.clone();
    evening
        .act(&marta, &format!("{round}/submit"), &json!({}), 200)
        .await;
    let item = format!(
        "{round}/items/{}/void",
        placed["items"][0]["id"].as_str().unwrap()
    );
    evening
        .act(&marta, &item, &json!({ "qty": 1, "reason": "se cayó" }), 200)
        .await;
    evening
        .act(
            &marta,
            &format!("{round}/cancel"),
            &json!({ "reason": "se van" }),
            200,
        )
        .await;
}

/// The bill goes out, back, and out again; is divided, paid in several ways, and the party leaves.
async fn pay(evening: &mut Evening, dinner: &Dinner) {
    let asking = json!({ "split": { "method": "equal" } });
    evening.act(dinner.carla(), "/v1/diner/check", &asking, 201).await;
    let session = format!("/v1/waiter/sessions/{}", dinner.session);
    evening
        .act(&dinner.leo, &format!("{session}/reopen"), &json!({}), 200)
        .await;
    let check = evening.act(dinner.carla(), "/v1/diner/check", &asking, 201).await;
    let split = json!({ "method": "by_consumption" });
    let _ = dinner
        .ana()
        .seen(1)
        .put("/v1/diner/check/split", &split)
        .await
        .expect(200);
    evening.look("dividing").await;
    for (phone, outcome, tip) in [
        (dinner.ana(), "approved", 100_000),
        (dinner.carla(), "rejected", 0),
    ] {
        let online = json!({
            "provider": "sandbox", "provider_options": { "outcome": outcome },
            "tip": { "amount": tip, "currency": "ARS" },
        });
        evening.act(phone, "/v1/diner/payments", &online, 201).await;
    }
    let canceled = begin(evening, dinner.bruno()).await;
    evening
        .act(
            dinner.bruno(),
            &format!("/v1/diner/payments/{canceled}/cancel"),
            &json!({}),
            200,
        )
        .await;
    let due = evening.totals(check["id"].as_str().unwrap()).await["due"].clone();
    let cash = json!({ "provider": "cash", "amount": due });
    let path = format!("/v1/billing/checks/{}/payments", check["id"].as_str().unwrap());
    evening.act(&dinner.leo, &path, &cash, 201).await;
    evening
        .act(&dinner.leo, &format!("{session}/close"), &json!({}), 200)
        .await;
}

/// A payment that waits for its guest.
async fn begin(evening: &mut Evening, phone: &Client) -> String {
    let online = json!({ "provider": "sandbox", "provider_options": { "outcome": "pending" } });
    let begun = evening.act(phone, "/v1/diner/payments", &online, 201).await;
    begun["id"].as_str().unwrap().to_owned()
}

/// A payment comes too late: its time was over, and the table has paid otherwise.
async fn overpay(evening: &mut Evening) {
    let table = code_of(&evening.marta, &evening.branch, "SAL-02").await.0;
    let leo = evening.app.staff("leo").await;
    let opening = json!({ "party_size": 2, "note": "cumpleaños" });
    evening
        .act(&leo, &format!("/v1/waiter/tables/{table}/open"), &opening, 201)
        .await;
    let dinner = Dinner::seated_at(&evening.app, "SAL-02", &["Dora", "Eva", "Fede"]).await;
    let _ = dinner.eat().await;
    let check = dinner.ask_for_check().await;
    let _ = evening.news().await;
    let payment = begin(evening, dinner.ana()).await;
    evening.clock.advance(TimeDelta::minutes(16));
    evening.marta = evening.app.staff("marta").await;
    let leo = evening.app.staff("leo").await;
    expire(evening).await;
    evening.look("the end of its time").await;
    let due = evening.totals(&check).await["due"].clone();
    let path = format!("/v1/billing/checks/{check}/payments");
    evening
        .act(&leo, &path, &json!({ "provider": "cash", "amount": due }), 201)
        .await;
    let settle = format!("/v1/billing/sandbox/payments/{payment}/settle");
    evening
        .act(&leo, &settle, &json!({ "outcome": "approved" }), 200)
        .await;
}

/// The job that looks for payments whose time is over, without waiting for its minute.
async fn expire(evening: &Evening) {
    let config = config(&evening.app.database.url, &BTreeMap::new());
    let sources = Sources::new(evening.clock.clone());
    let database = Database::open_with(&config, sources, false).await.unwrap();
    let services = Services::new(&database.db, &config).unwrap();
    let sql = "SELECT tenant_id::text FROM tenant_directory WHERE slug = 'buen-sabor'";
    let tenant: String = evening
        .app
        .database
        .connect()
        .await
        .query_one(sql, &[])
        .await
        .unwrap()
        .get(0);
    let expired = services
        .billing
        .expire_due_payments(TenantId(tenant.parse().unwrap()))
        .await;
    assert_eq!(expired.unwrap(), 1);
}
