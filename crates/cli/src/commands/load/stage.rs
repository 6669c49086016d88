//! Everybody connected, and afterwards the account of each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use comanda_domain::Timestamp;
use comanda_infrastructure::clock::Sources;
use futures_util::{StreamExt, stream};
use serde::Serialize;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::SocketsOptions;
use super::audience::{Listeners, Seat, gather};
use super::deaf::{Cut, Deaf};
use super::listener::{Account, Heard, Listener, Phase};
use super::memory::{Memory, resident};
use super::percentiles::Percentiles;
use super::room::{Room, furnish};
use super::traffic::{Answered, Name};
use super::truth::{Told, missed, told};
use crate::client::Client;
use crate::client::socket::SocketError;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Sockets that are opened at once. The server lets 512 in that it does not know yet.
const AT_ONCE: usize = 128;
/// How many guests order.
const GUESTS: usize = 28;
/// How long the keys of a run are good.
const KEYS_LAST: Duration = Duration::from_hours(1);

/// Everybody connected.
pub(super) struct Stage {
    pub(super) client: Client,
    pub(super) room: Room,
    pub(super) memory: Option<Memory>,
    pub(super) opening: Opening,
    listeners: Listeners,
    deaf: Deaf,
    heard: Arc<Heard>,
    phase: watch::Sender<Phase>,
    running: JoinSet<Account>,
    from: u64,
    /// One moment, on both clocks.
    moment: (Timestamp, Instant),
}

/// How long it took to open them.
#[derive(Debug, Default, Serialize)]
pub(super) struct Opening {
    pub(super) seconds: f64,
    pub(super) each: Percentiles,
}

/// What came of it.
pub(super) struct Outcome {
    pub(super) accounts: Vec<Account>,
    pub(super) told: Vec<Told>,
    pub(super) heard: std::collections::HashMap<u64, (Name, Timestamp)>,
    pub(super) views: BTreeMap<&'static str, usize>,
    moment: (Timestamp, Instant),
}

impl Stage {
    /// Seats guests, makes keys, and opens every socket.
    pub(super) async fn set(
        client: &Client,
        options: &SocketsOptions,
        output: Output,
    ) -> Result<Self, Failure> {
        // A process that is not there is told before guests sit down for nothing.
        options.pid.map(resident).transpose()?;
        let moment = (Sources::system().now(), Instant::now());
        let room = furnish(client, GUESTS).await?;
        let ends_at = json!(moment.0 + KEYS_LAST);
        let listeners = gather(client, &room, options.sockets, &ends_at).await?;
        output.talk(&format!(
            "{} guests and {} audiences; opening sockets",
            room.guests.len(),
            listeners.audiences.len()
        ));
        let before = options.pid.map(resident).transpose()?;
        let began = Instant::now();
        let (open, times) = open(client, &listeners, options.patience).await?;
        let opening = Opening {
            seconds: super::percentiles::rounded(began.elapsed().as_secs_f64()),
            each: Percentiles::of(times),
        };
        let memory = Memory::of(options.pid, before, open.len())?;
        output.talk(&format!(
            "{} sockets are open after {} s",
            open.len(),
            opening.seconds
        ));
        let admin = listeners.audiences.first().filter(|_| options.deaf > 0);
        let deaf = match admin {
            Some(admin) => Deaf::open(client, admin, options.deaf, options.patience).await?,
            None => Deaf::default(),
        };
        let from = open.iter().map(Listener::stands_at).min().unwrap_or_default();
        let (phase, told) = watch::channel(Phase::Listen);
        let heard = Arc::new(Heard::default());
        let mut running = JoinSet::new();
        for listener in open {
            running.spawn(listener.listen(told.clone(), heard.clone()));
        }
        Ok(Self {
            client: client.clone(),
            room,
            memory,
            opening,
            listeners,
            deaf,
            heard,
            phase,
            running,
            from,
            moment,
        })
    }

    /// Drops every connection at once.
    pub(super) fn storm(&self) {
        self.phase.send_replace(Phase::Storm(Instant::now()));
    }

    /// Sees what became of those who never read.
    pub(super) async fn cut(&mut self, patience: Duration) -> Cut {
        std::mem::take(&mut self.deaf).cut(patience).await
    }

    /// Waits until everybody has heard everything, or for so long, and asks the server what that is.
    pub(super) async fn finish(
        mut self,
        answered: &[Answered],
        patience: Duration,
    ) -> Result<Outcome, Failure> {
        let audiences = &self.listeners.audiences;
        let told = told(&self.client, audiences, self.from, answered, patience).await?;
        let lasts = told
            .iter()
            .map(|told| told.keys().next_back().copied().unwrap_or_default());
        let until = Instant::now() + patience;
        self.phase
            .send_replace(Phase::Finish(Arc::new(lasts.collect()), until));
        let mut accounts = Vec::new();
        while let Some(account) = self.running.join_next().await {
            accounts.push(
                account
                    .map_err(|error| Failure::new(Exit::Failed, "load", error.to_string(), "report it"))?,
            );
        }
        let mut views = BTreeMap::new();
        for account in &accounts {
            let view = audiences
                .get(account.audience)
                .map_or("", |audience| audience.view);
            *views.entry(view).or_default() += 1;
        }
        Ok(Outcome {
            accounts,
            told,
            heard: self.heard.all(),
            views,
            moment: self.moment,
        })
    }
}

async fn open(
    client: &Client,
    listeners: &Listeners,
    patience: Duration,
) -> Result<(Vec<Listener>, Vec<Duration>), SocketError> {
    let mut opening = stream::iter(&listeners.seats)
        .map(|seat| open_one(client, seat, patience))
        .buffer_unordered(AT_ONCE);
    let (mut open, mut times) = (Vec::new(), Vec::new());
    while let Some(opened) = opening.next().await {
        let (listener, time) = opened?;
        open.push(listener);
        times.push(time);
    }
    Ok((open, times))
}

async fn open_one(
    client: &Client,
    seat: &Seat,
    patience: Duration,
) -> Result<(Listener, Duration), SocketError> {
    let began = Instant::now();
    let listener = Listener::open(client, seat, patience).await?;
    Ok((listener, began.elapsed()))
}

/// What was heard, and what was not.
#[derive(Debug, Serialize)]
pub(super) struct Counts {
    pub(super) events: usize,
    pub(super) deliveries: usize,
    pub(super) missed: usize,
    pub(super) gaps: usize,
    pub(super) repeats: usize,
    pub(super) lost: usize,
}

impl Outcome {
    pub(super) fn counts(&self) -> Counts {
        let sum = |number: fn(&Account) -> usize| self.accounts.iter().map(number).sum();
        Counts {
            events: self.told.first().map_or(0, Told::len),
            deliveries: sum(|account| account.arrivals.len()),
            missed: self
                .accounts
                .iter()
                .map(|account| missed(account, &self.told))
                .sum(),
            gaps: sum(|account| account.gaps),
            repeats: sum(|account| account.repeats),
            lost: sum(|account| account.lost),
        }
    }

    /// From the moment that an event was decided, before its commit, to each socket.
    pub(super) fn since_decided(&self) -> Vec<Duration> {
        self.since(|(_, time)| {
            let (timestamp, instant) = self.moment;
            (*time - timestamp).to_std().ok().map(|since| instant + since)
        })
    }

    /// From the answer to the request, after its commit, to each socket; zero for those that heard of it before.
    pub(super) fn since_answered(&self, answered: &[Answered]) -> Vec<Duration> {
        let at: BTreeMap<&Name, Instant> = answered.iter().map(|one| (&one.name, one.at)).collect();
        self.since(|(name, _)| at.get(name).copied())
    }

    fn since(&self, start: impl Fn(&(Name, Timestamp)) -> Option<Instant>) -> Vec<Duration> {
        let starts: BTreeMap<u64, Instant> = self
            .heard
            .iter()
            .filter_map(|(seq, event)| Some((*seq, start(event)?)))
            .collect();
        let arrivals = self.accounts.iter().flat_map(|account| &account.arrivals);
        arrivals
            .filter_map(|(seq, at)| {
                starts
                    .get(seq)
                    .map(|started| at.saturating_duration_since(*started))
            })
            .collect()
    }
}

impl Counts {
    /// In words.
    pub(super) fn text(&self) -> String {
        let Self {
            events,
            deliveries,
            missed,
            gaps,
            repeats,
            lost,
        } = self;
        format!(
            "{events} events, {deliveries} deliveries; {missed} missed, {gaps} gaps, {repeats} repeats, {lost} connections lost"
        )
    }

    /// # Errors
    /// [`Exit::ProblemsFound`] if anything was not as it must be.
    pub(super) fn judge(&self) -> Result<(), Failure> {
        if self.missed + self.gaps + self.lost == 0 {
            return Ok(());
        }
        let hint = "look at the log of the server";
        Err(Failure::new(
            Exit::ProblemsFound,
            "events_missed",
            self.text(),
            hint,
        ))
    }
}
