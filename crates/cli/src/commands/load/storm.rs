//! `comanda load storm`: every socket drops at once and comes back with its cursor, while guests go on ordering.

use std::time::Duration;

use serde::Serialize;

use super::SocketsOptions;
use super::percentiles::Percentiles;
use super::stage::{Counts, Stage};
use super::traffic::order;
use crate::client::Client;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// What came out.
#[derive(Debug, Serialize)]
struct Report {
    scenario: &'static str,
    sockets: usize,
    back: Percentiles,
    not_back: usize,
    attempts_refused: usize,
    unrecovered: usize,
    rounds: usize,
    #[serde(flatten)]
    counts: Counts,
}

/// Connects everybody, drops all connections after a third of the time, and shows how soon everybody is live again.
///
/// # Errors
/// A server that refuses or does not answer; sockets that did not come back, or events they missed.
pub async fn storm(client: &Client, options: &SocketsOptions, output: Output) -> Result<(), Failure> {
    let stage = Stage::set(client, options, output).await?;
    let storming = async {
        tokio::time::sleep(options.time / 3).await;
        stage.storm();
        output.talk("Every connection is dropped");
    };
    let ordering = order(client, &stage.room, options.rate, options.time);
    let (answered, ()) = tokio::join!(ordering, storming);
    let answered = answered?;
    let outcome = stage.finish(&answered, options.patience).await?;
    let accounts = &outcome.accounts;
    let back: Vec<Duration> = accounts.iter().filter_map(|account| account.back).collect();
    let report = Report {
        scenario: "storm",
        sockets: accounts.len(),
        not_back: accounts.len() - back.len(),
        back: Percentiles::of(back),
        attempts_refused: accounts.iter().map(|account| account.refused).sum(),
        unrecovered: accounts.iter().map(|account| account.unrecovered).sum(),
        rounds: answered.len() / 3,
        counts: outcome.counts(),
    };
    show(&report, output)?;
    if report.not_back > 0 {
        let message = format!("{} sockets did not come back", report.not_back);
        return Err(Failure::new(
            Exit::ProblemsFound,
            "not_back",
            message,
            "look at the log of the server",
        ));
    }
    report.counts.judge()
}

fn show(report: &Report, output: Output) -> Result<(), Failure> {
    if output.json {
        return Ok(output.document(report)?);
    }
    let text = format!(
        "{} sockets dropped at once, {} did not come back; live again {}\n\
         {} attempts refused, {} cursors not good any more\n\
         {} rounds: {}\n",
        report.sockets,
        report.not_back,
        report.back.text(),
        report.attempts_refused,
        report.unrecovered,
        report.rounds,
        report.counts.text(),
    );
    Ok(output.text(&text)?)
}
