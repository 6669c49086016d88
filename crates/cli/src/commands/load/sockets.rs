//! `comanda load sockets`: many sockets listen to one branch while guests order.

use std::collections::BTreeMap;

use serde::Serialize;

use super::SocketsOptions;
use super::deaf::Cut;
use super::memory::Memory;
use super::percentiles::{Percentiles, per_second};
use super::stage::{Counts, Opening, Stage};
use super::traffic::order;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::Output;

/// What came out.
#[derive(Debug, Serialize)]
struct Report {
    scenario: &'static str,
    sockets: usize,
    views: BTreeMap<&'static str, usize>,
    #[serde(flatten)]
    cut: Cut,
    opening: Opening,
    memory: Option<Memory>,
    rounds: usize,
    rounds_per_second: f64,
    #[serde(flatten)]
    counts: Counts,
    decided_to_socket: Percentiles,
    answer_to_socket: Percentiles,
}

/// Connects everybody, lets guests order, and shows how soon whom reached what.
///
/// # Errors
/// A server that refuses or does not answer; events that did not reach everybody they are for.
pub async fn sockets(client: &Client, options: &SocketsOptions, output: Output) -> Result<(), Failure> {
    let mut stage = Stage::set(client, options, output).await?;
    let answered = order(client, &stage.room, options.rate, options.time).await?;
    let memory = stage.memory.take();
    let opening = std::mem::take(&mut stage.opening);
    let cut = stage.cut(options.patience).await;
    let outcome = stage.finish(&answered, options.patience).await?;
    let rounds = answered.len() / 3;
    let report = Report {
        scenario: "sockets",
        sockets: outcome.accounts.len(),
        views: outcome.views.clone(),
        cut,
        opening,
        memory,
        rounds,
        rounds_per_second: per_second(rounds, options.time),
        counts: outcome.counts(),
        decided_to_socket: Percentiles::of(outcome.since_decided()),
        answer_to_socket: Percentiles::of(outcome.since_answered(&answered)),
    };
    show(&report, output)?;
    report.counts.judge()
}

fn show(report: &Report, output: Output) -> Result<(), Failure> {
    if output.json {
        return Ok(output.document(report)?);
    }
    let views: Vec<String> = report
        .views
        .iter()
        .map(|(view, count)| format!("{count} {view}"))
        .collect();
    let deaf = match report.cut {
        Cut { deaf: 0, .. } => String::new(),
        Cut { deaf, cut } => format!("{deaf} that never read, {cut} of them cut as too slow\n"),
    };
    let memory = report.memory.as_ref().map_or_else(String::new, Memory::text);
    let text = format!(
        "{} sockets ({}), opened in {} s ({})\n{memory}{deaf}\
         {} rounds, {}/s: {}\n\
         decided → socket  {}\n\
         answer → socket   {}\n",
        report.sockets,
        views.join(", "),
        report.opening.seconds,
        report.opening.each.text(),
        report.rounds,
        report.rounds_per_second,
        report.counts.text(),
        report.decided_to_socket.text(),
        report.answer_to_socket.text(),
    );
    Ok(output.text(&text)?)
}
