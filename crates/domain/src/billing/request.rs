//! Asking for the check.

use std::collections::BTreeSet;

use super::announce::{cause, check_event};
use super::shares::{SplitError, SplitRequest, divide};
use super::status::check_status;
use super::who::{floor_needed, floor_or_guest};
use super::{BillableLine, Charge, Check, CheckStatus, Ledger, Split, unbilled};
use crate::Timestamp;
use crate::actor::{Actor, Forbidden};
use crate::audit::AuditEntry;
use crate::branch::Branch;
use crate::enums::text_enum;
use crate::event::{Event, EventName};
use crate::ids::{DinerId, IdSource, RoundId, RoundItemId};
use crate::money::MoneyError;
use crate::round::{Round, RoundStatus};
use crate::session::{Session, SessionStatus};
use crate::table::Table;

text_enum! {
    /// What becomes of rounds that still wait when the check is asked for.
    PendingRounds {
        /// The check is refused.
        Refuse = "refuse",
        /// They are confirmed first.
        Confirm = "confirm",
        /// They are canceled first.
        Cancel = "cancel",
    }
}

/// What is known before a check is asked for.
#[derive(Clone, Copy, Debug)]
pub struct RequestFacts<'a> {
    /// The session; it has no unsettled check (with one, that check is the answer).
    pub session: &'a Session,
    /// Its table, locked.
    pub table: &'a Table,
    /// Its branch.
    pub branch: &'a Branch,
    /// All its rounds; the pending ones already confirmed or canceled where that was asked for.
    pub rounds: &'a [Round],
    /// Items with an unreleased charge.
    pub billed: &'a BTreeSet<RoundItemId>,
    /// Its diners.
    pub diners: &'a [DinerId],
    /// The number that the check gets.
    pub next_number: i64,
}

/// The wish.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestCheck {
    /// How to divide it, if said.
    pub split: Option<SplitRequest>,
    /// What was to happen to rounds that still wait; guests can only have it refused.
    pub pending_rounds: PendingRounds,
}

/// The check is out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckRequested {
    /// The session, now paying.
    pub session: Session,
    /// Its table, likewise.
    pub table: Table,
    /// The new check.
    pub check: Check,
    /// Its charges, and the split if asked for.
    pub ledger: Ledger,
    /// `check.requested`, `table.status_changed`, and `check.paid` for a check of zero.
    pub events: Vec<Event>,
    /// `check.request`
    pub audit: AuditEntry,
}

/// Why there is no check.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RequestCheckError {
    /// `forbidden`
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// `session_closed`
    #[error("the session is {current}")]
    SessionClosed {
        /// Where the session stands.
        current: SessionStatus,
    },
    /// `rounds_pending`
    #[error("orders await confirmation")]
    RoundsPending {
        /// Which.
        round_ids: Vec<RoundId>,
    },
    /// `amount_overflow`
    #[error(transparent)]
    Overflow(#[from] MoneyError),
    /// `nothing_to_bill`
    #[error("nothing to bill")]
    NothingToBill,
    /// The split is not possible.
    #[error(transparent)]
    Split(#[from] SplitError),
}

/// Puts everything unbilled on a new check and takes the session to paying.
///
/// # Errors
/// [`RequestCheckError`], in the order of its variants.
pub fn request_check(
    facts: &RequestFacts<'_>,
    command: &RequestCheck,
    actor: &Actor,
    now: Timestamp,
    ids: &mut impl IdSource,
) -> Result<CheckRequested, RequestCheckError> {
    may_request(facts, command, actor)?;
    let lines = billable_lines(facts)?;
    let mut ledger = Ledger {
        charges: lines
            .into_iter()
            .zip(1..)
            .map(|(line, position)| charge(line, position, ids))
            .collect(),
        ..Ledger::default()
    };
    if let Some(request) = &command.split {
        let shares = divide(request, &ledger.portions(), facts.diners, facts.branch.currency)?;
        ledger.split = Some(Split {
            revision: 1,
            method: request.method(),
            made: actor.stamp(now),
            shares,
        });
    }
    let check = new_check(facts, &ledger, actor, now, ids);
    let session = Session {
        status: SessionStatus::Paying,
        paying: Some(actor.stamp(now)),
        last_activity_at: now,
        version: facts.session.version + 1,
        ..facts.session.clone()
    };
    let table = facts.table.with_other_status();
    Ok(CheckRequested {
        events: events(facts.session.status, &session, &table, &check),
        audit: AuditEntry::new("check.request", "check", check.id)
            .set("number", check.number)
            .set("total_amount", check.total_amount)
            .set("status", check.status.as_str()),
        session,
        table,
        check,
        ledger,
    })
}

fn may_request(
    facts: &RequestFacts<'_>,
    command: &RequestCheck,
    actor: &Actor,
) -> Result<(), RequestCheckError> {
    floor_or_guest(actor, facts.branch.settings.diners_may_request_check)?;
    if command.pending_rounds != PendingRounds::Refuse && actor.diner_id().is_some() {
        return Err(floor_needed().into());
    }
    match facts.session.status {
        SessionStatus::Open => Ok(()),
        current => Err(RequestCheckError::SessionClosed { current }),
    }
}

fn billable_lines(facts: &RequestFacts<'_>) -> Result<Vec<BillableLine>, RequestCheckError> {
    let pending = facts
        .rounds
        .iter()
        .filter(|round| round.status == RoundStatus::Pending);
    let round_ids: Vec<RoundId> = pending.map(|round| round.id).collect();
    if !round_ids.is_empty() {
        return Err(RequestCheckError::RoundsPending { round_ids });
    }
    let lines = unbilled(facts.rounds, facts.billed)?;
    if lines.is_empty() {
        return Err(RequestCheckError::NothingToBill);
    }
    Ok(lines)
}

fn charge(line: BillableLine, position: i32, ids: &mut impl IdSource) -> Charge {
    Charge {
        id: ids.next(),
        round_item_id: line.round_item_id,
        position,
        qty: line.qty,
        amount: line.amount,
        diner_id: line.diner_id,
        sharing: line.sharing,
        sharers: line.sharers,
        description: line.description,
        released_at: None,
    }
}

fn new_check(
    facts: &RequestFacts<'_>,
    ledger: &Ledger,
    actor: &Actor,
    now: Timestamp,
    ids: &mut impl IdSource,
) -> Check {
    let total_amount = ledger.charges.iter().map(Charge::net).sum();
    let status = check_status(total_amount, 0, false, false);
    Check {
        id: ids.next(),
        branch_id: facts.session.branch_id,
        session_id: facts.session.id,
        number: facts.next_number,
        status,
        currency: facts.branch.currency,
        total_amount,
        paid_amount: 0,
        surplus_amount: 0,
        split_revision: ledger.split.as_ref().map_or(0, |split| split.revision),
        requested: actor.stamp(now),
        voided: None,
        paid_at: (status == CheckStatus::Paid).then_some(now),
        settled_at: None,
        business_day: None,
        version: 1,
    }
}

fn events(before: SessionStatus, session: &Session, table: &Table, check: &Check) -> Vec<Event> {
    let mut events = vec![
        check_event(EventName::CheckRequested, check, cause::REQUEST),
        session.table_changed(table, Some(before)),
    ];
    if check.status == CheckStatus::Paid {
        events.push(check_event(EventName::CheckPaid, check, cause::REQUEST));
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::fixtures::{
        CountingIds, EQUAL, branch, diners, dinner_round, leo, line, names, now, round_of, session, table,
    };
    use crate::event::EventBody;
    use crate::table::TableStatus;

    const PLAIN: RequestCheck = RequestCheck {
        split: None,
        pending_rounds: PendingRounds::Refuse,
    };

    struct World {
        session: Session,
        branch: Branch,
        rounds: Vec<Round>,
        billed: BTreeSet<RoundItemId>,
    }

    fn world() -> World {
        World {
            session: session(),
            branch: branch(),
            rounds: vec![dinner_round()],
            billed: BTreeSet::new(),
        }
    }

    impl World {
        fn ask(&self, command: &RequestCheck, actor: &Actor) -> Result<CheckRequested, RequestCheckError> {
            let facts = RequestFacts {
                session: &self.session,
                table: &table(),
                branch: &self.branch,
                rounds: &self.rounds,
                billed: &self.billed,
                diners: &diners(3),
                next_number: 7,
            };
            request_check(&facts, command, actor, now(), &mut CountingIds::default())
        }
    }

    fn carla() -> Actor {
        Actor::diner(diners(3)[2])
    }

    #[test]
    fn the_check_holds_every_line_and_the_table_pays() {
        let command = RequestCheck {
            split: Some(EQUAL),
            ..PLAIN
        };
        let done = world().ask(&command, &carla()).unwrap();
        assert_eq!(done.check.status, CheckStatus::Requested);
        assert_eq!((done.check.number, done.check.version), (7, 1));
        assert_eq!(done.table.version, table().version + 1);
        assert_eq!(
            (done.check.total_amount, done.check.due()),
            (4_660_000, 4_660_000)
        );
        let amounts: Vec<i64> = done.ledger.charges.iter().map(|charge| charge.amount).collect();
        assert_eq!(amounts, [2_670_000, 980_000, 560_000, 450_000]);
        let positions: Vec<i32> = done.ledger.charges.iter().map(|charge| charge.position).collect();
        assert_eq!(positions, [1, 2, 3, 4]);
        let shares: Vec<i64> = done
            .ledger
            .split
            .unwrap()
            .shares
            .iter()
            .map(|share| share.amount)
            .collect();
        assert_eq!(shares, [1_553_334, 1_553_333, 1_553_333]);
        assert_eq!(done.check.split_revision, 1);
        assert_eq!(done.session.status, SessionStatus::Paying);
        assert_eq!(done.session.paying, Some(carla().stamp(now())));
        assert_eq!(done.session.version, session().version + 1);
        assert_eq!(names(&done.events), ["check.requested", "table.status_changed"]);
        assert!(matches!(
            done.events[1].body,
            EventBody::Table {
                status: TableStatus::Paying,
                previous_status: TableStatus::Open,
                ..
            }
        ));
        assert_eq!(done.audit.action, "check.request");
    }

    #[test]
    fn a_check_of_zero_is_paid_at_once() {
        let mut world = world();
        world.rounds = vec![round_of(1, &[line(None, 0)])];
        let done = world.ask(&PLAIN, &leo()).unwrap();
        assert_eq!(
            (done.check.status, done.check.paid_at),
            (CheckStatus::Paid, Some(now()))
        );
        assert_eq!(
            names(&done.events),
            ["check.requested", "table.status_changed", "check.paid"]
        );
    }

    #[test]
    fn guests_ask_only_where_the_branch_lets_them() {
        let mut world = world();
        world.branch.settings.diners_may_request_check = false;
        assert_eq!(world.ask(&PLAIN, &carla()), Err(floor_needed().into()));
        assert!(world.ask(&PLAIN, &leo()).is_ok());
        world.branch.settings.diners_may_request_check = true;
        let confirm = RequestCheck {
            pending_rounds: PendingRounds::Confirm,
            ..PLAIN
        };
        assert_eq!(world.ask(&confirm, &carla()), Err(floor_needed().into()));
        assert!(world.ask(&confirm, &leo()).is_ok());
    }

    #[test]
    fn waiting_rounds_closed_sessions_and_empty_tables_are_refused() {
        let mut world = world();
        world.rounds[0].status = RoundStatus::Pending;
        let round_ids = vec![world.rounds[0].id];
        assert_eq!(
            world.ask(&PLAIN, &leo()),
            Err(RequestCheckError::RoundsPending { round_ids })
        );
        world.session.status = SessionStatus::Closed;
        let current = SessionStatus::Closed;
        assert_eq!(
            world.ask(&PLAIN, &leo()),
            Err(RequestCheckError::SessionClosed { current })
        );
        world.session.status = SessionStatus::Open;
        world.rounds[0].status = RoundStatus::Served;
        world.billed = world.rounds[0].items.iter().map(|item| item.id).collect();
        assert_eq!(world.ask(&PLAIN, &leo()), Err(RequestCheckError::NothingToBill));
    }

    #[test]
    fn only_what_was_ordered_later_is_billed_again() {
        let mut world = world();
        world.billed = world.rounds[0].items.iter().map(|item| item.id).collect();
        world.rounds.push(round_of(2, &[line(None, 500)]));
        assert_eq!(world.ask(&PLAIN, &leo()).unwrap().check.total_amount, 500);
    }

    #[test]
    fn an_impossible_split_refuses_the_check() {
        let command = RequestCheck {
            split: Some(SplitRequest::Equal {
                participants: Some(Vec::new()),
            }),
            ..PLAIN
        };
        assert_eq!(
            world().ask(&command, &leo()),
            Err(SplitError::ParticipantsInvalid.into())
        );
    }
}
