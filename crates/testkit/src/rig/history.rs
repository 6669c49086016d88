//! What everybody did and got, written down while it happened.

use std::sync::{Mutex, PoisonError};

use comanda_domain::event::{EventFacts, Subscription};
use serde::Serialize;

/// What somebody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Putting something into the cart.
    Line,
    /// Placing a round.
    Place,
    /// Confirming it.
    Confirm,
    /// Handing it to the kitchen.
    Submit,
    /// Having cooked it.
    Ready,
    /// Bringing it to the table.
    Serve,
}

/// How it ended, as far as whoever asked can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was acknowledged.
    Ok,
    /// It was refused.
    Fail,
    /// Nobody knows.
    Info,
}

/// One operation with all its attempts.
#[derive(Debug, Clone, Serialize)]
pub struct Operation {
    /// What.
    pub deed: Deed,
    /// Its idempotency key, if it has one.
    pub key: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// The round that it is about, or that came of it.
    pub round: Option<String>,
    /// How often it was sent.
    pub attempts: usize,
    /// What came last: a status and code, or what went wrong.
    pub last: String,
}

/// What a screen got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Heard {
    /// It is subscribed.
    Ready {
        /// The cursor it came with, as the server understood it.
        from: Option<i64>,
        /// The newest number.
        head: i64,
        /// Whether what it missed follows.
        recovered: bool,
        /// Why not.
        reason: Option<String>,
    },
    /// An event.
    Event {
        /// Its number in the branch.
        seq: i64,
        /// The number of the one before it, for this subscription.
        prev: i64,
        /// Its id.
        id: String,
        /// Its type.
        kind: String,
        /// Whether an amount of money is in it.
        money: bool,
    },
    /// All up to `head` has been sent.
    Heartbeat {
        /// The newest number.
        head: i64,
    },
    /// The state is to be read again.
    Resync {
        /// Why.
        reason: String,
    },
    /// `prev` was not what came before: the screen asks again from its cursor.
    AskedAgain,
    /// The connection ended.
    Closed {
        /// Close code and reason, or what went wrong.
        how: String,
    },
}

/// A screen and all that it got.
#[derive(Debug, Clone)]
pub struct ScreenHistory {
    /// Who it is.
    pub name: String,
    /// What it may see.
    pub subscription: Subscription,
    /// What it got, in order.
    pub heard: Vec<Heard>,
}

/// An event as it is in the log.
#[derive(Debug, Clone)]
pub struct LogEvent {
    /// Its shard.
    pub shard: i32,
    /// Its position there.
    pub pos: i64,
    /// Its branch, as text.
    pub branch: Option<String>,
    /// Its number there.
    pub seq: Option<i64>,
    /// Its id.
    pub id: String,
    /// Its name, such as `round.submitted`; its type if it is internal.
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// The object's version after it.
    pub version: i64,
    /// Who gets it; none of what nobody gets.
    pub facts: Option<EventFacts>,
}

/// A round or ticket as it is in the database.
#[derive(Debug, Clone)]
pub struct Thing {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: i64,
    /// The names of the events that what it went through must have caused, each once.
    pub steps: Vec<&'static str>,
}

/// One queue's conservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSum {
    /// Its name.
    pub queue: String,
    /// All that ever came in.
    pub accepted: i64,
    /// Done.
    pub settled: i64,
    /// Waiting.
    pub pending: i64,
    /// Given up.
    pub dead: i64,
}

/// All that a verdict rests on.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// What people did.
    pub operations: Vec<Operation>,
    /// What screens got.
    pub screens: Vec<ScreenHistory>,
    /// The log, by shard and position.
    pub log: Vec<LogEvent>,
    /// The rounds.
    pub rounds: Vec<Thing>,
    /// The tickets.
    pub tickets: Vec<Thing>,
    /// Events that wait for their number.
    pub staged: i64,
    /// The last position that each shard says it gave.
    pub heads: Vec<(i32, i64)>,
    /// Every sample of every queue.
    pub queues: Vec<QueueSum>,
    /// What went wrong with the processes themselves.
    pub accidents: Vec<String>,
}

/// A list that many write to.
#[derive(Debug)]
pub struct Notes<T>(Mutex<Vec<T>>);

impl<T> Default for Notes<T> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl<T: Clone> Notes<T> {
    /// Writes one down.
    pub fn add(&self, note: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    }

    /// What has been written so far.
    pub fn all(&self) -> Vec<T> {
        self.look(<[T]>::to_vec)
    }

    /// Looks at what has been written so far.
    pub fn look<R>(&self, look: impl FnOnce(&[T]) -> R) -> R {
        look(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
