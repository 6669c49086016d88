//! Every screen got what is for it, in order, once by the rules for clients, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use comanda_domain::event::{Viewer, recipients};

use crate::rig::history::{Heard, LogEvent, ScreenHistory};

/// The events after `base` that the screen must have got, in order.
pub fn expected<'a>(screen: &ScreenHistory, log: &'a [LogEvent], base: i64) -> Vec<&'a LogEvent> {
    let is_for = |event: &&LogEvent| {
        event.seq.is_some_and(|seq| seq > base)
            && event
                .facts
                .as_ref()
                .is_some_and(|facts| recipients(facts, &screen.subscription))
    };
    let mut expected: Vec<&LogEvent> = log.iter().filter(is_for).collect();
    expected.sort_by_key(|event| event.seq);
    expected
}

pub(super) fn check(screen: &ScreenHistory, log: &[LogEvent]) -> Vec<String> {
    let mut found = Vec::new();
    let mut say = |what: String| found.push(format!("{}: {what}", screen.name));
    let Some(base) = screen.heard.iter().find_map(|heard| match heard {
        Heard::Ready { head, .. } => Some(*head),
        _ => None,
    }) else {
        say("it was never subscribed".to_owned());
        return found;
    };
    let applied = follow(screen, base, &mut say);
    let expected = expected(screen, log, base);
    compare(&applied, &expected, log, &mut say);
    found
}

/// What a client that follows the rules has applied.
fn follow<'a>(screen: &'a ScreenHistory, base: i64, say: &mut impl FnMut(String)) -> Vec<(i64, &'a str)> {
    let no_money = matches!(screen.subscription.viewer, Viewer::Kitchen { .. });
    let mut applied = Vec::new();
    let (mut cursor, mut last) = (base, Some(base));
    let mut here = BTreeSet::new();
    let mut first = true;
    for heard in &screen.heard {
        match heard {
            Heard::Ready {
                from,
                head,
                recovered,
                reason,
            } => {
                if !recovered && !first {
                    say(format!("had to read the state again at {cursor}: {reason:?}"));
                    cursor = *head;
                }
                if *recovered && *from != Some(cursor) {
                    say(format!("came back with {cursor}, and was told of {from:?}"));
                }
                last = if *recovered { *from } else { Some(*head) };
                first = false;
                here.clear();
            }
            Heard::Event {
                seq,
                prev,
                id,
                kind,
                money,
            } => {
                if *money && no_money {
                    say(format!("saw money in {kind} {seq}"));
                }
                if !here.insert(id) {
                    say(format!("got {kind} {seq} twice on one connection"));
                }
                if *seq <= cursor {
                    continue;
                }
                if last != Some(*prev) {
                    // The client asks again, and applies what comes then.
                    continue;
                }
                (cursor, last) = (*seq, Some(*seq));
                applied.push((*seq, id.as_str()));
            }
            Heard::Heartbeat { head } => {
                if *head < cursor {
                    say(format!("a heartbeat went back from {cursor} to {head}"));
                }
                cursor = cursor.max(*head);
            }
            Heard::Resync { reason } => say(format!("had to read the state again at {cursor}: {reason}")),
            Heard::AskedAgain | Heard::Closed { .. } => {}
        }
    }
    applied
}

fn compare(applied: &[(i64, &str)], expected: &[&LogEvent], log: &[LogEvent], say: &mut impl FnMut(String)) {
    let wanted: BTreeMap<&str, &&LogEvent> =
        expected.iter().map(|event| (event.id.as_str(), event)).collect();
    let mut seen = BTreeSet::new();
    for (seq, id) in applied {
        match wanted.get(id) {
            Some(event) if event.seq != Some(*seq) => {
                say(format!(
                    "{id} has number {:?} in the log, and came as {seq}",
                    event.seq
                ));
            }
            Some(_) => {}
            None if log.iter().any(|event| event.id == *id) => say(format!("{id} ({seq}) is not for it")),
            None => say(format!("{id} ({seq}) is not in the log")),
        }
        if !seen.insert(*id) {
            say(format!("{id} ({seq}) was applied twice"));
        }
    }
    let lost: Vec<&&LogEvent> = expected
        .iter()
        .filter(|event| !seen.contains(event.id.as_str()))
        .collect();
    if let Some(event) = lost.first() {
        let LogEvent { kind, seq, id, .. } = event;
        say(format!(
            "{} events are missing, first {kind} {seq:?} {id}",
            lost.len()
        ));
    }
    if let Some(pair) = applied.windows(2).find(|pair| pair[1].0 <= pair[0].0) {
        say(format!("{} came after {}", pair[1].0, pair[0].0));
    }
}
