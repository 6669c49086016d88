//! Staff react to a call, or its diner takes it back.

use crate::Timestamp;
use crate::actor::{Actor, Forbidden, Stamp};
use crate::audit::AuditEntry;
use crate::event::{Event, EventBody, EventName};
use crate::machine::{Asking, Refusal, permit};
use crate::service_call::{CALL_TRANSITIONS, CallStatus, ServiceCall};

/// What to do with a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallMove {
    /// Somebody is on the way.
    Ack,
    /// It is done.
    Close,
    /// It is taken back.
    Cancel,
}

impl CallMove {
    fn target(self) -> CallStatus {
        match self {
            Self::Ack => CallStatus::Acked,
            Self::Close => CallStatus::Closed,
            Self::Cancel => CallStatus::Canceled,
        }
    }

    fn action(self) -> &'static str {
        match self {
            Self::Ack => "service_call.ack",
            Self::Close => "service_call.close",
            Self::Cancel => "service_call.cancel",
        }
    }
}

/// The call after the step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallMoved {
    /// The call.
    pub call: ServiceCall,
    /// The event of the step.
    pub events: Vec<Event>,
    /// The trace.
    pub audit: AuditEntry,
}

/// Why a call does not move.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MoveCallError {
    /// Not by this actor.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// Somebody was faster.
    #[error("the call is {current_status}")]
    WrongState {
        /// Where it stands.
        current_status: CallStatus,
        /// Who brought it there, and when; none while nobody has reacted.
        by: Option<Stamp>,
    },
}

/// Acknowledges, closes or cancels a call.
///
/// # Errors
/// [`MoveCallError`]. Of two waiters who acknowledge together the second one learns who was first.
pub fn move_call(
    call: &ServiceCall,
    command: CallMove,
    actor: &Actor,
    now: Timestamp,
) -> Result<CallMoved, MoveCallError> {
    let asking = Asking {
        is_placer: call.raised_by.is_some() && call.raised_by == actor.diner_id(),
        ..Asking::new(actor)
    };
    let target = command.target();
    let row =
        permit(CALL_TRANSITIONS, call.status, |row| row.to == target, asking).map_err(
            |refusal| match refusal {
                Refusal::Forbidden(forbidden) => MoveCallError::Forbidden(forbidden),
                Refusal::WrongState { current, .. } => MoveCallError::WrongState {
                    current_status: current,
                    by: call.closed.or(call.acked),
                },
            },
        )?;
    let moved = stepped(call, target, actor, now);
    Ok(CallMoved {
        events: vec![announce(row.event, &moved, now)],
        audit: AuditEntry::new(command.action(), "service_call", call.id).moved(
            "status",
            call.status.as_str(),
            target.as_str(),
        ),
        call: moved,
    })
}

/// Ends the live calls of a session that closes: a derived step, stamped with whoever closes it.
pub(crate) fn cancel_with_session(
    calls: &[ServiceCall],
    actor: &Actor,
    now: Timestamp,
) -> (Vec<ServiceCall>, Vec<Event>) {
    calls
        .iter()
        .filter(|call| call.status.is_live())
        .map(|call| {
            let canceled = stepped(call, CallStatus::Canceled, actor, now);
            let event = announce(EventName::ServiceCallCanceled, &canceled, now);
            (canceled, event)
        })
        .unzip()
}

/// The event of a call, with the time that its diner has been waiting.
pub(super) fn announce(name: EventName, call: &ServiceCall, now: Timestamp) -> Event {
    Event {
        name,
        body: EventBody::Call {
            call: Box::new(call.clone()),
            waiting_seconds: (now - call.opened_at).num_seconds().max(0),
        },
    }
}

fn stepped(call: &ServiceCall, target: CallStatus, actor: &Actor, now: Timestamp) -> ServiceCall {
    // Clocks of several machines differ a little; the stamps of one call never go back.
    let last = call.acked.map_or(call.opened_at, |acked| acked.at);
    let stamp = actor.stamp(now.max(last));
    let mut moved = call.clone();
    moved.status = target;
    moved.version = call.version.saturating_add(1);
    if target == CallStatus::Acked {
        moved.acked = Some(stamp);
    } else {
        moved.closed = Some(stamp);
    }
    moved
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::actor::Role;
    use crate::menu::fixtures::{at, id};
    use crate::service_call::CallType;
    use crate::session::fixtures::staff;

    fn call() -> ServiceCall {
        ServiceCall {
            id: id("call"),
            branch_id: id("centro"),
            session_id: id("session"),
            call_type: CallType::Waiter,
            status: CallStatus::Open,
            note: None,
            raised_by: Some(id("Ana")),
            reminder_count: 0,
            last_reminder_at: None,
            opened_at: at(0),
            acked: None,
            closed: None,
            version: 1,
        }
    }

    fn actors() -> Vec<(&'static str, Actor)> {
        vec![
            ("raiser", Actor::diner(id("Ana"))),
            ("guest", Actor::diner(id("Bruno"))),
            ("waiter", staff(Role::Waiter)),
            ("kitchen", staff(Role::Kitchen)),
            ("manager", staff(Role::Manager)),
            ("admin", staff(Role::Admin)),
            ("system", Actor::SYSTEM),
            ("provider", Actor::PROVIDER),
        ]
    }

    const MOVES: [CallMove; 3] = [CallMove::Ack, CallMove::Close, CallMove::Cancel];
    const SERVERS: &[&str] = &["waiter", "manager", "admin"];

    /// The table of the specification, written again as a reader would.
    fn expected(status: CallStatus, command: CallMove) -> &'static [&'static str] {
        match (status, command) {
            (CallStatus::Open, CallMove::Ack) | (CallStatus::Open | CallStatus::Acked, CallMove::Close) => {
                SERVERS
            }
            (CallStatus::Open, CallMove::Cancel) => &["raiser", "system"],
            (CallStatus::Acked, CallMove::Cancel) => &["system"],
            _ => &[],
        }
    }

    // P5
    #[test]
    fn exactly_the_rows_of_the_table_are_taken() {
        for status in CallStatus::ALL {
            for command in MOVES {
                for (name, actor) in actors() {
                    let before = ServiceCall {
                        status: *status,
                        ..call()
                    };
                    let result = move_call(&before, command, &actor, at(5));
                    let wanted = expected(*status, command).contains(&name);
                    assert_eq!(result.is_ok(), wanted, "{status} {command:?} by {name}");
                    if let Ok(moved) = result {
                        assert_eq!(moved.call.status, command.target());
                        assert_eq!(moved.call.version, 2);
                        assert_eq!(moved.events.len(), 1);
                    }
                }
            }
        }
    }

    #[test]
    fn the_second_waiter_learns_who_was_first() {
        let leo = staff(Role::Waiter);
        let acked = move_call(&call(), CallMove::Ack, &leo, at(9)).unwrap().call;
        assert_eq!(
            move_call(&acked, CallMove::Ack, &staff(Role::Manager), at(10)),
            Err(MoveCallError::WrongState {
                current_status: CallStatus::Acked,
                by: Some(leo.stamp(at(9))),
            })
        );
        // The diner cannot take back what somebody is already on the way for.
        assert!(matches!(
            move_call(&acked, CallMove::Cancel, &Actor::diner(id("Ana")), at(10)),
            Err(MoveCallError::WrongState { .. })
        ));
    }

    #[test]
    fn a_cook_is_told_which_roles_answer_calls() {
        assert_eq!(
            move_call(&call(), CallMove::Ack, &staff(Role::Kitchen), at(1)),
            Err(MoveCallError::Forbidden(Forbidden {
                required_roles: vec![Role::Waiter, Role::Manager, Role::Admin]
            }))
        );
    }

    proptest! {
        // P5
        #[test]
        fn stamps_never_decrease_and_ended_calls_stay_ended(
            steps in prop::collection::vec((0..3_usize, 0..8_usize, -100..100_i64), 0..12),
        ) {
            let mut call = call();
            for (command, actor, seconds) in steps {
                let before = call.clone();
                if let Ok(moved) = move_call(&call, MOVES[command], &actors()[actor].1, at(seconds)) {
                    call = moved.call;
                    prop_assert!(before.status.is_live());
                    prop_assert_eq!(call.version, before.version + 1);
                }
                let stamps: Vec<_> = [call.acked, call.closed].into_iter().flatten().map(|s| s.at).collect();
                prop_assert!(stamps.iter().all(|at| *at >= call.opened_at));
                prop_assert!(stamps.is_sorted());
                prop_assert_eq!(call.closed.is_none(), call.status.is_live());
            }
        }
    }
}
