//! The log: numbers without gaps, and order per object.

use std::collections::{BTreeMap, BTreeSet};

use crate::rig::history::{Evidence, LogEvent, QueueSum};

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let mut found = Vec::new();
    if evidence.staged != 0 {
        found.push(format!("{} events never got a number", evidence.staged));
    }
    positions(evidence, &mut found);
    sequences(&evidence.log, &mut found);
    order(&evidence.log, &mut found);
    let lost = |sum: &&QueueSum| sum.accepted != sum.settled + sum.pending + sum.dead;
    let lost = evidence.queues.iter().filter(lost);
    found.extend(lost.map(|sum| format!("a queue is not conserved: {sum:?}")));
    found
}

/// Per shard 1, 2, 3 … up to what the shard says it gave.
fn positions(evidence: &Evidence, found: &mut Vec<String>) {
    let mut shards: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
    for event in &evidence.log {
        shards.entry(event.shard).or_default().push(event.pos);
    }
    for (shard, positions) in &mut shards {
        let head = evidence.heads.iter().find(|(other, _)| other == shard);
        gapless(
            &format!("shard {shard}"),
            positions,
            head.map(|(_, pos)| *pos),
            found,
        );
    }
    for (shard, pos) in &evidence.heads {
        if *pos != 0 && !shards.contains_key(shard) {
            found.push(format!(
                "shard {shard} gave {pos} positions, and none is in the log"
            ));
        }
    }
}

/// Per branch 1, 2, 3 …
fn sequences(log: &[LogEvent], found: &mut Vec<String>) {
    let mut branches: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for event in log {
        if let (Some(branch), Some(seq)) = (&event.branch, event.seq) {
            branches.entry(branch).or_default().push(seq);
        }
    }
    for (branch, numbers) in &mut branches {
        gapless(branch, numbers, None, found);
    }
}

fn gapless(whose: &str, numbers: &mut [i64], head: Option<i64>, found: &mut Vec<String>) {
    numbers.sort_unstable();
    let wrong = numbers
        .iter()
        .zip(1..)
        .find(|(number, wanted)| **number != *wanted);
    if let Some((number, wanted)) = wrong {
        let what = if *number < wanted {
            "was given twice"
        } else {
            "comes too early"
        };
        found.push(format!("{whose}: number {number} {what}, {wanted} was due"));
    } else if let (Some(head), Some(last)) = (head, numbers.last())
        && head != *last
    {
        found.push(format!("{whose}: numbered up to {head}, in the log up to {last}"));
    }
}

/// Ids are there once; the events of one object are in the order of its versions.
fn order(log: &[LogEvent], found: &mut Vec<String>) {
    let mut ids = BTreeSet::new();
    let mut versions: BTreeMap<&str, i64> = BTreeMap::new();
    for event in log {
        if !ids.insert(&event.id) {
            found.push(format!("{} is in the log twice", event.id));
        }
        if !event.subject.starts_with("rnd_") && !event.subject.starts_with("tkt_") {
            continue;
        }
        let before = versions.insert(&event.subject, event.version).unwrap_or_default();
        if event.version < before {
            let LogEvent {
                subject,
                kind,
                version,
                ..
            } = event;
            found.push(format!(
                "{subject}: {kind} of version {version} comes after {before}"
            ));
        }
    }
}
