//! One socket of many: it listens, counts what it is told, and comes back when its connection is gone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use comanda_domain::Timestamp;
use comanda_domain::cursor::StreamCursor;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::sleep_until;

use super::audience::{Audience, Seat};
use super::traffic::Name;
use crate::client::socket::{Frame, Happened, Op, Socket, SocketAddress, SocketError};
use crate::client::{Client, backoff};

/// How long a socket tries to come back.
const COMING_BACK: Duration = Duration::from_mins(2);

/// What all listeners are told to do.
#[derive(Debug, Clone)]
pub(super) enum Phase {
    /// Listen.
    Listen,
    /// Drop the connection, and come back.
    Storm(Instant),
    /// End once the last event of the audience is heard, or at that moment.
    Finish(Arc<Vec<u64>>, Instant),
}

/// The events that anybody heard of: which, and when it was decided.
#[derive(Debug, Default)]
pub(super) struct Heard(Mutex<HashMap<u64, (Name, Timestamp)>>);

impl Heard {
    /// Reads an event once, for all.
    fn note(&self, seq: u64, text: &str) -> Result<(), SocketError> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let std::collections::hash_map::Entry::Vacant(place) = all.entry(seq) {
            place.insert(Happened::read(text)?);
        }
        Ok(())
    }

    /// All of them.
    pub(super) fn all(&self) -> HashMap<u64, (Name, Timestamp)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What became of one socket.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// Which audience.
    pub(super) audience: usize,
    /// After which number it listens.
    pub(super) from: u64,
    /// Number and moment of each event.
    pub(super) arrivals: Vec<(u64, Instant)>,
    /// Events that did not follow the one before, by `prev`.
    pub(super) gaps: usize,
    /// Events it had already.
    pub(super) repeats: usize,
    /// Connections that ended without being told to.
    pub(super) lost: usize,
    /// Times that its cursor was not good any more.
    pub(super) unrecovered: usize,
    /// Attempts to open that failed.
    pub(super) refused: usize,
    /// From the storm until it was live again.
    pub(super) back: Option<Duration>,
}

/// One socket.
pub(super) struct Listener {
    address: SocketAddress,
    audience: Audience,
    patience: Duration,
    /// Where it stands.
    cursor: Option<StreamCursor>,
    socket: Option<Socket>,
    account: Account,
}

impl Listener {
    /// Opens the socket of a seat.
    pub(super) async fn open(client: &Client, seat: &Seat, patience: Duration) -> Result<Self, SocketError> {
        let mut listener = Self {
            address: client.socket(seat.audience.view),
            audience: seat.audience.clone(),
            patience,
            cursor: None,
            socket: None,
            account: Account {
                audience: seat.nth,
                ..Account::default()
            },
        };
        listener.join().await?;
        listener.account.from = listener.stands_at();
        Ok(listener)
    }

    /// Connects and subscribes, with the cursor if there is one.
    async fn join(&mut self) -> Result<(), SocketError> {
        let (socket, ready) = subscribe(&self.address, &self.audience, self.cursor, self.patience).await?;
        if ready.recovered != Some(true) {
            self.account.unrecovered += usize::from(self.cursor.is_some());
            self.cursor = Some(StreamCursor {
                epoch: ready.epoch,
                seq: ready.head.unwrap_or_default(),
            });
        }
        self.socket = Some(socket);
        Ok(())
    }

    /// Tries until it is live again, with waits that are drawn (`events.md` 7.5).
    async fn come_back(&mut self) -> bool {
        self.socket = None;
        let until = Instant::now() + COMING_BACK;
        for failures in 1.. {
            match self.join().await {
                Ok(()) => return true,
                Err(_) if Instant::now() < until => {
                    self.account.refused += 1;
                    tokio::time::sleep(backoff(failures)).await;
                }
                Err(_) => break,
            }
        }
        false
    }

    /// Listens until it is told to finish.
    pub(super) async fn listen(mut self, mut phase: watch::Receiver<Phase>, heard: Arc<Heard>) -> Account {
        let mut goal: Option<(u64, Instant)> = None;
        loop {
            let Some(socket) = &mut self.socket else {
                return self.account;
            };
            if goal.is_some_and(|(last, _)| stands_at(self.cursor) >= last) {
                return self.account;
            }
            let until = goal.map_or_else(|| Instant::now() + COMING_BACK, |(_, until)| until);
            tokio::select! {
                changed = phase.changed() => {
                    let told = phase.borrow_and_update().clone();
                    match told {
                        _ if changed.is_err() => return self.account,
                        Phase::Listen => {}
                        Phase::Storm(began) => {
                            if self.come_back().await {
                                self.account.back = Some(began.elapsed());
                            }
                        }
                        Phase::Finish(lasts, until) => {
                            goal = lasts.get(self.account.audience).map(|last| (*last, until));
                        }
                    }
                }
                text = socket.next() => {
                    if text.and_then(|text| self.note(&text, &heard)).is_err() {
                        self.account.lost += 1;
                        self.come_back().await;
                    }
                }
                () = sleep_until(until.into()), if goal.is_some() => return self.account,
            }
        }
    }

    fn note(&mut self, text: &str, heard: &Heard) -> Result<(), SocketError> {
        let frame = Frame::read(text)?;
        match (frame.op, frame.seq) {
            (Op::Event, Some(seq)) => {
                let at = Instant::now();
                let before = self.stands_at();
                if seq <= before {
                    self.account.repeats += 1;
                    return Ok(());
                }
                // After a heartbeat, the event before may be older than the cursor, but never newer.
                self.account.gaps += usize::from(frame.prev.is_none_or(|prev| prev > before));
                self.account.arrivals.push((seq, at));
                heard.note(seq, text)?;
                self.stand(seq);
            }
            (Op::Heartbeat, _) => self.stand(frame.head.unwrap_or_default()),
            _ => {}
        }
        Ok(())
    }

    fn stand(&mut self, seq: u64) {
        if let Some(cursor) = &mut self.cursor {
            cursor.seq = cursor.seq.max(seq);
        }
    }

    /// The newest number it knows of.
    pub(super) fn stands_at(&self) -> u64 {
        stands_at(self.cursor)
    }
}

/// Opens a socket and subscribes, with the cursor if there is one. Gives what the server is ready with, too.
pub(super) async fn subscribe(
    address: &SocketAddress,
    audience: &Audience,
    cursor: Option<StreamCursor>,
    patience: Duration,
) -> Result<(Socket, Frame), SocketError> {
    let mut socket = Socket::open(address, None, patience).await?;
    socket.hear(Op::Hello).await?;
    let mut auth = json!({ "op": "auth", "token": audience.token });
    if let Some(members) = auth.as_object_mut() {
        let branch = audience.branch.iter();
        members.extend(branch.map(|branch| ("branch_id".to_owned(), json!(branch))));
        members.extend(cursor.iter().map(|cursor| ("after".to_owned(), json!(cursor))));
    }
    socket.send(&auth).await?;
    let ready = socket.hear(Op::Ready).await?;
    Ok((socket, ready))
}

fn stands_at(cursor: Option<StreamCursor>) -> u64 {
    cursor.map_or(0, |cursor| cursor.seq)
}
