//! `comanda load`: how much a server on this machine can take.

mod place;
mod room;

pub use place::place;

use std::time::Duration;

/// How much, and for how long.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// Guests who order at once, each over a connection of their own.
    pub connections: usize,
    /// How long the guests warm up before it counts.
    pub warm_up: Duration,
    /// How long it counts.
    pub time: Duration,
    /// How many rounds each guest orders at most.
    pub rounds: Option<u32>,
}
