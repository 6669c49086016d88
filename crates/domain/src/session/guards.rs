//! What most operations ask of a session first, and what every one of them leaves on it.

use crate::Timestamp;
use crate::event::{Event, EventBody, EventName};
use crate::session::{Session, SessionStatus};
use crate::table::{Table, TableStatus, table_status};

/// Ordering is closed: the session is paying or closed (`session_not_open`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the session is {current_status}")]
pub struct SessionNotOpen {
    /// Where it stands.
    pub current_status: SessionStatus,
}

/// The visit has ended, or is past what was asked for (`session_closed`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the session is {current_status}")]
pub struct SessionClosed {
    /// Where it stands.
    pub current_status: SessionStatus,
}

/// The session takes orders.
///
/// # Errors
/// [`SessionNotOpen`] while paying and after closing.
pub fn require_open(session: &Session) -> Result<(), SessionNotOpen> {
    if session.status == SessionStatus::Open {
        Ok(())
    } else {
        Err(SessionNotOpen {
            current_status: session.status,
        })
    }
}

/// The party is still there.
///
/// # Errors
/// [`SessionClosed`] after closing.
pub fn require_live(session: &Session) -> Result<(), SessionClosed> {
    if session.status == SessionStatus::Closed {
        Err(SessionClosed {
            current_status: session.status,
        })
    } else {
        Ok(())
    }
}

impl Session {
    /// `now`, or the last instant known of this session if that is later: clocks of several machines differ a
    /// little, and the timestamps of one object never decrease.
    pub fn not_before(&self, now: Timestamp) -> Timestamp {
        [self.paying, self.closed]
            .into_iter()
            .flatten()
            .map(|stamp| stamp.at)
            .chain([self.opened.at, self.last_activity_at])
            .fold(now, Timestamp::max)
    }

    /// The session after any operation on it: active now. Activity does not raise the version.
    #[must_use]
    pub fn touched(&self, now: Timestamp) -> Self {
        Self {
            last_activity_at: self.not_before(now),
            ..self.clone()
        }
    }

    /// The session after a change of its cart. That raises the cart's version, not the session's.
    #[must_use]
    pub fn with_cart_changed(&self, now: Timestamp) -> Self {
        Self {
            cart_version: self.cart_version.saturating_add(1),
            ..self.touched(now)
        }
    }

    /// The session after a step of its machine.
    pub(super) fn stepped(&self, status: SessionStatus, now: Timestamp) -> Self {
        Self {
            status,
            version: self.version.saturating_add(1),
            ..self.touched(now)
        }
    }

    /// `table.status_changed`, once the session has left the given status. A table with a live session is never
    /// out of service, so the session alone gives both statuses. The table is as it is after the change.
    pub(crate) fn table_changed(&self, table: &Table, previous: Option<SessionStatus>) -> Event {
        Event {
            name: EventName::TableStatusChanged,
            body: EventBody::Table {
                table: Box::new(table.clone()),
                status: table_status(false, Some(self.status)),
                previous_status: previous
                    .map_or(TableStatus::Free, |status| table_status(false, Some(status))),
            },
        }
    }
}
