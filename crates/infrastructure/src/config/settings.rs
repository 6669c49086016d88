//! The one table of settings.

/// What a setting is when nobody says anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultValue {
    /// This text, as if it had been set.
    Text(&'static str),
    /// Something that depends on the machine, in words.
    Described(&'static str),
    /// Nothing.
    None,
}

/// A setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The variable; `…_FILE` names a file with its value.
    pub name: &'static str,
    /// Without it.
    pub default: DefaultValue,
    /// What it is for.
    pub meaning: &'static str,
    /// Never shown.
    pub secret: bool,
}

macro_rules! settings {
    ($($id:ident = $name:literal, $default:expr, $meaning:literal $(, $secret:ident)?;)*) => {
        $(pub(super) const $id: Setting = Setting {
            name: $name,
            default: $default,
            meaning: $meaning,
            secret: { let marks: &[&str] = &[$(stringify!($secret))?]; !marks.is_empty() },
        };)*

        /// Every setting, in the order of the documentation.
        pub const SETTINGS: &[Setting] = &[$($id),*];
    };
}

use DefaultValue::{Described, None, Text};

settings! {
    ENV = "COMANDA_ENV", Described("`development` while `DATABASE_URL` is unset too"),
        "`development`, `test`, `staging` or `production`; any other value refuses to start. Webhooks may go to plain \
         http on this machine in development and test only";
    ROLE = "COMANDA_ROLE", Text("all"),
        "what this process does: `api` (HTTP), `gateway` (sockets), `worker` (numbering, publishing, webhooks, dead \
         letters, expiry of payments), several with commas, or `all`. Every process answers probes. Less than all takes `REDIS_URL`";
    BIND = "COMANDA_BIND", Text("127.0.0.1:8080"), "where HTTP listens: address and port";
    OPS_BIND = "COMANDA_OPS_BIND", Text("127.0.0.1:9464"),
        "where probes and metrics listen, away from the public: address and port";
    PUBLIC_URL = "COMANDA_PUBLIC_URL", Text("http://localhost:8080"),
        "how clients reach the service; in links, printed codes and as issuer of tokens. Must be https in staging and production";
    DATA_DIR = "COMANDA_DATA_DIR", Described("`$XDG_DATA_HOME/comanda`; `/var/lib/comanda` for root"),
        "embedded cluster and generated secrets";
    HTTP_WORKERS = "COMANDA_HTTP_WORKERS", Described("cores"), "threads that serve HTTP, 1 to 1024";
    WS_MAX_CONNECTIONS = "COMANDA_WS_MAX_CONNECTIONS", Text("18000"), "sockets and event streams of this process";
    WS_QUEUE_BYTES = "COMANDA_WS_QUEUE_BYTES", Text("262144"),
        "bytes that may wait for one of them before it is closed as too slow, 65536 to 67108864";
    WS_QUEUE_AGE = "COMANDA_WS_QUEUE_AGE", Text("5s"), "how long the oldest of them may wait, 1s to 60s";
    INSTANCE = "COMANDA_INSTANCE", Described("host name and process id"),
        "name of the process in the log and at the database";
    DRAIN_DELAY = "COMANDA_DRAIN_DELAY", Text("2s"),
        "how long a process that was told to stop still accepts requests, so that balancers notice";
    DRAIN_TIMEOUT = "COMANDA_DRAIN_TIMEOUT", Text("10s"), "how long requests in flight then have";
    DATABASE_URL = "DATABASE_URL", Described("the embedded cluster"),
        "login of the application, `postgres://…`. Required in staging and production", secret;
    DATABASE_RELAY_URL = "COMANDA_DATABASE_RELAY_URL", Described("`DATABASE_URL`"),
        "login that moves events and claims work of all tenants; must bypass transaction poolers. Required, and \
         another login, in staging and production", secret;
    DATABASE_MIGRATOR_URL = "COMANDA_DATABASE_MIGRATOR_URL", Described("`DATABASE_URL`"),
        "login that owns the schema and runs migrations; must bypass transaction poolers. Required, and another \
         login, in staging and production", secret;
    DATABASE_POOL = "COMANDA_DATABASE_POOL", Text("8"), "connections per process, 1 to 1000";
    DATABASE_RELAY_POOL = "COMANDA_DATABASE_RELAY_POOL", Text("4"),
        "connections per process of that login, besides one for leadership, 1 to 100";
    DATABASE_POOL_TIMEOUT = "COMANDA_DATABASE_POOL_TIMEOUT", Text("2s"),
        "how long a request waits for a connection before it is answered `service_unavailable`";
    POSTGRES_BIN = "COMANDA_POSTGRES_BIN", Described("`PATH`, then the usual folders"),
        "folder of `initdb`, `pg_ctl` and `postgres` for the embedded cluster";
    REDIS_URL = "REDIS_URL", Described("in process"),
        "where processes meet: `redis://user:password@host:6379/0` for one server, \
         `redis+sentinel://user:password@host:26379,host:26379/name` for the master of that name (Sentinels themselves \
         are asked without credentials), `redis+cluster://user:password@host:6379,host:6379` for a Cluster; \
         credentials, ports and number are optional, TLS is not spoken yet. Need not answer at any time, also not at \
         start. Without it there is one process, which has all roles", secret;
    REDIS_POOL = "COMANDA_REDIS_POOL", Text("16"),
        "connections per process, besides those that wait for news, 1 to 1000";
    REDIS_TIMEOUT = "COMANDA_REDIS_TIMEOUT", Text("500ms"), "how long Redis may take to answer, at most 5s";
    TOKEN_KEYS = "COMANDA_TOKEN_KEYS", Described("generated in development and test"),
        "Ed25519 seeds of tokens, `id:base64,id:base64`: the first signs, all verify", secret;
    MASTER_KEYS = "COMANDA_MASTER_KEYS", Described("generated in development and test"),
        "keys from which those of refresh tokens, list cursors and sealed secrets are derived, `id:base64,id:base64`: \
         the first is current", secret;
    TABLE_CODE_KEYS = "COMANDA_TABLE_CODE_KEYS", Described("generated in development and test"),
        "keys of printed table and receipt codes, `1:base64,0:base64`, ids 0 to 255: the first prints, all are read",
        secret;
    API_KEY_PEPPERS = "COMANDA_API_KEY_PEPPERS", Described("generated in development and test"),
        "keys that the secrets of API keys are kept under, `id:base64,id:base64`: the first is current", secret;
    ARGON2_MEMORY_KIB = "COMANDA_ARGON2_MEMORY_KIB", Text("19456"), "memory that hashing a password takes, in KiB";
    ARGON2_PASSES = "COMANDA_ARGON2_PASSES", Text("2"), "passes over that memory";
    EVENT_SHARDS = "COMANDA_EVENT_SHARDS", Text("16"),
        "parts of the event log, 1 to 1024; read once, when a database is first used";
    EVENT_RETENTION = "COMANDA_EVENT_RETENTION", Text("72h"), "how long events are kept, at most 90 days";
    SEQUENCER_BATCH = "COMANDA_SEQUENCER_BATCH", Text("500"), "events that are numbered at once at most, 1 to 10000";
    DEAD_LETTER_EXPORT_DIR = "COMANDA_DEAD_LETTER_EXPORT_DIR", Described("none"),
        "folder of the NDJSON archive of dead letters, one file per day; without it they are archived in the database only";
    WEBHOOK_CONCURRENCY = "COMANDA_WEBHOOK_CONCURRENCY", Text("32"),
        "webhooks that a worker sends at once, 1 to 1024";
    STREAM_MAXLEN = "COMANDA_STREAM_MAXLEN", Text("20000"),
        "newest events of a shard that Redis keeps, about, 1000 to 1000000";
    BREAKER_FAILURES = "COMANDA_BREAKER_FAILURES", Text("5"),
        "failures in a row after which a dependency is not called for a while, 1 to 1000";
    BREAKER_OPEN = "COMANDA_BREAKER_OPEN", Text("30s"),
        "how long that while is, up to 10 % more or less, 1s to 1h; at most 2s for events over Redis, which are to be \
         quick again soon after it is back";
    LOG = "COMANDA_LOG", Text("info"), "filter of the log, per target: `info,comanda_api=debug`";
    LOG_FORMAT = "COMANDA_LOG_FORMAT", Described("`json`; `pretty` on a terminal"), "`json` or `pretty`";
    FAILPOINT = "COMANDA_FAILPOINT", None, "place where the process dies at once, or defect that it has; accepted in `test` only";
}
