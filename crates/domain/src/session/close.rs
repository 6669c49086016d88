//! A party leaves. The bill's part, settling the check, stands in `billing`; the use case joins the two.

use crate::Timestamp;
use crate::actor::{Actor, Forbidden};
use crate::audit::AuditEntry;
use crate::billing::{Check, CheckStatus};
use crate::event::{Event, EventBody};
use crate::ids::{CheckId, RoundId};
use crate::machine::{Asking, Refusal, permit};
use crate::round::Round;
use crate::service_call::{ServiceCall, cancel_with_session};
use crate::session::{CloseReason, SESSION_TRANSITIONS, Session, SessionClosed, SessionStatus};
use crate::table::Table;

/// What is known when a session is to close. Rounds that are to be served first are served already.
#[derive(Clone, Copy, Debug)]
pub struct CloseFacts<'a> {
    /// The session, locked.
    pub session: &'a Session,
    /// Its table, locked.
    pub table: &'a Table,
    /// Its check that is neither settled nor void.
    pub check: Option<&'a Check>,
    /// The latest check of this visit that was settled before.
    pub settled_check: Option<CheckId>,
    /// Its rounds, in order of number.
    pub rounds: &'a [Round],
    /// What the items without a check cost, in minor units; none when every item is billed. Free dishes are
    /// items too, so this may be zero.
    pub unbilled_total: Option<i64>,
    /// Its calls.
    pub calls: &'a [ServiceCall],
}

/// A closed session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Closed {
    /// The session. Its cart is empty, its phones' tokens are dead.
    pub session: Session,
    /// Its table, free again.
    pub table: Table,
    /// The calls that end with it.
    pub calls: Vec<ServiceCall>,
    /// One `service_call.canceled` per call; they come first.
    pub call_events: Vec<Event>,
    /// Whether the check is to be settled in the same transaction; its event comes second.
    pub settle: bool,
    /// `session.closed`, `table.status_changed`; they come last.
    pub events: Vec<Event>,
    /// The trace.
    pub audit: AuditEntry,
}

/// Why a session cannot close, in the order in which it is asked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CloseError {
    /// Not by this actor.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// It is closed already.
    #[error(transparent)]
    SessionClosed(#[from] SessionClosed),
    /// These rounds are neither served nor canceled.
    #[error("orders are unfinished")]
    RoundsUnfinished {
        /// In order of number.
        round_ids: Vec<RoundId>,
    },
    /// Some items are on no check.
    #[error("items without a check")]
    UnbilledItems {
        /// What they cost, in minor units.
        total: i64,
    },
    /// The check is not paid.
    #[error("the check is not paid")]
    CheckUnpaid {
        /// What is missing, in minor units.
        due: i64,
    },
    /// Money was received that covers nothing.
    #[error("there is money to give back")]
    SurplusUnresolved {
        /// How much, in minor units.
        surplus: i64,
    },
}

/// Closes a session in which everything is served, billed and paid.
///
/// # Errors
/// [`CloseError`].
pub fn close_session(facts: CloseFacts<'_>, actor: &Actor, now: Timestamp) -> Result<Closed, CloseError> {
    let session = facts.session;
    let target = SessionStatus::Closed;
    let row = permit(
        SESSION_TRANSITIONS,
        session.status,
        |row| row.to == target,
        Asking::new(actor),
    )
    .map_err(|refusal| match refusal {
        Refusal::Forbidden(forbidden) => CloseError::Forbidden(forbidden),
        Refusal::WrongState { current, .. } => SessionClosed {
            current_status: current,
        }
        .into(),
    })?;
    require_finished(facts)?;
    let check_id = facts.check.map(|check| check.id).or(facts.settled_check);
    let reason = if check_id.is_some() {
        CloseReason::Paid
    } else {
        CloseReason::Empty
    };
    let closed = closed(session, reason, actor, now);
    let (calls, call_events) = cancel_with_session(facts.calls, actor, now);
    let announced = Event {
        name: row.event,
        body: EventBody::Session {
            session: Box::new(closed.clone()),
            reason: Some(reason),
            check_id,
        },
    };
    let table = facts.table.with_other_status();
    Ok(Closed {
        calls,
        call_events,
        settle: facts.check.is_some(),
        events: vec![announced, closed.table_changed(&table, Some(session.status))],
        audit: AuditEntry::new("session.close", "session", session.id)
            .moved("status", session.status.as_str(), closed.status.as_str())
            .moved("seating", session.seating, closed.seating)
            .set("close_reason", reason.as_str()),
        session: closed,
        table,
    })
}

fn require_finished(facts: CloseFacts<'_>) -> Result<(), CloseError> {
    let unfinished = facts.rounds.iter().filter(|round| round.status.is_unfinished());
    let round_ids: Vec<_> = unfinished.map(|round| round.id).collect();
    if !round_ids.is_empty() {
        return Err(CloseError::RoundsUnfinished { round_ids });
    }
    if let Some(total) = facts.unbilled_total {
        return Err(CloseError::UnbilledItems { total });
    }
    match facts.check {
        Some(check) if check.status != CheckStatus::Paid => Err(CloseError::CheckUnpaid { due: check.due() }),
        Some(check) if check.surplus_amount > 0 => Err(CloseError::SurplusUnresolved {
            surplus: check.surplus_amount,
        }),
        _ => Ok(()),
    }
}

fn closed(session: &Session, reason: CloseReason, actor: &Actor, now: Timestamp) -> Session {
    Session {
        seating: session.seating.saturating_add(1),
        // The lines still in the cart are deleted, and that is a change of the cart.
        cart_version: session.cart_version.saturating_add(1),
        closed: Some(actor.stamp(session.not_before(now))),
        close_reason: Some(reason),
        ..session.stepped(SessionStatus::Closed, now)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::actor::Role;
    use crate::event::EventName;
    use crate::menu::fixtures::{at, id};
    use crate::round::RoundStatus;
    use crate::service_call::{CallStatus, CallType};
    use crate::session::fixtures::{check, round, session, staff, table};
    use crate::table::TableStatus;

    fn call(status: CallStatus) -> ServiceCall {
        ServiceCall {
            id: id(status.as_str()),
            branch_id: id("centro"),
            session_id: id("session"),
            call_type: CallType::Waiter,
            status,
            note: None,
            raised_by: Some(id("Ana")),
            reminder_count: 0,
            last_reminder_at: None,
            opened_at: at(5),
            acked: None,
            closed: None,
            version: 1,
        }
    }

    static TABLE: LazyLock<Table> = LazyLock::new(table);

    fn facts(session: &Session) -> CloseFacts<'_> {
        CloseFacts {
            session,
            table: &TABLE,
            check: None,
            settled_check: None,
            rounds: &[],
            unbilled_total: None,
            calls: &[],
        }
    }

    #[test]
    fn after_the_dinner_the_table_is_free() {
        let paying = session(SessionStatus::Paying);
        let paid = check(4_660_000, 4_660_000, 0);
        let calls = [
            call(CallStatus::Open),
            call(CallStatus::Acked),
            call(CallStatus::Closed),
        ];
        let facts = CloseFacts {
            check: Some(&paid),
            rounds: &[round(1, RoundStatus::Served), round(2, RoundStatus::Canceled)],
            calls: &calls,
            ..facts(&paying)
        };
        let leo = staff(Role::Waiter);
        let closed = close_session(facts, &leo, at(65)).unwrap();
        assert_eq!(
            (closed.session.status, closed.session.seating),
            (SessionStatus::Closed, 2)
        );
        assert_eq!(closed.session.close_reason, Some(CloseReason::Paid));
        assert_eq!(closed.session.closed, Some(leo.stamp(at(65))));
        assert_eq!((closed.session.version, closed.session.cart_version), (2, 1));
        assert_eq!(closed.table.version, TABLE.version + 1);
        assert!(closed.settle);
        assert_eq!(closed.calls.len(), 2);
        assert!(
            closed
                .calls
                .iter()
                .all(|call| call.status == CallStatus::Canceled)
        );
        assert!(matches!(
            closed.call_events[0].body,
            EventBody::Call {
                waiting_seconds: 60,
                ..
            }
        ));
        assert_eq!(closed.events[0].name, EventName::SessionClosed);
        assert!(matches!(
            closed.events[0].body,
            EventBody::Session { reason: Some(CloseReason::Paid), check_id: Some(check_id), .. }
                if check_id == paid.id
        ));
        assert!(matches!(
            closed.events[1].body,
            EventBody::Table {
                status: TableStatus::Free,
                previous_status: TableStatus::Paying,
                ..
            }
        ));
    }

    #[test]
    fn a_visit_without_a_bill_is_empty_unless_something_was_paid_before() {
        let open = session(SessionStatus::Open);
        let leo = staff(Role::Waiter);
        let empty = close_session(facts(&open), &leo, at(5)).unwrap();
        assert_eq!(empty.session.close_reason, Some(CloseReason::Empty));
        assert!(!empty.settle);
        let earlier = CloseFacts {
            settled_check: Some(id("earlier")),
            ..facts(&open)
        };
        let paid = close_session(earlier, &leo, at(5)).unwrap();
        assert_eq!(paid.session.close_reason, Some(CloseReason::Paid));
        assert!(!paid.settle);
    }

    #[test]
    fn unbilled_free_dishes_hold_a_session_too() {
        let open = session(SessionStatus::Open);
        let unbilled = CloseFacts {
            unbilled_total: Some(0),
            ..facts(&open)
        };
        assert_eq!(
            close_session(unbilled, &staff(Role::Waiter), at(5)),
            Err(CloseError::UnbilledItems { total: 0 })
        );
    }

    proptest! {
        // P5: for every state, actor and set of facts, the first thing in the way is told, or nothing is.
        #[test]
        fn a_session_closes_exactly_when_nothing_is_in_the_way(
            status in prop::sample::select(SessionStatus::ALL),
            role in prop::sample::select(Role::ALL),
            rounds in prop::collection::vec(prop::sample::select(RoundStatus::ALL), 0..4),
            unbilled_total in prop::option::of(0..1000_i64),
            (total, paid, surplus) in (0..3_i64, 0..3_i64, 0..2_i64),
            seconds in -10..10_i64,
        ) {
            let before = session(status);
            let rounds: Vec<_> = rounds.iter().zip(1..).map(|(status, number)| round(number, *status)).collect();
            let live = check(total.max(paid), paid, if total <= paid { surplus } else { 0 });
            let facts = CloseFacts {
                check: (status == SessionStatus::Paying).then_some(&live),
                rounds: &rounds,
                unbilled_total,
                ..facts(&before)
            };
            let unfinished = rounds.iter().any(|round| round.status.is_unfinished());
            match close_session(facts, &staff(role), at(seconds)) {
                Err(CloseError::Forbidden(_)) => prop_assert_eq!(role, Role::Kitchen),
                Err(CloseError::SessionClosed(_)) => prop_assert_eq!(status, SessionStatus::Closed),
                Err(CloseError::RoundsUnfinished { round_ids }) => {
                    prop_assert!(unfinished && !round_ids.is_empty());
                }
                Err(CloseError::UnbilledItems { total }) => {
                    prop_assert!(!unfinished);
                    prop_assert_eq!(Some(total), unbilled_total);
                }
                Err(CloseError::CheckUnpaid { due }) => {
                    prop_assert!(!unfinished && unbilled_total.is_none());
                    prop_assert_eq!(due, live.due());
                    prop_assert!(due > 0);
                }
                Err(CloseError::SurplusUnresolved { surplus }) => {
                    prop_assert_eq!((surplus, live.due()), (live.surplus_amount, 0));
                }
                Ok(closed) => {
                    prop_assert!(role != Role::Kitchen && status != SessionStatus::Closed);
                    prop_assert!(!unfinished && unbilled_total.is_none());
                    prop_assert_eq!(closed.settle, status == SessionStatus::Paying);
                    prop_assert!(!closed.settle || (live.due() == 0 && live.surplus_amount == 0));
                    prop_assert_eq!(closed.session.version, before.version + 1);
                    prop_assert!(closed.session.closed.unwrap().at >= before.last_activity_at);
                }
            }
        }
    }
}
