//! All that runs: PostgreSQL, Redis, and two processes of each role.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::history::Notes;
use super::place::Place;
use super::postgres::{self, Postgres};
use super::server::{Recipe, Slot};
use crate::cluster::vars;
use crate::redis::RedisServer;

/// The fleet.
#[derive(Debug)]
pub struct Fleet {
    /// Two of role `api`.
    pub api: [Slot; 2],
    /// Two of role `gateway`.
    pub gateway: [Slot; 2],
    /// Two of role `worker`.
    pub worker: [Slot; 2],
    /// Accidents of the processes.
    pub accidents: Arc<Notes<String>>,
    /// The address of the database.
    pub database: String,
    postgres: Mutex<Postgres>,
    redis: Mutex<RedisServer>,
}

impl Fleet {
    /// Starts everything, the servers with a defect if one is named; all of it listens when this returns.
    pub async fn start(place: &Place, program: &Path, plant: Option<&str>) -> Arc<Self> {
        let data = place.data();
        let made = data.clone();
        let cluster = tokio::task::spawn_blocking(move || Postgres::start(&made));
        let mut cluster = cluster.await.expect("PostgreSQL starts");
        let database = cluster.url("rig");
        postgres::prepare(&database, &cluster.url("postgres"), &data).await;
        // Restarted for its settings.
        let cluster = tokio::task::spawn_blocking(move || {
            cluster.run();
            (cluster, RedisServer::start())
        });
        let (postgres, redis) = cluster.await.expect("PostgreSQL and Redis start");
        let accidents = Arc::<Notes<String>>::default();
        let slot = |role: &str, nth: usize| {
            let name = format!("{role}-{nth}");
            let mut vars = settings(&database, &redis.url(), role, &name, &data);
            vars.extend(plant.map(|plant| ("COMANDA_FAILPOINT".to_owned(), plant.to_owned())));
            let recipe = Recipe {
                name,
                program: program.to_owned(),
                vars,
                folder: place.folder.clone(),
            };
            Slot::run(recipe, Arc::clone(&accidents))
        };
        let pair = |role: &str| [slot(role, 0), slot(role, 1)];
        let fleet = Self {
            worker: pair("worker"),
            api: pair("api"),
            gateway: pair("gateway"),
            accidents: Arc::clone(&accidents),
            database: database.clone(),
            postgres: Mutex::new(postgres),
            redis: Mutex::new(redis),
        };
        fleet.healed().await.expect("everything starts");
        Arc::new(fleet)
    }

    /// Waits until all of it listens.
    pub async fn healed(&self) -> Result<(), String> {
        for slot in self.api.iter().chain(&self.gateway).chain(&self.worker) {
            slot.up().await?;
        }
        Ok(())
    }

    /// The worker that numbers the events.
    pub async fn leader(&self) -> Result<&Slot, String> {
        let asked = async {
            let client = postgres::connect(&self.database).await?;
            let most = "SELECT holder FROM event_shard WHERE holder IS NOT NULL \
                         GROUP BY holder ORDER BY count(*) DESC, holder LIMIT 1";
            client.query_opt(most, &[]).await
        };
        let row = asked.await.map_err(|error| error.to_string())?;
        let holder: String = row.ok_or("nobody leads")?.get(0);
        let found = self.worker.iter().find(|slot| slot.name == holder);
        found.ok_or_else(|| format!("a stranger leads: {holder}"))
    }

    /// Does something with Redis that blocks. A panic is its failure.
    pub async fn with_redis<R: Send + 'static>(
        self: &Arc<Self>,
        act: impl FnOnce(&mut RedisServer) -> R + Send + 'static,
    ) -> Result<R, String> {
        let fleet = Arc::clone(self);
        let acting = tokio::task::spawn_blocking(move || {
            act(&mut fleet.redis.lock().unwrap_or_else(PoisonError::into_inner))
        });
        acting.await.map_err(|error| format!("Redis: {error}"))
    }

    /// Kills PostgreSQL and starts it again; says whether it died.
    pub async fn kill_postgres(self: &Arc<Self>) -> Result<bool, String> {
        let fleet = Arc::clone(self);
        let acting = tokio::task::spawn_blocking(move || {
            let mut postgres = fleet.postgres.lock().unwrap_or_else(PoisonError::into_inner);
            let died = postgres.kill();
            postgres.run();
            died
        });
        acting.await.map_err(|error| format!("PostgreSQL: {error}"))
    }
}

fn settings(database: &str, redis: &str, role: &str, name: &str, data: &Path) -> BTreeMap<String, String> {
    let extra = [
        ("REDIS_URL", redis.to_owned()),
        ("COMANDA_ROLE", role.to_owned()),
        ("COMANDA_INSTANCE", name.to_owned()),
        ("COMANDA_DATA_DIR", data.display().to_string()),
        ("COMANDA_DATABASE_POOL", "8".to_owned()),
        ("COMANDA_DATABASE_POOL_TIMEOUT", "2s".to_owned()),
        ("COMANDA_LOG", "info".to_owned()),
        ("COMANDA_LOG_FORMAT", "json".to_owned()),
    ];
    let extra = extra.map(|(name, value)| (name.to_owned(), value));
    vars(database, &BTreeMap::from(extra))
}
