//! Who asks.

use comanda_domain::actor::{Role, Roles};
use comanda_domain::ids::{ApiKeyId, BranchId, DinerId, FamilyId, SessionId, TenantId, UserId};

use super::table::Scope;
use crate::api_key::KeyId;

/// A member of staff, as the access token says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StaffPrincipal {
    /// Of which tenant.
    pub tenant: TenantId,
    /// Who.
    pub user: UserId,
    /// The login.
    pub family: FamilyId,
    /// The token epoch of the user.
    pub epoch: i32,
    /// Whether the user manages the tenant. Gives no operational right anywhere.
    pub owner: bool,
    /// The roles held in each branch.
    pub grants: Vec<(BranchId, Roles)>,
}

/// A registered guest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DinerPrincipal {
    /// Of which tenant.
    pub tenant: TenantId,
    /// The branch of the session.
    pub branch: BranchId,
    /// The session.
    pub session: SessionId,
    /// The seating that the token was made for.
    pub seating: i32,
    /// Who.
    pub diner: DinerId,
}

/// Someone at a table who has not registered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TablePrincipal {
    /// Of which tenant.
    pub tenant: TenantId,
    /// The branch of the session.
    pub branch: BranchId,
    /// The session.
    pub session: SessionId,
    /// The seating that the token was made for.
    pub seating: i32,
}

/// An integration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiKeyPrincipal {
    /// Of which tenant.
    pub tenant: TenantId,
    /// Which key.
    pub id: ApiKeyId,
    /// By which it is known outside.
    pub key_id: KeyId,
    /// What its owner calls it.
    pub name: String,
    /// Where it acts; an empty list is nowhere.
    pub branches: Vec<BranchId>,
    /// What it may; an empty list is nothing.
    pub scopes: Vec<Scope>,
}

/// Who asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Principal {
    /// A member of staff.
    Staff(StaffPrincipal),
    /// A registered guest.
    Diner(DinerPrincipal),
    /// Someone at a table who has not registered.
    Table(TablePrincipal),
    /// An integration.
    ApiKey(ApiKeyPrincipal),
}

impl Principal {
    /// The tenant it belongs to, which is the tenant of the whole request.
    pub fn tenant(&self) -> TenantId {
        match self {
            Self::Staff(staff) => staff.tenant,
            Self::Diner(diner) => diner.tenant,
            Self::Table(table) => table.tenant,
            Self::ApiKey(key) => key.tenant,
        }
    }
}

impl StaffPrincipal {
    /// The roles held in one branch; no grant of another branch is looked at.
    pub fn roles_in(&self, branch: BranchId) -> Roles {
        self.roles_where(|granted| granted == branch)
    }

    /// The roles held in some branch or other.
    pub fn roles_anywhere(&self) -> Roles {
        self.roles_where(|_| true)
    }

    fn roles_where(&self, counts: impl Fn(BranchId) -> bool) -> Roles {
        let held = |role: &Role| {
            self.grants
                .iter()
                .any(|(branch, roles)| counts(*branch) && roles.has(*role))
        };
        Role::ALL.iter().copied().filter(held).collect()
    }
}
