//! What the listeners must have heard: the same events, read over HTTP.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::audience::Audience;
use super::listener::Account;
use super::traffic::{Answered, Name};
use crate::client::Client;
use crate::exit::Exit;
use crate::failure::Failure;

#[derive(Deserialize)]
struct Listed {
    data: Vec<Event>,
    last: u64,
    head: u64,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    subject: String,
    data: Numbered,
}

#[derive(Deserialize)]
struct Numbered {
    seq: u64,
}

/// What one audience was to be told, by number.
pub(super) type Told = BTreeMap<u64, Name>;

/// What every audience was to be told after `from`, once everything that was answered has its number. The first
/// audience is told everything.
pub(super) async fn told(
    client: &Client,
    audiences: &[Audience],
    from: u64,
    answered: &[Answered],
    patience: Duration,
) -> Result<Vec<Told>, Failure> {
    let until = Instant::now() + patience;
    let mut all = Vec::new();
    let mut head = 0;
    for audience in audiences {
        let mut told = Told::new();
        let mut after = from;
        let mut owed: BTreeSet<&Name> = BTreeSet::new();
        if all.is_empty() {
            owed.extend(answered.iter().map(|one| &one.name));
        }
        loop {
            let listed = ask(client, audience, after, owed.is_empty()).await?;
            for event in listed.data {
                let name = (event.kind, event.subject);
                owed.remove(&name);
                told.insert(event.data.seq, name);
            }
            after = listed.last;
            if owed.is_empty() && after >= listed.head.max(head) {
                head = listed.head;
                break;
            }
            if Instant::now() >= until {
                let message = format!(
                    "{} events have no number after {} s",
                    owed.len(),
                    patience.as_secs()
                );
                return Err(Failure::new(
                    Exit::ProblemsFound,
                    "events_missing",
                    message,
                    "see `comanda outbox stats`",
                ));
            }
        }
        all.push(told);
    }
    Ok(all)
}

async fn ask(client: &Client, audience: &Audience, after: u64, at_once: bool) -> Result<Listed, Failure> {
    let mut draft = client
        .get("/v1/events")
        .query("view", audience.view)
        .query("after", &after.to_string())
        .query("wait", if at_once { "0" } else { "1" })
        .bearer(&audience.token);
    if let Some(branch) = &audience.branch {
        draft = draft.query("branch_id", branch);
    }
    Ok(draft.send().await?.json(200)?)
}

/// How many events a socket was not told.
pub(super) fn missed(account: &Account, told: &[Told]) -> usize {
    let heard: BTreeSet<u64> = account.arrivals.iter().map(|(seq, _)| *seq).collect();
    let owed = told.get(account.audience).into_iter().flat_map(BTreeMap::keys);
    owed.filter(|seq| **seq > account.from && !heard.contains(seq))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_before_a_socket_was_open_is_not_missed() {
        let told = [1, 2, 3, 5].map(|seq| (seq, Name::default()));
        let account = Account {
            from: 1,
            arrivals: vec![(2, Instant::now()), (5, Instant::now())],
            ..Account::default()
        };
        assert_eq!(missed(&account, &[told.into_iter().collect()]), 1);
    }
}
