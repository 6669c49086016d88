//! What happens while sockets listen: guests order at a steady pace, a waiter confirms, a manager sends it to the
//! kitchen.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval_at};

use super::room::{Guest, Room};
use crate::client::{Client, Round};
use crate::exit::Exit;
use crate::failure::Failure;

/// An event, as a request and its event are matched: the type's name and the object.
pub(super) type Name = (String, String);

/// A request whose event must come.
#[derive(Debug, Clone)]
pub(super) struct Answered {
    /// The event.
    pub(super) name: Name,
    /// When the answer was here.
    pub(super) at: Instant,
}

/// The rest of an answer does not matter.
#[derive(Deserialize)]
struct Ignored {}

/// Orders `rate` rounds a second, spread over the guests, for this long. A guest whose round takes too long skips a turn.
pub(super) async fn order(
    client: &Client,
    room: &Room,
    rate: f64,
    time: Duration,
) -> Result<Vec<Answered>, Failure> {
    let guests = u32::try_from(room.guests.len()).unwrap_or(u32::MAX);
    let turn = Duration::from_secs_f64(f64::from(guests) / rate);
    let began = tokio::time::Instant::now();
    let mut ordering = JoinSet::new();
    for (nth, guest) in (0..guests).zip(&room.guests) {
        let (client, room, guest) = (client.clone(), room.clone(), guest.clone());
        let mut turns = interval_at(began + turn * nth / guests, turn);
        turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
        ordering.spawn(async move {
            let mut answered = Vec::new();
            while turns.tick().await < began + time {
                answered.extend(round(&client, &room, &guest, answered.len()).await?);
            }
            Ok::<_, Failure>(answered)
        });
    }
    let mut all = Vec::new();
    while let Some(done) = ordering.join_next().await {
        all.extend(done.map_err(|error| {
            Failure::new(Exit::Failed, "load", error.to_string(), "look at the server")
        })??);
    }
    Ok(all)
}

async fn round(client: &Client, room: &Room, guest: &Guest, nth: usize) -> Result<[Answered; 3], Failure> {
    let line = json!({ "product_id": guest.product, "qty": 1 });
    let draft = client.post("/v1/diner/cart/lines").bearer(&guest.token);
    draft.body(line).send().await?.json::<Ignored>(201)?;
    let draft = client.post("/v1/diner/rounds").bearer(&guest.token);
    let draft = draft
        .key(format!("load-{nth}"))
        .body(json!({ "selection": "mine" }));
    let placed: Round = draft.send().await?.json(201)?;
    let placed_at = Instant::now();
    let mut moved = Vec::new();
    for (step, who) in [("confirm", &room.leo), ("submit", &room.marta)] {
        let draft = client.post(format_args!("/v1/waiter/rounds/{}/{step}", placed.id));
        draft
            .bearer(who)
            .key(format!("load-{step}-{}", placed.id))
            .send()
            .await?
            .wanted(200)?;
        moved.push(Instant::now());
    }
    let happened = |name: &str, at| Answered {
        name: (format!("dev.comanda.round.{name}.v1"), placed.id.clone()),
        at,
    };
    let [confirmed_at, submitted_at] = [0, 1].map(|nth| moved.get(nth).copied().unwrap_or(placed_at));
    Ok([
        happened("pending", placed_at),
        happened("confirmed", confirmed_at),
        happened("submitted", submitted_at),
    ])
}
