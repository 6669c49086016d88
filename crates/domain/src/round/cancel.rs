//! A round is canceled: everything of it that is left is taken back.

use crate::Timestamp;
use crate::actor::{Actor, ActorKind, Forbidden};
use crate::audit::AuditEntry;
use crate::event::{Event, EventName};
use crate::ids::{IdSource, RoundItemId};
use crate::kitchen::{Ticket, TicketStatus};
use crate::machine::{Asking, Refusal, permit};
use crate::round::{ItemVoid, Progress, ROUND_TRANSITIONS, Round, RoundFacts, RoundStatus};
use crate::session::Session;

/// The reason that stands on the voids of a round whose guest gave none.
pub const NO_REASON: &str = "canceled by the guest";

/// The check that bills items of the round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CheckState {
    /// Closed for good; from then on money only goes back.
    pub settled: bool,
}

/// What taking back needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TakeBackFacts {
    /// The session, locked.
    pub session: Session,
    /// The check with an unreleased charge for what is to be taken back: of any item of the round when canceling
    /// it, of the item when voiding that.
    pub check: Option<CheckState>,
    /// The round, locked.
    pub round: Round,
    /// All its tickets, locked.
    pub tickets: Vec<Ticket>,
}

/// A round that was canceled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoundCanceled {
    /// The session, with its last activity.
    pub session: Session,
    /// The round now.
    pub round: Round,
    /// The tickets that changed.
    pub tickets: Vec<Ticket>,
    /// What was taken back, by item.
    pub voids: Vec<ItemVoid>,
    /// What is announced, in order.
    pub events: Vec<Event>,
    /// The trace.
    pub audit: AuditEntry,
}

/// Why a round is not canceled.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CancelRoundError {
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
    /// Staff must say why.
    #[error("a reason is required")]
    ReasonRequired,
    /// The round is on a check.
    #[error("the round is on a check")]
    OnCheck {
        /// Whether that check is settled.
        settled: bool,
    },
}

impl From<Refusal<RoundStatus>> for CancelRoundError {
    fn from(refusal: Refusal<RoundStatus>) -> Self {
        match refusal {
            Refusal::Forbidden(forbidden) => Self::Forbidden(forbidden),
            Refusal::WrongState { current, allowed } => Self::RoundWrongState { current, allowed },
        }
    }
}

/// Cancels a round: a guest their own while nobody has verified it, staff as the table of rounds says. Tickets that
/// were not handed over are canceled; of those that were, the lines are taken back and the ticket stays delivered.
///
/// Announces `round.canceled`, then the tickets.
///
/// # Errors
/// [`CancelRoundError`].
pub fn cancel_round(
    facts: TakeBackFacts,
    reason: Option<String>,
    actor: &Actor,
    now: Timestamp,
    ids: &mut impl IdSource,
) -> Result<RoundCanceled, CancelRoundError> {
    permit_cancel(&facts.round, actor)?;
    if reason.is_none() && actor.kind != ActorKind::Diner {
        return Err(CancelRoundError::ReasonRequired);
    }
    if let Some(CheckState { settled }) = facts.check {
        return Err(CancelRoundError::OnCheck { settled });
    }
    let TakeBackFacts {
        session,
        round,
        tickets,
        ..
    } = facts;
    let before = round.status;
    let mut progress = Progress::new(RoundFacts { round, tickets }, actor, now);
    let voids = void_everything(&mut progress, reason.as_deref(), ids);
    progress.cancel(reason.as_deref());
    for id in progress.ticket_ids(|status| status != TicketStatus::Canceled) {
        progress.cancel_ticket(id);
    }
    let audit = AuditEntry::new("round.cancel", "round", progress.round.id)
        .because(reason)
        .moved("status", before.as_str(), RoundStatus::Canceled.as_str());
    let moved = progress.finish(audit);
    Ok(RoundCanceled {
        session: session.touched(now),
        round: moved.round,
        tickets: moved.tickets,
        voids,
        events: moved.events,
        audit: moved.audit,
    })
}

fn permit_cancel(round: &Round, actor: &Actor) -> Result<(), CancelRoundError> {
    let asking = Asking {
        is_placer: actor.kind == round.pending.kind && actor.id == round.pending.id,
        ..Asking::new(actor)
    };
    permit(
        ROUND_TRANSITIONS,
        round.status,
        |row| row.event == EventName::RoundCanceled,
        asking,
    )?;
    Ok(())
}

/// Takes back all that is left of every item.
fn void_everything(progress: &mut Progress, reason: Option<&str>, ids: &mut impl IdSource) -> Vec<ItemVoid> {
    let live = progress.round.items.iter().filter(|item| item.is_live());
    let live: Vec<_> = live.map(|item| (item.id, item.live_qty())).collect();
    let reason = reason.unwrap_or(NO_REASON);
    live.into_iter()
        .filter_map(|(item, qty)| progress.void(item, qty, reason, ids))
        .collect()
}

impl Progress {
    /// Takes back part of an item; the tickets follow separately. None if the round has no such item.
    pub(crate) fn void(
        &mut self,
        item: RoundItemId,
        qty: i32,
        reason: &str,
        ids: &mut impl IdSource,
    ) -> Option<ItemVoid> {
        let made = self.stamp();
        let item = self
            .round
            .items
            .iter_mut()
            .find(|candidate| candidate.id == item)?;
        item.voided_qty += qty;
        Some(ItemVoid {
            id: ids.next(),
            round_item_id: item.id,
            qty,
            reason: reason.to_owned(),
            made,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Role;
    use crate::event::{EventBody, RoundDetail};
    use crate::kitchen::{TicketAction, TicketCommand, move_ticket};
    use crate::menu::Station;
    use crate::menu::fixtures::at;
    use crate::round::fixtures::{guest, names, pending_round, submitted_round};
    use crate::round::laws::take_back;
    use crate::session::fixtures::{Counter, staff};

    fn cancel(
        facts: TakeBackFacts,
        reason: Option<&str>,
        actor: &Actor,
    ) -> Result<RoundCanceled, CancelRoundError> {
        let reason = reason.map(str::to_owned);
        cancel_round(facts, reason, actor, at(500), &mut Counter::default())
    }

    fn placed() -> TakeBackFacts {
        take_back(&RoundFacts {
            round: pending_round(),
            tickets: Vec::new(),
        })
    }

    #[test]
    fn guests_cancel_their_own_round_without_saying_why() {
        let canceled = cancel(placed(), None, &guest("Ana")).unwrap();
        assert_eq!(canceled.round.status, RoundStatus::Canceled);
        assert_eq!(
            (canceled.round.version, canceled.round.cancel_reason.as_deref()),
            (2, None)
        );
        assert_eq!(canceled.voids.len(), 4);
        assert!(canceled.voids.iter().all(|void| void.reason == NO_REASON));
        assert_eq!(canceled.session.last_activity_at, at(500));
        assert_eq!(names(&canceled.events), ["round.canceled"]);
        assert!(matches!(
            cancel(placed(), None, &guest("Bruno")),
            Err(CancelRoundError::Forbidden(_))
        ));
    }

    #[test]
    fn once_it_is_verified_a_guest_learns_so_and_a_waiter_needs_a_manager() {
        let with_kitchen = || take_back(&submitted_round());
        assert_eq!(
            cancel(with_kitchen(), None, &guest("Ana")),
            Err(CancelRoundError::RoundWrongState {
                current: RoundStatus::Submitted,
                allowed: vec![]
            })
        );
        assert_eq!(
            cancel(with_kitchen(), Some("se van"), &staff(Role::Waiter)),
            Err(CancelRoundError::Forbidden(Forbidden {
                required_roles: vec![Role::Manager, Role::Admin]
            }))
        );
    }

    #[test]
    fn staff_says_why_and_a_check_stands_in_the_way() {
        let manager = staff(Role::Manager);
        assert_eq!(
            cancel(placed(), None, &manager),
            Err(CancelRoundError::ReasonRequired)
        );
        for settled in [false, true] {
            let billed = TakeBackFacts {
                check: Some(CheckState { settled }),
                ..take_back(&submitted_round())
            };
            assert_eq!(
                cancel(billed, Some("se van"), &manager),
                Err(CancelRoundError::OnCheck { settled })
            );
        }
    }

    #[test]
    fn what_was_handed_over_stays_handed_over() {
        let facts = submitted_round();
        let bar = facts.at(Station::Bar).id;
        let kitchen = staff(Role::Kitchen);
        let facts = [TicketAction::Ready, TicketAction::Deliver]
            .into_iter()
            .fold(facts, |facts, action| {
                let command = TicketCommand::Whole(action);
                let moved = move_ticket(facts.clone(), bar, command, &kitchen, at(400)).unwrap();
                facts.after(moved.round, moved.tickets)
            });
        let canceled = cancel(take_back(&facts), Some("se van"), &staff(Role::Admin)).unwrap();
        assert_eq!(
            names(&canceled.events),
            [
                "round.canceled",
                "ticket.canceled",
                "ticket.canceled",
                "ticket.item_changed"
            ]
        );
        let EventBody::Round { detail, .. } = &canceled.events[0].body else {
            panic!("a round");
        };
        assert_eq!(
            detail,
            &RoundDetail::Canceled {
                reason: Some("se van".to_owned()),
                previous_status: RoundStatus::InKitchen
            }
        );
        let after = facts.after(canceled.round, canceled.tickets);
        assert_eq!(after.at(Station::Bar).status, TicketStatus::Delivered);
        assert_eq!(after.at(Station::Grill).status, TicketStatus::Canceled);
    }
}
