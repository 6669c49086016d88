//! Who acts, and the stamps that their actions leave.

use uuid::Uuid;

use crate::Timestamp;
use crate::enums::text_enum;
use crate::ids::{ApiKeyId, DinerId, UserId};

text_enum! {
    /// The kinds of actor that a stamp can name.
    ActorKind {
        /// A guest.
        Diner = "diner",
        /// A member of staff.
        User = "user",
        /// An integration.
        ApiKey = "api_key",
        /// A payment provider.
        Provider = "provider",
        /// Comanda itself: a policy, a derived step or a job.
        System = "system",
    }
}

text_enum! {
    /// What a member of staff may be in one branch.
    Role {
        /// Serves tables.
        Waiter = "waiter",
        /// Cooks.
        Kitchen = "kitchen",
        /// Runs the branch.
        Manager = "manager",
        /// Runs the branch and its people.
        Admin = "admin",
    }
}

/// The roles of one person in one branch. Roles add up; none carries over to another branch.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Roles(u8);

impl Roles {
    /// No role.
    pub const NONE: Self = Self(0);

    /// These roles and one more.
    #[must_use]
    pub fn with(self, role: Role) -> Self {
        Self(self.0 | Self::bit(role))
    }

    /// Whether the person holds this role.
    pub fn has(self, role: Role) -> bool {
        self.0 & Self::bit(role) != 0
    }

    /// Whether the person holds any of these roles.
    pub fn any(self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.has(*role))
    }

    fn bit(role: Role) -> u8 {
        match role {
            Role::Waiter => 1,
            Role::Kitchen => 2,
            Role::Manager => 4,
            Role::Admin => 8,
        }
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        roles.into_iter().fold(Self::NONE, Self::with)
    }
}

/// Who asks, as seen from the branch of the object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Actor {
    /// What kind of actor.
    pub kind: ActorKind,
    /// Which one; none for [`ActorKind::Provider`] and [`ActorKind::System`].
    pub id: Option<Uuid>,
    /// Roles held in the branch of the object; an integration that does the kitchen's work has the kitchen's.
    /// Empty for everyone else.
    pub roles: Roles,
}

impl Actor {
    /// Comanda itself.
    pub const SYSTEM: Self = Self {
        kind: ActorKind::System,
        id: None,
        roles: Roles::NONE,
    };
    /// A payment provider.
    pub const PROVIDER: Self = Self {
        kind: ActorKind::Provider,
        id: None,
        roles: Roles::NONE,
    };

    /// A guest.
    pub fn diner(id: DinerId) -> Self {
        Self {
            kind: ActorKind::Diner,
            id: Some(id.0),
            roles: Roles::NONE,
        }
    }

    /// An integration that acts in these roles.
    pub fn api_key(id: ApiKeyId, roles: Roles) -> Self {
        Self {
            kind: ActorKind::ApiKey,
            id: Some(id.0),
            roles,
        }
    }

    /// A member of staff with the roles held in the branch.
    pub fn user(id: UserId, roles: Roles) -> Self {
        Self {
            kind: ActorKind::User,
            id: Some(id.0),
            roles,
        }
    }

    /// The guest's id, if a guest asks.
    pub fn diner_id(&self) -> Option<DinerId> {
        (self.kind == ActorKind::Diner)
            .then_some(self.id)
            .flatten()
            .map(DinerId)
    }

    /// The user's id, if staff asks.
    pub fn user_id(&self) -> Option<UserId> {
        (self.kind == ActorKind::User)
            .then_some(self.id)
            .flatten()
            .map(UserId)
    }

    /// The mark this actor leaves now.
    pub fn stamp(&self, at: Timestamp) -> Stamp {
        Stamp {
            at,
            kind: self.kind,
            id: self.id,
        }
    }
}

/// When something happened and who did it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// When.
    pub at: Timestamp,
    /// What kind of actor.
    pub kind: ActorKind,
    /// Which one.
    pub id: Option<Uuid>,
}

impl Stamp {
    /// The same mark, but no earlier than what the object bears already: the clocks of two machines may differ,
    /// the times of one object never decrease.
    #[must_use]
    pub fn no_earlier_than(self, at: Timestamp) -> Self {
        Self {
            at: self.at.max(at),
            ..self
        }
    }
}

/// The actor may not do this; one of these roles in the branch would be needed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not allowed")]
pub struct Forbidden {
    /// Roles that would do, empty when none would.
    pub required_roles: Vec<Role>,
}
