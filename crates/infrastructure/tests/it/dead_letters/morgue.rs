//! A database with dead letters, a clock that the test moves, and a handler that can be told how to behave.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use comanda_domain::Timestamp;
use comanda_domain::dead_letter::{ErrorClass, Source};
use comanda_domain::ids::DeadLetterId;
use comanda_infrastructure::clock::{ManualClock, Sources};
use comanda_infrastructure::dead_letters::{
    Actor, DeadLetterProcessor, Effect, Handlers, Letter, Redrive, RedriveError, Report, Run,
};
use comanda_infrastructure::postgres::Database;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::house::{Empty, config, connect};

const TENANT: &str = "INSERT INTO tenant (tenant_id, name, default_locale, created_at) \
        VALUES ('00000000-0000-0000-0000-000000000001', 'House', 'es', now()); \
     CREATE TABLE done (source_id text PRIMARY KEY); GRANT SELECT, INSERT ON done TO comanda_relay;";

pub struct Morgue {
    pub database: Database,
    pub client: Client,
    pub clock: Arc<ManualClock>,
    pub empty: Empty,
    pub exports: PathBuf,
    pub handler: Arc<Handler>,
}

impl Morgue {
    pub async fn new() -> Self {
        let empty = Empty::new().await;
        let start = Timestamp::from_timestamp(1_795_176_000, 0).unwrap();
        let clock = Arc::new(ManualClock::new(start));
        let database = Database::open_with(&config(&empty.url, &[]), Sources::new(clock.clone()), false)
            .await
            .unwrap();
        let client = connect(&empty.url).await;
        client.batch_execute(TENANT).await.unwrap();
        let name = empty.url.rsplit('/').next().unwrap();
        let exports = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join("dead-letters")
            .join(name);
        let _ = fs::remove_dir_all(&exports);
        Self {
            database,
            client,
            clock,
            empty,
            exports,
            handler: Arc::default(),
        }
    }

    pub fn now(&self) -> Timestamp {
        self.database.relay.sources().now()
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
    }

    /// With the handler for webhooks and the archive.
    pub fn processor(&self) -> DeadLetterProcessor {
        self.processor_of(Actor::Processor)
    }

    pub fn processor_of(&self, actor: Actor) -> DeadLetterProcessor {
        let handlers = Handlers::default().with(Source::Webhook, self.handler.clone());
        DeadLetterProcessor::new(
            self.database.relay.clone(),
            handlers,
            Some(self.exports.clone()),
            actor,
        )
    }

    pub async fn run(&self) -> Report {
        self.processor().process(&Run::default()).await.unwrap()
    }

    /// A letter that has just died. Each is younger than the one before, whatever its number.
    pub async fn bury(&self, source: Source, class: ErrorClass, source_id: &str) -> DeadLetterId {
        bury(&self.client, self.now(), source, class, source_id).await
    }

    /// One column of a letter, as text.
    pub async fn column(&self, id: DeadLetterId, column: &str) -> Option<String> {
        let sql = format!("SELECT {column}::text FROM dead_letter WHERE id = $1::text::uuid");
        self.client
            .query_one(&sql, &[&id.0.to_string()])
            .await
            .unwrap()
            .get(0)
    }

    pub async fn state(&self, id: DeadLetterId) -> String {
        self.column(id, "state").await.unwrap()
    }

    pub async fn count(&self, sql: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {sql}");
        self.client.query_one(&sql, &[]).await.unwrap().get(0)
    }

    /// What the tables hold that a run could touch.
    pub async fn dump(&self) -> Vec<String> {
        let mut all = Vec::new();
        for table in [
            "dead_letter",
            "audit_stage",
            "outbox_stage",
            "done",
            "webhook_delivery",
        ] {
            let sql = format!("SELECT to_jsonb(t)::text FROM {table} t ORDER BY 1");
            let rows = self.client.query(&sql, &[]).await.unwrap();
            all.extend(
                rows.iter()
                    .map(|row| format!("{table} {}", row.get::<_, String>(0))),
            );
        }
        all
    }

    /// The lines of the archive, in the order of the files.
    pub fn exported(&self) -> Vec<Value> {
        let mut files: Vec<_> = match fs::read_dir(&self.exports) {
            Ok(files) => files.map(|file| file.unwrap().path()).collect(),
            Err(_) => return Vec::new(),
        };
        files.sort();
        let texts: Vec<String> = files
            .iter()
            .map(|file| fs::read_to_string(file).unwrap())
            .collect();
        let lines = texts.iter().flat_map(|text| text.lines());
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Morgue {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.exports);
    }
}

pub async fn bury(
    client: &Client,
    at: Timestamp,
    source: Source,
    class: ErrorClass,
    source_id: &str,
) -> DeadLetterId {
    let id: String = client
        .query_one("SELECT gen_random_uuid()::text", &[])
        .await
        .unwrap()
        .get(0);
    let at = at.to_rfc3339();
    let due = (class != ErrorClass::Unknown).then_some(&at);
    let payload = json!({ "said": source_id });
    client
        .execute(
            "INSERT INTO dead_letter (tenant_id, id, source, source_id, payload, error_class, error_code, error_text, \
                 attempts, first_failed_at, last_failed_at, next_attempt_at, created_at) \
             SELECT '00000000-0000-0000-0000-000000000001', $1::text::uuid, $2, $3, $4::text::jsonb, $5, 'test', 'it was so', 9, \
                    $6::text::timestamptz - interval '1 hour' + count(*) * interval '1 ms', \
                    $6::text::timestamptz, $7::text::timestamptz, $6::text::timestamptz FROM dead_letter",
            &[
                &id,
                &source.as_str(),
                &source_id,
                &payload.to_string(),
                &class.as_str(),
                &at,
                &due,
            ],
        )
        .await
        .unwrap();
    Uuid::parse_str(&id).unwrap().into()
}

/// What the handler does with letters whose `source_id` begins with a word.
///
/// * `fail`: a retryable error
/// * `refuse`: an unrecoverable one
/// * `panic`: panics
/// * `hang`: waits until it is released, then succeeds
/// * `spawn`: buries two more letters, then succeeds
/// * else: succeeds. What it then writes can be written once only.
#[derive(Default)]
pub struct Handler {
    pub tried: Mutex<Vec<String>>,
    pub hanging: Notify,
    pub release: Notify,
    pub url: Mutex<String>,
}

impl Handler {
    pub fn tries(&self) -> Vec<String> {
        let mut tried = self.tried.lock().unwrap().clone();
        tried.sort();
        tried
    }
}

impl Redrive for Handler {
    fn attempt<'a>(&'a self, letter: &'a Letter) -> LocalBoxFuture<'a, Result<Effect, RedriveError>> {
        async move {
            let source_id = letter.source_id.clone();
            assert_eq!(letter.payload, json!({ "said": source_id }));
            self.tried.lock().unwrap().push(source_id.clone());
            let word = source_id.trim_end_matches(|c: char| c.is_ascii_digit());
            match word {
                "fail" => {
                    return Err(RedriveError::new(
                        ErrorClass::Retryable,
                        "busy",
                        "come back later",
                    ));
                }
                "refuse" => {
                    return Err(RedriveError::new(
                        ErrorClass::Unrecoverable,
                        "gone",
                        "nobody there",
                    ));
                }
                "panic" => panic!("as the test wants it"),
                "hang" => {
                    self.hanging.notify_one();
                    self.release.notified().await;
                }
                "spawn" => {
                    let url = self.url.lock().unwrap().clone();
                    let client = connect(&url).await;
                    for child in ["a", "b"] {
                        let name = format!("child-of-{source_id}-{child}");
                        bury(
                            &client,
                            letter.last_failed_at,
                            Source::Webhook,
                            ErrorClass::Retryable,
                            &name,
                        )
                        .await;
                    }
                }
                _ => {}
            }
            let effect: Effect = Box::new(move |conn| {
                async move {
                    diesel::sql_query("INSERT INTO done VALUES ($1)")
                        .bind::<Text, _>(source_id)
                        .execute(&mut &*conn)
                        .await?;
                    Ok(())
                }
                .boxed_local()
            });
            Ok(effect)
        }
        .boxed_local()
    }
}
