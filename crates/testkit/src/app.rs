//! A whole server on a free port.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;

use comanda_api::app::{Application, ServerOptions, Stopper};
use comanda_api::state::State;
use comanda_infrastructure::clock::{Clock, Sources};
use comanda_infrastructure::postgres::Database;
use comanda_infrastructure::services::Services;

use crate::client::Client;
use crate::cluster::{TestDatabase, config};

/// A server with the demo restaurants, its database, and people to use it.
pub struct TestApp {
    /// `http://127.0.0.1:port`
    pub url: String,
    /// Its database.
    pub database: TestDatabase,
    stopper: Stopper,
    thread: Option<JoinHandle<()>>,
}

impl TestApp {
    /// On the machine's clock.
    pub async fn start() -> Self {
        Self::with(Sources::system(), &BTreeMap::new()).await
    }

    /// On the given clock.
    pub async fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self::with(Sources::new(clock), &BTreeMap::new()).await
    }

    /// On the given clock, with settings that differ from the usual ones.
    pub async fn with(sources: Sources, extra: &BTreeMap<String, String>) -> Self {
        Self::on(TestDatabase::seeded().await, sources, extra)
    }

    /// On a database that is there already.
    pub fn on(database: TestDatabase, sources: Sources, extra: &BTreeMap<String, String>) -> Self {
        let url = extra
            .get("DATABASE_URL")
            .cloned()
            .unwrap_or_else(|| database.url.clone());
        let config = config(&url, extra);
        let (started, starting) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            comanda_api::app::block_on(async move {
                let database = Database::open_with(&config, sources, false)
                    .await
                    .expect("the database opens");
                let services = Services::new(&database.db, &config).expect("the services start");
                let state = State {
                    services,
                    keys: config.keys.clone(),
                    public_url: config.public_url.clone(),
                    draining: Arc::new(AtomicBool::new(false)),
                };
                let options = ServerOptions {
                    bind: SocketAddr::from(([127, 0, 0, 1], 0)),
                    workers: config.http_workers,
                    drain_timeout: config.drain_timeout,
                };
                let application = Application::build(&options, state).expect("a port is free");
                started
                    .send((application.address(), application.stopper()))
                    .expect("the test waits");
                application.run().await.expect("the server ends well");
                database.close().await.expect("the connections close");
            });
        });
        let (address, stopper) = starting.recv().expect("the server starts");
        Self {
            url: format!("http://{address}"),
            database,
            stopper,
            thread: Some(thread),
        }
    }

    /// Somebody without credentials.
    pub fn anyone(&self) -> Client {
        Client::new(&self.url)
    }

    /// A member of Buen Sabor's staff, by the part of the e-mail before the `@`.
    pub async fn staff(&self, name: &str) -> Client {
        let password = match name {
            "olga" => "comanda-demo-owner",
            "marta" => "comanda-demo-manager",
            "leo" | "sol" => "comanda-demo-waiter",
            "nora" | "teo" => "comanda-demo-kitchen",
            "caro" => "comanda-demo-mixed",
            other => panic!("nobody is called {other}"),
        };
        self.login("buen-sabor", &format!("{name}@buensabor.demo"), password)
            .await
    }

    /// The owner of the other tenant.
    pub async fn stranger(&self) -> Client {
        self.login("la-otra-mesa", "ana@laotramesa.demo", "comanda-demo-otra")
            .await
    }

    async fn login(&self, tenant: &str, email: &str, password: &str) -> Client {
        let anyone = self.anyone();
        let body = serde_json::json!({ "tenant": tenant, "email": email, "password": password });
        let answer = anyone.post("/v1/auth/login", &body).await.expect(200);
        anyone.with_token(answer.text("/access_token"))
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        let stopper = self.stopper.clone();
        let stopping =
            std::thread::spawn(move || comanda_api::app::block_on(async move { stopper.stop_now().await }));
        let _ = stopping.join();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
