//! What a worker gave up on, and what becomes of it (`events.md` 11).

use crate::Timestamp;
use crate::backoff::{self, Draw, REDRIVES};
use crate::enums::text_enum;

text_enum! {
    /// What a typed error says about trying again. Texts of errors are never looked at.
    ErrorClass {
        /// It may work later: a timeout, a connection, 429, 5xx, a lock, an open breaker.
        Retryable = "retryable",
        /// It is refused by rule: a signature, 410, an unknown schema, an object that is gone.
        Unrecoverable = "unrecoverable",
        /// Anything else.
        Unknown = "unknown",
    }
}

text_enum! {
    /// Whose work it was.
    Source {
        /// A delivery whose retries are used up.
        Webhook = "webhook",
        /// A payment provider's notification that failed for 24 hours.
        ProviderNotification = "provider_notification",
        /// An event that a consumer cannot decode or handle.
        Event = "event",
        /// A staged audit entry that cannot be encoded.
        Audit = "audit",
    }
}

text_enum! {
    /// Where a letter stands.
    LetterState {
        /// Waiting to be tried again, or for a person.
        Pending = "pending",
        /// Its handler runs, under a lease.
        Retrying = "retrying",
        /// Its handler succeeded. Terminal.
        Resolved = "resolved",
        /// Put away; only a person takes it out again.
        Archived = "archived",
        /// Given up by a person. Terminal.
        Discarded = "discarded",
    }
}

/// Who takes a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// The processor, by itself.
    Processor,
    /// A person, by hand.
    Person,
}

/// One row of the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LetterStep {
    /// From.
    pub from: LetterState,
    /// To.
    pub to: LetterState,
    /// Who may take it. What a person started, the processor ends.
    pub by: &'static [By],
}

use By::{Person, Processor};
use LetterState::{Archived, Discarded, Pending, Resolved, Retrying};

/// Every step that a letter can take; a pair that is not here is refused.
pub const LETTER_TRANSITIONS: &[LetterStep] = &[
    step(Pending, Retrying, &[Processor, Person]),
    step(Retrying, Resolved, &[Processor]),
    step(Retrying, Pending, &[Processor]),
    step(Pending, Archived, &[Processor, Person]),
    step(Pending, Discarded, &[Person]),
    step(Archived, Pending, &[Person]),
];

const fn step(from: LetterState, to: LetterState, by: &'static [By]) -> LetterStep {
    LetterStep { from, to, by }
}

impl LetterState {
    /// Whether somebody may take the letter there.
    pub fn may_become(self, to: Self, by: By) -> bool {
        let mut rows = LETTER_TRANSITIONS.iter();
        rows.any(|row| row.from == self && row.to == to && row.by.contains(&by))
    }
}

/// What the processor knows of a letter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LetterFacts {
    /// Where it stands.
    pub state: LetterState,
    /// What its last error says.
    pub class: ErrorClass,
    /// How often it was claimed for a redrive; raised by the claim itself, so that a crash counts.
    pub redrives: u32,
    /// When it is due; while it is being retried, when the lease ends. None waits for a person.
    pub next_attempt_at: Option<Timestamp>,
}

/// What the processor does with a letter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Claim it, run the handler, then resolve it or put it back with [`after_failure`].
    Retry,
    /// Put it away, payload included.
    Archive,
    /// Its lease ended without a result: put it back with [`after_failure`].
    Release,
    /// Leave it to a person.
    Keep(KeepReason),
    /// Not yet, or somebody is at it.
    NotDue,
}

impl Decision {
    /// Where the letter goes, if it moves.
    pub fn leads_to(self) -> Option<LetterState> {
        match self {
            Self::Retry => Some(Retrying),
            Self::Archive => Some(Archived),
            Self::Release => Some(Pending),
            Self::Keep(_) | Self::NotDue => None,
        }
    }
}

text_enum! {
    /// Why the processor leaves a letter alone.
    KeepReason {
        /// Nobody knows whether trying again helps.
        Unknown = "unknown",
        /// All redrives are used up.
        UsedUp = "used_up",
        /// A person has to say what becomes of it.
        ForPerson = "for_person",
        /// It is resolved, archived or discarded.
        Settled = "settled",
    }
}

/// What the processor does with this letter now. A letter that has just died is due at once.
#[expect(
    clippy::match_same_arms,
    reason = "read from top to bottom: whose letter it is, then what it is, then whether it is due"
)]
pub fn decide(letter: LetterFacts, now: Timestamp) -> Decision {
    let is_due = letter.next_attempt_at.map(|at| at <= now);
    match (letter.state, letter.class, is_due) {
        (Resolved | Archived | Discarded, ..) => Decision::Keep(KeepReason::Settled),
        (Retrying, _, Some(true)) => Decision::Release,
        (Retrying, ..) => Decision::NotDue,
        (Pending, ErrorClass::Unknown, _) => Decision::Keep(KeepReason::Unknown),
        (Pending, ErrorClass::Retryable, _) if letter.redrives >= REDRIVES => {
            Decision::Keep(KeepReason::UsedUp)
        }
        (Pending, _, None) => Decision::Keep(KeepReason::ForPerson),
        (Pending, _, Some(false)) => Decision::NotDue,
        (Pending, ErrorClass::Retryable, Some(true)) => Decision::Retry,
        (Pending, ErrorClass::Unrecoverable, Some(true)) => Decision::Archive,
    }
}

/// When a letter is due again after its redrive failed, `redrives` counting that one. None after the fifth: it waits
/// for a person.
pub fn after_failure(redrives: u32, now: Timestamp, draw: Draw) -> Option<Timestamp> {
    backoff::redrive(redrives, draw).map(|wait| now + wait)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn now() -> Timestamp {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        now() + TimeDelta::seconds(seconds)
    }

    prop_compose! {
        fn letter()(
            state in select(LetterState::ALL),
            class in select(ErrorClass::ALL),
            redrives in 0_u32..8,
            due in option::of(-2_i64..3),
        ) -> LetterFacts {
            LetterFacts { state, class, redrives, next_attempt_at: due.map(at) }
        }
    }

    fn born(class: ErrorClass) -> LetterFacts {
        LetterFacts {
            state: Pending,
            class,
            redrives: 0,
            next_attempt_at: Some(now()),
        }
    }

    #[test]
    fn each_class_has_its_way() {
        assert_eq!(decide(born(ErrorClass::Retryable), now()), Decision::Retry);
        assert_eq!(decide(born(ErrorClass::Unrecoverable), now()), Decision::Archive);
        let unknown = decide(born(ErrorClass::Unknown), now());
        assert_eq!(unknown, Decision::Keep(KeepReason::Unknown));
        assert_eq!(decide(born(ErrorClass::Retryable), at(-1)), Decision::NotDue);
    }

    #[test]
    fn the_machine_is_the_one_of_the_specification() {
        let mut steps = Vec::new();
        for from in LetterState::ALL {
            for to in LetterState::ALL {
                for (by, name) in [(Processor, ""), (Person, " by hand")] {
                    if from.may_become(*to, by) {
                        steps.push(format!("{from} → {to}{name}"));
                    }
                }
            }
        }
        assert_eq!(
            steps,
            [
                "pending → retrying",
                "pending → retrying by hand",
                "pending → archived",
                "pending → archived by hand",
                "pending → discarded by hand",
                "retrying → pending",
                "retrying → resolved",
                "archived → pending by hand",
            ]
        );
    }

    proptest! {
        #[test]
        fn every_decision_is_a_step_that_the_processor_may_take(letter in letter()) {
            if let Some(to) = decide(letter, now()).leads_to() {
                prop_assert!(letter.state.may_become(to, Processor), "{letter:?} → {to}");
            }
        }

        #[test]
        fn what_is_unknown_is_never_archived_or_retried_by_itself(letter in letter()) {
            let unknown = LetterFacts { class: ErrorClass::Unknown, ..letter };
            prop_assert!(!matches!(decide(unknown, now()), Decision::Archive | Decision::Retry));
        }

        #[test]
        fn only_what_is_due_moves(letter in letter()) {
            if decide(letter, now()).leads_to().is_some() {
                prop_assert!(letter.next_attempt_at.unwrap() <= now());
            }
        }

        /// A letter processed for ever, by processors that fail, succeed late or die: it is tried five times at most,
        /// its waits grow, and in the end nothing moves it any more.
        #[test]
        fn no_letter_is_redriven_more_than_five_times(
            ends in vec(prop_oneof![Just(None), select(ErrorClass::ALL).prop_map(Some)], 12),
            class in select(ErrorClass::ALL),
            draw: u16,
        ) {
            let mut letter = born(class);
            let (mut time, mut tried, mut last_wait) = (now(), 0_u32, TimeDelta::zero());
            for end in ends {
                time = letter.next_attempt_at.map_or(time, |due| due.max(time));
                match decide(letter, time) {
                    Decision::Retry => {
                        prop_assert_eq!(letter.class, ErrorClass::Retryable);
                        tried += 1;
                        letter.redrives += 1;
                        letter.state = Retrying;
                        letter.next_attempt_at = Some(time + TimeDelta::seconds(60));
                        // None: the processor dies, and the lease runs out.
                        if let Some(class) = end {
                            letter.state = Pending;
                            letter.class = class;
                            letter.next_attempt_at = after_failure(letter.redrives, time, Draw(draw));
                        }
                    }
                    Decision::Release => {
                        letter.state = Pending;
                        letter.next_attempt_at = after_failure(letter.redrives, time, Draw(draw));
                    }
                    Decision::Archive => letter.state = Archived,
                    Decision::Keep(_) => break,
                    Decision::NotDue => prop_assert!(false, "it was due: {letter:?} at {time}"),
                }
                if let (Pending, Some(due)) = (letter.state, letter.next_attempt_at) {
                    prop_assert!(due - time > last_wait, "{} after {last_wait}", due - time);
                    last_wait = due - time;
                }
            }
            prop_assert!(tried <= 5);
            prop_assert!(matches!(decide(letter, time + TimeDelta::days(365)), Decision::Keep(_)), "{letter:?}");
        }
    }
}
