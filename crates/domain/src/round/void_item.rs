//! Part of a round is taken back, before or after it was made.

use crate::Timestamp;
use crate::actor::{Actor, ActorKind, Forbidden, Role};
use crate::audit::AuditEntry;
use crate::event::{Event, EventName, RoundDetail};
use crate::ids::{IdSource, RoundItemId};
use crate::kitchen::{Ticket, TicketStatus};
use crate::round::{
    CheckState, ItemVoid, Progress, Round, RoundFacts, RoundItem, RoundStatus, TakeBackFacts,
};
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
    let void = progress
        .void(item_id, qty, &reason, ids)
        .ok_or(VoidItemError::NotFound)?;
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
        session: session.touched(now),
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kitchen::{ItemAction, TicketAction, TicketCommand, move_ticket};
    use crate::menu::Station;
    use crate::menu::fixtures::at;
    use crate::round::fixtures::{names, pending_round, submitted_round};
    use crate::round::laws::{check_events, check_invariants, take_back};
    use crate::session::fixtures::{Counter, staff};

    fn void(facts: &RoundFacts, product: &str, qty: i32, role: Role) -> Result<ItemVoided, VoidItemError> {
        let command = VoidItem {
            item_id: facts.item(product).id,
            qty,
            reason: "se cayó".to_owned(),
        };
        void_item(
            take_back(facts),
            command,
            &staff(role),
            at(500),
            &mut Counter::default(),
        )
    }

    fn on_ticket(facts: &RoundFacts, station: Station, action: TicketAction) -> RoundFacts {
        let id = facts.at(station).id;
        let command = TicketCommand::Whole(action);
        let moved = move_ticket(facts.clone(), id, command, &staff(Role::Manager), at(400)).unwrap();
        facts.after(moved.round, moved.tickets)
    }

    #[test]
    fn part_of_an_item_leaves_its_ticket_where_it_is() {
        let voided = void(&submitted_round(), "empanada_carne", 1, Role::Waiter).unwrap();
        assert_eq!(
            names(&voided.events),
            ["round.item_voided", "ticket.item_changed"]
        );
        assert_eq!(voided.round.live_total(), Ok(4_380_000));
        assert_eq!(voided.tickets[0].items[0].canceled_qty, 1);
        assert_eq!((voided.void.qty, voided.void.reason.as_str()), (1, "se cayó"));
    }

    #[test]
    fn what_is_still_to_be_made_may_make_the_round_ready_or_serve_it() {
        let ready = TicketAction::Ready;
        let facts = on_ticket(&submitted_round(), Station::Grill, ready);
        let facts = on_ticket(&facts, Station::HotKitchen, ready);
        let voided = void(&facts, "limonada", 1, Role::Waiter).unwrap();
        assert_eq!(
            names(&voided.events),
            [
                "round.item_voided",
                "ticket.item_changed",
                "ticket.canceled",
                "round.ready"
            ]
        );
        let facts = on_ticket(&facts, Station::Grill, TicketAction::Deliver);
        let facts = on_ticket(&facts, Station::HotKitchen, TicketAction::Deliver);
        let voided = void(&facts, "limonada", 1, Role::Waiter).unwrap();
        let expected = ["round.ready", "round.served"];
        assert_eq!(names(&voided.events)[3..], expected);
    }

    #[test]
    fn a_void_never_moves_anything_back() {
        let facts = submitted_round();
        let grill = facts.at(Station::Grill);
        let command = TicketCommand::Item(grill.items[0].id, ItemAction::Start);
        let moved = move_ticket(facts.clone(), grill.id, command, &staff(Role::Kitchen), at(400)).unwrap();
        let facts = facts.after(moved.round, moved.tickets);
        let voided = void(&facts, "bife_chorizo", 1, Role::Waiter).unwrap();
        assert_eq!(
            (voided.tickets[0].status, voided.round.status),
            (TicketStatus::InProgress, RoundStatus::InKitchen)
        );
        let facts = facts.after(voided.round, voided.tickets);
        let voided = void(&facts, "provoleta", 1, Role::Waiter).unwrap();
        assert_eq!(
            (voided.tickets[0].status, voided.round.status),
            (TicketStatus::Canceled, RoundStatus::InKitchen)
        );
    }

    #[test]
    fn the_last_live_item_takes_the_round_with_it() {
        let mut facts = RoundFacts {
            round: pending_round(),
            tickets: Vec::new(),
        };
        for (product, qty) in [("bife_chorizo", 1), ("provoleta", 1), ("empanada_carne", 2)] {
            facts.round = void(&facts, product, qty, Role::Waiter).unwrap().round;
        }
        let voided = void(&facts, "limonada", 1, Role::Waiter).unwrap();
        assert_eq!(names(&voided.events), ["round.item_voided", "round.canceled"]);
        assert_eq!(voided.round.cancel_reason.as_deref(), Some("se cayó"));
        let facts = facts.after(voided.round, voided.tickets);
        assert_eq!(
            void(&facts, "limonada", 1, Role::Admin),
            Err(VoidItemError::RoundWrongState {
                current: RoundStatus::Canceled,
                allowed: vec![]
            })
        );
    }

    #[test]
    fn only_managers_take_back_what_was_handed_over() {
        let facts = on_ticket(&submitted_round(), Station::Bar, TicketAction::Ready);
        let facts = on_ticket(&facts, Station::Bar, TicketAction::Deliver);
        assert_eq!(
            void(&facts, "limonada", 1, Role::Waiter),
            Err(VoidItemError::Forbidden(Forbidden {
                required_roles: vec![Role::Manager, Role::Admin]
            }))
        );
        assert!(void(&facts, "provoleta", 1, Role::Waiter).is_ok());
        assert!(matches!(
            void(&facts, "provoleta", 1, Role::Kitchen),
            Err(VoidItemError::Forbidden(_))
        ));
        let voided = void(&facts, "limonada", 1, Role::Manager).unwrap();
        assert_eq!(
            names(&voided.events),
            ["round.item_voided", "ticket.item_changed"]
        );
        assert_eq!(voided.tickets[0].status, TicketStatus::Delivered);
    }

    #[test]
    fn no_more_than_is_left_and_nothing_that_is_billed() {
        let facts = submitted_round();
        for qty in [-1, 0, 3] {
            assert_eq!(
                void(&facts, "empanada_carne", qty, Role::Waiter),
                Err(VoidItemError::VoidExceedsLive { live_qty: 2 })
            );
        }
        let billed = TakeBackFacts {
            check: Some(CheckState { settled: true }),
            ..take_back(&facts)
        };
        let command = VoidItem {
            item_id: facts.item("limonada").id,
            qty: 1,
            reason: "fría".to_owned(),
        };
        assert_eq!(
            void_item(
                billed,
                command,
                &staff(Role::Manager),
                at(500),
                &mut Counter::default()
            ),
            Err(VoidItemError::OnCheck { settled: true })
        );
    }

    proptest! {
        // P13, for rounds that are not billed
        #[test]
        fn partial_voids_end_at_nothing_and_never_below(
            ordered in 1..=20_i32,
            voids in prop::collection::vec(1..=6_i32, 1..30),
            submitted: bool,
        ) {
            let mut facts = if submitted {
                submitted_round()
            } else {
                RoundFacts { round: pending_round(), tickets: Vec::new() }
            };
            let id = facts.item("empanada_carne").id;
            for item in facts.round.items.iter_mut().filter(|item| item.id == id) {
                item.qty = ordered;
            }
            let lines = facts.tickets.iter_mut().flat_map(|ticket| &mut ticket.items);
            for line in lines.filter(|line| line.round_item_id == id) {
                line.qty = ordered;
            }
            let mut left = ordered;
            for qty in voids {
                match void(&facts, "empanada_carne", qty, Role::Manager) {
                    Ok(voided) => {
                        left -= qty;
                        let after = facts.after(voided.round, voided.tickets);
                        check_events(&facts, &after, &voided.events);
                        check_invariants(&after);
                        facts = after;
                    }
                    Err(refused) => {
                        prop_assert!(qty > left);
                        prop_assert_eq!(refused, VoidItemError::VoidExceedsLive { live_qty: left });
                    }
                }
                prop_assert_eq!(facts.item("empanada_carne").live_qty(), left);
                prop_assert!(left >= 0);
            }
        }
    }
}
