//! Who listens: staff, guests and integrations of one branch, all at once.

use serde::Deserialize;
use serde_json::{Value, json};

use super::room::Room;
use crate::client::Client;
use crate::failure::Failure;

/// Half of what the server allows one owner, so that those who come back find room while their old sockets still end.
const OF_STAFF: usize = 5;
const OF_GUEST: usize = 2;
const OF_KEY: usize = 25;
/// What integrations may read.
const SCOPES: [&str; 5] = [
    "menu:read",
    "tables:read",
    "rounds:read",
    "tickets:read",
    "checks:read",
];

/// Those who are told the same.
#[derive(Debug, Clone)]
pub(super) struct Audience {
    /// Through whose eyes.
    pub(super) view: &'static str,
    /// Opens what they may read.
    pub(super) token: String,
    /// The branch; guests need not say it.
    pub(super) branch: Option<String>,
}

/// One place at a socket.
#[derive(Debug, Clone)]
pub(super) struct Seat {
    /// Which audience, by its place in the list.
    pub(super) nth: usize,
    /// Its audience, with a token of its own: keys of one audience differ.
    pub(super) audience: Audience,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    pub(super) audiences: Vec<Audience>,
    pub(super) seats: Vec<Seat>,
}

#[derive(Deserialize)]
struct Issued {
    secret: String,
}

/// So many seats: a few of staff, two of each guest, the rest integrations with keys that end within the hour.
pub(super) async fn gather(
    client: &Client,
    room: &Room,
    sockets: usize,
    ends_at: &Value,
) -> Result<Listeners, Failure> {
    let mut listeners = Listeners::default();
    let branch = Some(room.branch.clone());
    // Managers read everything in the waiters' view, too; what a waiter is told depends on who else is connected.
    let staff = [
        ("admin", &room.olga),
        ("waiter", &room.marta),
        ("kitchen", &room.nora),
    ];
    let fifth = sockets.div_ceil(5);
    let audience = |view, token: &str, branch: &Option<String>| Audience {
        view,
        token: token.to_owned(),
        branch: branch.clone(),
    };
    for (view, token) in staff {
        listeners.add(&audience(view, token, &branch), fifth.min(OF_STAFF));
    }
    for guest in room.guests.iter().take(fifth.div_ceil(OF_GUEST)) {
        listeners.add(&audience("diner", &guest.token, &None), OF_GUEST);
    }
    listeners.seats.truncate(sockets);
    let mut left = sockets.saturating_sub(listeners.seats.len());
    let mut integration = None;
    while left > 0 {
        let body =
            json!({ "name": "Load", "scopes": SCOPES, "branch_ids": [room.branch], "expires_at": ends_at });
        let draft = client.post("/v1/admin/api-keys").bearer(&room.olga).body(body);
        let key: Issued = draft.send().await?.json(201)?;
        let count = left.min(OF_KEY);
        let holder = audience("integration", &key.secret, &branch);
        match integration {
            None => integration = Some(listeners.add(&holder, count)),
            Some(nth) => listeners.sit(nth, holder, count),
        }
        left -= count;
    }
    Ok(listeners)
}

impl Listeners {
    fn add(&mut self, audience: &Audience, count: usize) -> usize {
        let nth = self.audiences.len();
        self.audiences.push(audience.clone());
        self.sit(nth, audience.clone(), count);
        nth
    }

    fn sit(&mut self, nth: usize, audience: Audience, count: usize) {
        self.seats
            .extend(std::iter::repeat_n(Seat { nth, audience }, count));
    }
}
