//! Who makes, changes and ends keys.

use comanda_domain::audit::AuditEntry;
use comanda_domain::ids::{TenantId, UserId};
use comanda_security::policy::{Action, Principal, Resource, authorize};

use crate::audit;
use crate::db::Act;
use crate::refusal::Refusal;

/// Who makes, changes and ends keys.
#[derive(Debug, Clone, Copy)]
pub enum KeyManager<'a> {
    /// Somebody who logged in: the owner may.
    Person(&'a Principal),
    /// A person at the command line, by the name that the operating system knows.
    Operator(&'a str),
}

impl KeyManager<'_> {
    /// Who it is, if they are of the restaurant.
    ///
    /// # Errors
    /// `forbidden`, `not_found`.
    pub(super) fn may(&self, tenant: TenantId) -> Result<Option<UserId>, Refusal> {
        match self {
            Self::Person(who) => {
                let permit = authorize(who, Action::ApiKeyManage, &Resource::of_tenant(tenant))?;
                Ok(permit.actor().id.map(UserId))
            }
            Self::Operator(_) => Ok(None),
        }
    }

    /// Stages the entry of what they do.
    pub(super) fn trace(&self, act: &mut Act<'_>, entry: &AuditEntry) {
        let Self::Operator(name) = self else {
            return act.trace(None, entry);
        };
        let mut row = audit::stage(act.ask, None, entry, act.now, &mut act.ids);
        "operator".clone_into(&mut row.actor_kind);
        row.actor_label = Some((*name).to_owned());
        act.rows.insert(&row);
    }
}
