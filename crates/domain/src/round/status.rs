//! The life of a round as data: who may cancel a round is read here.

use crate::actor::Role;
use crate::enums::text_enum;
use crate::event::EventName;
use crate::machine::{Transition, Who, targets};

text_enum! {
    /// Where a round stands.
    RoundStatus {
        /// Placed, not yet verified.
        Pending = "pending",
        /// Verified, not yet with the kitchen.
        Confirmed = "confirmed",
        /// With the kitchen.
        Submitted = "submitted",
        /// Being made.
        InKitchen = "in_kitchen",
        /// Everything made.
        Ready = "ready",
        /// At the table. Terminal.
        Served = "served",
        /// Taken back. Terminal.
        Canceled = "canceled",
    }
}

/// One row of the table.
pub type RoundTransition = Transition<RoundStatus>;

use Role::{Admin, Kitchen, Manager, Waiter};
use RoundStatus::{Canceled, Confirmed, InKitchen, Pending, Ready, Served, Submitted};
use Who::{Diner, Placer, Staff, System, WaiterIfMaySubmit};

/// Every step that a round can take; a pair that is not here is refused (`domain.md` 3.1).
pub const ROUND_TRANSITIONS: &[RoundTransition] = &[
    step(
        None,
        Pending,
        &[Diner, Staff(Waiter), Staff(Manager), Staff(Admin)],
        EventName::RoundPending,
    ),
    step(
        Some(Pending),
        Confirmed,
        &[Staff(Waiter), Staff(Manager), Staff(Admin), System],
        EventName::RoundConfirmed,
    ),
    step(
        Some(Confirmed),
        Submitted,
        &[Staff(Manager), Staff(Admin), WaiterIfMaySubmit, System],
        EventName::RoundSubmitted,
    ),
    step(Some(Submitted), InKitchen, COOKS, EventName::RoundInKitchen),
    step(Some(InKitchen), Ready, COOKS, EventName::RoundReady),
    step(Some(Ready), InKitchen, COOKS, EventName::RoundRecalled),
    step(
        Some(Ready),
        Served,
        &[
            Staff(Waiter),
            Staff(Kitchen),
            Staff(Manager),
            Staff(Admin),
            System,
        ],
        EventName::RoundServed,
    ),
    step(
        Some(Pending),
        Canceled,
        &[Placer, Staff(Waiter), Staff(Manager), Staff(Admin), System],
        EventName::RoundCanceled,
    ),
    step(Some(Confirmed), Canceled, MANAGERS, EventName::RoundCanceled),
    step(Some(Submitted), Canceled, MANAGERS, EventName::RoundCanceled),
    step(Some(InKitchen), Canceled, MANAGERS, EventName::RoundCanceled),
    step(Some(Ready), Canceled, MANAGERS, EventName::RoundCanceled),
];

const COOKS: &[Who] = &[Staff(Kitchen), Staff(Manager), Staff(Admin), System];
const MANAGERS: &[Who] = &[Staff(Manager), Staff(Admin), System];

const fn step(
    from: Option<RoundStatus>,
    to: RoundStatus,
    who: &'static [Who],
    event: EventName,
) -> RoundTransition {
    RoundTransition { from, to, who, event }
}

impl RoundStatus {
    /// No step leads out.
    pub fn is_terminal(self) -> bool {
        matches!(self, Served | Canceled)
    }

    /// Still to be finished: every status but served and canceled.
    pub fn is_unfinished(self) -> bool {
        !self.is_terminal()
    }

    /// Where a round may go from here.
    pub fn allowed(self) -> Vec<Self> {
        targets(ROUND_TRANSITIONS, self)
    }
}
