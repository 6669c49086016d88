//! How events reach the processes that have listeners: a copy of the log, quick and disposable.

mod memory;
mod open;
mod redis;

use std::collections::BTreeMap;
use std::sync::Arc;

use comanda_domain::breaker::BreakerOpen;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use serde_json::Value;
use uuid::Uuid;

pub use self::memory::MemoryBus;
pub use self::open::open;
pub use self::redis::RedisBus;

use super::LoggedEvent;

/// Why the bus does not carry.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BusError {
    /// It cannot be reached, or has refused.
    #[error("the event bus does not answer: {0}")]
    Unavailable(String),
    /// It failed too often of late, and was not asked.
    #[error("the event bus was {0}")]
    Open(#[from] BreakerOpen),
    /// It holds what the log does not: the log was restored without a new epoch.
    #[error(
        "shard {shard} of the bus is at {top}, the log at {head}: the log was restored without a new epoch"
    )]
    AheadOfLog {
        /// Which shard.
        shard: i32,
        /// Its newest position on the bus.
        top: i64,
        /// The newest in the log.
        head: i64,
    },
    /// It holds what nobody can read.
    #[error("an event on the bus cannot be read: {0}")]
    Unreadable(String),
}

/// A message that is sent once and not kept: what goes on in the cart of a visit.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Signal {
    /// Whose.
    pub tenant_id: Uuid,
    /// Where.
    pub branch_id: Uuid,
    /// To the devices of this visit.
    pub session_id: Uuid,
    /// `cart.changed` or `cart.presence`.
    pub name: String,
    /// What it says.
    pub data: Value,
}

/// Carries events from the publisher to every process, shard by shard in the order of `pos`. Two implementations,
/// one contract: Redis streams, and a ring in the process.
pub trait EventBus: Send + Sync {
    /// What metrics call it.
    fn name(&self) -> &'static str;

    /// How many of the newest events of a shard it keeps: more need not be written to an empty one.
    fn kept(&self) -> i64;

    /// Appends; what is there already (at or below the newest position) is refused silently, so a publisher repeats
    /// blindly.
    fn publish<'a>(
        &'a self,
        epoch: &'a str,
        shard: i32,
        events: &'a [Arc<LoggedEvent>],
    ) -> BoxFuture<'a, Result<(), BusError>>;

    /// The newest position of a shard, 0 if it holds none.
    fn top<'a>(&'a self, epoch: &'a str, shard: i32) -> BoxFuture<'a, Result<i64, BusError>>;

    /// Forgets what it holds of a shard, so that older positions can be written again.
    fn clear<'a>(&'a self, epoch: &'a str, shard: i32) -> BoxFuture<'a, Result<(), BusError>>;

    /// What is there of these shards after their positions, then what comes, until an error; each shard in order. A
    /// position that is not the next one means that the bus has lost some: the reader fetches them from the log.
    fn tail(
        &self,
        epoch: &str,
        after: &BTreeMap<i32, i64>,
    ) -> BoxStream<'static, Result<Arc<LoggedEvent>, BusError>>;

    /// Gives what it holds of these shards and of other epochs an hour to live, and says how many streams it met
    /// that had no end yet.
    fn let_go<'a>(&'a self, epoch: &'a str, shards: &'a [i32]) -> BoxFuture<'a, Result<u64, BusError>>;

    /// Sends a signal to whoever listens now.
    fn signal<'a>(&'a self, shard: i32, signal: &'a Signal) -> BoxFuture<'a, Result<(), BusError>>;

    /// The signals that are sent from now on, of all shards.
    fn signals(&self) -> BoxStream<'static, Result<Arc<Signal>, BusError>>;

    /// Tells the other processes that something may have been staged; it may be missed.
    fn ring(&self) -> BoxFuture<'_, Result<(), BusError>>;

    /// Whenever another process rings, until an error.
    fn rings(&self) -> BoxStream<'static, Result<(), BusError>>;
}
