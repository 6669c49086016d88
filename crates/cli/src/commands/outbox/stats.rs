//! `comanda outbox stats`: where the event log stands.

use comanda_infrastructure::events::{LogStatus, ShardStatus, status};
use comanda_infrastructure::postgres::Database;

use crate::columns::{self, Side};
use crate::commands::open::config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Looks, and shows it.
///
/// # Errors
/// Settings, the database, or [`Exit::ProblemsFound`] when a shard has no leader.
pub async fn run(output: Output) -> Result<(), Failure> {
    let config = config()?;
    let database = Database::open_for_command(&config, false).await?;
    let status = status(&database.relay).await;
    database.close().await?;
    show(&status?, output)
}

fn show(status: &LogStatus, output: Output) -> Result<(), Failure> {
    if output.json {
        output.document(status)?;
    } else {
        let LogStatus {
            staged,
            oldest_seconds,
            epoch,
            ..
        } = status;
        output.text(&table(&status.shards))?;
        output.text(&format!(
            "\nstaged  {staged}\noldest  {oldest_seconds} s\nepoch   {epoch}\n"
        ))?;
    }
    match status.without_leader() {
        0 => Ok(()),
        without => Err(Failure::new(
            Exit::ProblemsFound,
            "no_leader",
            format!("{without} of {} shards have no leader", status.shards.len()),
            "start a process with the role worker; new events wait until then",
        )),
    }
}

fn table(shards: &[ShardStatus]) -> String {
    let heads = [
        (Side::Right, "SHARD"),
        (Side::Right, "POS"),
        (Side::Right, "PUBLISHED"),
        (Side::Right, "LAG"),
        (Side::Left, "LEADER"),
        (Side::Right, "TERM"),
    ];
    let row = |shard: &ShardStatus| {
        vec![
            shard.shard.to_string(),
            shard.pos.to_string(),
            shard.published.to_string(),
            shard.lag.to_string(),
            shard.leader.clone().unwrap_or_else(|| "none".to_owned()),
            shard.term.to_string(),
        ]
    };
    columns::table(&heads, &shards.iter().map(row).collect::<Vec<_>>())
}
