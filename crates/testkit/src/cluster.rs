//! Databases for tests.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use comanda_infrastructure::clock::Sources;
use comanda_infrastructure::config::{Config, SystemFiles};
use comanda_infrastructure::demo;
use comanda_infrastructure::postgres::Database;
use comanda_infrastructure::postgres::embedded::{SharedCluster, shared_test_cluster};
use comanda_security::hash::sha256;
pub use tokio_postgres::Client as Connection;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, NoTls};

/// Settles which process builds the template; any number will do.
const BUILDER_LOCK: i64 = 7_201_115;

/// The cluster of this process, kept until it ends.
fn cluster() -> &'static SharedCluster {
    static CLUSTER: OnceLock<SharedCluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let dir = workspace().join("target/tmp/comanda-test-postgres");
        shared_test_cluster(&dir, None).expect("a throw-away PostgreSQL starts")
    })
}

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the workspace is there")
}

/// A database of its own for one test; gone when dropped.
#[derive(Debug)]
pub struct TestDatabase {
    /// How to reach it, as superuser.
    pub url: String,
    name: String,
}

impl TestDatabase {
    /// A copy of the template: schema and demo restaurants.
    pub async fn seeded() -> Self {
        let template = template().await;
        Self::create(&format!("TEMPLATE {template}")).await
    }

    /// An empty database.
    pub async fn empty() -> Self {
        Self::create("TEMPLATE template0").await
    }

    async fn create(from: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "t_{}_{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let admin = connect("postgres").await;
        admin
            .batch_execute(&format!("DROP DATABASE IF EXISTS {name}"))
            .await
            .expect("an old namesake goes");
        admin
            .batch_execute(&format!("CREATE DATABASE {name} {from}"))
            .await
            .expect("a database is made");
        Self {
            url: cluster().url(&name),
            name,
        }
    }

    /// How to reach it through a [`proxy`](crate::proxy) on this port.
    pub fn url_through(&self, port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/{}", self.name)
    }

    /// The socket of its cluster.
    pub fn socket() -> PathBuf {
        let config: tokio_postgres::Config = cluster().url("postgres").parse().expect("an address");
        match config.get_hosts() {
            [Host::Unix(folder)] => folder.join(".s.PGSQL.5432"),
            other => panic!("not a socket: {other:?}"),
        }
    }

    /// A superuser's connection, which row level security does not bind.
    pub async fn connect(&self) -> Client {
        connect(&self.name).await
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let name = self.name.clone();
        // The test's own runtime may be ending: drop it from a thread with its own.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let admin = connect("postgres").await;
                // What stays is dropped by the next run that builds a template.
                let _ = admin
                    .batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                    .await;
            });
        });
        let _ = dropping.join();
    }
}

async fn connect(database: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(&cluster().url(database), NoTls)
        .await
        .expect("the cluster answers");
    tokio::spawn(connection);
    client
}

/// The name of the template, built by the first process that needs it.
async fn template() -> String {
    let name = format!("template_{}", fingerprint());
    let admin = connect("postgres").await;
    if exists(&admin, &name).await {
        return name;
    }
    admin
        .execute("SELECT pg_advisory_lock($1)", &[&BUILDER_LOCK])
        .await
        .unwrap();
    if !exists(&admin, &name).await {
        clean(&admin).await;
        let building = format!("building_{name}");
        admin
            .batch_execute(&format!("DROP DATABASE IF EXISTS {building} WITH (FORCE)"))
            .await
            .unwrap();
        admin
            .batch_execute(&format!("CREATE DATABASE {building} TEMPLATE template0"))
            .await
            .unwrap();
        build(&cluster().url(&building)).await;
        admin
            .batch_execute(&format!("ALTER DATABASE {building} RENAME TO {name}"))
            .await
            .expect("nobody is connected to the new template");
    }
    admin
        .execute("SELECT pg_advisory_unlock($1)", &[&BUILDER_LOCK])
        .await
        .unwrap();
    name
}

async fn exists(admin: &Client, name: &str) -> bool {
    !admin
        .query("SELECT 1 FROM pg_database WHERE datname = $1", &[&name])
        .await
        .unwrap()
        .is_empty()
}

/// Drops what killed tests and older templates left behind.
async fn clean(admin: &Client) {
    let rows = admin
        .query("SELECT datname FROM pg_database WHERE datname LIKE 't\\_%' OR datname LIKE 'template\\_%\\_%' OR datname ~ '^template_[0-9a-f]{16}$'", &[])
        .await
        .unwrap();
    for row in rows {
        let name: String = row.get(0);
        let owner = name.strip_prefix("t_").and_then(|rest| rest.split('_').next());
        if owner.is_some_and(|pid| Path::new("/proc").join(pid).exists()) {
            continue;
        }
        let _ = admin
            .batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            .await;
    }
}

async fn build(url: &str) {
    let config = config(url, &BTreeMap::new());
    let database = Database::open_with(&config, Sources::system(), true)
        .await
        .expect("the schema is laid");
    demo::seed(&database.db, &config, false)
        .await
        .expect("the demo restaurants are loaded");
    database.close().await.expect("the connections close");
    // Connections close in the background; the rename needs them gone.
    let admin = connect("postgres").await;
    for _ in 0..200 {
        let busy = admin
            .query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'building%'",
                &[],
            )
            .await
            .unwrap();
        if busy.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// A configuration for tests: fixed keys, cheap passwords, port 0.
pub fn config(url: &str, extra: &BTreeMap<String, String>) -> Config {
    Config::from_vars(&vars(url, extra), &SystemFiles).expect("the test configuration is valid")
}

/// The variables of [`config`], for tests that start the binary.
pub fn vars(url: &str, extra: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    // 32 bytes each; they protect nothing but tests.
    let key = |letter: usize| {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let body: String = (0..42)
            .map(|n| char::from(ALPHABET[(n * 7 + letter * 11) % 64]))
            .collect();
        format!("{body}A=")
    };
    let mut vars: BTreeMap<String, String> = [
        ("COMANDA_ENV", "test".to_owned()),
        ("COMANDA_BIND", "127.0.0.1:0".to_owned()),
        ("COMANDA_OPS_BIND", "127.0.0.1:0".to_owned()),
        ("COMANDA_PUBLIC_URL", "http://localhost:8080".to_owned()),
        ("COMANDA_HTTP_WORKERS", "2".to_owned()),
        (
            "COMANDA_DATA_DIR",
            workspace()
                .join("target/tmp/comanda-test-data")
                .display()
                .to_string(),
        ),
        ("DATABASE_URL", url.to_owned()),
        ("COMANDA_DATABASE_POOL", "12".to_owned()),
        ("COMANDA_DATABASE_POOL_TIMEOUT", "20s".to_owned()),
        ("COMANDA_TOKEN_KEYS", format!("t1:{}", key(1))),
        ("COMANDA_MASTER_KEYS", format!("m1:{}", key(2))),
        ("COMANDA_TABLE_CODE_KEYS", format!("1:{}", key(3))),
        ("COMANDA_API_KEY_PEPPERS", format!("p1:{}", key(4))),
        ("COMANDA_ARGON2_MEMORY_KIB", "64".to_owned()),
        ("COMANDA_ARGON2_PASSES", "1".to_owned()),
        ("COMANDA_DRAIN_DELAY", "0ms".to_owned()),
        ("COMANDA_LOG", "warn".to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    vars.extend(extra.clone());
    vars
}

/// What the template is made from: the migrations and the demo data. Another content, another template.
fn fingerprint() -> String {
    let root = workspace();
    let mut parts = Vec::new();
    for folder in ["migrations", "crates/infrastructure/src/demo"] {
        collect(&root.join(folder), &mut parts);
    }
    parts.sort();
    let digest = sha256(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
    digest.iter().take(8).fold(String::new(), |mut hex, byte| {
        // Writing into a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn collect(folder: &Path, parts: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, parts);
        } else {
            let mut part = path.display().to_string().into_bytes();
            part.extend(std::fs::read(&path).unwrap());
            parts.push(part);
        }
    }
}
