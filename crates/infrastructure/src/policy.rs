//! The security crate's verdicts as refusals of use cases.

use comanda_domain::actor::{Actor, Forbidden, Role};
use comanda_security::policy::Denied;

use crate::refusal::Refusal;

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::NotFound => Self::NotFound,
            Denied::Forbidden { required_roles } => Self::Forbidden(Forbidden { required_roles }),
            Denied::ScopeMissing(scope) => Self::ScopeMissing(scope),
            Denied::WrongCredential => Self::WrongCredential,
            Denied::RegistrationRequired => Self::RegistrationRequired,
        }
    }
}

/// Whether the actor is staff that may see the kitchen's part only.
pub(crate) fn only_kitchen(actor: &Actor) -> bool {
    actor.roles.has(Role::Kitchen) && !actor.roles.any(&[Role::Waiter, Role::Manager, Role::Admin])
}
