//! What can be typed.

mod api_key;
mod db;
mod demo;
mod dlq;
mod load;
mod network;
mod outbox;

use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand};

pub use api_key::{ApiKeyCommand, CreateArgs, ListArgs as KeyListArgs, RevokeArgs, RotateArgs, SignArgs};
pub use db::{DbCommand, MigrateArgs, SeedArgs};
pub use demo::DemoCommand;
pub use dlq::{DlqCommand, ProcessArgs};
pub use load::LoadCommand;
pub use network::{EventsCommand, WsCommand, WsTestArgs};
pub use outbox::{NewEpochArgs, OutboxCommand, ReplayArgs};

use crate::exit;
use crate::output::Output;

/// Runs and tries out Comanda, the back of house of a restaurant group.
#[derive(Debug, Parser)]
#[command(
    name = "comanda",
    version,
    before_help = "Examples:\n  comanda db-seed\n  comanda demo dinner --guests 4",
    after_help = "Exit codes: comanda help exit-codes",
    propagate_version = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// For every command.
    #[command(flatten)]
    pub global: Global,
    /// Which one.
    #[command(subcommand)]
    pub command: Command,
}

/// For every command.
#[derive(Debug, Args)]
pub struct Global {
    /// Show JSON: one document, or a line per step
    #[arg(long, global = true)]
    json: bool,
    /// Show nothing but the data
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Show no colour
    #[arg(long, global = true, env = "NO_COLOR", hide_env = true, value_parser = FalseyValueParser::new())]
    no_color: bool,
    /// Do what cannot be taken back without asking
    #[arg(long, global = true)]
    pub yes: bool,
    /// How long one answer of a server may take: 500ms, 30s, 2m
    #[arg(long, global = true, default_value = "30s", value_parser = duration, value_name = "DURATION")]
    pub timeout: Duration,
}

impl Global {
    /// How to show what there is to show.
    pub fn output(&self) -> Output {
        Output {
            json: self.json,
            quiet: self.quiet,
            no_color: self.no_color,
        }
    }
}

/// The commands. Short forms are aliases of the grouped ones.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Keys of integrations
    #[command(subcommand)]
    ApiKey(ApiKeyCommand),
    /// The database
    #[command(subcommand)]
    Db(DbCommand),
    /// Bring the schema of the database up to date (short for `db migrate`)
    DbMigrate(MigrateArgs),
    /// Put the demo restaurants into the database (short for `db seed`)
    DbSeed(SeedArgs),
    /// What workers gave up on
    #[command(subcommand)]
    Dlq(DlqCommand),
    /// Count what workers gave up on (short for `dlq stats`)
    #[command(before_help = "Examples:\n  comanda dlq-stats\n  comanda dlq-stats --json")]
    DlqStats,
    /// Retry, archive or keep what is due (short for `dlq process`)
    DlqProcess(ProcessArgs),
    /// The event log
    #[command(subcommand)]
    Outbox(OutboxCommand),
    /// What happens, as it happens
    #[command(subcommand)]
    Events(EventsCommand),
    /// Sockets
    #[command(subcommand)]
    Ws(WsCommand),
    /// Open a socket and hear whether everything works (short for `ws test`)
    WsTest(WsTestArgs),
    /// Try Comanda out
    #[command(subcommand)]
    Demo(DemoCommand),
    /// Put load on a running server of this machine
    #[command(subcommand)]
    Load(LoadCommand),
    /// Version, commit, compiler and schema of this command
    #[command(before_help = "Examples:\n  comanda version\n  comanda version --json")]
    Version,
    /// What the exit codes mean
    #[command(after_help = exit::HELP)]
    ExitCodes,
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let millis = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        _ => None,
    };
    let number: Option<u64> = number.parse().ok().filter(|number| *number > 0);
    let duration = number
        .zip(millis)
        .and_then(|(number, millis)| number.checked_mul(millis));
    duration
        .map(Duration::from_millis)
        .ok_or_else(|| "a duration such as 500ms, 30s or 2m".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parsed(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn both_spellings_are_understood() {
        for line in ["comanda db-seed --force --json", "comanda --json db seed --force"] {
            let cli = parsed(line).unwrap();
            let (Command::DbSeed(args) | Command::Db(DbCommand::Seed(args))) = cli.command else {
                panic!("{line}")
            };
            assert!(args.force && cli.global.json);
        }
        assert!(parsed("comanda db-migrate").is_ok() && parsed("comanda db migrate --dry-run").is_ok());
    }

    #[test]
    fn letters_are_named_one_by_one_or_by_source() {
        let id = "dlt_01m87xbcs8e17r0avdqztd2p3x";
        assert!(parsed("comanda dlq-process --max 5 --dry-run").is_ok());
        assert!(parsed(&format!("comanda dlq retry {id} {id} --note x")).is_ok());
        assert!(parsed("comanda dlq reopen --all --source event").is_ok());
        for wrong in [
            "dlq retry",
            "dlq retry rnd_01m87xbcs8e17r0avdqztd2p3x",
            "dlq retry --all",
            "dlq retry --source event",
            &format!("dlq retry {id} --all --source event"),
            "dlq retry --all --source letters",
            "dlq process --max-messages 0",
            "dlq list --state dead",
            "outbox replay",
            "outbox replay --all --shard 1",
            "outbox new-epoch",
        ] {
            assert!(parsed(&format!("comanda {wrong}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn keys_are_named_by_what_may_be_shown() {
        let branch = "brn_01m6e22wg0emzvcdygnjcdzsef";
        let create =
            format!("api-key create --name Till --scopes menu:read,tickets:read --branches {branch}");
        for right in [
            create.clone(),
            format!("{create} --expires 90d --ip 192.0.2.0/24,::1 --require-signature --tenant a"),
            "api-key list --tenant a".to_owned(),
            "api-key rotate 041061050r3gg28a --overlap 7d --force".to_owned(),
            "api-key revoke 041061050r3gg28a --reason lost".to_owned(),
            "api-key sign GET /v1/integration/me --key-id 041061050r3gg28a".to_owned(),
        ] {
            assert!(parsed(&format!("comanda {right}")).is_ok(), "{right}");
        }
        for wrong in [
            "api-key create --name Till --scopes menu:eat --branches brn_01m6e22wg0emzvcdygnjcdzsef"
                .to_owned(),
            "api-key create --name Till --scopes menu:read".to_owned(),
            format!("{create} --ip 192.0.2.1/24"),
            format!("{create} --expires tomorrow"),
            "api-key rotate key_01m6e22wg0emzvcdygnjcdzsef".to_owned(),
            "api-key rotate 041061050r3gg28a --overlap 2h".to_owned(),
            "api-key sign GET --key-id 041061050r3gg28a".to_owned(),
        ] {
            assert!(parsed(&format!("comanda {wrong}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_dinner_has_limits() {
        assert!(parsed("comanda demo dinner --guests 8 --speed 0.5 --table TER-02").is_ok());
        for wrong in [
            "--guests 0",
            "--guests 9",
            "--speed -1",
            "--speed fast",
            "--timeout 30",
            "--timeout 0s",
        ] {
            assert!(
                parsed(&format!("comanda demo dinner {wrong}")).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn sockets_and_events_have_limits() {
        let branch = "brn_01m6e22wg0emzvcdygnjcdzsef";
        assert!(parsed(&format!("comanda ws test --branch {branch} --token-stdin")).is_ok());
        assert!(
            parsed(&format!(
                "comanda events tail --branch {branch} --after 5f3a9c01-40 --view kitchen"
            ))
            .is_ok()
        );
        assert!(parsed("comanda load storm --sockets 18000 --rate 0.5 --pid 1").is_ok());
        for wrong in [
            "ws-test --branch rnd_01m87xbcs8e17r0avdqztd2p3x",
            "ws-test --token secret",
            "events tail --after yesterday",
            "events tail --types .",
            "load sockets --sockets 4",
            "load sockets --rate 0",
        ] {
            assert!(parsed(&format!("comanda {wrong}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_mins(2)));
        assert!(duration("1h").is_err() && duration("").is_err() && duration("s").is_err());
    }
}
