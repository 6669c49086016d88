//! The settings of every binary: one table, read and judged in one place, and every problem told at once.

mod command;
mod environment;
mod events;
mod keys;
mod page;
mod problems;
mod reader;
mod roles;
mod secrets;
mod settings;
mod sockets;
mod values;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use comanda_domain::breaker::BreakerSettings;
use comanda_security::password::PasswordParams;
use secrecy::{ExposeSecret, SecretString};

pub use command::{api_key, signing_secret};
pub use environment::Environment;
pub use events::EventsConfig;
pub use keys::Keys;
pub use page::configuration_page;
pub use problems::{ConfigProblems, Problem};
use reader::Reader;
pub use roles::ProcessRoles;
pub use secrets::{GENERATED, GeneratedKeys, SecretsError, generated_keys};
pub use settings::{DefaultValue, SETTINGS, Setting};
pub use sockets::Sockets;

use crate::failpoint;
use crate::redis::RedisConfig;

/// What the environment of a process says, by name.
pub type Vars = BTreeMap<String, String>;

/// What reading the settings needs of the file system.
pub trait Files {
    /// The text of a file, for `NAME_FILE`.
    ///
    /// # Errors
    /// Whatever the file system answers.
    fn read(&self, path: &std::path::Path) -> std::io::Result<String>;

    /// `preferred`, or `otherwise` where a cluster could not live in `preferred`.
    fn reachable(&self, preferred: PathBuf, otherwise: PathBuf) -> PathBuf;

    /// The keys of a data folder, made when they are first asked for.
    ///
    /// # Errors
    /// [`SecretsError`].
    fn generated(&self, data_dir: &std::path::Path) -> Result<GeneratedKeys, SecretsError>;
}

/// The file system of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemFiles;

impl Files for SystemFiles {
    fn read(&self, path: &std::path::Path) -> std::io::Result<String> {
        std::fs::read_to_string(path)
    }

    fn reachable(&self, preferred: PathBuf, otherwise: PathBuf) -> PathBuf {
        let first = preferred.clone();
        crate::postgres::embedded::reachable_or(preferred, otherwise).unwrap_or(first)
    }

    fn generated(&self, data_dir: &std::path::Path) -> Result<GeneratedKeys, SecretsError> {
        generated_keys(data_dir, &comanda_security::SystemEntropy::new())
    }
}

/// How output looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// For people.
    Pretty,
}

/// How the database is reached.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// The application's login; the embedded cluster if there is none.
    pub url: Option<SecretString>,
    /// The login of workers; the application's if there is none.
    pub relay_url: Option<SecretString>,
    /// Connections of that login.
    pub relay_pool: usize,
    /// The login of migrations; the application's if there is none.
    pub migrator_url: Option<SecretString>,
    /// Connections of this process.
    pub pool: usize,
    /// How long to wait for one.
    pub pool_timeout: Duration,
    /// Where the programs of the embedded cluster are.
    pub postgres_bin: Option<PathBuf>,
    /// How many event shards a new database gets.
    pub event_shards: u32,
}

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Config {
    /// What kind of installation this is.
    pub environment: Environment,
    /// What this process does.
    pub roles: ProcessRoles,
    /// Where HTTP listens.
    pub bind: SocketAddr,
    /// Where probes and metrics listen.
    pub ops_bind: SocketAddr,
    /// How clients reach it, without a slash at the end.
    pub public_url: String,
    /// Cluster and generated secrets.
    pub data_dir: PathBuf,
    /// Threads that serve HTTP.
    pub http_workers: usize,
    /// What it offers to those who listen.
    pub sockets: Sockets,
    /// What this process is called.
    pub instance: String,
    /// How long to go on serving once told to stop, so that balancers notice.
    pub drain_delay: Duration,
    /// How long requests in flight have.
    pub drain_timeout: Duration,
    /// How the database is reached.
    pub database: DatabaseConfig,
    /// How Redis is reached, if one is named.
    pub redis: Option<RedisConfig>,
    /// When a dependency that fails is left alone.
    pub breaker: BreakerSettings,
    /// How events travel.
    pub events: EventsConfig,
    /// Where archived dead letters are written to besides.
    pub dead_letter_export_dir: Option<PathBuf>,
    /// Webhooks that a worker sends at once.
    pub webhook_concurrency: usize,
    /// Signing keys.
    pub keys: Keys,
    /// How dear a password guess is.
    pub passwords: PasswordParams,
    /// Filter of the log, per target.
    pub log: String,
    /// How the log looks; by the kind of output if it is not said.
    pub log_format: Option<LogFormat>,
    /// Where a test lets the process die, or what it lets it do wrong.
    pub failpoint: Option<String>,
}

impl Config {
    /// Reads the environment of the process, and arms the failpoint if one is named.
    ///
    /// # Errors
    /// [`ConfigProblems`]: all of them.
    pub fn from_env() -> Result<Self, ConfigProblems> {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let vars = std::env::vars_os()
            .map(|(name, value)| (text(name), text(value)))
            .collect();
        let config = Self::from_vars(&vars, &SystemFiles)?;
        if let Some(name) = &config.failpoint {
            failpoint::arm(name);
        }
        Ok(config)
    }

    /// Reads the given variables.
    ///
    /// # Errors
    /// [`ConfigProblems`]: all of them.
    pub fn from_vars(vars: &Vars, files: &dyn Files) -> Result<Self, ConfigProblems> {
        let mut reader = Reader::new(vars, files);
        let config = Self::read(&mut reader);
        reader.refuse_unknown();
        match config {
            Some(config) if reader.problems.is_empty() => Ok(config),
            _ => Err(ConfigProblems(reader.problems)),
        }
    }

    /// Reads everything before it gives up on anything, so that every problem is found.
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let environment = environment::read(reader);
        let data_dir = values::data_dir(reader);
        let roles = reader.parsed(&settings::ROLE, ProcessRoles::parse);
        let bind = reader.parsed(&settings::BIND, values::address);
        let ops_bind = reader.parsed(&settings::OPS_BIND, values::address);
        let public_url = reader.parsed(&settings::PUBLIC_URL, values::http_url);
        let http_workers = reader.parsed(&settings::HTTP_WORKERS, |text| values::count(text, 1..=1024));
        let sockets = sockets::read(reader);
        let instance = reader.parsed(&settings::INSTANCE, values::name);
        let drain_delay = reader.parsed(&settings::DRAIN_DELAY, values::duration);
        let drain_timeout = reader.parsed(&settings::DRAIN_TIMEOUT, values::duration);
        let url = reader.secret(&settings::DATABASE_URL, values::database_url);
        let relay_url = reader.secret(&settings::DATABASE_RELAY_URL, values::database_url);
        let relay_pool = reader.parsed(&settings::DATABASE_RELAY_POOL, |text| {
            values::count(text, 1..=100)
        });
        let migrator_url = reader.secret(&settings::DATABASE_MIGRATOR_URL, values::database_url);
        let pool = reader.parsed(&settings::DATABASE_POOL, |text| values::count(text, 1..=1000));
        let pool_timeout = reader.parsed(&settings::DATABASE_POOL_TIMEOUT, values::duration);
        let postgres_bin = values::path(reader, &settings::POSTGRES_BIN);
        let event_shards = reader.parsed(&settings::EVENT_SHARDS, |text| values::count(text, 1..=1024));
        let memory_kib = reader.parsed(&settings::ARGON2_MEMORY_KIB, |text| {
            values::count(text, 8..=4_194_304)
        });
        let passes = reader.parsed(&settings::ARGON2_PASSES, |text| values::count(text, 1..=100));
        let redis = events::redis(reader);
        let breaker = events::breaker(reader);
        if roles.is_some_and(|roles| roles != ProcessRoles::ALL) && !reader.is_given(&settings::REDIS_URL) {
            reader.problem(
                &settings::ROLE,
                "divides the work among processes that have nowhere to meet",
                "set REDIS_URL, or let the one process have all roles",
            );
        }
        let events = events::events(reader);
        let dead_letter_export_dir = values::path(reader, &settings::DEAD_LETTER_EXPORT_DIR);
        let webhook_concurrency = reader.parsed(&settings::WEBHOOK_CONCURRENCY, |text| {
            values::count(text, 1..=1024)
        });
        let log = reader.parsed(&settings::LOG, values::log_filter);
        let log_format = reader.parsed(&settings::LOG_FORMAT, values::log_format);
        let failpoint = reader.parsed(&settings::FAILPOINT, values::name);
        let keys = keys::read(reader, environment, data_dir.as_deref());

        if let Some(environment) = environment {
            if failpoint.is_some() && environment != Environment::Test {
                reader.problem(&settings::FAILPOINT, "is accepted in test only", "remove it");
            }
            if environment.is_guarded() {
                let logins = [
                    (
                        &settings::DATABASE_RELAY_URL,
                        "set a login of its own for workers",
                        relay_url.as_ref(),
                    ),
                    (
                        &settings::DATABASE_MIGRATOR_URL,
                        "set a login of its own that owns the schema",
                        migrator_url.as_ref(),
                    ),
                ];
                guard(reader, public_url.as_deref(), url.as_ref(), &logins);
            }
        }
        let config = Self {
            environment: environment?,
            roles: roles?,
            bind: bind?,
            ops_bind: ops_bind?,
            public_url: public_url?,
            data_dir: data_dir?,
            http_workers: http_workers.unwrap_or_else(values::cores),
            sockets: sockets?,
            instance: instance.unwrap_or_else(|| values::instance(reader)),
            drain_delay: drain_delay?,
            drain_timeout: drain_timeout?,
            database: DatabaseConfig {
                url,
                relay_url,
                relay_pool: relay_pool?,
                migrator_url,
                pool: pool?,
                pool_timeout: pool_timeout?,
                postgres_bin,
                event_shards: event_shards?,
            },
            redis,
            breaker: breaker?,
            events: events?,
            dead_letter_export_dir,
            webhook_concurrency: webhook_concurrency?,
            keys: keys?,
            passwords: PasswordParams {
                memory_kib: memory_kib?,
                passes: passes?,
                lanes: 1,
            },
            log: log?,
            log_format,
            failpoint,
        };
        Some(config)
    }
}

/// What staging and production need beyond what any installation needs; keys are judged where they are read. `logins`
/// are those besides the application's.
fn guard(
    reader: &mut Reader<'_>,
    public_url: Option<&str>,
    url: Option<&SecretString>,
    logins: &[(&Setting, &str, Option<&SecretString>)],
) {
    if public_url.is_some_and(|url| !url.starts_with("https://")) {
        reader.problem(
            &settings::PUBLIC_URL,
            "must begin with https://",
            "set the address that clients use",
        );
    }
    if url.is_none() {
        reader.missing(&settings::DATABASE_URL, "set the login of the application");
    }
    let mut taken: Vec<(&str, String)> = Vec::new();
    taken.extend(url.map(|url| (settings::DATABASE_URL.name, url.expose_secret().to_owned())));
    for (setting, hint, login) in logins {
        let Some(login) = login else {
            reader.missing(setting, hint);
            continue;
        };
        let login = login.expose_secret();
        if let Some((other, _)) = taken.iter().find(|(_, known)| known == login) {
            reader.problem(
                setting,
                &format!("is the same login as {other}"),
                "the application must not own the schema, nor see the work of all tenants: give each a login of its own",
            );
        }
        taken.push((setting.name, login.to_owned()));
    }
}

#[cfg(test)]
mod tests;
