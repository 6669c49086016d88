//! The life of a round as data: who may cancel a round is read here.

use crate::actor::{Actor, ActorKind, Role};
use crate::enums::text_enum;
use crate::event::EventName;

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

/// Who may take a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// A guest of the session.
    Diner,
    /// The guest who placed the round.
    Placer,
    /// Staff with this role in the branch.
    Staff(Role),
    /// A waiter, where the branch setting `waiter_may_submit` is on.
    WaiterIfMaySubmit,
    /// Comanda: a policy, a derived step or a job.
    System,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct RoundTransition {
    /// From; none for placing.
    pub from: Option<RoundStatus>,
    /// To.
    pub to: RoundStatus,
    /// Who may ask for it. Derived steps do not consult this column.
    pub who: &'static [Who],
    /// What is announced.
    pub event: EventName,
}

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
        ROUND_TRANSITIONS
            .iter()
            .filter(|row| row.from == Some(self))
            .map(|row| row.to)
            .collect()
    }
}

impl Who {
    /// Whether the actor is meant. `is_placer` and `waiter_may_submit` are facts of the round and the branch.
    pub fn covers(self, actor: &Actor, is_placer: bool, waiter_may_submit: bool) -> bool {
        match self {
            Diner => actor.kind == ActorKind::Diner,
            Placer => actor.kind == ActorKind::Diner && is_placer,
            Staff(role) => actor.roles.has(role),
            WaiterIfMaySubmit => waiter_may_submit && actor.roles.has(Waiter),
            System => actor.kind == ActorKind::System,
        }
    }
}
