//! Who sees what of each event: a page for review, and canaries for those who do not read it.

use std::path::Path;

use comanda_domain::event::{EventName, View};
use comanda_infrastructure::events::catalogue::example;
use comanda_infrastructure::events::render::envelope;
use serde_json::{Map, Value, json};

const PUBLIC_URL: &str = "http://localhost:8080";

fn shown(name: EventName, view: View) -> Option<Value> {
    let told = envelope(&example(name), view, "5f3a9c01", PUBLIC_URL)?;
    Some(told["data"].clone())
}

/// Where `less` has null and `whole` has not; anything else must be the same.
fn left_out(whole: &Value, less: &Value, at: &str, found: &mut Vec<String>) {
    match (whole, less) {
        (Value::Object(whole), Value::Object(less)) => {
            assert!(
                whole.keys().eq(less.keys()),
                "{at}: every view has the same shape"
            );
            for (name, value) in whole {
                left_out(value, &less[name], &format!("{at}/{name}"), found);
            }
        }
        (Value::Array(whole), Value::Array(less)) => {
            assert_eq!(whole.len(), less.len(), "{at}");
            for (n, value) in whole.iter().enumerate() {
                left_out(value, &less[n], &format!("{at}/{n}"), found);
            }
        }
        (_, Value::Null) if !whole.is_null() => found.push(at.to_owned()),
        _ => assert_eq!(whole, less, "{at}"),
    }
}

/// Each event as managers see it, and what each other view is not shown of it; null where it is not told at all.
fn page() -> Value {
    let row = |name: EventName| {
        let whole = shown(name, View::Admin).expect("managers are told of everything");
        let mut row = Map::from_iter([("admin".to_owned(), whole.clone())]);
        for view in View::ALL.iter().copied().filter(|view| *view != View::Admin) {
            let hidden = shown(name, view).map(|less| {
                let mut found = Vec::new();
                left_out(&whole, &less, "", &mut found);
                json!({ "left_out": found })
            });
            row.insert(view.to_string(), json!(hidden));
        }
        (name.to_string(), Value::Object(row))
    };
    Value::Object(EventName::ALL.iter().copied().map(row).collect())
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "not a setting of the service: it lets the test write the page"
)]
fn each_event_is_shown_to_each_view_as_the_page_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/events.json");
    let page = format!("{:#}\n", page());
    if std::env::var("COMANDA_UPDATE_DOCS").is_ok_and(|update| update == "1") {
        std::fs::write(&path, &page).unwrap();
    }
    let file = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        file == page,
        "docs/events.json is out of date: look at who sees more, and write it with COMANDA_UPDATE_DOCS=1"
    );
}

/// What must not be seen, and the views that may.
const CANARIES: [(&str, &[View]); 7] = [
    ("\"Ana\"", &[View::Admin, View::Waiter, View::Diner]),
    ("\"Bruno\"", &[View::Admin, View::Waiter, View::Diner]),
    (
        "\"amount\"",
        &[View::Admin, View::Waiter, View::Diner, View::Integration],
    ),
    ("\"4711\"", &[View::Admin, View::Waiter]),
    ("sandbox-20931", &[View::Admin, View::Integration]),
    ("@", &[]),
    ("preferences", &[]),
];

#[test]
fn nobody_sees_what_is_not_for_them() {
    let mut seen = [[0; View::ALL.len()]; CANARIES.len()];
    for name in EventName::ALL.iter().copied() {
        for (v, view) in View::ALL.iter().copied().enumerate() {
            let Some(data) = shown(name, view) else { continue };
            let text = data.to_string();
            for (c, (canary, allowed)) in CANARIES.iter().enumerate() {
                let found = text.contains(canary);
                assert!(
                    !found || allowed.contains(&view),
                    "{view} sees {canary} in {name}: {text}"
                );
                seen[c][v] += usize::from(found);
            }
        }
    }
    // A canary that nobody meets proves nothing.
    for (c, (canary, allowed)) in CANARIES.iter().enumerate() {
        for (v, view) in View::ALL
            .iter()
            .enumerate()
            .filter(|(_, view)| allowed.contains(view))
        {
            assert!(seen[c][v] > 0, "{view} never sees {canary}");
        }
    }
}
