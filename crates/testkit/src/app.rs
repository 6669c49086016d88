//! A whole server on a free port.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;

use comanda_api::app::Stopper;
use comanda_api::process::{Preparations, Process};
use comanda_infrastructure::clock::{Clock, Sources};
use comanda_security::policy::Scope;

use crate::client::Client;
use crate::cluster::{TestDatabase, config, vars};
use crate::redis::RedisServer;

/// A server with the demo restaurants, its database, and people to use it.
pub struct TestApp {
    /// `http://127.0.0.1:port`
    pub url: String,
    /// Its operations listener.
    pub operations: String,
    /// Its database.
    pub database: TestDatabase,
    /// Where it meets other processes, if it does.
    pub redis: Option<RedisServer>,
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

    /// With a Redis of its own, so that other processes may run on its database.
    pub async fn among_others() -> Self {
        Self::among_others_with(Sources::system(), &BTreeMap::new()).await
    }

    /// The same, on the given clock, with settings that differ from the usual ones.
    pub async fn among_others_with(sources: Sources, extra: &BTreeMap<String, String>) -> Self {
        let redis = RedisServer::start();
        let mut extra = extra.clone();
        extra.insert("REDIS_URL".to_owned(), redis.url());
        let mut app = Self::with(sources, &extra).await;
        app.redis = Some(redis);
        app
    }

    /// The variables of another process on its database and Redis.
    pub fn vars_of_another(&self, extra: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut extra = extra.clone();
        if let Some(redis) = &self.redis {
            extra.insert("REDIS_URL".to_owned(), redis.url());
        }
        vars(&self.database.url, &extra)
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
                let process = Process::start(&config, sources, Preparations::default())
                    .await
                    .expect("the process starts");
                let addresses = (process.address(), process.operations_address());
                started
                    .send((addresses, process.stopper()))
                    .expect("the test waits");
                process.run().await.expect("the process ends well");
            });
        });
        let ((address, operations), stopper) = starting.recv().expect("the server starts");
        Self {
            url: format!("http://{address}"),
            operations: format!("http://{operations}"),
            database,
            redis: None,
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

    /// An integration with a key of the owner's first branch and these scopes.
    pub async fn key(&self, owner: &Client, scopes: &[Scope]) -> Client {
        let branches = owner.get("/v1/admin/branches").await.expect(200);
        self.key_in(owner, scopes, &[branches.text("/data/0/id")]).await
    }

    /// An integration with a key of these branches and scopes.
    pub async fn key_in(&self, owner: &Client, scopes: &[Scope], branches: &[&str]) -> Client {
        let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
        let body = serde_json::json!({ "name": "Till", "scopes": scopes, "branch_ids": branches });
        let made = owner.post("/v1/admin/api-keys", &body).await.expect(201);
        self.anyone().with_token(made.text("/secret"))
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
