//! The process dies between what it did and what it said; whoever repeats the request finds one effect.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;

use comanda_testkit::cluster::vars;
use comanda_testkit::dinner::Dinner;
use comanda_testkit::process::Process;
use comanda_testkit::{Answer, Client, TestApp};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_comanda-api");
const KEY: &str = "once-and-again";
const SIGABRT: i32 = 6;

/// The binary on the database of `app`, which dies at the named place. Tokens of the one are good at the other.
fn server(app: &TestApp, place: Option<&str>) -> Process {
    let place = place.map(|place| ("COMANDA_FAILPOINT".to_owned(), place.to_owned()));
    Process::start(PROGRAM, &[], &app.vars_of_another(&place.into_iter().collect()))
}

/// The request is sent to a server that dies at `place`.
async fn cut_off(app: &TestApp, place: &str, who: &Client, path: &str, body: &Value) {
    let mut dying = server(app, Some(place));
    let caller = who
        .at(&dying.url)
        .key(KEY)
        .header("content-type", "application/json");
    let method = reqwest::Method::POST;
    let sent = caller
        .try_send(method, path, Some(body.to_string().into_bytes()))
        .await;
    if let Ok(answer) = sent {
        panic!("{place} was not reached\n{}", answer.report());
    }
    assert_eq!(dying.ended().signal(), Some(SIGABRT), "{place}");
}

/// The request is sent to a server that dies at `place`, and again to the next one.
async fn retried(app: &TestApp, place: &str, who: &Client, path: &str, body: &Value) -> Answer {
    cut_off(app, place, who, path, body).await;
    let next = server(app, None);
    let answer = who.at(&next.url).key(KEY).insist(path, body).await;
    assert!(answer.status.is_success(), "{place}: {}", answer.report());
    let replayed = if place == "after_commit" { "true" } else { "" };
    assert_eq!(
        answer.header("idempotency-replayed"),
        replayed,
        "{place}: {}",
        answer.report()
    );
    // And once more, at another instance: the same answer.
    let again = who.key(KEY).insist(path, body).await;
    assert_eq!(again.bytes, answer.bytes, "{place}");
    assert_eq!(again.header("idempotency-replayed"), "true", "{place}");
    answer
}

const PLACES: [&str; 2] = ["before_commit", "after_commit"];

#[tokio::test]
async fn placing_survives() {
    for place in PLACES {
        let app = TestApp::among_others().await;
        let dinner = Dinner::seated(&app).await;
        dinner.fill_cart().await;
        let body = json!({ "selection": "table" });
        let placed = retried(&app, place, dinner.ana(), "/v1/diner/rounds", &body).await;
        assert_eq!((placed.status.as_u16(), placed.number("/number")), (201, 1));
        let rounds = dinner.ana().get("/v1/diner/rounds").await.expect(200);
        assert_eq!(rounds.list("/data").len(), 1, "{place}");
        let cart = dinner.ana().get("/v1/diner/cart").await.expect(200);
        assert_eq!(cart.list("/lines").len(), 0, "{place}");
    }
}

#[tokio::test]
async fn submitting_survives() {
    for place in PLACES {
        let app = TestApp::among_others().await;
        let dinner = Dinner::seated(&app).await;
        dinner.fill_cart().await;
        let round = dinner.place().await;
        let confirm = format!("/v1/waiter/rounds/{round}/confirm");
        let _ = dinner.leo.act(&confirm, &json!({})).await.expect(200);
        let path = format!("/v1/waiter/rounds/{round}/submit");
        let submitted = retried(&app, place, &dinner.marta, &path, &json!({})).await;
        assert_eq!(submitted.at("/status"), "submitted");
        let board = dinner
            .nora
            .get(&format!("/v1/kitchen/branches/{}/tickets", dinner.branch))
            .await
            .expect(200);
        assert_eq!(board.list("/data").len(), 3, "{place}");
    }
}

#[tokio::test]
async fn paying_in_cash_survives() {
    for place in PLACES {
        let app = TestApp::among_others().await;
        let dinner = Dinner::seated(&app).await;
        let _ = dinner.eat().await;
        let check = dinner.ask_for_check().await;
        let path = format!("/v1/billing/checks/{check}/payments");
        let body = json!({ "provider": "cash", "amount": { "amount": 1_000_000, "currency": "ARS" } });
        let paid = retried(&app, place, &dinner.leo, &path, &body).await;
        assert_eq!(paid.at("/status"), "approved");
        one_payment(&dinner, &paid, 1_000_000).await;
    }
}

/// The check holds this payment and no other.
async fn one_payment(dinner: &Dinner, paid: &Answer, amount: i64) {
    let check = dinner.ana().get("/v1/diner/check").await.expect(200);
    let payments = check.list("/payments");
    assert_eq!(payments.len(), 1, "{}", check.report());
    assert_eq!(payments[0]["id"], paid.at("/id"));
    assert_eq!(payments[0]["status"], "approved");
    assert_eq!(check.number("/paid/amount"), amount, "{}", check.report());
    assert_eq!(check.number("/reserved/amount"), 0, "{}", check.report());
}

/// Between the intent and the answer a repetition has to wait for the end of the lease; then it goes on with the
/// same payment.
#[tokio::test]
async fn paying_online_survives() {
    let body = json!({ "provider": "sandbox", "provider_options": { "outcome": "approved" } });
    let path = "/v1/diner/payments";
    for place in [
        "before_commit",
        "after_commit",
        "before_provider",
        "after_provider",
        "after_payment",
    ] {
        let app = TestApp::among_others().await;
        let dinner = Dinner::seated(&app).await;
        let _ = dinner.eat().await;
        let _ = dinner.ask_for_check().await;
        cut_off(&app, place, dinner.ana(), path, &body).await;
        let next = server(&app, None);
        let ana = dinner.ana().at(&next.url).key(KEY);
        let begun = ["after_commit", "before_provider", "after_provider"].contains(&place);
        if begun {
            let _ = ana.post(path, &body).await.refused(409, "idempotency_in_flight");
            end_leases(&app).await;
        }
        let paid = ana.insist(path, &body).await.expect(201);
        assert_eq!(paid.at("/status"), "approved", "{place}: {}", paid.report());
        one_payment(&dinner, &paid, 1_553_334).await;
        let again = ana.insist(path, &body).await.expect(201);
        assert_eq!(again.bytes, paid.bytes, "{place}");
        assert_eq!(again.header("idempotency-replayed"), "true", "{place}");
        one_payment(&dinner, &paid, 1_553_334).await;
    }
}

/// Half a minute passes for those who wait for a lease to end.
async fn end_leases(app: &TestApp) {
    let ended = app
        .database
        .connect()
        .await
        .execute(
            "UPDATE idempotency_record SET lease_until = lease_until - interval '1 minute' \
             WHERE state = 'started'",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(ended, 1);
}

/// A folder that PostgreSQL's account can reach, removed in the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let path = PathBuf::from(format!("/tmp/comanda-crash-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        // Whatever the umask: PostgreSQL's account must pass.
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        Self(path)
    }

    /// The variables of a server that runs its own cluster here.
    fn vars(&self) -> BTreeMap<String, String> {
        let place = (
            "COMANDA_DATA_DIR".to_owned(),
            self.0.join("data").display().to_string(),
        );
        let mut vars = vars("", &BTreeMap::from([place]));
        vars.remove("DATABASE_URL");
        vars
    }

    fn cluster_runs(&self) -> bool {
        self.0.join("data/postgres/pgdata/postmaster.pid").exists()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn owner_of(server: &Process) -> Client {
    let anyone = Client::new(&server.url);
    let olga = json!({
        "tenant": "buen-sabor", "email": "olga@buensabor.demo", "password": "comanda-demo-owner",
    });
    let login = anyone.post("/v1/auth/login", &olga).await.expect(200);
    anyone.with_token(login.text("/access_token"))
}

#[tokio::test]
async fn a_killed_server_with_its_own_cluster_comes_back() {
    let scratch = Scratch::new();
    let vars = scratch.vars();
    let mut first = Process::start(PROGRAM, &["--demo"], &vars);
    let branches = owner_of(&first).await.get("/v1/admin/branches").await.expect(200);
    first.kill();

    let mut second = Process::start(PROGRAM, &["--demo"], &vars);
    let found = owner_of(&second)
        .await
        .get("/v1/admin/branches")
        .await
        .expect(200);
    assert_eq!(found.json(), branches.json());
    assert!(scratch.cluster_runs());
    assert_eq!(second.terminate().code(), Some(0));
    assert!(!scratch.cluster_runs(), "the cluster stops with its server");

    let mut third = Process::start(PROGRAM, &[], &vars);
    let found = owner_of(&third).await.get("/v1/admin/branches").await.expect(200);
    assert_eq!(found.json(), branches.json());
    assert_eq!(third.terminate().code(), Some(0));
}
