//! Screens that follow the four rules for clients, on both gateways.

use std::sync::Arc;
use std::time::Duration;

use comanda_domain::event::Subscription;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::dice::Dice;
use super::fleet::Fleet;
use super::history::{Heard, Notes, ScreenHistory};
use super::money::holds_money;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Two heartbeats may be missing, not three.
const SILENCE: Duration = Duration::from_secs(35);
/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// The backoff after the first close, and the longest.
const BACKOFF: (u64, u64) = (500, 4_000);

/// Who sits where.
#[derive(Debug, Clone)]
pub struct Seat {
    /// For reports.
    pub name: String,
    /// `admin`, `waiter`, `kitchen` or `diner`.
    pub view: &'static str,
    /// The credential.
    pub token: String,
    /// The branch; guests do not say it.
    pub branch: Option<String>,
    /// Which gateway.
    pub gateway: usize,
    /// What it may see.
    pub subscription: Subscription,
}

/// What screens are told from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Listen.
    Live,
    /// Come back once more, hear what was missed, and leave.
    LastCall,
}

/// A screen at work.
#[derive(Debug)]
pub struct Screen {
    /// Who sits there.
    pub seat: Seat,
    /// What it got.
    pub notes: Arc<Notes<Heard>>,
}

impl Screen {
    /// What it got so far.
    pub fn history(&self) -> ScreenHistory {
        ScreenHistory {
            name: self.seat.name.clone(),
            subscription: self.seat.subscription.clone(),
            heard: self.notes.all(),
        }
    }
}

/// Why a connection is over.
enum Over {
    Closed(String),
    Backoff(Duration, String),
    LastCall,
    Done,
}

/// What a client remembers between connections.
struct Memory {
    seat: Seat,
    notes: Arc<Notes<Heard>>,
    epoch: String,
    /// The highest number known to have been told.
    cursor: Option<i64>,
    /// The number of the event before the next one.
    last: Option<i64>,
    /// The answer that ends the last connection has been asked for.
    leaving: bool,
}

/// Listens until the last call, coming back after every close.
pub async fn listen(
    fleet: Arc<Fleet>,
    seat: Seat,
    notes: Arc<Notes<Heard>>,
    mut dice: Dice,
    mut phase: watch::Receiver<Phase>,
) {
    let mut memory = Memory {
        seat,
        notes,
        epoch: String::new(),
        cursor: None,
        last: None,
        leaving: false,
    };
    let mut failures = 0_u32;
    loop {
        let before = memory.ready_count();
        let over = memory.connection(&fleet, &mut phase).await;
        if memory.ready_count() > before {
            failures = 0;
        }
        let mut longest = BACKOFF.0 << failures.min(3);
        longest = longest.min(BACKOFF.1);
        let mut wait = Duration::from_millis(dice.between(0, longest));
        match over {
            Over::Done => return,
            Over::LastCall => {
                memory.leaving = true;
                continue;
            }
            Over::Closed(how) => memory.notes.add(Heard::Closed { how }),
            Over::Backoff(least, how) => {
                wait += least;
                memory.notes.add(Heard::Closed { how });
            }
        }
        failures += 1;
        sleep(wait).await;
    }
}

impl Memory {
    fn ready_count(&self) -> usize {
        let is_ready = |heard: &&Heard| matches!(heard, Heard::Ready { .. });
        self.notes.look(|heard| heard.iter().filter(is_ready).count())
    }

    /// One connection, from the handshake to its end.
    async fn connection(&mut self, fleet: &Fleet, phase: &mut watch::Receiver<Phase>) -> Over {
        let Some(url) = fleet.gateway[self.seat.gateway].url() else {
            return Over::Closed("nobody listens".to_owned());
        };
        let address = format!("{}/v1/ws/{}", url.replacen("http", "ws", 1), self.seat.view);
        let mut socket = match timeout(HANDSHAKE, connect_async(address)).await {
            Ok(Ok((socket, _))) => socket,
            Ok(Err(error)) => return Over::Closed(error.to_string()),
            Err(_) => return Over::Closed("no handshake".to_owned()),
        };
        let mut auth = json!({ "op": "auth", "token": self.seat.token });
        if let Some(branch) = &self.seat.branch {
            auth["branch_id"] = json!(branch);
        }
        if let Some(cursor) = self.cursor() {
            auth["after"] = json!(cursor);
        }
        if let Err(error) = socket.send(Message::text(auth.to_string())).await {
            return Over::Closed(error.to_string());
        }
        loop {
            let next = tokio::select! {
                next = timeout(SILENCE, socket.next()) => next,
                () = last_call(phase), if !self.leaving => {
                    let _ = socket.close(None).await;
                    return Over::LastCall;
                }
            };
            let text = match next {
                Ok(Some(Ok(Message::Text(text)))) => text,
                Ok(Some(Ok(Message::Close(frame)))) => return closed(frame),
                Ok(Some(Ok(_))) => continue,
                Ok(Some(Err(error))) => return Over::Closed(error.to_string()),
                Ok(None) => return Over::Closed("ended".to_owned()),
                Err(_) => return Over::Closed("two heartbeats are missing".to_owned()),
            };
            let frame: Value = serde_json::from_str(&text).unwrap_or_default();
            match self.hear(&mut socket, &frame).await {
                Ok(true) => {}
                Ok(false) => {
                    let _ = socket.close(None).await;
                    return Over::Done;
                }
                Err(how) => return Over::Closed(how),
            }
        }
    }

    fn cursor(&self) -> Option<String> {
        self.cursor.map(|seq| format!("{}-{seq}", self.epoch))
    }

    /// Takes in one frame; false when all has been heard.
    async fn hear(&mut self, socket: &mut Socket, frame: &Value) -> Result<bool, String> {
        let number = |name: &str| frame[name].as_i64();
        match frame["op"].as_str().unwrap_or_default() {
            "ready" => {
                self.ready(frame);
                if self.leaving {
                    send(socket, &json!({ "op": "ping", "n": 1 })).await?;
                }
            }
            "event" if self.event(frame) => {
                self.notes.add(Heard::AskedAgain);
                let mut ask = json!({ "op": "subscribe", "after": self.cursor() });
                if let Some(branch) = &self.seat.branch {
                    ask["branch_id"] = json!(branch);
                }
                send(socket, &ask).await?;
            }
            "heartbeat" => {
                let head = number("head").unwrap_or_default();
                self.notes.add(Heard::Heartbeat { head });
                self.cursor = self.cursor.max(Some(head));
            }
            "resync" => {
                let reason = frame["reason"].as_str().unwrap_or_default().to_owned();
                self.notes.add(Heard::Resync { reason });
            }
            "pong" => return Ok(!self.leaving),
            _ => {}
        }
        Ok(true)
    }

    fn ready(&mut self, frame: &Value) {
        let head = frame["head"].as_i64().unwrap_or_default();
        let recovered = frame["recovered"] == true;
        let from = frame["from"].as_i64();
        self.notes.add(Heard::Ready {
            from,
            head,
            recovered,
            reason: frame["reason"].as_str().map(str::to_owned),
        });
        frame["epoch"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut self.epoch);
        self.last = if recovered { from } else { Some(head) };
        // What follows a recovery has yet to come: its head is no cursor.
        if !recovered {
            self.cursor = Some(head);
        }
    }

    /// Writes an event down; says whether something is missing before it.
    fn event(&mut self, frame: &Value) -> bool {
        let number = |name: &str| frame[name].as_i64().unwrap_or_default();
        let text = |name: &str| frame["event"][name].as_str().unwrap_or_default().to_owned();
        let (seq, prev) = (number("seq"), number("prev"));
        self.notes.add(Heard::Event {
            seq,
            prev,
            id: text("id"),
            kind: text("type"),
            money: holds_money(&frame["event"]),
        });
        if self.cursor.is_some_and(|cursor| seq <= cursor) {
            return false;
        }
        if self.last.is_some_and(|last| prev != last) {
            return true;
        }
        self.last = Some(seq);
        self.cursor = Some(seq);
        false
    }
}

/// Waits for it.
async fn last_call(phase: &mut watch::Receiver<Phase>) {
    // Whoever would call is gone when this fails, and so is everything else.
    let _ = phase.wait_for(|phase| *phase == Phase::LastCall).await.is_ok();
}

async fn send(socket: &mut Socket, frame: &Value) -> Result<(), String> {
    let sent = socket.send(Message::text(frame.to_string())).await;
    sent.map_err(|error| error.to_string())
}

fn closed(frame: Option<tokio_tungstenite::tungstenite::protocol::CloseFrame>) -> Over {
    let Some(frame) = frame else {
        return Over::Closed("closed without a code".to_owned());
    };
    let code: u16 = frame.code.into();
    let how = format!("{code} {}", frame.reason);
    match code {
        4429 => Over::Backoff(Duration::from_secs(10), how),
        _ => Over::Closed(how),
    }
}
