//! One process: what the binary starts and the tests start on free ports.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use comanda_infrastructure::breaker::CircuitBreaker;
use comanda_infrastructure::clock::Sources;
use comanda_infrastructure::config::Config;
use comanda_infrastructure::db::DbError;
use comanda_infrastructure::dead_letters::{Actor, DeadLetterProcessor};
use comanda_infrastructure::events::workers::{WorkerParts, Workers};
use comanda_infrastructure::events::{bus, carry};
use comanda_infrastructure::gateway::{Door, Gateway};
use comanda_infrastructure::postgres::{Claim, ClaimError, Company, Database, OpenError};
use comanda_infrastructure::redis::{Redis, RedisError};
use comanda_infrastructure::services::Services;
use comanda_infrastructure::webhooks::worker::WebhookWorker;
use comanda_infrastructure::{demo, telemetry};

use tokio::task::JoinHandle;

use crate::app::{Application, ServerOptions, Stopper};
use crate::ops::Operations;
use crate::routes::Serving;
use crate::state::State;

/// What is done once before serving.
#[derive(Debug, Clone, Copy, Default)]
pub struct Preparations {
    /// Load the demo restaurants.
    pub demo: bool,
    /// Apply pending migrations whatever the environment.
    pub migrate: bool,
}

/// Why a process does not start or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// Redis can never be reached.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// The database.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// Another process is there.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// Passwords cannot be hashed as they are set to be.
    #[error(transparent)]
    Passwords(#[from] comanda_infrastructure::services::PasswordError),
    /// The log of events.
    #[error(transparent)]
    Log(#[from] DbError),
    /// The demo restaurants cannot be loaded.
    #[error(transparent)]
    Demo(#[from] demo::SeedError),
    /// A listener.
    #[error("cannot listen: {0}")]
    Listen(#[from] std::io::Error),
}

/// A process that has its addresses and waits to be run.
pub struct Process {
    application: Application,
    operations: Operations,
    database: Database,
    gateway: Gateway,
    workers: Option<Workers>,
    /// Lets the bell ring in other processes.
    carrying: Option<JoinHandle<()>>,
    /// Held until everything else has ended.
    claim: Claim,
}

impl Process {
    /// Opens the database, starts the work of its roles and binds its listeners. On a thread with a local set.
    ///
    /// # Errors
    /// [`ProcessError`] says what to do.
    pub async fn start(
        config: &Config,
        sources: Sources,
        prepare: Preparations,
    ) -> Result<Self, ProcessError> {
        // Installed before anything counts.
        let metrics = telemetry::metrics();
        let database = Database::open_with(config, sources, prepare.migrate).await?;
        let company = match &config.redis {
            Some(_) => Company::AmongOthers,
            None => Company::Alone,
        };
        let claim = Claim::make(&database.relay, company).await?;
        let mut services = Services::new(&database.db, config)?;
        if let Some(redis) = &config.redis {
            let breaker = CircuitBreaker::new("redis_limits", config.breaker, database.db.sources().clone());
            services.api_keys = services.api_keys.remembering_in(Redis::new(redis)?, breaker);
        }
        if prepare.demo {
            demo::seed(&database.db, config, false).await?;
        }
        // One for everything in the process: who listens hears what its workers publish.
        let bus = bus::open(config, database.db.sources())?;
        let listens = config.roles.api || config.roles.gateway;
        let gateway = Gateway::start(
            &database.db,
            &database.relay,
            listens.then(|| Arc::clone(&bus)),
            services.api_keys.clone(),
            &config.public_url,
        )
        .await?;
        let state = State {
            services: services.clone(),
            keys: config.keys.clone(),
            public_url: config.public_url.clone(),
            draining: Arc::new(AtomicBool::new(false)),
            events: gateway.events.clone(),
            door: Door::new(config.sockets.connections, config.sockets.queue),
        };
        let options = ServerOptions {
            bind: config.bind,
            workers: config.http_workers,
            drain_timeout: config.drain_timeout,
            serving: Serving {
                api: config.roles.api,
                gateway: config.roles.gateway,
            },
        };
        let operations = Operations::build(config.ops_bind, state.readiness(), metrics)?;
        let application = Application::build(&options, state)?;
        let carrying = config
            .redis
            .is_some()
            .then(|| actix_web::rt::spawn(carry(database.db.bell().clone(), Arc::clone(&bus))));
        let workers = if config.roles.worker {
            Some(Workers::start(WorkerParts {
                relay: database.relay.clone(),
                bell: database.db.bell().clone(),
                bus: Arc::clone(&bus),
                dead_letters: DeadLetterProcessor::assemble(
                    &database.relay,
                    database.db.bell(),
                    config,
                    Actor::Processor,
                ),
                webhooks: WebhookWorker::assemble(&database.relay, database.db.bell(), config),
                services,
                batch: config.events.batch,
                retention: config.events.retention,
            })?)
        } else {
            None
        };
        Ok(Self {
            application,
            operations,
            database,
            gateway,
            workers,
            carrying,
            claim,
        })
    }

    /// Where the public reaches it.
    pub fn address(&self) -> SocketAddr {
        self.application.address()
    }

    /// Where probes and metrics are.
    pub fn operations_address(&self) -> SocketAddr {
        self.operations.address()
    }

    /// A handle that stops it.
    pub fn stopper(&self) -> Stopper {
        self.application.stopper()
    }

    /// Serves until it is stopped, then ends everything in order.
    ///
    /// # Errors
    /// [`ProcessError`].
    pub async fn run(self) -> Result<(), ProcessError> {
        let operations = self.operations.stopper();
        let watching = actix_web::rt::spawn(self.operations.run());
        let outcome = self.application.run().await;
        self.gateway.stop().await;
        if let Some(workers) = self.workers {
            workers.stop().await;
        }
        if let Some(carrying) = self.carrying {
            carrying.abort();
        }
        drop(self.claim);
        self.database.close().await?;
        operations.stop(false).await;
        // It has been stopped; how it ended does not matter any more.
        let _ = watching.await;
        outcome.map_err(Into::into)
    }
}
