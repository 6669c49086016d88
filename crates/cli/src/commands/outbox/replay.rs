//! `comanda outbox replay`: writes the streams of Redis anew from the log.

use std::sync::Arc;

use comanda_infrastructure::clock::Sources;
use comanda_infrastructure::config::Config;
use comanda_infrastructure::events::{EventBus, ReplayError, Replayed, bus, replay};
use comanda_infrastructure::postgres::Database;
use serde::Serialize;

use crate::args::ReplayArgs;
use crate::columns::{self, Side};
use crate::commands::open::config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

#[derive(Serialize)]
struct Shards<'a> {
    shards: &'a [Replayed],
    dry_run: bool,
}

/// Writes them, and shows what was written.
///
/// # Errors
/// Settings, the database or Redis.
pub async fn run(args: &ReplayArgs, output: Output) -> Result<(), Failure> {
    let config = config()?;
    let bus = shared_bus(&config)?;
    let database = Database::open_for_command(&config, false).await?;
    let replayed = replay(&database.relay, &*bus, args.shard, args.dry_run).await;
    database.close().await?;
    show(&replayed?, args.dry_run, output)
}

/// The bus that other processes read, too.
fn shared_bus(config: &Config) -> Result<Arc<dyn EventBus>, Failure> {
    if config.redis.is_none() {
        return Err(Failure::new(
            Exit::Usage,
            "no_shared_bus",
            "without REDIS_URL events travel inside the server: there is no stream to write",
            "restart the server to empty its bus; nothing is lost, the log has everything",
        ));
    }
    bus::open(config, &Sources::system()).map_err(|error| {
        Failure::new(
            Exit::Usage,
            "no_shared_bus",
            error.to_string(),
            "look at REDIS_URL, then run it again",
        )
    })
}

/// Shows what was written, or would be.
///
/// # Errors
/// A closed or full stdout.
pub fn show(shards: &[Replayed], dry_run: bool, output: Output) -> Result<(), Failure> {
    if output.json {
        output.document(&Shards { shards, dry_run })?;
        return Ok(());
    }
    let heads = ["SHARD", "FROM", "TO", "COUNT"].map(|head| (Side::Right, head));
    let row = |done: &Replayed| {
        let numbers = [i64::from(done.shard), done.from, done.to, done.count];
        numbers.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    output.text(&columns::table(
        &heads,
        &shards.iter().map(row).collect::<Vec<_>>(),
    ))?;
    Ok(())
}

impl From<ReplayError> for Failure {
    fn from(error: ReplayError) -> Self {
        let message = error.to_string();
        match error {
            ReplayError::Database(error) => error.into(),
            ReplayError::Bus(_) => Self::new(
                Exit::Unreachable,
                "bus_unreachable",
                message,
                "look at REDIS_URL, then run it again",
            ),
            ReplayError::NoShard(_) => Self::new(
                Exit::Usage,
                "no_such_shard",
                message,
                "see `comanda outbox stats`",
            ),
        }
    }
}
