//! A party sits down: by scanning the table's code, or led by staff.

use crate::Timestamp;
use crate::actor::{Actor, Forbidden};
use crate::audit::AuditEntry;
use crate::branch::BranchSettings;
use crate::event::{Event, EventBody};
use crate::ids::{IdSource, UserId};
use crate::machine::{Asking, Transition};
use crate::session::{SESSION_TRANSITIONS, Session, SessionStatus};
use crate::table::Table;

/// What is known when a table's code is scanned.
#[derive(Clone, Copy, Debug)]
pub struct ScanFacts<'a> {
    /// The table, locked.
    pub table: &'a Table,
    /// Its live session.
    pub session: Option<&'a Session>,
    /// The branch's switches.
    pub settings: &'a BranchSettings,
    /// The waiters assigned to the table's sector now.
    pub sector_waiters: &'a [UserId],
}

/// What the phone sends, and the digits drawn for a new session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenOrJoin {
    /// The digits that the guest was told.
    pub join_code: Option<String>,
    /// How many came; counts only when the scan opens the session.
    pub party_size: Option<i32>,
    /// Four random digits for the session, should one be opened.
    pub new_join_code: String,
}

/// A new session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opened {
    /// The session.
    pub session: Session,
    /// Its table, no longer free.
    pub table: Table,
    /// `session.opened`, `table.status_changed`.
    pub events: Vec<Event>,
    /// The trace.
    pub audit: AuditEntry,
}

/// What a scan leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OpenedOrJoined {
    /// The table was free.
    Opened(Box<Opened>),
    /// The party is already there; nothing changes.
    Joined(Box<Session>),
}

/// Why a scan leads nowhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OpenError {
    /// The table is not to be used.
    #[error("the table is out of service")]
    TableOutOfService,
    /// Only staff open tables here.
    #[error("the table is not open")]
    TableNotOpen,
    /// The digits are missing or wrong.
    #[error("the join code is missing or wrong")]
    JoinCodeInvalid,
}

/// Joins the live session of a table, or opens one.
///
/// # Errors
/// [`OpenError`].
pub fn open_or_join(
    facts: ScanFacts<'_>,
    command: OpenOrJoin,
    now: Timestamp,
    ids: &mut impl IdSource,
) -> Result<OpenedOrJoined, OpenError> {
    if facts.table.out_of_service {
        return Err(OpenError::TableOutOfService);
    }
    if let Some(session) = facts.session {
        let told = command.join_code.as_deref() == Some(session.join_code.as_str());
        return if facts.settings.join_code_required && !told {
            Err(OpenError::JoinCodeInvalid)
        } else {
            Ok(OpenedOrJoined::Joined(Box::new(session.clone())))
        };
    }
    if !facts.settings.diners_may_open {
        return Err(OpenError::TableNotOpen);
    }
    let assigned_waiter_id = match facts.sector_waiters {
        [only] => Some(*only),
        _ => None,
    };
    let new = NewSession {
        party_size: command.party_size,
        note: None,
        join_code: command.new_join_code,
        assigned_waiter_id,
    };
    let opened = open(facts.table, new, &Actor::SYSTEM, now, ids);
    Ok(OpenedOrJoined::Opened(Box::new(opened)))
}

/// What is known when staff open a table.
#[derive(Clone, Copy, Debug)]
pub struct StaffOpenFacts<'a> {
    /// The table, locked.
    pub table: &'a Table,
    /// Its live session.
    pub session: Option<&'a Session>,
}

/// What staff enter, and the digits drawn for the session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenForStaff {
    /// How many came.
    pub party_size: Option<i32>,
    /// A remark.
    pub note: Option<String>,
    /// Four random digits.
    pub new_join_code: String,
}

/// Why staff cannot open a table.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OpenForStaffError {
    /// Not by this actor.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The table is not to be used.
    #[error("the table is out of service")]
    TableOutOfService,
    /// Another party sits there.
    #[error("the table has a live session")]
    TableOccupied,
}

/// Opens a free table. Whoever opens it becomes the assigned waiter.
///
/// # Errors
/// [`OpenForStaffError`].
pub fn open_for_staff(
    facts: StaffOpenFacts<'_>,
    command: OpenForStaff,
    actor: &Actor,
    now: Timestamp,
    ids: &mut impl IdSource,
) -> Result<Opened, OpenForStaffError> {
    let asking = Asking::new(actor);
    if !opening_rows().any(|row| asking.is_among(row.who)) {
        return Err(asking.forbidden(opening_rows()).into());
    }
    if facts.table.out_of_service {
        return Err(OpenForStaffError::TableOutOfService);
    }
    if facts.session.is_some() {
        return Err(OpenForStaffError::TableOccupied);
    }
    let new = NewSession {
        party_size: command.party_size,
        note: command.note,
        join_code: command.new_join_code,
        assigned_waiter_id: actor.user_id(),
    };
    Ok(open(facts.table, new, actor, now, ids))
}

fn opening_rows() -> impl Iterator<Item = &'static Transition<SessionStatus>> {
    SESSION_TRANSITIONS.iter().filter(|row| row.from.is_none())
}

struct NewSession {
    party_size: Option<i32>,
    note: Option<String>,
    join_code: String,
    assigned_waiter_id: Option<UserId>,
}

fn open(table: &Table, new: NewSession, actor: &Actor, now: Timestamp, ids: &mut impl IdSource) -> Opened {
    let session = Session {
        id: ids.next(),
        branch_id: table.branch_id,
        table_id: table.id,
        status: SessionStatus::Open,
        seating: 1,
        join_code: new.join_code,
        party_size: new.party_size,
        note: new.note,
        assigned_waiter_id: new.assigned_waiter_id,
        cart_version: 0,
        next_round_number: 1,
        opened: actor.stamp(now),
        paying: None,
        closed: None,
        close_reason: None,
        last_activity_at: now,
        version: 1,
    };
    let announced = opening_rows().map(|row| Event {
        name: row.event,
        body: EventBody::Session {
            session: Box::new(session.clone()),
            reason: None,
            check_id: None,
        },
    });
    let table = table.with_other_status();
    Opened {
        events: announced.chain([session.table_changed(&table, None)]).collect(),
        audit: AuditEntry::new("session.open", "session", session.id)
            .set("status", session.status.as_str())
            .set("table_id", table.id.to_string()),
        session,
        table,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::{ActorKind, Role};
    use crate::event::EventName;
    use crate::menu::fixtures::{at, id};
    use crate::session::fixtures::{Counter, session, staff, table};
    use crate::table::TableStatus;

    fn scan(
        table: &Table,
        session: Option<&Session>,
        settings: BranchSettings,
        join_code: Option<&str>,
    ) -> Result<OpenedOrJoined, OpenError> {
        let facts = ScanFacts {
            table,
            session,
            settings: &settings,
            sector_waiters: &[id("leo")],
        };
        let command = OpenOrJoin {
            join_code: join_code.map(str::to_owned),
            party_size: Some(3),
            new_join_code: "4821".to_owned(),
        };
        open_or_join(facts, command, at(0), &mut Counter::default())
    }

    #[test]
    fn the_first_scan_opens_and_the_next_one_joins() {
        let OpenedOrJoined::Opened(opened) = scan(&table(), None, BranchSettings::default(), None).unwrap()
        else {
            panic!("the table was free");
        };
        let session = opened.session;
        assert_eq!(
            (session.seating, session.cart_version, session.next_round_number),
            (1, 0, 1)
        );
        assert_eq!(session.opened.kind, ActorKind::System);
        assert_eq!(session.assigned_waiter_id, Some(id("leo")));
        assert_eq!(opened.events[0].name, EventName::SessionOpened);
        assert_eq!(
            opened.events[1].body,
            EventBody::Table {
                table: Box::new(opened.table.clone()),
                status: TableStatus::Open,
                previous_status: TableStatus::Free,
            }
        );
        assert_eq!(opened.events.len(), 2);
        assert_eq!(opened.table.version, table().version + 1);
        assert_eq!(
            scan(&table(), Some(&session), BranchSettings::default(), None),
            Ok(OpenedOrJoined::Joined(Box::new(session.clone())))
        );
    }

    #[test]
    fn two_waiters_in_the_sector_are_no_choice() {
        let facts = ScanFacts {
            table: &table(),
            session: None,
            settings: &BranchSettings::default(),
            sector_waiters: &[id("leo"), id("sol")],
        };
        let command = OpenOrJoin {
            join_code: None,
            party_size: None,
            new_join_code: "0000".to_owned(),
        };
        let opened = open_or_join(facts, command, at(0), &mut Counter::default()).unwrap();
        assert!(
            matches!(opened, OpenedOrJoined::Opened(opened) if opened.session.assigned_waiter_id.is_none())
        );
    }

    #[test]
    fn the_branch_decides_who_opens_and_how_one_joins() {
        let closed_house = BranchSettings {
            diners_may_open: false,
            join_code_required: true,
            ..BranchSettings::default()
        };
        let live = session(SessionStatus::Paying);
        assert_eq!(
            scan(&table(), None, closed_house, None),
            Err(OpenError::TableNotOpen)
        );
        for wrong in [None, Some("0000")] {
            assert_eq!(
                scan(&table(), Some(&live), closed_house, wrong),
                Err(OpenError::JoinCodeInvalid)
            );
        }
        assert!(scan(&table(), Some(&live), closed_house, Some("4821")).is_ok());
        let broken = Table {
            out_of_service: true,
            ..table()
        };
        assert_eq!(
            scan(&broken, None, BranchSettings::default(), None),
            Err(OpenError::TableOutOfService)
        );
    }

    // P5, the row without a state before.
    #[test]
    fn staff_open_free_tables_and_serve_them() {
        let seat = |table: &Table, session: Option<&Session>, actor: &Actor| {
            let command = OpenForStaff {
                party_size: Some(2),
                note: Some("cumple".to_owned()),
                new_join_code: "4821".to_owned(),
            };
            let facts = StaffOpenFacts { table, session };
            open_for_staff(facts, command, actor, at(0), &mut Counter::default())
        };
        for role in [Role::Waiter, Role::Manager, Role::Admin] {
            let opened = seat(&table(), None, &staff(role)).unwrap();
            assert_eq!(opened.session.assigned_waiter_id, staff(role).user_id());
        }
        for actor in [staff(Role::Kitchen), Actor::diner(id("Ana"))] {
            assert_eq!(
                seat(&table(), None, &actor),
                Err(OpenForStaffError::Forbidden(Forbidden {
                    required_roles: vec![Role::Waiter, Role::Manager, Role::Admin]
                }))
            );
        }
        let waiter = staff(Role::Waiter);
        let live = session(SessionStatus::Open);
        assert_eq!(
            seat(&table(), Some(&live), &waiter),
            Err(OpenForStaffError::TableOccupied)
        );
        let broken = Table {
            out_of_service: true,
            ..table()
        };
        assert_eq!(
            seat(&broken, None, &waiter),
            Err(OpenForStaffError::TableOutOfService)
        );
    }
}
