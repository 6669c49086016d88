//! The operator command of Comanda, as a library so that tests can run its commands.

mod args;
pub mod client;
mod columns;
pub mod commands;
mod confirm;
pub mod exit;
pub mod failure;
mod operator;
pub mod output;

use std::process::ExitCode;

use clap::Parser;

use args::{
    ApiKeyCommand, Cli, Command, DbCommand, DemoCommand, DlqCommand, EventsCommand, LoadCommand,
    OutboxCommand, WsCommand,
};
use client::Client;
use comanda_infrastructure::dead_letters::Move;
use commands::{api_key, db_migrate, db_seed, dinner, dlq, events, load, outbox, version, ws_test};
use exit::Exit;
use failure::Failure;
use output::Output;

/// Runs the command that was typed.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = cli.global.output();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::from);
    match runtime.and_then(|runtime| runtime.block_on(run(&cli))) {
        Ok(()) => Exit::Success.into(),
        Err(failure) => {
            output.failure(&failure);
            failure.exit.into()
        }
    }
}

async fn run(cli: &Cli) -> Result<(), Failure> {
    let output = cli.global.output();
    match &cli.command {
        Command::DbMigrate(args) | Command::Db(DbCommand::Migrate(args)) => {
            db_migrate::run(args.dry_run, output).await
        }
        Command::DbSeed(args) | Command::Db(DbCommand::Seed(args)) => db_seed::run(args.force, output).await,
        Command::ApiKey(command) => on_keys(command, cli.global.yes, output).await,
        Command::DlqStats => dlq::stats(output).await,
        Command::DlqProcess(args) => dlq::process(&args.run(), output).await,
        Command::Dlq(command) => on_letters(command, cli.global.yes, output).await,
        Command::Outbox(command) => on_log(command, output).await,
        Command::Events(EventsCommand::Tail(args)) => {
            let client = Client::new(&args.url, cli.global.timeout)?;
            events::tail(&client, &args.tail(cli.global.timeout)?, output).await
        }
        Command::WsTest(args) | Command::Ws(WsCommand::Test(args)) => {
            ws_test::run(&args.test(cli.global.timeout)?, output).await
        }
        Command::Demo(DemoCommand::Dinner(args)) => {
            let client = Client::new(&args.url, cli.global.timeout)?;
            dinner::show(&client, &args.options(), output).await
        }
        Command::Load(LoadCommand::Place(args)) => {
            let client = Client::new(&args.url, cli.global.timeout)?;
            load::place(&client, &args.options(), output).await
        }
        Command::Load(LoadCommand::Sockets(args)) => {
            let client = Client::new(&args.url, cli.global.timeout)?;
            load::sockets(&client, &args.options(cli.global.timeout), output).await
        }
        Command::Load(LoadCommand::Storm(args)) => {
            let client = Client::new(&args.url, cli.global.timeout)?;
            load::storm(&client, &args.options(cli.global.timeout), output).await
        }
        Command::Version => version::run(output),
        Command::ExitCodes => Ok(output.text(exit::HELP)?),
    }
}

async fn on_keys(command: &ApiKeyCommand, yes: bool, output: Output) -> Result<(), Failure> {
    match command {
        ApiKeyCommand::Create(args) => Box::pin(api_key::create(args, output)).await,
        ApiKeyCommand::List(args) => Box::pin(api_key::list(args, output)).await,
        ApiKeyCommand::Rotate(args) => Box::pin(api_key::rotate(args, output)).await,
        ApiKeyCommand::Revoke(args) => Box::pin(api_key::revoke(args, yes, output)).await,
        ApiKeyCommand::Sign(args) => api_key::sign(args, output),
    }
}

async fn on_letters(command: &DlqCommand, yes: bool, output: Output) -> Result<(), Failure> {
    let (args, what) = match command {
        DlqCommand::Stats => return dlq::stats(output).await,
        DlqCommand::Process(args) => return dlq::process(&args.run(), output).await,
        DlqCommand::List(args) => return dlq::list(args.filter(), output).await,
        DlqCommand::Show(args) => return dlq::show(args.id, output).await,
        DlqCommand::Retry(args) => (args, Move::Retry),
        DlqCommand::Archive(args) => (args, Move::Archive),
        DlqCommand::Discard(args) => (args, Move::Discard),
        DlqCommand::Reopen(args) => (args, Move::Reopen),
    };
    dlq::by_hand(&args.hand(what), yes, output).await
}

async fn on_log(command: &OutboxCommand, output: Output) -> Result<(), Failure> {
    match command {
        OutboxCommand::Stats => outbox::stats::run(output).await,
        OutboxCommand::Replay(args) => outbox::replay::run(args, output).await,
        OutboxCommand::Verify(args) => outbox::verify::run(args.part(), output).await,
        OutboxCommand::NewEpoch(args) => outbox::new_epoch::run(args, output).await,
    }
}
