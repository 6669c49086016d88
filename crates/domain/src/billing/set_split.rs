//! Dividing a check, as often as wanted, always over what is still due.

use super::announce::{cause, check_event};
use super::shares::{SplitError, SplitRequest, divide};
use super::who::floor_or_guest;
use super::{Check, CheckStatus, Ledger, Split};
use crate::Timestamp;
use crate::actor::{Actor, Forbidden};
use crate::audit::AuditEntry;
use crate::event::{Event, EventName};
use crate::ids::DinerId;

/// What is known before a check is divided.
#[derive(Clone, Copy, Debug)]
pub struct SplitFacts<'a> {
    /// The check.
    pub check: &'a Check,
    /// Its ledger.
    pub ledger: &'a Ledger,
    /// The diners of its session.
    pub diners: &'a [DinerId],
}

/// The check is divided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SplitSet {
    /// The check with its new revision.
    pub check: Check,
    /// The ledger with the new split in force.
    pub ledger: Ledger,
    /// The new split.
    pub split: Split,
    /// `check.updated`
    pub events: Vec<Event>,
    /// `check.split`
    pub audit: AuditEntry,
}

/// Why it is not divided.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SetSplitError {
    /// `forbidden`
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// `check_wrong_state`
    #[error("the check is {current}")]
    CheckWrongState {
        /// Where the check stands.
        current: CheckStatus,
    },
    /// The split is not possible.
    #[error(transparent)]
    Split(#[from] SplitError),
}

/// Divides what is still due of an unsettled check.
///
/// # Errors
/// [`SetSplitError`], in the order of its variants.
pub fn set_split(
    facts: &SplitFacts<'_>,
    request: &SplitRequest,
    actor: &Actor,
    now: Timestamp,
) -> Result<SplitSet, SetSplitError> {
    floor_or_guest(actor, true)?;
    let before = facts.check;
    if before.due() <= 0 || before.surplus_amount != 0 {
        return Err(SetSplitError::CheckWrongState {
            current: before.status,
        });
    }
    let shares = divide(request, &facts.ledger.portions(), facts.diners, before.currency)?;
    let split = Split {
        revision: before.split_revision + 1,
        method: request.method(),
        made: actor.stamp(now),
        shares,
    };
    let check = Check {
        split_revision: split.revision,
        version: before.version + 1,
        ..before.clone()
    };
    let ledger = Ledger {
        split: Some(split.clone()),
        ..facts.ledger.clone()
    };
    Ok(SplitSet {
        events: vec![check_event(EventName::CheckUpdated, &check, cause::SPLIT)],
        audit: AuditEntry::new("check.split", "check", check.id)
            .moved("split_revision", before.split_revision, check.split_revision)
            .set("method", split.method.as_str()),
        check,
        ledger,
        split,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::fixtures::{EQUAL, cook, diners, leo, names, now, paid, running_example};

    #[test]
    fn after_somebody_left_the_others_divide_the_rest() {
        let [ana, bruno, carla] = diners(3)[..] else {
            panic!()
        };
        let bill = paid(&running_example(), 1_553_334, Some(ana));
        let facts = SplitFacts {
            check: &bill.check,
            ledger: &bill.ledger,
            diners: &diners(3),
        };
        let request = SplitRequest::Equal {
            participants: Some(vec![bruno, carla]),
        };
        let done = set_split(&facts, &request, &Actor::diner(bruno), now()).unwrap();
        let amounts: Vec<i64> = done.split.shares.iter().map(|share| share.amount).collect();
        assert_eq!(amounts, [1_553_333, 1_553_333]);
        assert_eq!((done.check.split_revision, done.split.revision), (1, 1));
        assert_eq!(done.check.version, bill.check.version + 1);
        assert_eq!(done.ledger.split.as_ref(), Some(&done.split));
        assert_eq!(names(&done.events), ["check.updated"]);
        assert_eq!(done.audit.action, "check.split");
    }

    #[test]
    fn only_a_check_with_something_due_is_divided() {
        let bill = paid(&running_example(), 4_660_000, None);
        let facts = SplitFacts {
            check: &bill.check,
            ledger: &bill.ledger,
            diners: &diners(3),
        };
        let current = CheckStatus::Paid;
        assert_eq!(
            set_split(&facts, &EQUAL, &leo(), now()),
            Err(SetSplitError::CheckWrongState { current })
        );
        assert!(matches!(
            set_split(&facts, &EQUAL, &cook(), now()),
            Err(SetSplitError::Forbidden(_))
        ));
    }
}
