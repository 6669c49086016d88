use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use comanda_security::SystemEntropy;
use comanda_security::keys::{generate_key, generate_key_list};

use super::*;

/// A file system in memory.
#[derive(Default)]
struct Memory(BTreeMap<&'static str, String>);

impl Files for Memory {
    fn read(&self, path: &Path) -> io::Result<String> {
        let text = path.to_str().and_then(|path| self.0.get(path));
        text.cloned()
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn reachable(&self, preferred: PathBuf, _: PathBuf) -> PathBuf {
        preferred
    }

    fn generated(&self, _: &Path) -> Result<GeneratedKeys, SecretsError> {
        Ok(GENERATED
            .iter()
            .map(|name| ((*name).to_owned(), fresh()))
            .collect())
    }
}

fn fresh() -> SecretString {
    generate_key_list("1", &SystemEntropy::new()).unwrap()
}

fn vars<const N: usize>(given: [(&str, &str); N]) -> Vars {
    let mut vars: Vars = given
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    vars.entry("HOME".to_owned())
        .or_insert_with(|| "/home/olga".to_owned());
    vars
}

fn read<const N: usize>(given: [(&str, &str); N]) -> Result<Config, ConfigProblems> {
    Config::from_vars(&vars(given), &Memory::default())
}

fn troubled<const N: usize>(given: [(&str, &str); N]) -> Vec<String> {
    settings_of(read(given))
}

fn settings_of(outcome: Result<Config, ConfigProblems>) -> Vec<String> {
    outcome
        .unwrap_err()
        .0
        .into_iter()
        .map(|problem| problem.setting)
        .collect()
}

fn production() -> Vars {
    let mut vars = vars([
        ("COMANDA_ENV", "production"),
        ("COMANDA_PUBLIC_URL", "https://comanda.example/"),
        ("DATABASE_URL", "postgres://app:x@db/comanda"),
        ("COMANDA_DATABASE_RELAY_URL", "postgres://relay:x@db/comanda"),
        (
            "COMANDA_DATABASE_MIGRATOR_URL",
            "postgres://migrator:x@db/comanda",
        ),
    ]);
    for name in GENERATED {
        vars.insert(name.to_owned(), fresh().expose_secret().to_owned());
    }
    vars
}

fn production_with(name: &str, value: &str) -> Result<Config, ConfigProblems> {
    let mut vars = production();
    vars.insert(name.to_owned(), value.to_owned());
    Config::from_vars(&vars, &Memory::default())
}

#[test]
fn nothing_set_is_development_with_everything_made_up() {
    let config = read([]).unwrap();
    assert_eq!(config.environment, Environment::Development);
    assert_eq!(config.bind.to_string(), "127.0.0.1:8080");
    assert_eq!(config.public_url, "http://localhost:8080");
    assert_eq!(config.data_dir, Path::new("/home/olga/.local/share/comanda"));
    assert_eq!(config.drain_timeout, Duration::from_secs(10));
    assert_eq!((config.database.pool, config.database.event_shards), (8, 16));
    assert_eq!(config.passwords, PasswordParams::default());
    assert!(config.database.url.is_none() && config.http_workers > 0 && !config.instance.is_empty());
}

#[test]
fn the_table_holds_exactly_what_is_read() {
    let vars = vars([]);
    let files = Memory::default();
    let mut reader = Reader::new(&vars, &files);
    Config::read(&mut reader).unwrap();
    let mut asked = reader.asked;
    // Looked at without a value to be read.
    asked.insert(settings::ENV.name);
    let table: BTreeSet<_> = SETTINGS.iter().map(|setting| setting.name).collect();
    assert_eq!(asked, table);
}

#[test]
fn every_problem_is_told_at_once() {
    let found = troubled([
        ("COMANDA_ENV", "test"),
        ("COMANDA_BIND", "localhost"),
        ("COMANDA_DRAIN_DELAY", "2"),
        ("COMANDA_DATABASE_POOL", "0"),
        ("DATABASE_URL", "postgres://h/d?sslmode=require"),
        ("COMANDA_TOKEN_KEYS", "1:c2hvcnQ="),
        ("COMANDA_LOG_FORMAT", ""),
        ("REDIS_URL", "redis://h/x"),
        ("COMANDA_REDIS_TIMEOUT", "1h"),
        ("COMANDA_BNID", "x"),
    ]);
    assert_eq!(
        found,
        [
            "COMANDA_BIND",
            "COMANDA_DRAIN_DELAY",
            "DATABASE_URL",
            "COMANDA_DATABASE_POOL",
            "COMANDA_REDIS_TIMEOUT",
            "REDIS_URL",
            "COMANDA_LOG_FORMAT",
            "COMANDA_TOKEN_KEYS",
            "COMANDA_BNID"
        ]
    );
}

#[test]
fn less_than_all_roles_need_a_place_to_meet() {
    assert_eq!(troubled([("COMANDA_ROLE", "worker")]), ["COMANDA_ROLE"]);
    assert_eq!(troubled([("COMANDA_ROLE", "api,gateway")]), ["COMANDA_ROLE"]);
    assert!(read([("COMANDA_ROLE", "worker,api,gateway")]).is_ok());
    let config = read([("COMANDA_ROLE", "worker"), ("REDIS_URL", "redis://cache")]).unwrap();
    assert!(config.redis.is_some() && !config.roles.api);
}

#[test]
fn an_unknown_name_has_a_suggestion() {
    let hint = |name| read([(name, "1")]).unwrap_err().0.remove(0).hint;
    assert_eq!(
        hint("COMANDA_DATABSE_POOL"),
        "did you mean COMANDA_DATABASE_POOL?"
    );
    assert_eq!(
        hint("COMANDA_TOKEN_KEYS_FIL"),
        "did you mean COMANDA_TOKEN_KEYS_FILE?"
    );
    assert!(hint("COMANDA_SOMETHING_ELSE_ENTIRELY").starts_with("remove it"));
    assert!(read([("COMANDA_UPDATE_DOCS", "1"), ("OTHER", "x")]).is_ok());
}

#[test]
fn the_environment_is_never_guessed() {
    for odd in ["prod", "Production", "", "dev"] {
        assert!(
            troubled([("COMANDA_ENV", odd)]).contains(&"COMANDA_ENV".to_owned()),
            "{odd:?}"
        );
    }
    assert_eq!(troubled([("DATABASE_URL", "postgres://h/d")]), ["COMANDA_ENV"]);
    assert_eq!(troubled([("DATABASE_URL", "")]), ["COMANDA_ENV", "DATABASE_URL"]);
    let own = read([("COMANDA_ENV", "development"), ("DATABASE_URL", "postgres://h/d")]).unwrap();
    assert_eq!(own.environment, Environment::Development);
}

#[test]
fn a_value_may_stand_in_a_file_but_not_twice() {
    let files = Memory(BTreeMap::from([("/run/bind", "0.0.0.0:80\n".to_owned())]));
    let given = vars([("COMANDA_BIND_FILE", "/run/bind")]);
    assert_eq!(
        Config::from_vars(&given, &files).unwrap().bind.to_string(),
        "0.0.0.0:80"
    );
    let twice = vars([("COMANDA_BIND_FILE", "/run/bind"), ("COMANDA_BIND", "0.0.0.0:80")]);
    assert_eq!(settings_of(Config::from_vars(&twice, &files)), ["COMANDA_BIND"]);
    assert_eq!(
        troubled([("COMANDA_BIND_FILE", "/run/none")]),
        ["COMANDA_BIND_FILE"]
    );
}

#[test]
fn production_starts_with_everything_and_with_nothing_less() {
    let config = Config::from_vars(&production(), &Memory::default()).unwrap();
    assert_eq!(config.public_url, "https://comanda.example");
    assert_eq!(
        troubled([("COMANDA_ENV", "production")]),
        [
            "COMANDA_TOKEN_KEYS",
            "COMANDA_MASTER_KEYS",
            "COMANDA_TABLE_CODE_KEYS",
            "COMANDA_API_KEY_PEPPERS",
            "COMANDA_PUBLIC_URL",
            "DATABASE_URL",
            "COMANDA_DATABASE_RELAY_URL",
            "COMANDA_DATABASE_MIGRATOR_URL"
        ]
    );
    let same = production_with("COMANDA_DATABASE_MIGRATOR_URL", "postgres://app:x@db/comanda");
    assert_eq!(settings_of(same), ["COMANDA_DATABASE_MIGRATOR_URL"]);
}

#[test]
fn production_refuses_keys_that_anyone_could_have() {
    let seven = "1:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    assert_eq!(
        settings_of(production_with("COMANDA_MASTER_KEYS", seven)),
        ["COMANDA_MASTER_KEYS"]
    );
    let master = production()["COMANDA_MASTER_KEYS"].clone();
    let mut vars = production();
    for name in ["COMANDA_MASTER_KEYS", "COMANDA_TABLE_CODE_KEYS"] {
        vars.insert(name.to_owned(), master.clone());
    }
    let outcome = Config::from_vars(&vars, &Memory::default());
    assert_eq!(settings_of(outcome), ["COMANDA_TABLE_CODE_KEYS"]);
    assert!(read([("COMANDA_MASTER_KEYS", seven)]).is_ok());
}

#[test]
fn keys_must_fit_their_purpose() {
    let key = generate_key(&SystemEntropy::new())
        .unwrap()
        .expose_secret()
        .to_owned();
    assert_eq!(
        troubled([("COMANDA_TABLE_CODE_KEYS", &format!("a:{key}"))]),
        ["COMANDA_TABLE_CODE_KEYS"]
    );
    let long = "1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIj";
    assert_eq!(troubled([("COMANDA_TOKEN_KEYS", long)]), ["COMANDA_TOKEN_KEYS"]);
}

#[test]
fn a_place_to_die_and_a_defect_are_for_tests_only() {
    for name in ["before_commit"].into_iter().chain(failpoint::DEFECTS) {
        let place = ("COMANDA_FAILPOINT", name);
        assert_eq!(troubled([place]), ["COMANDA_FAILPOINT"]);
        let guarded = production_with("COMANDA_FAILPOINT", name).unwrap_err();
        assert!(guarded.to_string().contains("COMANDA_FAILPOINT"), "{guarded}");
        let config = read([place, ("COMANDA_ENV", "test")]).unwrap();
        assert_eq!(config.failpoint.as_deref(), Some(name));
    }
}

#[test]
fn nothing_printed_holds_a_secret() {
    let config = production_with("DATABASE_URL", "postgres://app:hunter2@db/comanda").unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    let problems = production_with("DATABASE_URL", "mysql://app:hunter2@db").unwrap_err();
    assert!(!format!("{problems} {problems:?}").contains("hunter2"));
    assert!(
        problems
            .to_string()
            .starts_with("1 problem with the configuration\n  DATABASE_URL is not of the form")
    );
}
