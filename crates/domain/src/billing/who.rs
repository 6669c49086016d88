//! Who may bill.

use crate::actor::{Actor, ActorKind, Forbidden, Role};

/// The people of the floor: they may do everything with a check but give money away.
pub(super) const FLOOR: &[Role] = &[Role::Waiter, Role::Manager, Role::Admin];

/// Lets the floor staff pass, and guests where `guests_may` is on.
pub(super) fn floor_or_guest(actor: &Actor, guests_may: bool) -> Result<(), Forbidden> {
    if actor.roles.any(FLOOR) || (actor.kind == ActorKind::Diner && guests_may) {
        Ok(())
    } else {
        Err(floor_needed())
    }
}

/// The refusal that names the floor's roles.
pub(super) fn floor_needed() -> Forbidden {
    Forbidden {
        required_roles: FLOOR.to_vec(),
    }
}
