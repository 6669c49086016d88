//! The operator command of Comanda, as a library so that tests can run its commands.

mod args;
pub mod client;
mod columns;
pub mod commands;
pub mod exit;
pub mod failure;
pub mod output;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command, DbCommand, DemoCommand, LoadCommand, OutboxCommand};
use client::Client;
use commands::{db_migrate, db_seed, dinner, load, outbox, version};
use exit::Exit;
use failure::Failure;

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
        Command::Outbox(OutboxCommand::Verify(args)) => outbox::run(args.part(), output).await,
        Command::Demo(DemoCommand::Dinner(args)) => {
            let client = Client::new(&args.url, cli.global.timeout)?;
            dinner::show(&client, &args.options(), output).await
        }
        Command::Load(LoadCommand::Place(args)) => {
            let client = Client::new(&args.url, cli.global.timeout)?;
            load::place(&client, &args.options(), output).await
        }
        Command::Version => version::run(output),
        Command::ExitCodes => Ok(output.text(exit::HELP)?),
    }
}
