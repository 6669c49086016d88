//! Of `comanda load …`.

use std::time::Duration;

use clap::{Args, Subcommand};

use crate::commands::load::{LoadOptions, SocketsOptions};

/// Kinds of load.
#[derive(Debug, Subcommand)]
pub enum LoadCommand {
    /// Guests of the demo restaurant order one thing after the other
    Place(PlaceArgs),
    /// Many sockets listen to the demo restaurant while guests order
    #[command(
        before_help = "Examples:\n  comanda load sockets\n  comanda load sockets --sockets 2000 --seconds 20 --rate 10"
    )]
    Sockets(SocketsArgs),
    /// Every socket drops at once and comes back with its cursor
    #[command(
        before_help = "Examples:\n  comanda load storm\n  comanda load storm --sockets 2000 --seconds 30"
    )]
    Storm(SocketsArgs),
}

/// Of `load place`.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  comanda load place\n  comanda load place --seconds 30 --connections 16"
)]
pub struct PlaceArgs {
    /// Where the server is
    #[arg(long, env = "COMANDA_PUBLIC_URL", default_value = "http://localhost:8080")]
    pub url: String,
    /// How many order at once: 1 to 200
    #[arg(long, default_value = "8", value_parser = connections)]
    connections: usize,
    /// How long it counts: 1 to 600
    #[arg(long, default_value = "10", value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How long to warm up before
    #[arg(long, default_value = "2", value_parser = clap::value_parser!(u64).range(0..=60), value_name = "SECONDS")]
    warm_up: u64,
    /// How many rounds each guest orders at most
    #[arg(long)]
    rounds: Option<u32>,
}

impl PlaceArgs {
    /// How much load.
    pub fn options(&self) -> LoadOptions {
        LoadOptions {
            connections: self.connections,
            warm_up: Duration::from_secs(self.warm_up),
            time: Duration::from_secs(self.seconds),
            rounds: self.rounds,
        }
    }
}

fn connections(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=200).contains(number));
    number.ok_or_else(|| "1 to 200 connections".to_owned())
}

/// Of `load sockets` and `load storm`.
#[derive(Debug, Args)]
pub struct SocketsArgs {
    /// Where the server is
    #[arg(long, env = "COMANDA_PUBLIC_URL", default_value = "http://localhost:8080")]
    pub url: String,
    /// How many sockets: 5 to 18000
    #[arg(long, default_value = "200", value_parser = sockets)]
    sockets: usize,
    /// How long guests order: 1 to 600
    #[arg(long, default_value = "15", value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How many rounds they order a second: 0.1 to 200
    #[arg(long, default_value = "5", value_parser = rate)]
    rate: f64,
    /// How many more that never read: up to 5
    #[arg(long, default_value = "0", value_parser = clap::value_parser!(u8).range(0..=5))]
    deaf: u8,
    /// Process id of the server, to measure its memory
    #[arg(long)]
    pid: Option<u32>,
}

impl SocketsArgs {
    /// How much load.
    pub fn options(&self, patience: Duration) -> SocketsOptions {
        SocketsOptions {
            sockets: self.sockets,
            deaf: usize::from(self.deaf),
            rate: self.rate,
            time: Duration::from_secs(self.seconds),
            pid: self.pid,
            patience,
        }
    }
}

fn sockets(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (5..=18_000).contains(number));
    number.ok_or_else(|| "5 to 18000 sockets".to_owned())
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| (0.1..=200.0).contains(rate));
    rate.ok_or_else(|| "0.1 to 200 rounds a second".to_owned())
}
