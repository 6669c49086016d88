//! `comanda events tail` at a real server.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use comanda_testkit::TestApp;
use comanda_testkit::cluster::{TestDatabase, vars};
use comanda_testkit::dinner::Dinner;
use serde_json::{Value, json};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::command::{Said, comanda_with};

async fn tail(app: &TestApp, rest: &str, token: &str) -> Said {
    let credential = BTreeMap::from([("COMANDA_API_KEY".to_owned(), token.to_owned())]);
    let line = format!("events tail --url {} {rest}", app.url);
    comanda_with(&app.database, &line, &credential).await
}

fn envelopes(said: &Said) -> Vec<Value> {
    let lines = said.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {said:?}")))
        .collect()
}

/// One limonada for the whole table.
async fn order(dinner: &Dinner) -> String {
    let line = json!({ "product_id": dinner.dish("limonada"), "qty": 1 });
    let _ = dinner.ana().post("/v1/diner/cart/lines", &line).await.expect(201);
    dinner.place().await
}

#[tokio::test]
async fn what_happened_is_shown_from_a_cursor_on() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let round = order(&dinner).await;
    dinner.submit(&round).await;
    let branch = format!("--branch {}", dinner.branch);
    let rounds = format!("{branch} --types round.* --after 0");
    let said = tail(&app, &format!("{rounds} --count 3 --json"), dinner.marta.token()).await;
    assert_eq!(said.exit, 0, "{said:?}");
    let all = envelopes(&said);
    let kinds: Vec<&str> = all.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["pending", "confirmed", "submitted"].map(|name| format!("dev.comanda.round.{name}.v1"))
    );
    assert!(
        all.iter().all(|event| event["subject"] == round.as_str()),
        "{said:?}"
    );

    // From the cursor of the first on, through the eyes of the kitchen, as columns.
    let cursor = format!("{}-{}", all[0]["epoch"].as_str().unwrap(), all[0]["data"]["seq"]);
    let rest = format!("{branch} --types round.* --after {cursor} --count 1 --view kitchen");
    let said = tail(&app, &rest, dinner.marta.token()).await;
    assert_eq!(said.exit, 0, "{said:?}");
    let line: Vec<&str> = said.stdout.split_whitespace().collect();
    assert_eq!(line[2..4], ["round.submitted.v1", round.as_str()], "{said:?}");
    assert!(said.stderr.contains("SUBJECT"), "{said:?}");
}

#[tokio::test]
async fn what_is_not_for_the_caller_is_refused() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let branch = format!("--branch {} --json --after 0 --count 1", dinner.branch);
    let strange = app.stranger().await;
    let cases = [
        (branch.clone(), "no-such-token", 4),
        (format!("{branch} --view admin"), dinner.leo.token(), 4),
        (branch, strange.token(), 3),
    ];
    for (rest, token, exit) in cases {
        let said = tail(&app, &rest, token).await;
        assert_eq!(said.exit, exit, "{rest}: {said:?}");
        assert!(
            said.stdout.is_empty() && !said.error().is_empty(),
            "{rest}: {said:?}"
        );
    }
    for wrong in ["--view guests", "--types round.", "--after soon", "--count 0"] {
        assert_eq!(tail(&app, wrong, "x").await.exit, 2, "{wrong}");
    }
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let line = format!("events tail --url http://{nobody} --json");
    let dead = comanda_with(&app.database, &line, &BTreeMap::new()).await;
    assert_eq!((dead.exit, dead.error().as_str()), (7, "unreachable"), "{dead:?}");
}

/// The command while it runs.
struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Running {
    fn start(database: &TestDatabase, token: &str, line: &str) -> Self {
        let credential = BTreeMap::from([("COMANDA_API_KEY".to_owned(), token.to_owned())]);
        let mut child = Command::new(env!("CARGO_BIN_EXE_comanda"))
            .args(line.split(' '))
            .env_clear()
            .envs(vars(&database.url, &credential))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    /// The next event.
    async fn event(mut self) -> (Self, Value) {
        tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            self.out.read_line(&mut line).unwrap();
            let event = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
            (self, event)
        })
        .await
        .unwrap()
    }

    /// How it ended, and what else it said.
    async fn ended(mut self) -> (i32, String, String) {
        tokio::task::spawn_blocking(move || {
            let (mut rest, mut talk) = (String::new(), String::new());
            self.out.read_to_string(&mut rest).unwrap();
            self.child
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut talk)
                .unwrap();
            (self.child.wait().unwrap().code().unwrap(), rest, talk)
        })
        .await
        .unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Passes everything on to a server until it is aborted, which cuts all connections.
async fn wire(port: u16, server: String) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let passing = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut client, _)) = listener.accept().await {
            let server = server.clone();
            connections.spawn(async move {
                let mut server = TcpStream::connect(server).await.unwrap();
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    (port, passing)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_connection_costs_no_event_and_ctrl_c_names_the_cursor() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let server = app.url.trim_start_matches("http://").to_owned();
    let (port, passing) = wire(0, server.clone()).await;
    let line = format!(
        "events tail --url http://127.0.0.1:{port} --branch {} --types round.pending --after 0 --json",
        dinner.branch
    );
    let running = Running::start(&app.database, dinner.marta.token(), &line);
    let first = order(&dinner).await;
    let (running, event) = running.event().await;
    assert_eq!(event["subject"], first.as_str(), "{event}");

    passing.abort();
    let _ = passing.await;
    let second = order(&dinner).await;
    let (_, passing) = wire(port, server).await;
    let (running, event) = running.event().await;
    assert_eq!(event["subject"], second.as_str(), "{event}");

    let pid = running.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let (exit, rest, talk) = running.ended().await;
    passing.abort();
    assert_eq!((exit, rest.as_str()), (130, ""), "{talk}");
    assert!(
        talk.contains("asking again") && talk.contains("go on with --after"),
        "{talk}"
    );
}
