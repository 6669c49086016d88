//! The checker, on histories that are good and on histories that are bad.

use std::collections::BTreeSet;

use comanda_domain::event::{Cover, EventFacts, EventName, Routing, Subscription, Viewer};
use comanda_domain::ids::{BranchId, SessionId, TenantId, UserId};
use uuid::Uuid;

use super::check;
use crate::rig::history::{
    Deed, Evidence, Heard, LogEvent, Operation, Outcome, QueueSum, ScreenHistory, Thing,
};

const TENANT: TenantId = TenantId(Uuid::from_u128(1));
const BRANCH: BranchId = BranchId(Uuid::from_u128(2));
const OURS: SessionId = SessionId(Uuid::from_u128(3));
const THEIRS: SessionId = SessionId(Uuid::from_u128(4));
const STEPS: [&str; 3] = ["round.pending", "round.confirmed", "round.submitted"];

fn subject(session: SessionId) -> String {
    format!("rnd_{}", session.0.as_u128())
}

fn logged(seq: i64, kind: &str, session: SessionId, version: i64) -> LogEvent {
    let routing = Routing {
        session: Some(session),
        sectors: BTreeSet::new(),
        stations: BTreeSet::new(),
        had_been_submitted: false,
        users: BTreeSet::new(),
    };
    LogEvent {
        shard: 3,
        pos: seq,
        branch: Some(BRANCH.to_string()),
        seq: Some(seq),
        id: format!("evt_{seq}"),
        kind: kind.to_owned(),
        subject: subject(session),
        version,
        facts: Some(EventFacts {
            tenant: TENANT,
            branch: Some(BRANCH),
            name: EventName::of_any(kind),
            routing,
            cover: Cover::Everyone,
        }),
    }
}

fn heard(event: &LogEvent, prev: i64) -> Heard {
    Heard::Event {
        seq: event.seq.unwrap(),
        prev,
        id: event.id.clone(),
        kind: event.kind.clone(),
        money: true,
    }
}

fn ready(from: Option<i64>, head: i64) -> Heard {
    let reason = from.is_none().then(|| "no_cursor".to_owned());
    Heard::Ready {
        from,
        head,
        recovered: from.is_some(),
        reason,
    }
}

fn screen(name: &str, viewer: Viewer, events: &[&LogEvent]) -> ScreenHistory {
    let mut notes = vec![ready(None, 0)];
    let mut prev = 0;
    for event in events {
        notes.push(heard(event, prev));
        prev = event.seq.unwrap();
    }
    ScreenHistory {
        name: name.to_owned(),
        subscription: Subscription {
            tenant: TENANT,
            branches: BTreeSet::from([BRANCH]),
            viewer,
        },
        heard: notes,
    }
}

fn operation(deed: Deed, session: SessionId) -> Operation {
    Operation {
        deed,
        key: Some(format!("{deed:?}-{session}")),
        outcome: Outcome::Ok,
        round: Some(subject(session)),
        attempts: 1,
        last: "200".to_owned(),
    }
}

/// Two rounds, ours and theirs, in turns; a manager, a kitchen and our own phone listen.
fn good() -> Evidence {
    let mut log = Vec::new();
    let (mut seq, mut version) = (0, 0);
    for step in STEPS {
        version += 1;
        for session in [OURS, THEIRS] {
            seq += 1;
            log.push(logged(seq, step, session, version));
        }
    }
    let all: Vec<&LogEvent> = log.iter().collect();
    let ours: Vec<&LogEvent> = log
        .iter()
        .filter(|event| event.subject == subject(OURS))
        .collect();
    let kitchen: Vec<&LogEvent> = log
        .iter()
        .filter(|event| event.kind == "round.submitted")
        .collect();
    let user = UserId(Uuid::nil());
    let mut cook = screen("kitchen", Viewer::Kitchen { user, stations: None }, &kitchen);
    for note in &mut cook.heard {
        if let Heard::Event { money, .. } = note {
            *money = false;
        }
    }
    let round = |session| Thing {
        id: subject(session),
        version,
        steps: STEPS.to_vec(),
    };
    let deeds = [Deed::Place, Deed::Confirm, Deed::Submit];
    Evidence {
        operations: [OURS, THEIRS]
            .iter()
            .flat_map(|session| deeds.map(|deed| operation(deed, *session)))
            .collect(),
        screens: vec![
            screen("manager", Viewer::Admin, &all),
            cook,
            screen("phone", Viewer::Diner { session: OURS }, &ours),
        ],
        rounds: vec![round(OURS), round(THEIRS)],
        heads: vec![(3, seq), (4, 0)],
        log,
        ..Evidence::default()
    }
}

/// What is found when the good history is spoilt; it must be something of this.
#[track_caller]
fn found(spoil: impl FnOnce(&mut Evidence), wanted: &str) {
    let mut evidence = good();
    spoil(&mut evidence);
    let found = check(&evidence);
    assert!(
        found.iter().any(|what| what.contains(wanted)),
        "{wanted}: {found:#?}"
    );
}

#[test]
fn a_good_history_is_good() {
    assert_eq!(check(&good()), Vec::<String>::new());
}

#[test]
fn repeats_after_coming_back_are_ignored() {
    let mut evidence = good();
    let again = heard(&evidence.log[2], 2);
    let notes = &mut evidence.screens[0].heard;
    notes.insert(
        4,
        Heard::Closed {
            how: "1006".to_owned(),
        },
    );
    notes.insert(5, ready(Some(3), 6));
    notes.insert(6, again);
    assert_eq!(check(&evidence), Vec::<String>::new());
}

#[test]
fn a_lost_event_is_found() {
    found(
        |evidence| {
            evidence.screens[0].heard.remove(3);
        },
        "are missing",
    );
    // Even if the numbers around it pretend that there was nothing.
    found(
        |evidence| {
            evidence.screens[0].heard.remove(3);
            let after = heard(&evidence.log[3], 2);
            evidence.screens[0].heard[3] = after;
        },
        "1 events are missing",
    );
}

#[test]
fn a_cursor_that_ran_ahead_is_found() {
    found(
        |evidence| evidence.screens[0].heard.insert(3, Heard::Heartbeat { head: 3 }),
        "are missing",
    );
}

#[test]
fn a_doubled_event_is_found() {
    found(
        |evidence| {
            let again = evidence.screens[0].heard[3].clone();
            evidence.screens[0].heard.insert(4, again);
        },
        "twice on one connection",
    );
    found(
        |evidence| {
            let mut again = logged(7, STEPS[0], OURS, 3);
            again.id = "evt_7".to_owned();
            evidence.log.push(again);
            evidence.heads[0].1 = 7;
        },
        "announced 2 times",
    );
}

#[test]
fn disorder_is_found() {
    found(|evidence| evidence.screens[0].heard.swap(2, 3), "are missing");
    found(
        |evidence| {
            evidence.log[0].version = 9;
        },
        "comes after 9",
    );
}

#[test]
fn a_wrong_recipient_is_found() {
    found(
        |evidence| {
            let theirs = heard(&evidence.log[1], 1);
            evidence.screens[2].heard.insert(2, theirs);
        },
        "is not for it",
    );
    found(
        |evidence| {
            let theirs = heard(&evidence.log[5], 5);
            evidence.screens[1].heard.push(theirs);
        },
        "saw money",
    );
    found(
        |evidence| {
            let invented = logged(7, STEPS[2], OURS, 4);
            evidence.screens[0].heard.push(heard(&invented, 6));
        },
        "is not in the log",
    );
}

#[test]
fn a_lost_operation_is_found() {
    found(
        |evidence| {
            evidence.rounds.pop();
        },
        "knows nothing of round.pending",
    );
    found(
        |evidence| evidence.rounds[0].steps.truncate(2),
        "knows nothing of round.submitted",
    );
    found(|evidence| evidence.rounds[0].steps.truncate(2), "did not happen");
}

#[test]
fn a_change_without_its_event_is_found() {
    found(
        |evidence| evidence.rounds[0].steps.push("round.ready"),
        "announced 0 times",
    );
    found(
        |evidence| evidence.rounds[0].version = 4,
        "has version 4, announced was 3",
    );
    found(|evidence| evidence.staged = 1, "never got a number");
}

#[test]
fn a_doubled_effect_is_found() {
    found(
        |evidence| {
            let twice = Thing {
                id: "rnd_9".to_owned(),
                ..evidence.rounds[0].clone()
            };
            evidence.rounds.push(twice);
        },
        "nobody who placed them",
    );
    found(
        |evidence| evidence.operations[3].round = Some(subject(OURS)),
        "was placed with",
    );
}

#[test]
fn a_refused_repetition_is_found() {
    found(
        |evidence| evidence.operations[1].outcome = Outcome::Fail,
        "was refused",
    );
}

#[test]
fn wrong_numbers_are_found() {
    found(|evidence| evidence.log[5].pos = 7, "6 was due");
    found(|evidence| evidence.log[5].seq = Some(5), "was given twice");
    found(|evidence| evidence.heads[0].1 = 7, "numbered up to 7");
    found(|evidence| evidence.heads[1].1 = 2, "none is in the log");
}

#[test]
fn being_told_to_read_again_is_found() {
    found(
        |evidence| evidence.screens[0].heard.push(ready(None, 6)),
        "had to read the state again",
    );
    found(
        |evidence| {
            evidence.screens[0].heard.push(Heard::Resync {
                reason: "epoch_changed".to_owned(),
            });
        },
        "had to read the state again",
    );
    found(|evidence| evidence.screens[0].heard.clear(), "never subscribed");
}

#[test]
fn what_a_queue_lost_is_found() {
    let sum = QueueSum {
        queue: "webhook".to_owned(),
        accepted: 3,
        settled: 1,
        pending: 1,
        dead: 0,
    };
    found(|evidence| evidence.queues.push(sum), "not conserved");
}

#[test]
fn an_accident_is_a_failure() {
    found(
        |evidence| evidence.accidents.push("api-0 ended by itself".to_owned()),
        "by itself",
    );
}
