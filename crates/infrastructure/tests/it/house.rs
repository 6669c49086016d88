//! A database of its own with one small restaurant, on a clock that the test moves.

use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use chrono::{TimeDelta, Utc};
use comanda_domain::Timestamp;
use comanda_domain::ids::{BranchId, TableId, TenantId};
use comanda_infrastructure::clock::{ManualClock, Sources};
use comanda_infrastructure::config::{Config, SystemFiles, Vars};
use comanda_infrastructure::postgres::Database;
use comanda_infrastructure::postgres::embedded::{SharedCluster, shared_test_cluster};
use comanda_infrastructure::services::{Keys, Services};
use comanda_security::SystemEntropy;
use comanda_security::password::{PasswordHasher, PasswordParams};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

pub const PASSWORD: &str = "demo house password";

fn cluster() -> &'static SharedCluster {
    static CLUSTER: OnceLock<SharedCluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("comanda-infrastructure-postgres");
        shared_test_cluster(&dir, None).unwrap()
    })
}

pub async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// An empty database, dropped with this.
pub struct Empty {
    pub url: String,
    name: String,
}

impl Empty {
    pub async fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "it_{}_{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let admin = connect(&cluster().url("postgres")).await;
        admin
            .batch_execute(&format!("DROP DATABASE IF EXISTS {name}"))
            .await
            .unwrap();
        admin
            .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0"))
            .await
            .unwrap();
        Self {
            url: cluster().url(&name),
            name,
        }
    }

    /// The address for another login.
    pub fn url_of(&self, login: &str) -> String {
        self.url.replacen("postgres@", &format!("{login}@"), 1)
    }
}

impl Drop for Empty {
    fn drop(&mut self) {
        let name = self.name.clone();
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let admin = connect(&cluster().url("postgres")).await;
                let _ = admin
                    .batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                    .await;
            });
        });
        let _ = dropping.join();
    }
}

/// Settings for tests over a database.
pub fn config(url: &str, more: &[(&str, &str)]) -> Config {
    let given = [
        ("COMANDA_ENV", "test"),
        ("DATABASE_URL", url),
        (
            "COMANDA_DATA_DIR",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/comanda-infrastructure-data"),
        ),
        ("COMANDA_ARGON2_MEMORY_KIB", "64"),
        ("COMANDA_ARGON2_PASSES", "1"),
        ("COMANDA_EVENT_SHARDS", "4"),
    ];
    let vars: Vars = given
        .iter()
        .chain(more)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Config::from_vars(&vars, &SystemFiles).unwrap()
}

/// One restaurant with two branches, two tables and four people.
pub struct House {
    pub services: Services,
    pub keys: Keys,
    pub client: Client,
    pub tenant: TenantId,
    pub branch: BranchId,
    pub other_branch: BranchId,
    pub table: TableId,
    clock: Arc<ManualClock>,
    pub empty: Empty,
}

impl House {
    pub async fn new() -> Self {
        let empty = Empty::new().await;
        let config = config(&empty.url, &[]);
        let start = Timestamp::from_timestamp(1_795_176_000, 0).unwrap();
        let clock = Arc::new(ManualClock::new(start));
        let database = Database::open_with(&config, Sources::new(clock.clone()), false)
            .await
            .unwrap();
        let services = Services::new(&database.db, &config).unwrap();
        let client = connect(&empty.url).await;
        let [tenant, branch, other_branch, table] = [1, 2, 3, 4].map(Uuid::from_u128);
        client.batch_execute(&rows(start)).await.unwrap();
        Self {
            services,
            keys: config.keys,
            client,
            tenant: tenant.into(),
            branch: branch.into(),
            other_branch: other_branch.into(),
            table: table.into(),
            clock,
            empty,
        }
    }

    /// Lets time pass.
    pub fn pass(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
    }

    /// One number from the database, which row level security does not bind here.
    pub async fn count(&self, sql: &str) -> i64 {
        self.client
            .query_one(&format!("SELECT count(*) FROM {sql}"), &[])
            .await
            .unwrap()
            .get(0)
    }
}

fn rows(at: Timestamp) -> String {
    let hasher = PasswordHasher::new(
        PasswordParams {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        },
        &SystemEntropy::new(),
    )
    .unwrap();
    let verifier = hasher.hash(PASSWORD, &SystemEntropy::new()).unwrap();
    let id = |bits: u128| format!("'{}'", Uuid::from_u128(bits));
    let at = format!("'{}'", at.with_timezone(&Utc).to_rfc3339());
    let t = id(1);
    let mut sql = format!(
        "INSERT INTO tenant (tenant_id, name, default_locale, created_at) VALUES ({t}, 'House', 'es', {at});
         INSERT INTO tenant_directory (slug, tenant_id, created_at) VALUES ('house', {t}, {at});"
    );
    for (branch, slug) in [(2, "first"), (3, "second")] {
        let _ = write!(
            sql,
            "INSERT INTO branch (tenant_id, id, name, slug, currency, locale, timezone, created_at)
             VALUES ({t}, {}, 'Branch {slug}', '{slug}', 'ARS', 'es', 'America/Argentina/Mendoza', {at});",
            id(branch)
        );
    }
    let _ = write!(
        sql,
        "INSERT INTO sector (tenant_id, id, branch_id, name, prefix, display_order, created_at)
         VALUES ({t}, {s}, {b}, 'Room', 'SAL', 1, {at});
         INSERT INTO restaurant_table (tenant_id, id, branch_id, sector_id, code, capacity, created_at)
         VALUES ({t}, {}, {b}, {s}, 'SAL-01', 4, {at}), ({t}, {}, {b}, {s}, 'SAL-02', 2, {at});",
        id(4),
        id(5),
        s = id(6),
        b = id(2),
    );
    for (user, name, owner) in [
        (11, "owner", true),
        (12, "manager", false),
        (13, "waiter", false),
        (14, "nobody", false),
    ] {
        let _ = write!(
            sql,
            "INSERT INTO app_user (tenant_id, id, email, name, password_verifier, is_owner, created_at)
             VALUES ({t}, {}, '{name}@house.demo', '{name}', '{verifier}', {owner}, {at});",
            id(user)
        );
    }
    for (grant, user, role) in [(21, 12, "manager"), (22, 13, "waiter")] {
        let _ = write!(
            sql,
            "INSERT INTO staff_grant (tenant_id, id, branch_id, user_id, role, created_at)
             VALUES ({t}, {}, {}, {}, '{role}', {at});",
            id(grant),
            id(2),
            id(user)
        );
    }
    sql
}
