//! The party orders again after asking for the check. The bill's part, settling or voiding the check, stands in
//! `billing`; the use case joins the two.

use crate::Timestamp;
use crate::actor::{Actor, Forbidden};
use crate::audit::AuditEntry;
use crate::billing::{Check, CheckStatus};
use crate::event::{Event, EventBody, EventName};
use crate::machine::{Asking, Refusal, permit};
use crate::session::{SESSION_TRANSITIONS, Session, SessionStatus};
use crate::table::Table;

/// What is known when a session is to reopen.
#[derive(Clone, Copy, Debug)]
pub struct ReopenFacts<'a> {
    /// The session, locked.
    pub session: &'a Session,
    /// Its table, locked.
    pub table: &'a Table,
    /// Its check that is neither settled nor void; a paying session has one.
    pub check: Option<&'a Check>,
    /// Amounts of online payments under way, in minor units.
    pub reserved: i64,
}

/// What becomes of the check, in the same transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CheckEnd {
    /// It is paid: the next check bills only what is ordered later.
    Settle,
    /// Nothing was paid: everything is billed again.
    Void,
}

/// A session that takes orders again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reopened {
    /// The session; its cart thaws.
    pub session: Session,
    /// Its table, open again.
    pub table: Table,
    /// What to do with the check.
    pub check_end: CheckEnd,
    /// `session.reopened`, `table.status_changed`.
    pub events: Vec<Event>,
    /// The trace.
    pub audit: AuditEntry,
}

/// Why a session cannot reopen.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReopenError {
    /// Not by this actor.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// It is not paying.
    #[error("the session is {current_status}")]
    WrongState {
        /// Where it stands.
        current_status: SessionStatus,
    },
    /// The unpaid check holds money, or awaits some.
    #[error("there is money on the check")]
    PaymentsExist {
        /// Money on its charges, in minor units.
        paid: i64,
        /// Money under way, in minor units.
        reserved: i64,
    },
    /// Money was received that covers nothing.
    #[error("there is money to give back")]
    SurplusUnresolved {
        /// How much, in minor units.
        surplus: i64,
    },
}

/// Reopens a paying session.
///
/// # Errors
/// [`ReopenError`].
pub fn reopen_session(
    facts: ReopenFacts<'_>,
    actor: &Actor,
    now: Timestamp,
) -> Result<Reopened, ReopenError> {
    let session = facts.session;
    let wrong_state = ReopenError::WrongState {
        current_status: session.status,
    };
    let reopening = EventName::SessionReopened;
    let row = permit(
        SESSION_TRANSITIONS,
        session.status,
        |row| row.event == reopening,
        Asking::new(actor),
    )
    .map_err(|refusal| match refusal {
        Refusal::Forbidden(forbidden) => forbidden.into(),
        Refusal::WrongState { .. } => wrong_state.clone(),
    })?;
    // A paying session without a live check cannot be (I9).
    let check_end = check_end(facts.check.ok_or(wrong_state)?, facts.reserved)?;
    let reopened = Session {
        paying: None,
        ..session.stepped(row.to, now)
    };
    let announced = Event {
        name: row.event,
        body: EventBody::Session {
            session: Box::new(reopened.clone()),
            reason: None,
            check_id: None,
        },
    };
    let table = facts.table.with_other_status();
    Ok(Reopened {
        check_end,
        events: vec![announced, reopened.table_changed(&table, Some(session.status))],
        audit: AuditEntry::new("session.reopen", "session", session.id).moved(
            "status",
            session.status.as_str(),
            reopened.status.as_str(),
        ),
        session: reopened,
        table,
    })
}

fn check_end(check: &Check, reserved: i64) -> Result<CheckEnd, ReopenError> {
    let is_paid = check.status == CheckStatus::Paid;
    if !is_paid && (check.paid_amount > 0 || reserved > 0) {
        return Err(ReopenError::PaymentsExist {
            paid: check.paid_amount,
            reserved,
        });
    }
    if check.surplus_amount > 0 {
        return Err(ReopenError::SurplusUnresolved {
            surplus: check.surplus_amount,
        });
    }
    Ok(if is_paid { CheckEnd::Settle } else { CheckEnd::Void })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Role;
    use crate::menu::fixtures::at;
    use crate::session::fixtures::{check, session, staff, table};
    use crate::table::TableStatus;

    fn reopen(check: &Check, reserved: i64) -> Result<Reopened, ReopenError> {
        let facts = ReopenFacts {
            session: &session(SessionStatus::Paying),
            table: &table(),
            check: Some(check),
            reserved,
        };
        reopen_session(facts, &staff(Role::Waiter), at(5))
    }

    #[test]
    fn an_untouched_check_is_voided_and_a_paid_one_settled() {
        let reopened = reopen(&check(1000, 0, 0), 0).unwrap();
        assert_eq!(reopened.check_end, CheckEnd::Void);
        assert_eq!(reopened.session.status, SessionStatus::Open);
        assert_eq!(reopened.table.version, table().version + 1);
        assert_eq!((reopened.session.paying, reopened.session.version), (None, 2));
        assert_eq!(reopened.session.seating, 1);
        assert_eq!(reopened.events[0].name, EventName::SessionReopened);
        assert!(matches!(
            reopened.events[1].body,
            EventBody::Table {
                status: TableStatus::Open,
                previous_status: TableStatus::Paying,
                ..
            }
        ));
        assert_eq!(
            reopen(&check(1000, 1000, 0), 0).unwrap().check_end,
            CheckEnd::Settle
        );
        assert_eq!(reopen(&check(0, 0, 0), 0).unwrap().check_end, CheckEnd::Settle);
    }

    #[test]
    fn money_holds_the_check() {
        assert_eq!(
            reopen(&check(1000, 400, 0), 0),
            Err(ReopenError::PaymentsExist {
                paid: 400,
                reserved: 0
            })
        );
        assert_eq!(
            reopen(&check(1000, 0, 0), 200),
            Err(ReopenError::PaymentsExist {
                paid: 0,
                reserved: 200
            })
        );
        assert_eq!(
            reopen(&check(1000, 1000, 50), 0),
            Err(ReopenError::SurplusUnresolved { surplus: 50 })
        );
    }

    // P5
    #[test]
    fn only_paying_sessions_reopen_and_only_by_those_who_serve() {
        let unpaid = check(1000, 0, 0);
        for status in SessionStatus::ALL {
            for role in Role::ALL {
                let facts = ReopenFacts {
                    session: &session(*status),
                    table: &table(),
                    check: Some(&unpaid),
                    reserved: 0,
                };
                let result = reopen_session(facts, &staff(*role), at(5));
                match result {
                    Err(ReopenError::Forbidden(_)) => assert_eq!(*role, Role::Kitchen),
                    Err(ReopenError::WrongState { current_status }) => {
                        assert_eq!(current_status, *status);
                        assert_ne!(*status, SessionStatus::Paying);
                    }
                    result => assert!(result.is_ok() && *status == SessionStatus::Paying),
                }
            }
        }
    }
}
