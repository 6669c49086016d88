//! The laws of the machines (P5), and the invariants I14 to I17 after anything that can happen to a round.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::Timestamp;
use crate::actor::{Actor, Forbidden, Role};
use crate::event::{Event, EventBody, EventName};
use crate::kitchen::{
    ItemAction, MoveTicketError, TICKET_TRANSITIONS, Ticket, TicketAction, TicketCommand, TicketItemStatus,
    TicketStatus, move_ticket, round_standing, ticket_status,
};
use crate::machine::row_between;
use crate::menu::fixtures::at;
use crate::round::fixtures::{branch, guest, pending_round, submitted_round};
use crate::round::{
    CancelRoundError, MoveRoundError, ROUND_TRANSITIONS, Round, RoundFacts, RoundStatus, RoundTarget,
    TakeBackFacts, VoidItem, VoidItemError, cancel_round, confirm, move_round, submit, void_item,
};
use crate::session::SessionStatus;
use crate::session::fixtures::{Counter, session, staff};

/// One of all things that can be asked of a round.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    Confirm,
    Submit,
    Move(RoundTarget),
    Ticket(usize, TicketAction),
    Item(usize, usize, ItemAction),
    Void(usize, i32),
    Cancel,
}

/// How an action ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    Forbidden,
    WrongState,
    Other,
}

/// Asks, as the service would.
pub fn act(
    facts: &RoundFacts,
    action: Action,
    actor: &Actor,
    now: Timestamp,
    ids: &mut Counter,
) -> Result<(RoundFacts, Vec<Event>), Answer> {
    let settings = branch(false, false).settings;
    let round = facts.round.clone();
    let moved = match action {
        Action::Confirm => confirm(round, settings, actor, now, ids)?,
        Action::Submit => submit(round, settings, actor, now, ids)?,
        Action::Move(target) => move_round(facts.clone(), target, actor, now)?,
        Action::Ticket(n, action) => on_ticket(facts, n, |_| Some(TicketCommand::Whole(action)), actor, now)?,
        Action::Item(n, m, action) => {
            let item = |ticket: &Ticket| {
                let id = ticket.items.get(m % ticket.items.len()).map(|item| item.id)?;
                Some(TicketCommand::Item(id, action))
            };
            on_ticket(facts, n, item, actor, now)?
        }
        Action::Void(n, qty) => {
            let item_id = round.items[n % round.items.len()].id;
            let reason = "se cayó".to_owned();
            let command = VoidItem { item_id, qty, reason };
            let voided = void_item(take_back(facts), command, actor, now, ids)?;
            return Ok((facts.after(voided.round, voided.tickets), voided.events));
        }
        Action::Cancel => {
            let reason = Some("se van".to_owned());
            let canceled = cancel_round(take_back(facts), reason, actor, now, ids)?;
            return Ok((facts.after(canceled.round, canceled.tickets), canceled.events));
        }
    };
    Ok((facts.after(moved.round, moved.tickets), moved.events))
}

fn on_ticket(
    facts: &RoundFacts,
    n: usize,
    command: impl Fn(&Ticket) -> Option<TicketCommand>,
    actor: &Actor,
    now: Timestamp,
) -> Result<crate::round::RoundMoved, Answer> {
    let count = facts.tickets.len().max(1);
    let ticket = facts.tickets.get(n % count).ok_or(Answer::Other)?;
    let command = command(ticket).ok_or(Answer::Other)?;
    Ok(move_ticket(facts.clone(), ticket.id, command, actor, now)?)
}

/// The facts for taking back, without a check.
pub fn take_back(facts: &RoundFacts) -> TakeBackFacts {
    TakeBackFacts {
        session: session(SessionStatus::Open),
        check: None,
        round: facts.round.clone(),
        tickets: facts.tickets.clone(),
    }
}

impl From<Forbidden> for Answer {
    fn from(_: Forbidden) -> Self {
        Self::Forbidden
    }
}

impl From<MoveRoundError> for Answer {
    fn from(error: MoveRoundError) -> Self {
        match error {
            MoveRoundError::Forbidden(_) => Self::Forbidden,
            MoveRoundError::RoundWrongState { .. } => Self::WrongState,
        }
    }
}

impl From<CancelRoundError> for Answer {
    fn from(error: CancelRoundError) -> Self {
        match error {
            CancelRoundError::Forbidden(_) => Self::Forbidden,
            CancelRoundError::RoundWrongState { .. } => Self::WrongState,
            _ => Self::Other,
        }
    }
}

impl From<VoidItemError> for Answer {
    fn from(error: VoidItemError) -> Self {
        match error {
            VoidItemError::Forbidden(_) => Self::Forbidden,
            VoidItemError::RoundWrongState { .. } => Self::WrongState,
            _ => Self::Other,
        }
    }
}

impl From<MoveTicketError> for Answer {
    fn from(error: MoveTicketError) -> Self {
        match error {
            MoveTicketError::Forbidden(_) => Self::Forbidden,
            MoveTicketError::TicketWrongState { .. } | MoveTicketError::ItemWrongState { .. } => {
                Self::WrongState
            }
            MoveTicketError::NotFound => Self::Other,
        }
    }
}

/// I14 to I17, and stamps in the order of the life of their object.
pub fn check_invariants(facts: &RoundFacts) {
    let RoundFacts { round, tickets } = facts;
    for item in &round.items {
        assert!((0..=item.qty).contains(&item.voided_qty), "I14");
    }
    if round.status != RoundStatus::Served {
        assert_eq!(round.status == RoundStatus::Canceled, !round.is_live(), "I14");
    }
    assert_eq!(!tickets.is_empty(), round.submitted.is_some(), "I15");
    let stations: BTreeSet<_> = tickets.iter().map(|ticket| ticket.station).collect();
    assert_eq!(stations.len(), tickets.len(), "I15");
    if round.submitted.is_some() {
        check_ticket_lines(round, tickets);
    }
    assert_eq!(round.status, round_standing(round, tickets), "I17");
    assert_stamps(&[
        Some(round.pending),
        round.confirmed,
        round.submitted,
        round.in_kitchen,
        round.ready,
        round.served,
        round.canceled,
    ]);
    for ticket in tickets {
        assert_eq!(ticket.status, ticket_status(ticket), "I17");
        assert_stamps(&[
            ticket.in_progress,
            ticket.ready,
            ticket.delivered,
            ticket.canceled,
        ]);
        if round.status.is_terminal() {
            assert!(ticket.status.is_terminal());
        }
    }
}

fn check_ticket_lines(round: &Round, tickets: &[Ticket]) {
    for item in &round.items {
        let lines: Vec<_> = tickets
            .iter()
            .flat_map(|ticket| ticket.items.iter().map(move |line| (ticket.station, line)))
            .filter(|(_, line)| line.round_item_id == item.id)
            .collect();
        assert!(lines.len() <= 1 && (lines.len() == 1 || !item.is_live()), "I16");
        for (station, line) in lines {
            assert_eq!(station, item.station, "I15");
            assert_eq!(line.live_qty(), item.live_qty(), "I16");
            assert_eq!(line.status == TicketItemStatus::Canceled, !line.is_live());
        }
    }
}

fn assert_stamps(stamps: &[Option<crate::actor::Stamp>]) {
    let times: Vec<_> = stamps.iter().flatten().map(|stamp| stamp.at).collect();
    assert!(times.is_sorted(), "{times:?}");
}

/// Every change is one row of the table, raises the version by one, and is announced with the object as it is then;
/// what was not announced has not changed.
pub fn check_events(before: &RoundFacts, after: &RoundFacts, events: &[Event]) {
    let mut now = before.clone();
    for event in events {
        match &event.body {
            EventBody::Round { round, .. } => {
                assert_eq!(round.version, now.round.version + 1);
                let row = row_between(ROUND_TRANSITIONS, now.round.status, &round.status);
                match event.name {
                    EventName::RoundItemVoided => assert_eq!(round.status, now.round.status),
                    name => assert_eq!(row.map(|row| row.event), Some(name)),
                }
                now.round = (**round).clone();
            }
            EventBody::Ticket { ticket, item, .. } => {
                if let Some(old) = now.tickets.iter().find(|old| old.id == ticket.id) {
                    assert_eq!(ticket.version, old.version + 1);
                    match event.name {
                        EventName::TicketItemChanged => {
                            let (id, previous) = item.unwrap();
                            assert_eq!(ticket.status, old.status);
                            assert!(
                                old.items
                                    .iter()
                                    .any(|line| line.id == id && line.status == previous)
                            );
                        }
                        name => {
                            let row = row_between(TICKET_TRANSITIONS, old.status, &ticket.status);
                            assert_eq!(row.map(|row| row.event), Some(name));
                        }
                    }
                } else {
                    assert_eq!((event.name, ticket.version), (EventName::TicketCreated, 1));
                }
                now = now.after(now.round.clone(), vec![(**ticket).clone()]);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(&now, after);
    assert!(!events.is_empty());
}

/// Placer, another guest, waiter, kitchen, manager, admin, system.
const ACTORS: &str = "PDWKMAS";

fn actor(letter: char) -> Actor {
    match letter {
        'P' => guest("Ana"),
        'D' => guest("Bruno"),
        'W' => staff(Role::Waiter),
        'K' => staff(Role::Kitchen),
        'M' => staff(Role::Manager),
        'A' => staff(Role::Admin),
        _ => Actor::SYSTEM,
    }
}

/// A round that has come this far.
fn round_in(status: RoundStatus) -> RoundFacts {
    let steps: &[Action] = match status {
        RoundStatus::Pending | RoundStatus::Submitted => &[],
        RoundStatus::Confirmed => &[Action::Confirm],
        RoundStatus::InKitchen => &[Action::Move(RoundTarget::InKitchen)],
        RoundStatus::Ready => &[Action::Move(RoundTarget::Ready)],
        RoundStatus::Served => &[
            Action::Move(RoundTarget::Ready),
            Action::Move(RoundTarget::Served),
        ],
        RoundStatus::Canceled => &[Action::Cancel],
    };
    let start = match status {
        RoundStatus::Pending | RoundStatus::Confirmed => RoundFacts {
            round: pending_round(),
            tickets: Vec::new(),
        },
        _ => submitted_round(),
    };
    let mut ids = Counter::default();
    let facts = steps.iter().fold(start, |facts, step| {
        act(&facts, *step, &actor('M'), at(400), &mut ids).unwrap().0
    });
    assert_eq!(facts.round.status, status);
    facts
}

/// What `who` and `from` say in the specification: action, actors, states, state afterwards.
type Row = (&'static str, &'static str, &'static str, &'static str);

/// Whether and how `letter` may act on an object in `status`.
fn judge(rows: &[Row], action: &str, letter: char, status: &str) -> Result<&'static str, Answer> {
    let rows = || rows.iter().filter(|row| row.0 == action);
    let from = |row: &&Row| row.2.split(' ').any(|from| from == status);
    let mut own = rows().filter(|row| row.1.contains(letter)).peekable();
    if own.peek().is_none() {
        return Err(Answer::Forbidden);
    }
    if let Some(row) = own.find(from) {
        return Ok(row.3);
    }
    let others_may = rows().any(|row| from(&row));
    Err(if others_may && !"PD".contains(letter) {
        Answer::Forbidden
    } else {
        Answer::WrongState
    })
}

#[test]
fn every_round_state_actor_and_action_follows_the_table() {
    let rows = [
        ("confirm", "WMAS", "pending", "confirmed"),
        ("submit", "MAS", "confirmed", "submitted"),
        ("start", "KMAS", "submitted", "in_kitchen"),
        ("ready", "KMAS", "submitted in_kitchen", "ready"),
        ("recall", "KMAS", "ready", "in_kitchen"),
        ("serve", "WKMAS", "ready", "served"),
        ("cancel", "PW", "pending", "canceled"),
        (
            "cancel",
            "MAS",
            "pending confirmed submitted in_kitchen ready",
            "canceled",
        ),
    ];
    let actions = [
        ("confirm", Action::Confirm),
        ("submit", Action::Submit),
        ("start", Action::Move(RoundTarget::InKitchen)),
        ("ready", Action::Move(RoundTarget::Ready)),
        ("recall", Action::Move(RoundTarget::Recall)),
        ("serve", Action::Move(RoundTarget::Served)),
        ("cancel", Action::Cancel),
    ];
    for status in RoundStatus::ALL {
        let facts = round_in(*status);
        check_invariants(&facts);
        for ((name, action), letter) in actions.iter().flat_map(|a| ACTORS.chars().map(move |l| (a, l))) {
            let got = act(&facts, *action, &actor(letter), at(500), &mut Counter::default());
            let expected = judge(&rows, name, letter, status.as_str());
            let status_after = got.as_ref().map(|(after, _)| after.round.status.as_str());
            assert_eq!(
                status_after,
                expected.as_ref().copied(),
                "{letter} {name} {status}"
            );
            if let Ok((after, events)) = got {
                check_events(&facts, &after, &events);
                check_invariants(&after);
            }
        }
    }
}

#[test]
fn every_ticket_state_actor_and_action_follows_the_table() {
    let rows = [
        ("start", "KMAS", "pending", "in_progress"),
        ("ready", "KMAS", "pending in_progress", "ready"),
        ("recall", "KMAS", "ready", "in_progress"),
        ("deliver", "WKMAS", "ready", "delivered"),
    ];
    let actions = [
        ("start", TicketAction::Start),
        ("ready", TicketAction::Ready),
        ("recall", TicketAction::Recall),
        ("deliver", TicketAction::Deliver),
    ];
    let path: [(TicketStatus, &[Action]); 5] = [
        (TicketStatus::Pending, &[]),
        (
            TicketStatus::InProgress,
            &[Action::Ticket(0, TicketAction::Start)],
        ),
        (TicketStatus::Ready, &[Action::Ticket(0, TicketAction::Ready)]),
        (
            TicketStatus::Delivered,
            &[
                Action::Ticket(0, TicketAction::Ready),
                Action::Ticket(0, TicketAction::Deliver),
            ],
        ),
        (TicketStatus::Canceled, &[Action::Void(0, 1), Action::Void(1, 1)]),
    ];
    for (status, steps) in path {
        let mut ids = Counter::default();
        let facts = steps.iter().fold(submitted_round(), |facts, step| {
            act(&facts, *step, &actor('M'), at(400), &mut ids).unwrap().0
        });
        for ((name, action), letter) in actions.iter().flat_map(|a| ACTORS.chars().map(move |l| (a, l))) {
            let action = Action::Ticket(0, *action);
            let got = act(&facts, action, &actor(letter), at(500), &mut Counter::default());
            let expected = judge(&rows, name, letter, status.as_str());
            let status_after = got.as_ref().map(|(after, _)| after.tickets[0].status.as_str());
            assert_eq!(
                status_after,
                expected.as_ref().copied(),
                "{letter} {name} {status}"
            );
        }
    }
}

fn any_action() -> impl Strategy<Value = Action> {
    use ItemAction as I;
    use RoundTarget as R;
    use TicketAction as T;
    let target = prop::sample::select(vec![R::InKitchen, R::Ready, R::Recall, R::Served]);
    let whole = prop::sample::select(vec![T::Start, T::Ready, T::Recall, T::Deliver]);
    let line = prop::sample::select(vec![I::Start, I::Ready, I::Recall]);
    prop_oneof![
        2 => Just(Action::Confirm),
        2 => Just(Action::Submit),
        2 => target.prop_map(Action::Move),
        8 => (0..3_usize, whole).prop_map(|(n, action)| Action::Ticket(n, action)),
        8 => (0..3_usize, 0..2_usize, line).prop_map(|(n, m, action)| Action::Item(n, m, action)),
        2 => (0..4_usize, -1..4_i32).prop_map(|(n, qty)| Action::Void(n, qty)),
        1 => Just(Action::Cancel),
    ]
}

proptest! {
    // P5
    #[test]
    fn whatever_happens_the_three_levels_agree(
        steps in prop::collection::vec((any_action(), 0..ACTORS.len(), -30..60_i64), 1..60),
        begun: bool,
    ) {
        let mut ids = Counter::default();
        let mut facts = if begun { submitted_round() } else { round_in(RoundStatus::Pending) };
        let mut seconds = 300;
        for (action, who, later) in steps {
            seconds += later;
            // Mostly people who may do something, so that the walk gets far.
            let who = actor(ACTORS.chars().nth(who).unwrap());
            let asking = if who.roles == crate::actor::Roles::NONE { actor('M') } else { who };
            if let Ok((after, events)) = act(&facts, action, &asking, at(seconds), &mut ids) {
                check_events(&facts, &after, &events);
                check_invariants(&after);
                if facts.round.status.is_terminal() {
                    prop_assert_eq!(after.round.status, facts.round.status);
                }
                facts = after;
            }
        }
    }
}
