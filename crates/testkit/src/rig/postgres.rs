//! A PostgreSQL that can be killed and comes back.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use comanda_infrastructure::clock::Sources;
use comanda_infrastructure::demo;
use comanda_infrastructure::postgres::Database;
use comanda_infrastructure::postgres::embedded::{EmbeddedOptions, EmbeddedPostgres};
use tokio_postgres::{Client, Error, NoTls};

use super::place::{children_of, end};
use crate::cluster::config;

/// What it runs with. Durable in the eyes of a killed process, though not of a machine that loses power: that is
/// quick, and it is what is tested.
const SETTINGS: [&str; 3] = [
    "ALTER SYSTEM SET fsync = off",
    "ALTER SYSTEM SET max_connections = 300",
    "ALTER SYSTEM SET autovacuum = off",
];

/// Transactions commit up to 20 ms after their events were staged, for each of them: many overtake each other between
/// the two, as they do now and then in real life.
const DAWDLE: &str = "
    CREATE FUNCTION rig_dawdle() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(random() * 0.02); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER rig_dawdle AFTER INSERT ON outbox_stage DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION rig_dawdle()";

/// A cluster of the run's own.
#[derive(Debug)]
pub struct Postgres {
    options: EmbeddedOptions,
    running: Option<EmbeddedPostgres>,
}

impl Postgres {
    /// Made and started. Blocks.
    pub fn start(data: &Path) -> Self {
        let options = EmbeddedOptions {
            data_dir: data.to_owned(),
            bin_dir: None,
            durable: true,
        };
        let mut postgres = Self {
            options,
            running: None,
        };
        postgres.run();
        postgres
    }

    /// Runs it again; at once if it runs. Blocks.
    pub fn run(&mut self) {
        // The old one's lock goes first.
        self.running = None;
        self.running = Some(EmbeddedPostgres::start(&self.options).expect("PostgreSQL starts"));
    }

    /// The address of a database.
    pub fn url(&self, database: &str) -> String {
        self.running.as_ref().expect("it was started").url(database)
    }

    /// `kill -9` of the server, then of all its sessions. Blocks until all are gone; says whether they died of it.
    pub fn kill(&mut self) -> bool {
        let file = self.options.data_dir.join("postgres/pgdata/postmaster.pid");
        let text = fs::read_to_string(file).unwrap_or_default();
        let Some(server) = text.lines().next().and_then(|line| line.trim().parse().ok()) else {
            return false;
        };
        let sessions = children_of(server);
        let killed = end(server);
        for session in sessions {
            end(session);
        }
        killed
    }
}

/// A database with the demo restaurants, on settings that took effect.
pub async fn prepare(url: &str, postgres: &str, data: &Path) {
    let admin = connect(postgres).await.expect("PostgreSQL answers");
    for setting in SETTINGS {
        admin.batch_execute(setting).await.expect("a superuser may");
    }
    admin
        .batch_execute("CREATE DATABASE rig TEMPLATE template0")
        .await
        .expect("a database is made");
    let extra = BTreeMap::from([("COMANDA_DATA_DIR".to_owned(), data.display().to_string())]);
    let config = config(url, &extra);
    let database = Database::open_with(&config, Sources::system(), true)
        .await
        .expect("the schema is laid");
    demo::seed(&database.db, &config, false)
        .await
        .expect("the demo restaurants are loaded");
    database.close().await.expect("the connections close");
    let owner = connect(url).await.expect("PostgreSQL answers");
    owner.batch_execute(DAWDLE).await.expect("a superuser may");
}

/// A superuser's connection.
pub async fn connect(url: &str) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
