//! Part of a round is taken back, before or after it was made.

use crate::Timestamp;
use crate::actor::{Actor, ActorKind, Forbidden, Role};
use crate::audit::AuditEntry;
use crate::event::{Event, EventName, RoundDetail};
use crate::ids::{IdSource, RoundItemId};
use crate::kitchen::{Ticket, TicketStatus};
use crate::round::{CheckState, ItemVoid, Progress, Round, RoundFacts, RoundItem, RoundStatus, TakeBackFacts};
use crate::session::Session;

/// Who may take back what has not been handed over.
const FLOOR: &[Role] = &[Role::Waiter, Role::Manager, Role::Admin];
/// Who may take back anything.
const MANAGERS: &[Role] = &[Role::Manager, Role::Admin];

/// What is taken back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VoidItem {
    /// Of which item.
    pub item_id: RoundItemId,
    /// How many, at least one and at most what is left.
    pub qty: i32,
    /// Why.
    pub reason: String,
}

/// An item of which part was taken back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ItemVoided {
    /// The session, with its last activity.
    pub session: Session,
    /// The round now; canceled if nothing of it is left and it was not served.
    pub round: Round,
    /// The tickets that changed.
    pub tickets: Vec<Ticket>,
    /// What was taken back.
    pub void: ItemVoid,
    /// What is announced, in order.
    pub events: Vec<Event>,
    /// The trace.
    pub audit: AuditEntry,
}

/// Why nothing is taken back.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum VoidItemError {
    /// The actor may not do this, or not once the item was handed over.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The round has no such item.
    #[error("no such item")]
    NotFound,
    /// Not possible for this round.
    #[error("not possible for a round that is {current}")]
    RoundWrongState {
        /// Where the round stands.
        current: RoundStatus,
        /// Where it may go.
        allowed: Vec<RoundStatus>,
    },
    /// Less than that is left.
    #[error("only {live_qty} are left")]
    VoidExceedsLive {
        /// What is left.
        live_qty: i32,
    },
    /// The item is on a check.
    #[error("the item is on a check")]
    OnCheck {
        /// Whether that check is settled.
        settled: bool,
    },
}

/// Takes back part of an item. Its ticket and the round follow; a round that is not served and of which nothing is
/// left is canceled for the same reason.
///
/// Announces `round.item_voided`, then what follows from it: the ticket's line, the ticket, the round.
///
/// # Errors
/// [`VoidItemError`].
pub fn void_item(
    facts: TakeBackFacts,
    command: VoidItem,
    actor: &Actor,
    now: Timestamp,
    ids: &mut impl IdSource,
) -> Result<ItemVoided, VoidItemError> {
    let (status, live_qty) = judge(&facts, &command, actor)?;
    let TakeBackFacts {
        session,
        round,
        tickets,
        ..
    } = facts;
    let VoidItem { item_id, qty, reason } = command;
    let mut progress = Progress::new(RoundFacts { round, tickets }, actor, now);
    let void = progress.void(item_id, qty, &reason, ids).ok_or(VoidItemError::NotFound)?;
    progress.round.version += 1;
    let detail = RoundDetail::ItemVoided {
        item_id,
        voided_qty: qty,
        remaining_qty: live_qty - qty,
        reason: reason.clone(),
    };
    progress.announce_round(EventName::RoundItemVoided, detail);
    progress.reduce(item_id, qty);
    progress.settle(Some(&reason));
    let audit = audit(&progress.round, status, &void, live_qty);
    let moved = progress.finish(audit);
    Ok(ItemVoided {
        session: session.active_at(now),
        round: moved.round,
        tickets: moved.tickets,
        void,
        events: moved.events,
        audit: moved.audit,
    })
}

/// Gives back where the round stands and what is left of the item.
fn judge(
    facts: &TakeBackFacts,
    command: &VoidItem,
    actor: &Actor,
) -> Result<(RoundStatus, i32), VoidItemError> {
    let round = &facts.round;
    let item = round.items.iter().find(|item| item.id == command.item_id);
    let item = item.ok_or(VoidItemError::NotFound)?;
    permit(actor, FLOOR)?;
    if round.status == RoundStatus::Canceled {
        return Err(VoidItemError::RoundWrongState {
            current: round.status,
            allowed: round.status.allowed(),
        });
    }
    if is_handed_over(facts, item) {
        permit(actor, MANAGERS)?;
    }
    if !(1..=item.live_qty()).contains(&command.qty) {
        return Err(VoidItemError::VoidExceedsLive {
            live_qty: item.live_qty(),
        });
    }
    match facts.check {
        Some(CheckState { settled }) => Err(VoidItemError::OnCheck { settled }),
        None => Ok((round.status, item.live_qty())),
    }
}

fn permit(actor: &Actor, roles: &[Role]) -> Result<(), Forbidden> {
    if actor.kind == ActorKind::System || actor.roles.any(roles) {
        Ok(())
    } else {
        Err(Forbidden {
            required_roles: roles.to_vec(),
        })
    }
}

fn is_handed_over(facts: &TakeBackFacts, item: &RoundItem) -> bool {
    let holds = |ticket: &Ticket| ticket.items.iter().any(|line| line.round_item_id == item.id);
    facts.round.status == RoundStatus::Served
        || facts
            .tickets
            .iter()
            .any(|ticket| ticket.status == TicketStatus::Delivered && holds(ticket))
}

fn audit(round: &Round, before: RoundStatus, void: &ItemVoid, live_qty: i32) -> AuditEntry {
    let entry = AuditEntry::new("round.void_item", "round", round.id)
        .because(void.reason.clone())
        .set("item_id", void.round_item_id.to_string())
        .moved("live_qty", live_qty, live_qty - void.qty);
    if round.status == before {
        entry
    } else {
        entry.moved("status", before.as_str(), round.status.as_str())
    }
}
