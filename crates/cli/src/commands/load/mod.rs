//! `comanda load`: how much a server on this machine can take.

mod audience;
mod deaf;
mod listener;
mod memory;
mod percentiles;
mod place;
mod room;
mod sockets;
mod stage;
mod storm;
mod traffic;
mod truth;

pub use place::place;
pub use sockets::sockets;
pub use storm::storm;

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

/// How many sockets, and what happens meanwhile.
#[derive(Debug, Clone)]
pub struct SocketsOptions {
    /// Sockets.
    pub sockets: usize,
    /// Sockets besides that never read.
    pub deaf: usize,
    /// Rounds that guests order a second.
    pub rate: f64,
    /// How long they order.
    pub time: Duration,
    /// The server, if its memory shall be measured.
    pub pid: Option<u32>,
    /// How long one answer may take, and how long is waited for the last events.
    pub patience: Duration,
}
