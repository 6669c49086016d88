//! What processes do for each other, and what only one may do.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use comanda_infrastructure::clock::Sources;
use comanda_testkit::cluster::{Connection, TestDatabase, vars};
use comanda_testkit::dinner::Dinner;
use comanda_testkit::process::Process;
use comanda_testkit::redis::RedisServer;
use comanda_testkit::{Client, TestApp};

const PROGRAM: &str = env!("CARGO_BIN_EXE_comanda-api");
const PATIENCE: Duration = Duration::from_secs(15);
/// An event of the demo's first branch, which always has this shard.
const STAGE: &str = "INSERT INTO outbox_stage (tenant_id, branch_id, shard, event_id, type, subject, data, occurred_at) \
    SELECT tenant_id, id, 3, gen_random_uuid(), 'dev.comanda.table.status_changed.v1', 'x', '{}', now() \
      FROM branch ORDER BY id LIMIT 1";

fn settings<const N: usize>(given: [(&str, &str); N]) -> BTreeMap<String, String> {
    given
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

async fn until(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !look().await {
        assert!(began.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn number(connection: &Connection, question: &str) -> i64 {
    connection.query_one(question, &[]).await.unwrap().get(0)
}

/// A metric without labels, as the operations listener shows it.
async fn metric(process: &Process, name: &str) -> i64 {
    let page = Client::new(&process.operations).get("/metrics").await.expect(200);
    let text = String::from_utf8(page.bytes.clone()).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("no {name} in\n{text}"))
        .parse()
        .unwrap()
}

/// How a process that does not start says why.
fn refused(vars: &BTreeMap<String, String>) -> (Option<i32>, String) {
    let ended = Command::new(PROGRAM)
        .env_clear()
        .envs(vars)
        .env("COMANDA_LOG", "error")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
}

#[tokio::test]
async fn a_second_process_needs_redis() {
    let database = TestDatabase::seeded().await;
    let vars = vars(&database.url, &BTreeMap::new());
    let mut first = Process::start(PROGRAM, &[], &vars);
    let (code, said) = refused(&vars);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("REDIS_URL"), "{said}");
    // Nor can one that has Redis meet one that has not.
    let mut elsewhere = vars.clone();
    elsewhere.insert("REDIS_URL".to_owned(), "redis://127.0.0.1:1".to_owned());
    let (code, said) = refused(&elsewhere);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("without REDIS_URL"), "{said}");
    let _ = Client::new(&first.url).get("/readyz").await.expect(200);

    // However it ends, the next one may begin at once.
    first.kill();
    let mut second = Process::start(PROGRAM, &[], &vars);
    assert_eq!(second.terminate().code(), Some(0));
    let mut third = Process::start(PROGRAM, &[], &vars);
    assert_eq!(third.terminate().code(), Some(0));
}

#[tokio::test]
async fn less_than_all_roles_need_redis() {
    let vars = vars(
        "postgres://nobody@127.0.0.1:1/none",
        &settings([("COMANDA_ROLE", "worker")]),
    );
    let (code, said) = refused(&vars);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("COMANDA_ROLE") && said.contains("REDIS_URL"),
        "{said}"
    );
}

/// One process takes the orders, another numbers their events; neither does the other's work.
#[tokio::test]
async fn the_work_is_divided() {
    let redis = RedisServer::start();
    let place = settings([("REDIS_URL", &redis.url()), ("COMANDA_ROLE", "api")]);
    let app = TestApp::with(Sources::system(), &place).await;
    let connection = app.database.connect().await;
    let dinner = Dinner::seated(&app).await;
    dinner.fill_cart().await;
    let _ = dinner.place().await;
    let staged = "SELECT count(*) FROM outbox_stage";
    let numbered = "SELECT count(*) FROM event_log";
    let waiting = number(&connection, staged).await;
    assert!(
        waiting > 0 && number(&connection, numbered).await == 0,
        "{waiting}"
    );

    let place = settings([("REDIS_URL", &redis.url()), ("COMANDA_ROLE", "worker")]);
    let worker = Process::start(PROGRAM, &[], &vars(&app.database.url, &place));
    until("everything is numbered", async || {
        number(&connection, staged).await == 0
    })
    .await;
    assert_eq!(number(&connection, numbered).await, waiting);
    let epoch: String = connection
        .query_one("SELECT epoch FROM event_epoch", &[])
        .await
        .unwrap()
        .get(0);
    let heads = connection
        .query("SELECT shard, pos FROM event_shard WHERE pos > 0", &[])
        .await
        .unwrap();
    assert!(!heads.is_empty());
    for head in heads {
        let (shard, pos): (i32, i64) = (head.get(0), head.get(1));
        redis.until(
            &format!("XREVRANGE comanda:ev:{{{shard}}}:{epoch} + - COUNT 1"),
            &format!("\r\n{pos}-0\r\n"),
        );
    }

    let anyone = Client::new(&worker.url);
    let _ = anyone.get("/livez").await.expect(200);
    let _ = anyone.get("/readyz").await.expect(200);
    for path in ["/v1/diner/cart", "/v1/public/branches", "/openapi.json", "/docs/"] {
        let _ = anyone.get(path).await.refused(404, "route_not_found");
    }
}

/// A leader is paused for longer than its session lives; another takes over. When it goes on it learns that it was
/// followed, and nothing that was numbered is numbered again.
#[tokio::test]
async fn a_paused_leader_writes_nothing_more() {
    let redis = RedisServer::start();
    let database = TestDatabase::seeded().await;
    let connection = database.connect().await;
    let role = |name| {
        settings([
            ("REDIS_URL", &redis.url()),
            ("COMANDA_ROLE", "worker"),
            ("COMANDA_INSTANCE", name),
        ])
    };
    let leads = async |name: &str, connection: &Connection| {
        let others = format!("SELECT count(*) FROM event_shard WHERE holder IS DISTINCT FROM '{name}'");
        until(&format!("{name} leads"), async || {
            number(connection, &others).await == 0
        })
        .await;
    };
    let first = Process::start(PROGRAM, &[], &vars(&database.url, &role("first")));
    leads("first", &connection).await;
    let second = Process::start(PROGRAM, &[], &vars(&database.url, &role("second")));
    assert_eq!(metric(&first, "comanda_sequencer_fenced_total").await, 0);

    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let writer = database.connect().await;
    let staging = tokio::spawn(async move {
        let mut staged = 0_i64;
        while !*stopped.borrow_and_update() {
            writer.batch_execute(STAGE).await.unwrap();
            staged += 1;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        staged
    });
    let numbered = "SELECT count(*) FROM event_log";
    let moves = async |what: &str| {
        let before = number(&connection, numbered).await;
        until(what, async || number(&connection, numbered).await > before + 50).await;
    };
    moves("the first leader numbers").await;
    first.signal("STOP");
    leads("second", &connection).await;
    moves("the second leader numbers").await;
    first.signal("CONT");
    until("the first has noticed", async || {
        metric(&first, "comanda_sequencer_fenced_total").await > 0
    })
    .await;
    moves("the second leader goes on").await;
    stop.send(true).unwrap();
    let staged = staging.await.unwrap();
    until("everything is numbered", async || {
        number(&connection, "SELECT count(*) FROM outbox_stage").await == 0
    })
    .await;

    leads("second", &connection).await;
    assert_eq!(metric(&second, "comanda_sequencer_fenced_total").await, 0);
    let sums = "SELECT count(*), count(DISTINCT event_id), count(DISTINCT pos), min(pos), max(pos), \
                count(DISTINCT seq), min(seq), max(seq) FROM event_log";
    let row = connection.query_one(sums, &[]).await.unwrap();
    let sums: Vec<i64> = (0..8).map(|column| row.get(column)).collect();
    assert_eq!(sums, [staged, staged, staged, 1, staged, staged, 1, staged]);
}
