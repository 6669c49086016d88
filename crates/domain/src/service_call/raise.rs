//! A diner asks for a person, or asks again.

use chrono::TimeDelta;

use crate::Timestamp;
use crate::actor::{Actor, Forbidden};
use crate::audit::AuditEntry;
use crate::event::{Event, EventName};
use crate::ids::IdSource;
use crate::service_call::moves::announce;
use crate::service_call::{CallStatus, CallType, ServiceCall};
use crate::session::{Session, SessionClosed, require_live};

/// A call that is raised again counts as a reminder once in this time.
pub const REMINDER_PAUSE: TimeDelta = TimeDelta::seconds(30);

/// What is known when a call is raised.
#[derive(Clone, Copy, Debug)]
pub struct RaiseFacts<'a> {
    /// The session, locked.
    pub session: &'a Session,
    /// Its open call of the wanted type; there is at most one.
    pub open_call: Option<&'a ServiceCall>,
}

/// What the diner wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RaiseCall {
    /// Whom or what.
    pub call_type: CallType,
    /// In the diner's words.
    pub note: Option<String>,
}

/// The call as it stands now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallRaised {
    /// The new call, or the one already open.
    pub call: ServiceCall,
    /// It was not there before.
    pub is_new: bool,
    /// It was there, and was counted as a reminder.
    pub reminded: bool,
    /// The session, active now.
    pub session: Session,
    /// `service_call.opened`, `service_call.reminded`, or nothing.
    pub events: Vec<Event>,
    /// None when nothing changed: the call was raised again too soon to count.
    pub audit: Option<AuditEntry>,
}

/// Why a call cannot be raised.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RaiseCallError {
    /// Only a guest of the session raises calls.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The visit has ended.
    #[error(transparent)]
    SessionClosed(#[from] SessionClosed),
}

/// Raises a call. However often and from however many phones, a session has one open call per type.
///
/// # Errors
/// [`RaiseCallError`].
pub fn raise_call(
    facts: RaiseFacts<'_>,
    command: RaiseCall,
    actor: &Actor,
    now: Timestamp,
    ids: &mut impl IdSource,
) -> Result<CallRaised, RaiseCallError> {
    let diner_id = actor.diner_id().ok_or(Forbidden {
        required_roles: Vec::new(),
    })?;
    require_live(facts.session)?;
    if let Some(call) = facts.open_call {
        return Ok(raised_again(facts.session, call, now));
    }
    let call = ServiceCall {
        id: ids.next(),
        branch_id: facts.session.branch_id,
        session_id: facts.session.id,
        call_type: command.call_type,
        status: CallStatus::Open,
        note: command.note,
        raised_by: Some(diner_id),
        reminder_count: 0,
        last_reminder_at: None,
        opened_at: facts.session.not_before(now),
        acked: None,
        closed: None,
        version: 1,
    };
    Ok(CallRaised {
        events: vec![announce(EventName::ServiceCallOpened, &call, call.opened_at)],
        audit: Some(
            AuditEntry::new("service_call.raise", "service_call", call.id)
                .set("status", call.status.as_str())
                .set("type", call.call_type.as_str()),
        ),
        session: facts.session.touched(now),
        call,
        is_new: true,
        reminded: false,
    })
}

fn raised_again(session: &Session, open: &ServiceCall, now: Timestamp) -> CallRaised {
    let last = open.last_reminder_at.unwrap_or(open.opened_at);
    if now - last < REMINDER_PAUSE {
        return CallRaised {
            call: open.clone(),
            is_new: false,
            reminded: false,
            session: session.clone(),
            events: Vec::new(),
            audit: None,
        };
    }
    let call = ServiceCall {
        reminder_count: open.reminder_count.saturating_add(1),
        last_reminder_at: Some(now),
        version: open.version.saturating_add(1),
        ..open.clone()
    };
    CallRaised {
        events: vec![announce(EventName::ServiceCallReminded, &call, now)],
        audit: Some(
            AuditEntry::new("service_call.raise", "service_call", call.id).moved(
                "reminder_count",
                open.reminder_count,
                call.reminder_count,
            ),
        ),
        session: session.touched(now),
        call,
        is_new: false,
        reminded: true,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::EventBody;
    use crate::menu::fixtures::{at, id};
    use crate::session::SessionStatus;
    use crate::session::fixtures::{Counter, session, staff};

    fn raise(
        session: &Session,
        open_call: Option<&ServiceCall>,
        seconds: i64,
    ) -> Result<CallRaised, RaiseCallError> {
        let command = RaiseCall {
            call_type: CallType::Waiter,
            note: Some("agua".to_owned()),
        };
        let facts = RaiseFacts { session, open_call };
        raise_call(
            facts,
            command,
            &Actor::diner(id("Ana")),
            at(seconds),
            &mut Counter::default(),
        )
    }

    #[test]
    fn asking_again_is_the_same_call_and_counts_once_in_thirty_seconds() {
        let session = session(SessionStatus::Paying);
        let first = raise(&session, None, 100).unwrap();
        assert!(first.is_new);
        let soon = raise(&session, Some(&first.call), 129).unwrap();
        assert_eq!((soon.is_new, soon.reminded), (false, false));
        assert_eq!(soon.call, first.call);
        assert!(soon.events.is_empty() && soon.audit.is_none());
        let later = raise(&session, Some(&first.call), 130).unwrap();
        assert_eq!((later.reminded, later.call.reminder_count), (true, 1));
        assert!(matches!(
            &later.events[..],
            [Event { name: EventName::ServiceCallReminded, body: EventBody::Call { waiting_seconds: 30, call } }]
                if **call == later.call
        ));
        assert!(!raise(&session, Some(&later.call), 159).unwrap().reminded);
    }

    #[test]
    fn nobody_calls_after_closing_and_staff_never() {
        let closed = session(SessionStatus::Closed);
        assert_eq!(
            raise(&closed, None, 100),
            Err(RaiseCallError::SessionClosed(SessionClosed {
                current_status: SessionStatus::Closed
            }))
        );
        let open = session(SessionStatus::Open);
        let facts = RaiseFacts {
            session: &open,
            open_call: None,
        };
        let command = RaiseCall {
            call_type: CallType::Other,
            note: None,
        };
        let waiter = staff(crate::actor::Role::Waiter);
        let refused = raise_call(facts, command, &waiter, at(100), &mut Counter::default());
        assert!(matches!(refused, Err(RaiseCallError::Forbidden(_))));
    }

    proptest! {
        // P8, the pure half: one call, and at most one reminder in each pause.
        #[test]
        fn any_number_of_raises_is_one_call(gaps in prop::collection::vec(0..50_i64, 1..30)) {
            let session = session(SessionStatus::Open);
            let first = raise(&session, None, 10).unwrap().call;
            let (mut call, mut time, mut counted) = (first.clone(), 10, Vec::new());
            for gap in gaps {
                time += gap;
                let again = raise(&session, Some(&call), time).unwrap();
                prop_assert_eq!(again.call.id, first.id);
                prop_assert_eq!(again.reminded, again.audit.is_some() && !again.events.is_empty());
                if again.reminded {
                    counted.push(time);
                }
                call = again.call;
            }
            prop_assert_eq!(usize::try_from(call.reminder_count).unwrap(), counted.len());
            prop_assert!(counted.windows(2).all(|pair| pair[1] - pair[0] >= 30));
        }
    }
}
