//! `comanda ws test`, `comanda load sockets` and `comanda load storm` at a real server.

use std::collections::BTreeMap;

use comanda_testkit::TestApp;
use comanda_testkit::dinner::Dinner;
use serde_json::Value;

use crate::command::{Said, comanda, comanda_with};

async fn ws_test(app: &TestApp, view: &str, rest: &str, token: Option<&str>) -> Said {
    let url = app.url.replacen("http", "ws", 1);
    let credential = token.map(|token| ("COMANDA_API_KEY".to_owned(), token.to_owned()));
    let line = format!("ws-test --url {url}/v1/ws/{view} --json {rest}");
    comanda_with(&app.database, line.trim(), &credential.into_iter().collect()).await
}

fn steps(said: &Said) -> Vec<(String, bool)> {
    let document = said.json();
    assert_eq!(document["ok"], said.exit == 0, "{said:?}");
    let step = |step: &Value| {
        assert!(step["ms"].as_f64().unwrap() >= 0.0, "{step}");
        (
            step["step"].as_str().unwrap().to_owned(),
            step["ok"].as_bool().unwrap(),
        )
    };
    document["steps"].as_array().unwrap().iter().map(step).collect()
}

fn all_well(names: &[&str]) -> Vec<(String, bool)> {
    names.iter().map(|name| ((*name).to_owned(), true)).collect()
}

#[tokio::test]
async fn a_socket_is_tried_step_by_step() {
    let app = TestApp::start().await;
    let marta = app.staff("marta").await;
    let branches = marta.get("/v1/admin/branches").await.expect(200);
    let branch = format!("--branch {}", branches.text("/data/0/id"));
    let good = ws_test(&app, "waiter", &branch, Some(marta.token())).await;
    assert_eq!(good.exit, 0, "{good:?}");
    assert_eq!(
        steps(&good),
        all_well(&["connect", "hello", "auth", "ready", "ping"])
    );
    assert!(
        !good.stdout.contains(marta.token()) && good.stderr.is_empty(),
        "{good:?}"
    );

    let url = app.url.replacen("http", "ws", 1);
    let settings = BTreeMap::from([("COMANDA_API_KEY".to_owned(), marta.token().to_owned())]);
    let line = format!("ws test --url {url}/v1/ws/admin {branch}");
    let table = comanda_with(&app.database, &line, &settings).await;
    assert_eq!(table.exit, 0, "{table:?}");
    for word in ["STEP", "RESULT", "MS", "connect", "pong"] {
        assert!(table.stdout.contains(word), "{table:?}");
    }

    // Without a token it is enough that the server greets and ends it in order.
    let nobody = ws_test(&app, "waiter", "", None).await;
    assert_eq!(nobody.exit, 0, "{nobody:?}");
    assert_eq!(steps(&nobody), all_well(&["connect", "hello", "auth"]));
    assert!(nobody.stdout.contains("4408 no_auth"), "{nobody:?}");
}

#[tokio::test]
async fn what_is_wrong_with_a_socket_is_said() {
    let app = TestApp::start().await;
    let (marta, leo) = (app.staff("marta").await, app.staff("leo").await);
    let branches = marta.get("/v1/admin/branches").await.expect(200);
    let branch = format!("--branch {}", branches.text("/data/0/id"));
    let theirs = app.stranger().await.get("/v1/admin/branches").await.expect(200);
    let theirs = format!("--branch {}", theirs.text("/data/0/id"));
    let (leo, marta) = (Some(leo.token()), Some(marta.token()));
    let cases = [
        (
            "waiter",
            &branch,
            Some("no-such-token"),
            4,
            "token_refused",
            "auth",
        ),
        ("admin", &branch, leo, 4, "socket_forbidden", "ready"),
        ("waiter", &theirs, marta, 4, "socket_forbidden", "ready"),
        ("guests", &branch, marta, 3, "view_not_found", "connect"),
        ("waiter", &String::new(), marta, 2, "socket_malformed", "ready"),
    ];
    for (view, rest, token, exit, code, at) in cases {
        let said = ws_test(&app, view, rest, token).await;
        let last = steps(&said).pop().unwrap();
        assert_eq!(
            (said.exit, said.error().as_str(), last),
            (exit, code, (at.to_owned(), false)),
            "{view} {rest}: {said:?}"
        );
    }

    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let dead = comanda(
        &app.database,
        &format!("ws-test --url ws://{nobody}/v1/ws/waiter --json"),
    )
    .await;
    assert_eq!((dead.exit, dead.error().as_str()), (7, "unreachable"), "{dead:?}");
    assert_eq!(steps(&dead), [("connect".to_owned(), false)]);
    let far = comanda(
        &app.database,
        "ws-test --url ws://example.org/v1/ws/waiter --json",
    )
    .await;
    assert_eq!((far.exit, far.error().as_str()), (2, "bad_address"), "{far:?}");
}

#[tokio::test]
async fn everybody_hears_everything_and_again_after_a_storm() {
    let app = TestApp::start().await;
    // Somebody else's table is left alone.
    let _dinner = Dinner::seated(&app).await;
    let pid = std::process::id();
    let load = format!("--url {} --sockets 30 --rate 6 --json --quiet", app.url);
    let line = format!("load sockets {load} --seconds 2 --pid {pid}");
    let said = comanda(&app.database, &line).await;
    assert_eq!(said.exit, 0, "{said:?}");
    let report = said.json();
    assert_eq!(
        (&report["scenario"], &report["sockets"]),
        (&"sockets".into(), &30.into())
    );
    assert_eq!(report["views"].as_object().unwrap().len(), 5, "{report}");
    for none in ["missed", "gaps", "repeats", "lost"] {
        assert_eq!(report[none], 0, "{none}: {report}");
    }
    let number = |name: &str| report[name].as_u64().unwrap();
    assert!(
        number("rounds") > 0 && number("events") >= 3 * number("rounds"),
        "{report}"
    );
    // Twenty sockets at least are told of every round.
    assert!(number("deliveries") > 20 * number("rounds"), "{report}");
    assert!(
        report["decided_to_socket"]["p99_ms"].as_f64().unwrap() > 0.0,
        "{report}"
    );
    assert!(report["memory"]["open_kib"].as_u64().unwrap() > 0, "{report}");

    let said = comanda(&app.database, &format!("load storm {load} --seconds 3")).await;
    assert_eq!(said.exit, 0, "{said:?}");
    let report = said.json();
    for none in ["missed", "gaps", "lost", "not_back", "unrecovered"] {
        assert_eq!(report[none], 0, "{none}: {report}");
    }
    assert!(report["deliveries"].as_u64().unwrap() > 0, "{report}");
    assert!(report["back"]["max_ms"].as_f64().unwrap() > 0.0, "{report}");
}

#[tokio::test]
async fn load_on_nobody_is_refused() {
    let app = TestApp::start().await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for scenario in ["sockets", "storm"] {
        let line = format!("load {scenario} --url http://{nobody} --json");
        let said = comanda(&app.database, &line).await;
        assert_eq!((said.exit, said.error().as_str()), (7, "unreachable"), "{said:?}");
    }
    let line = format!(
        "load sockets --url {} --sockets 5 --seconds 1 --pid 4294967295 --json",
        app.url
    );
    let said = comanda(&app.database, &line).await;
    assert_eq!(
        (said.exit, said.error().as_str()),
        (3, "process_not_found"),
        "{said:?}"
    );
}
