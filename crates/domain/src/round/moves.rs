//! A round goes on: verified, handed to the kitchen, made, sent back, served.

use crate::Timestamp;
use crate::actor::{Actor, Forbidden};
use crate::audit::AuditEntry;
use crate::branch::BranchSettings;
use crate::event::{EventName, RoundDetail};
use crate::ids::IdSource;
use crate::kitchen::{Ticket, TicketItem, TicketItemStatus, TicketStatus};
use crate::machine::{Asking, Refusal, permit, row_between};
use crate::round::{Progress, ROUND_TRANSITIONS, Round, RoundFacts, RoundMoved, RoundStatus};

/// Where a submitted round is to go, for all its tickets at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RoundTarget {
    /// Every ticket is begun.
    InKitchen,
    /// Every ticket is made. On a round that was not begun, this begins it first.
    Ready,
    /// What is made and not handed over goes back to work.
    Recall,
    /// Everything is handed over.
    Served,
}

/// Why a round does not go on.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MoveRoundError {
    /// The actor may not do this.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// Not possible for this round.
    #[error("not possible for a round that is {current}")]
    RoundWrongState {
        /// Where the round stands.
        current: RoundStatus,
        /// Where it may go.
        allowed: Vec<RoundStatus>,
    },
}

impl From<Refusal<RoundStatus>> for MoveRoundError {
    fn from(refusal: Refusal<RoundStatus>) -> Self {
        match refusal {
            Refusal::Forbidden(forbidden) => Self::Forbidden(forbidden),
            Refusal::WrongState { current, allowed } => Self::RoundWrongState { current, allowed },
        }
    }
}

impl MoveRoundError {
    fn wrong_state(current: RoundStatus) -> Self {
        let allowed = current.allowed();
        Self::RoundWrongState { current, allowed }
    }
}

/// Verifies a pending round. Where the branch says so, it goes on to the kitchen in the same transaction.
///
/// # Errors
/// [`MoveRoundError`].
pub fn confirm(
    round: Round,
    settings: BranchSettings,
    actor: &Actor,
    now: Timestamp,
    ids: &mut impl IdSource,
) -> Result<RoundMoved, MoveRoundError> {
    let asking = Asking::new(actor);
    let before = permit_round(&round, EventName::RoundConfirmed, asking)?;
    let mut progress = Progress::new(placed(round), actor, now);
    confirm_step(&mut progress, settings, ids);
    Ok(progress.moved("round.confirm", before))
}

/// Hands a confirmed round to the kitchen: one ticket per station, with what is still wanted.
///
/// # Errors
/// [`MoveRoundError`].
pub fn submit(
    round: Round,
    settings: BranchSettings,
    actor: &Actor,
    now: Timestamp,
    ids: &mut impl IdSource,
) -> Result<RoundMoved, MoveRoundError> {
    let asking = Asking {
        waiter_may_submit: settings.waiter_may_submit,
        ..Asking::new(actor)
    };
    let before = permit_round(&round, EventName::RoundSubmitted, asking)?;
    let mut progress = Progress::new(placed(round), actor, now);
    submit_step(&mut progress, ids);
    Ok(progress.moved("round.submit", before))
}

/// Moves all tickets of a round, and then the round with them. The events of the tickets come first.
///
/// # Errors
/// [`MoveRoundError`].
pub fn move_round(
    facts: RoundFacts,
    target: RoundTarget,
    actor: &Actor,
    now: Timestamp,
) -> Result<RoundMoved, MoveRoundError> {
    let status = facts.round.status;
    // Whoever may finish may begin: the two rows name the same people.
    let from = match (target, status) {
        (RoundTarget::Ready, RoundStatus::Submitted) => RoundStatus::InKitchen,
        _ => status,
    };
    let event = target.event();
    permit(
        ROUND_TRANSITIONS,
        from,
        |row| row.event == event,
        Asking::new(actor),
    )?;
    let mut progress = Progress::new(facts, actor, now);
    let concerned = progress.ticket_ids(|status| target.concerns(status));
    if target == RoundTarget::Recall && concerned.is_empty() {
        return Err(MoveRoundError::wrong_state(status));
    }
    for id in concerned {
        match target {
            RoundTarget::InKitchen => progress.start(id),
            RoundTarget::Ready => progress.ready(id),
            RoundTarget::Recall => progress.recall(id),
            RoundTarget::Served => progress.deliver(id),
        }
    }
    progress.settle(None);
    Ok(progress.moved(target.audit_name(), status))
}

impl RoundTarget {
    fn event(self) -> EventName {
        match self {
            Self::InKitchen => EventName::RoundInKitchen,
            Self::Ready => EventName::RoundReady,
            Self::Recall => EventName::RoundRecalled,
            Self::Served => EventName::RoundServed,
        }
    }

    fn audit_name(self) -> &'static str {
        match self {
            Self::InKitchen => "round.start",
            Self::Ready => "round.ready",
            Self::Recall => "round.recall",
            Self::Served => "round.serve",
        }
    }

    fn concerns(self, ticket: TicketStatus) -> bool {
        match self {
            Self::InKitchen => ticket == TicketStatus::Pending,
            Self::Ready => matches!(ticket, TicketStatus::Pending | TicketStatus::InProgress),
            Self::Recall | Self::Served => ticket == TicketStatus::Ready,
        }
    }
}

/// Confirms, and submits by policy where the branch says so.
pub(crate) fn confirm_step(progress: &mut Progress, settings: BranchSettings, ids: &mut impl IdSource) {
    progress.step(RoundStatus::Confirmed, RoundDetail::Plain);
    if settings.auto_submit_on_confirm {
        progress.by_policy();
        submit_step(progress, ids);
    }
}

fn submit_step(progress: &mut Progress, ids: &mut impl IdSource) {
    if row_between(ROUND_TRANSITIONS, progress.round.status, &RoundStatus::Submitted).is_none() {
        return;
    }
    let tickets = tickets_of(&progress.round, progress.stamp().at, ids);
    let ticket_ids = tickets.iter().map(|ticket| ticket.id).collect();
    progress.step(RoundStatus::Submitted, RoundDetail::Tickets(ticket_ids));
    for ticket in tickets {
        progress.add_ticket(ticket);
    }
}

/// One ticket per station, in the order in which the round's lines first need it, with the live lines.
fn tickets_of(round: &Round, now: Timestamp, ids: &mut impl IdSource) -> Vec<Ticket> {
    let mut tickets: Vec<Ticket> = Vec::new();
    for item in round.items.iter().filter(|item| item.is_live()) {
        let line = TicketItem {
            id: ids.next(),
            round_item_id: item.id,
            qty: item.live_qty(),
            canceled_qty: 0,
            status: TicketItemStatus::Pending,
        };
        match tickets.iter_mut().find(|ticket| ticket.station == item.station) {
            Some(ticket) => ticket.items.push(line),
            None => tickets.push(Ticket {
                id: ids.next(),
                branch_id: round.branch_id,
                round_id: round.id,
                station: item.station,
                status: TicketStatus::Pending,
                created_at: now,
                in_progress: None,
                ready: None,
                delivered: None,
                canceled: None,
                version: 1,
                items: vec![line],
            }),
        }
    }
    tickets
}

/// Gives back where the round stands. A round of which nothing is left cannot be confirmed or submitted.
fn permit_round(round: &Round, event: EventName, asking: Asking<'_>) -> Result<RoundStatus, MoveRoundError> {
    permit(ROUND_TRANSITIONS, round.status, |row| row.event == event, asking)?;
    if round.is_live() {
        Ok(round.status)
    } else {
        Err(MoveRoundError::wrong_state(round.status))
    }
}

/// A round that the kitchen has not seen has no tickets.
fn placed(round: Round) -> RoundFacts {
    RoundFacts {
        round,
        tickets: Vec::new(),
    }
}

impl Progress {
    fn moved(self, action: &'static str, before: RoundStatus) -> RoundMoved {
        let after = self.round.status;
        let audit = AuditEntry::new(action, "round", self.round.id);
        self.finish(audit.moved("status", before.as_str(), after.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::{ActorKind, Role};
    use crate::event::EventBody;
    use crate::menu::Station;
    use crate::menu::fixtures::at;
    use crate::round::fixtures::{branch, names, pending_round, submitted_round, versions};
    use crate::session::fixtures::{Counter, staff};

    fn moved(facts: RoundFacts, target: RoundTarget) -> RoundMoved {
        move_round(facts, target, &staff(Role::Manager), at(400)).unwrap()
    }

    #[test]
    fn a_round_reaches_the_kitchen_as_one_ticket_per_station() {
        let settings = branch(false, false).settings;
        let waiter = staff(Role::Waiter);
        let mut ids = Counter::default();
        let confirmed = confirm(pending_round(), settings, &waiter, at(200), &mut ids).unwrap();
        assert_eq!(names(&confirmed.events), ["round.confirmed"]);
        assert_eq!(confirmed.round.version, 2);
        assert_eq!(
            submit(confirmed.round.clone(), settings, &waiter, at(300), &mut ids),
            Err(MoveRoundError::Forbidden(Forbidden {
                required_roles: vec![Role::Manager, Role::Admin]
            }))
        );
        let willing = branch(true, false).settings;
        let submitted = submit(confirmed.round, willing, &waiter, at(300), &mut ids).unwrap();
        let stations: Vec<_> = submitted
            .tickets
            .iter()
            .map(|ticket| (ticket.station, ticket.items.len()))
            .collect();
        assert_eq!(
            stations,
            [(Station::Grill, 2), (Station::HotKitchen, 1), (Station::Bar, 1)]
        );
        assert_eq!(
            names(&submitted.events),
            [
                "round.submitted",
                "ticket.created",
                "ticket.created",
                "ticket.created"
            ]
        );
        let ids_told = submitted.tickets.iter().map(|ticket| ticket.id).collect();
        let EventBody::Round { detail, .. } = &submitted.events[0].body else {
            panic!("a round");
        };
        assert_eq!(detail, &RoundDetail::Tickets(ids_told));
    }

    #[test]
    fn a_branch_may_submit_on_confirming() {
        let settings = branch(false, true).settings;
        let mut ids = Counter::default();
        let moved = confirm(pending_round(), settings, &staff(Role::Waiter), at(200), &mut ids).unwrap();
        assert_eq!(moved.round.status, RoundStatus::Submitted);
        assert_eq!(versions(&moved.events), [2, 3, 1, 1, 1]);
        let by = |stamp: Option<crate::actor::Stamp>| stamp.map(|stamp| stamp.kind);
        assert_eq!(
            (by(moved.round.confirmed), by(moved.round.submitted)),
            (Some(ActorKind::User), Some(ActorKind::System))
        );
        assert_eq!(moved.audit.action, "round.confirm");
    }

    #[test]
    fn ready_on_a_round_that_was_not_begun_begins_it_first() {
        let ready = moved(submitted_round(), RoundTarget::Ready);
        let one = ["ticket.in_progress", "ticket.ready"];
        let expected = [&one[..], &one, &one, &["round.in_kitchen", "round.ready"]].concat();
        assert_eq!(names(&ready.events), expected);
        assert_eq!(
            ready.round.in_kitchen.map(|stamp| stamp.at),
            ready.round.ready.map(|stamp| stamp.at)
        );
        assert_eq!(ready.audit.action, "round.ready");
    }

    #[test]
    fn a_recall_spares_what_was_handed_over() {
        let ready = moved(submitted_round(), RoundTarget::Ready);
        let facts = RoundFacts {
            round: ready.round,
            tickets: ready.tickets,
        };
        let bar = facts.at(Station::Bar).id;
        let command = crate::kitchen::TicketCommand::Whole(crate::kitchen::TicketAction::Deliver);
        let waiter = staff(Role::Waiter);
        let delivered = crate::kitchen::move_ticket(facts.clone(), bar, command, &waiter, at(500)).unwrap();
        let recalled = moved(
            facts.after(delivered.round, delivered.tickets),
            RoundTarget::Recall,
        );
        assert_eq!(
            names(&recalled.events),
            ["ticket.recalled", "ticket.recalled", "round.recalled"]
        );
        assert!(recalled.round.ready.is_none() && recalled.round.in_kitchen.is_some());
        assert!(recalled.tickets.iter().all(|ticket| ticket.ready.is_none()));
    }

    #[test]
    fn serving_hands_everything_over() {
        let ready = moved(submitted_round(), RoundTarget::Ready);
        let facts = RoundFacts {
            round: ready.round,
            tickets: ready.tickets,
        };
        let served = move_round(facts, RoundTarget::Served, &staff(Role::Waiter), at(500)).unwrap();
        assert_eq!(
            names(&served.events),
            [
                "ticket.delivered",
                "ticket.delivered",
                "ticket.delivered",
                "round.served"
            ]
        );
        assert_eq!(served.round.served.map(|stamp| stamp.kind), Some(ActorKind::User));
    }
}
