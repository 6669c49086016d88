//! Whose connection it is, and how many they may have.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use comanda_domain::ids::{ApiKeyId, DinerId, FamilyId, SessionId, TenantId, UserId};
use comanda_security::policy::{Principal, StaffPrincipal};

/// Whose a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member {
    /// A member of staff, by one login.
    Staff {
        /// Who.
        user: UserId,
        /// The login.
        family: FamilyId,
    },
    /// A phone at a table.
    Diner {
        /// Who.
        diner: DinerId,
        /// Of which visit.
        session: SessionId,
        /// Since which seating.
        seating: i32,
    },
    /// An integration.
    Key(ApiKeyId),
}

/// Whom a limit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Holder {
    User(UserId),
    Diner(DinerId),
    Session(SessionId),
    Key(ApiKeyId),
}

impl Holder {
    const fn most(self) -> usize {
        match self {
            Self::User(_) => 10,
            Self::Diner(_) => 4,
            Self::Session(_) => 60,
            Self::Key(_) => 50,
        }
    }
}

impl Member {
    /// Whose the connections of somebody are; nothing for those who may not listen.
    pub fn of(who: &Principal) -> Option<Self> {
        match who {
            Principal::Staff(StaffPrincipal { user, family, .. }) => Some(Self::Staff {
                user: *user,
                family: *family,
            }),
            Principal::Diner(diner) => Some(Self::Diner {
                diner: diner.diner,
                session: diner.session,
                seating: diner.seating,
            }),
            Principal::ApiKey(key) => Some(Self::Key(key.id)),
            Principal::Table(_) => None,
        }
    }

    /// Whether it is the same person, phone or key, though perhaps by another login.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Staff { user, .. }, Self::Staff { user: other, .. }) => user == other,
            _ => self == other,
        }
    }

    fn holders(&self) -> Vec<Holder> {
        match *self {
            Self::Staff { user, .. } => vec![Holder::User(user)],
            Self::Diner { diner, session, .. } => vec![Holder::Diner(diner), Holder::Session(session)],
            Self::Key(key) => vec![Holder::Key(key)],
        }
    }
}

type Counts = HashMap<(TenantId, Holder), usize>;

/// The connections of everyone here.
#[derive(Default, Clone)]
pub(super) struct Members(Arc<Mutex<Counts>>);

/// One counted connection.
pub struct Counted {
    members: Members,
    tenant: TenantId,
    member: Member,
}

impl Members {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a connection; nothing if its owner has as many as they may.
    pub fn count(&self, tenant: TenantId, member: Member) -> Option<Counted> {
        let holders = member.holders();
        let mut counts = self.counts();
        let full = |holder: &Holder| {
            counts
                .get(&(tenant, *holder))
                .is_some_and(|count| *count >= holder.most())
        };
        if holders.iter().any(full) {
            return None;
        }
        for holder in holders {
            *counts.entry((tenant, holder)).or_default() += 1;
        }
        drop(counts);
        Some(Counted {
            members: self.clone(),
            tenant,
            member,
        })
    }

    pub fn len(&self) -> usize {
        self.counts().len()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.members.counts();
        for holder in self.member.holders() {
            if let Some(count) = counts.get_mut(&(self.tenant, holder)) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(&(self.tenant, holder));
                }
            }
        }
    }
}
