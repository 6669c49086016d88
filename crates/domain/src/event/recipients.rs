//! The one rule of who gets an event: live, catching up, in lists and by webhook (`events.md` 4).

use std::collections::BTreeSet;

use crate::event::{Audience, DinerRule, EventName, KitchenRule, Routing, ScopeFamily, View};
use crate::ids::{BranchId, SessionId, TenantId, UserId};
use crate::menu::Station;

/// What is known of one stored event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventFacts {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its branch; internal events may have none.
    pub branch: Option<BranchId>,
    /// [`EventName::of_type`] of its type. None, an unknown or internal type, goes to nobody.
    pub name: Option<EventName>,
    /// What its data says.
    pub routing: Routing,
    /// Who covers `routing.sectors` now: one [`sector_cover`] for each, collected.
    pub cover: Cover,
}

/// Which waiters an event is for. Not a matter of permission: any waiter may read any round of the branch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cover {
    /// All of the branch.
    Everyone,
    /// These.
    Users(BTreeSet<UserId>),
}

impl Cover {
    /// Whether this waiter is meant.
    pub fn includes(&self, user: UserId) -> bool {
        match self {
            Self::Everyone => true,
            Self::Users(users) => users.contains(&user),
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Users(mut some), Self::Users(more)) => {
                some.extend(more);
                Self::Users(some)
            }
            _ => Self::Everyone,
        }
    }
}

/// Whoever covers any of several sectors. Of no sector at all it is everyone.
impl FromIterator<Self> for Cover {
    fn from_iter<I: IntoIterator<Item = Self>>(covers: I) -> Self {
        covers.into_iter().reduce(Self::and).unwrap_or(Self::Everyone)
    }
}

/// Who covers one sector, from the waiters assigned to it now and the waiters of the branch who are connected
/// anywhere. While nobody assigned is connected, everyone is told; so are they when either question has no answer.
///
/// Assigned waiters who are not (yet) known to be connected are part of it: whoever just connects misses nothing.
pub fn sector_cover(assigned: Option<&BTreeSet<UserId>>, connected: Option<&BTreeSet<UserId>>) -> Cover {
    match (assigned, connected) {
        (Some(assigned), Some(connected)) if !assigned.is_disjoint(connected) => {
            Cover::Users(assigned.clone())
        }
        _ => Cover::Everyone,
    }
}

/// What somebody listens to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subscription {
    /// Of which tenant.
    pub tenant: TenantId,
    /// In which branches.
    pub branches: BTreeSet<BranchId>,
    /// As whom.
    pub viewer: Viewer,
}

/// Through whose eyes, and what narrows them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Viewer {
    /// A manager or admin.
    Admin,
    /// Somebody on the floor.
    Waiter {
        /// Who.
        user: UserId,
        /// Also what other waiters cover: for managers and admins, and for waiters who asked for all sectors.
        unfiltered: bool,
    },
    /// A kitchen screen.
    Kitchen {
        /// Whose.
        user: UserId,
        /// Only these; all if none are named.
        stations: Option<BTreeSet<Station>>,
    },
    /// A phone at a table.
    Diner {
        /// The session of its token.
        session: SessionId,
    },
    /// An API key or a webhook.
    Integration {
        /// What its scopes let it see.
        scopes: BTreeSet<ScopeFamily>,
    },
}

impl Viewer {
    /// How events are rendered for it.
    pub fn view(&self) -> View {
        match self {
            Self::Admin => View::Admin,
            Self::Waiter { .. } => View::Waiter,
            Self::Kitchen { .. } => View::Kitchen,
            Self::Diner { .. } => View::Diner,
            Self::Integration { .. } => View::Integration,
        }
    }
}

/// Whether the event is for this subscription.
pub fn recipients(event: &EventFacts, subscription: &Subscription) -> bool {
    let here = event
        .branch
        .is_some_and(|branch| subscription.branches.contains(&branch));
    let audience = event.name.and_then(EventName::audience);
    event.tenant == subscription.tenant
        && here
        && audience.is_some_and(|audience| is_for(audience, event, &subscription.viewer))
}

fn is_for(audience: &Audience, event: &EventFacts, viewer: &Viewer) -> bool {
    let routing = &event.routing;
    let in_person =
        |user: &UserId| audience.in_person.contains(&viewer.view()) && routing.users.contains(user);
    match viewer {
        Viewer::Admin => true,
        Viewer::Waiter { user, unfiltered } => {
            in_person(user) || (audience.waiters && (*unfiltered || event.cover.includes(*user)))
        }
        Viewer::Kitchen { user, stations } => {
            in_person(user)
                || (kitchen_knows(audience.kitchen, routing) && concerns(stations.as_ref(), routing))
        }
        Viewer::Diner { session } => match audience.diners {
            DinerRule::Never => false,
            DinerRule::OwnSession => routing.session == Some(*session),
            DinerRule::EveryLiveSession => true,
        },
        Viewer::Integration { scopes } => audience.integrations.is_some_and(|scope| scopes.contains(&scope)),
    }
}

fn kitchen_knows(rule: KitchenRule, routing: &Routing) -> bool {
    match rule {
        KitchenRule::Never => false,
        KitchenRule::Always => true,
        KitchenRule::IfSubmitted => routing.had_been_submitted,
    }
}

/// A screen that shows some stations needs what concerns one of them, and what concerns no station in particular.
fn concerns(stations: Option<&BTreeSet<Station>>, routing: &Routing) -> bool {
    let narrowed = stations.filter(|_| !routing.stations.is_empty());
    narrowed.is_none_or(|stations| !stations.is_disjoint(&routing.stations))
}

#[cfg(test)]
mod tests;
