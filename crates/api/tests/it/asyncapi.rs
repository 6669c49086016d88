//! What clients are told of events, and whether it is so.

use std::collections::{BTreeMap, BTreeSet};

use comanda_domain::event::{AUDIENCE, EventName, View};
use comanda_infrastructure::events::catalogue::example;
use comanda_infrastructure::events::render::envelope;
use comanda_testkit::TestApp;
use comanda_testkit::dinner::Dinner;
use comanda_testkit::screen::Screen;
use serde_json::{Value, json};

use crate::documents::is_up_to_date;
use crate::json_schema::faults;

const PUBLIC_URL: &str = "http://localhost:8080";

async fn schema(app: &TestApp, envelope: &Value) -> Value {
    let address = envelope["dataschema"].as_str().unwrap();
    let path = address
        .strip_prefix(PUBLIC_URL)
        .unwrap_or_else(|| panic!("{address}"));
    let answer = app.anyone().get(path).await.expect(200);
    assert_eq!(
        answer.header("content-type"),
        "application/schema+json",
        "{}",
        answer.report()
    );
    assert_eq!(answer.at("/$id"), address, "{path}");
    answer.json()
}

#[tokio::test]
async fn the_asyncapi_document_is_the_one_we_know() {
    let app = TestApp::start().await;
    let answer = app.anyone().get("/asyncapi.json").await.expect(200);
    let document = answer.json();
    assert_eq!(document["asyncapi"], "3.0.0");
    let text = String::from_utf8(answer.bytes).unwrap();
    is_up_to_date("asyncapi.json", &format!("{}\n", text.trim_end()));

    // Every reference within leads somewhere, every other one to a schema that is served.
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    let mut schemas = 0;
    for reference in &references {
        if let Some(pointer) = reference.strip_prefix('#') {
            // Names of messages hold dots, which pointers may.
            assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
        } else {
            let _ = schema(&app, &json!({ "dataschema": reference })).await;
            schemas += 1;
        }
    }
    assert_eq!(schemas, EventName::ALL.len());
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get("$ref") {
                references.insert(reference.clone());
            }
            object.values().for_each(|part| collect(part, references));
        }
        Value::Array(parts) => parts.iter().for_each(|part| collect(part, references)),
        _ => {}
    }
}

#[tokio::test]
async fn every_event_has_an_example_a_schema_and_an_audience() {
    let app = TestApp::start().await;
    let document = app.anyone().get("/asyncapi.json").await.expect(200).json();
    for name in EventName::ALL.iter().copied() {
        let row = name
            .audience()
            .unwrap_or_else(|| panic!("{name} has no audience"));
        let message = &document["components"]["messages"][name.as_str()];
        let shown = &message["examples"][0]["payload"];
        let schema = schema(&app, &shown["event"]).await;
        let mut frame = message["payload"].clone();
        frame["properties"]["event"] = json!({ "type": "object" });
        assert_eq!(faults(&frame, shown), Vec::<String>::new(), "{name}");
        for view in View::ALL.iter().copied() {
            let channel = &document["channels"][view.as_str()]["messages"];
            assert_eq!(
                channel[name.as_str()].is_object(),
                row.has_view(view),
                "{name} {view}"
            );
            let Some(told) = envelope(&example(name), view, "5f3a9c01", PUBLIC_URL) else {
                assert!(!row.has_view(view), "{name} {view}");
                continue;
            };
            assert_eq!(
                faults(&schema, &told),
                Vec::<String>::new(),
                "{name} {view}: {told}"
            );
            if view == View::Admin {
                assert_eq!(&told, &shown["event"], "{name}");
            }
        }
    }
    assert_eq!(AUDIENCE.len(), EventName::ALL.len());
    for wrong in [
        "no.such.v1.json",
        "round.submitted.json",
        "round.submitted.v2.json",
        "cart.changed.v1.json",
    ] {
        let _ = app
            .anyone()
            .get(&format!("/schemas/events/{wrong}"))
            .await
            .refused(404, "not_found");
    }
}

#[tokio::test]
async fn the_close_codes_are_those_of_the_contract() {
    let app = TestApp::start().await;
    let document = app.anyone().get("/asyncapi.json").await.expect(200).json();
    let told: BTreeMap<u64, Value> = document["x-close-codes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|close| (close["code"].as_u64().unwrap(), close["reasons"].clone()))
        .collect();
    let wanted = BTreeMap::from([
        (1000, json!([])),
        (1009, json!(["frame_too_big"])),
        (1011, json!(["internal"])),
        (4400, json!(["malformed", "unknown_op"])),
        (4401, json!(["token_expired", "token_invalid"])),
        (4403, json!(["branch", "origin", "role"])),
        (4408, json!(["idle", "no_auth"])),
        (4409, json!(["seating_ended"])),
        (4410, json!(["too_slow"])),
        (4429, json!(["connections", "frames"])),
        (4503, json!(["going_away"])),
    ]);
    assert_eq!(told, wanted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_socket_tells_is_what_the_documents_say() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let document = app.anyone().get("/asyncapi.json").await.expect(200).json();
    let after = json!({ "branch_id": dinner.branch, "after": 0 });
    let mut screens = vec![];
    for (view, who, auth) in [
        ("admin", &dinner.marta, after.clone()),
        ("waiter", &dinner.leo, after.clone()),
        ("kitchen", &dinner.nora, after),
        ("diner", &dinner.guests[0].phone, json!({ "after": 0 })),
    ] {
        let (screen, ready) = Screen::ready(&app, view, who, auth).await;
        assert_eq!(
            faults(&document["components"]["schemas"]["ready"], &ready),
            Vec::<String>::new(),
            "{ready}"
        );
        screens.push((view, screen));
    }
    let round = dinner.eat().await;
    let _ = dinner.ask_for_check().await;
    println!("the round {round:?}");
    for (view, screen) in &mut screens {
        let last = if *view == "kitchen" {
            "ticket.delivered"
        } else {
            "check.requested"
        };
        let mut names = BTreeSet::new();
        while !names.contains(last) {
            let frame = screen.frame().await;
            let op = frame["op"].as_str().unwrap();
            if op != "event" {
                let known = &document["components"]["schemas"][op];
                assert_eq!(faults(known, &frame), Vec::<String>::new(), "{view}: {frame}");
                continue;
            }
            let schema = schema(&app, &frame["event"]).await;
            assert_eq!(
                faults(&schema, &frame["event"]),
                Vec::<String>::new(),
                "{view}: {frame}"
            );
            let kind = EventName::of_type(frame["event"]["type"].as_str().unwrap()).unwrap();
            names.insert(kind.to_string());
        }
        assert!(names.len() > 3, "{view}: {names:?}");
    }
}
