//! `comanda load place`: guests put one line into the cart and place it, again and again.
//!
//! Closed loop: each guest waits for an answer before the next request, so the rate is what the server gives to so
//! many guests at once.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;
use tokio::task::JoinSet;

use super::LoadOptions;
use super::percentiles::{Percentiles, per_second};
use super::room::{Guest, seat};
use crate::client::{Client, ClientError};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// What came out.
#[derive(Debug, Serialize)]
struct Report {
    scenario: &'static str,
    connections: usize,
    seconds: f64,
    rounds: usize,
    rounds_per_second: f64,
    line: Percentiles,
    place: Percentiles,
}

/// When one round was ordered, and how long both requests took.
struct Ordered {
    at: Instant,
    line: Duration,
    place: Duration,
}

/// Puts on the load and shows what the server gave.
///
/// # Errors
/// A server that refuses, or does not answer.
pub async fn place(client: &Client, options: &LoadOptions, output: Output) -> Result<(), Failure> {
    let guests = seat(client, options.connections).await?;
    output.talk(&format!("{} guests are seated", guests.len()));
    let counted_from = Instant::now() + options.warm_up;
    let until = counted_from + options.time;
    let mut running = JoinSet::new();
    for guest in guests {
        let (client, rounds) = (client.clone(), options.rounds);
        running.spawn(async move { order(&client, &guest, until, rounds.unwrap_or(u32::MAX)).await });
    }
    let mut ordered = Vec::new();
    while let Some(finished) = running.join_next().await {
        let finished = finished
            .map_err(|error| Failure::new(Exit::Failed, "load", error.to_string(), "look at the server"))?;
        ordered.extend(finished?);
    }
    ordered.retain(|one| one.at >= counted_from && one.at <= until);
    show(&report(options, &ordered), output)
}

async fn order(
    client: &Client,
    guest: &Guest,
    until: Instant,
    rounds: u32,
) -> Result<Vec<Ordered>, ClientError> {
    let line = json!({ "product_id": guest.product, "qty": 1 });
    let mine = json!({ "selection": "mine" });
    let mut ordered = Vec::new();
    for number in 0..rounds {
        if Instant::now() >= until {
            break;
        }
        let began = Instant::now();
        let draft = client.post("/v1/diner/cart/lines").bearer(&guest.token);
        draft.body(line.clone()).send().await?.wanted(201)?;
        let wanted = Instant::now();
        let draft = client.post("/v1/diner/rounds").bearer(&guest.token);
        let draft = draft.key(format!("load-{number}")).body(mine.clone());
        draft.send().await?.wanted(201)?;
        let at = Instant::now();
        ordered.push(Ordered {
            at,
            line: wanted - began,
            place: at - wanted,
        });
    }
    Ok(ordered)
}

fn report(options: &LoadOptions, ordered: &[Ordered]) -> Report {
    let seconds = options.time.as_secs_f64();
    let rounds = ordered.len();
    Report {
        scenario: "place",
        connections: options.connections,
        seconds,
        rounds,
        rounds_per_second: per_second(rounds, options.time),
        line: Percentiles::of(ordered.iter().map(|one| one.line).collect()),
        place: Percentiles::of(ordered.iter().map(|one| one.place).collect()),
    }
}

fn show(report: &Report, output: Output) -> Result<(), Failure> {
    if output.json {
        return Ok(output.document(report)?);
    }
    let Report {
        rounds,
        seconds,
        connections,
        ..
    } = report;
    let text = format!(
        "{rounds} rounds in {seconds} s over {connections} connections: {} placings/s\n\
         placing       p50 {} ms, p99 {} ms\n\
         line in cart  p50 {} ms, p99 {} ms\n",
        report.rounds_per_second,
        report.place.p50_ms,
        report.place.p99_ms,
        report.line.p50_ms,
        report.line.p99_ms,
    );
    Ok(output.text(&text)?)
}
