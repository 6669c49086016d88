//! What was acknowledged happened, once; what happened was announced, once; what was announced happened.

use std::collections::{BTreeMap, BTreeSet};

use crate::rig::history::{Deed, Evidence, Operation, Outcome, Thing};

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let mut found = Vec::new();
    let announced = announcements(evidence);
    for operation in &evidence.operations {
        judge(operation, evidence, &mut found);
    }
    for thing in evidence.rounds.iter().chain(&evidence.tickets) {
        announce(thing, &announced, &mut found);
    }
    invented(evidence, &mut found);
    placed_once(&evidence.operations, &evidence.rounds, &mut found);
    found
}

/// How often each name was announced of each round and ticket, and their last version.
#[derive(Default)]
struct Announced<'a> {
    times: BTreeMap<(&'a str, &'a str), usize>,
    version: BTreeMap<&'a str, i64>,
}

fn announcements(evidence: &Evidence) -> Announced<'_> {
    let mut announced = Announced::default();
    for event in &evidence.log {
        let times = announced
            .times
            .entry((event.subject.as_str(), event.kind.as_str()))
            .or_default();
        *times += 1;
        let version = announced.version.entry(event.subject.as_str()).or_default();
        *version = event.version.max(*version);
    }
    announced
}

fn step_of(deed: Deed) -> Option<&'static str> {
    match deed {
        Deed::Line => None,
        Deed::Place => Some("round.pending"),
        Deed::Confirm => Some("round.confirmed"),
        Deed::Submit => Some("round.submitted"),
        Deed::Ready => Some("round.ready"),
        Deed::Serve => Some("round.served"),
    }
}

fn judge(operation: &Operation, evidence: &Evidence, found: &mut Vec<String>) {
    let Some(step) = step_of(operation.deed) else {
        return;
    };
    let Operation { key, last, .. } = operation;
    match operation.outcome {
        Outcome::Info => {}
        // Every step is due, and its owner alone takes it: no repetition may be refused.
        Outcome::Fail => found.push(format!(
            "{key:?} was refused after {} attempts: {last}",
            operation.attempts
        )),
        Outcome::Ok => {
            let round = operation.round.as_deref().unwrap_or_default();
            let row = evidence.rounds.iter().find(|row| row.id == round);
            if !row.is_some_and(|row| row.steps.contains(&step)) {
                found.push(format!(
                    "{key:?} was acknowledged, and {round} knows nothing of {step}"
                ));
            }
        }
    }
}

/// Each step has its event exactly once, and the last change of it has been announced.
fn announce(thing: &Thing, announced: &Announced<'_>, found: &mut Vec<String>) {
    let id = thing.id.as_str();
    for step in &thing.steps {
        let times = announced.times.get(&(id, *step)).copied().unwrap_or_default();
        if times != 1 {
            found.push(format!("{id}: {step} happened and was announced {times} times"));
        }
    }
    let version = announced.version.get(id).copied().unwrap_or_default();
    if version != thing.version {
        found.push(format!(
            "{id} has version {}, announced was {version}",
            thing.version
        ));
    }
}

/// Nothing was announced of a round that did not happen to it.
fn invented(evidence: &Evidence, found: &mut Vec<String>) {
    let rounds: BTreeMap<&str, &Thing> = evidence.rounds.iter().map(|row| (row.id.as_str(), row)).collect();
    let tickets: BTreeSet<&str> = evidence.tickets.iter().map(|row| row.id.as_str()).collect();
    for event in &evidence.log {
        let subject = event.subject.as_str();
        let is_step = event.kind.starts_with("round.") && event.kind != "round.item_voided";
        let known = rounds
            .get(subject)
            .is_some_and(|row| row.steps.contains(&event.kind.as_str()));
        if is_step && event.kind != "round.recalled" && !known {
            found.push(format!(
                "{} was announced of {subject}, and did not happen",
                event.kind
            ));
        }
        if event.kind.starts_with("ticket.") && !tickets.contains(subject) {
            found.push(format!(
                "{} was announced of {subject}, which does not exist",
                event.kind
            ));
        }
    }
}

/// One key, one round; no round without somebody who placed it.
fn placed_once(operations: &[Operation], rounds: &[Thing], found: &mut Vec<String>) {
    let asked = operations
        .iter()
        .filter(|operation| operation.deed == Deed::Place);
    let unknown = asked
        .clone()
        .filter(|operation| operation.outcome == Outcome::Info)
        .count();
    let mut placed = BTreeMap::new();
    for operation in asked.filter(|operation| operation.outcome == Outcome::Ok) {
        let round = operation.round.as_deref().unwrap_or_default();
        if let Some(other) = placed.insert(round, &operation.key) {
            found.push(format!(
                "{round} was placed with {:?} and with {other:?}",
                operation.key
            ));
        }
    }
    let nobody = rounds.iter().filter(|row| !placed.contains_key(row.id.as_str()));
    let nobody: Vec<&str> = nobody.map(|row| row.id.as_str()).collect();
    if nobody.len() > unknown {
        found.push(format!(
            "{unknown} placings got no answer, and {} rounds have nobody who placed them: {}",
            nobody.len(),
            nobody.join(", ")
        ));
    }
}
