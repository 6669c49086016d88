//! Who covers which sector: people assigned to it now who are connected (`events.md` 4.2).

use std::collections::{BTreeMap, BTreeSet};

use comanda_domain::event::{Cover, Routing, sector_cover};
use comanda_domain::ids::{SectorId, UserId};

/// Who serves which sector now.
pub(super) type Assigned = BTreeMap<SectorId, BTreeSet<UserId>>;

/// The waiters of a branch. Before anybody has asked who is assigned, every sector counts as uncovered: in doubt,
/// everyone is told.
#[derive(Default)]
pub(super) struct Floor {
    assigned: Option<Assigned>,
    connected: BTreeMap<UserId, usize>,
    /// What was told last.
    covered: BTreeSet<SectorId>,
}

impl Floor {
    pub fn assign(&mut self, assigned: Assigned) {
        self.assigned = Some(assigned);
    }

    pub fn came(&mut self, user: UserId) {
        *self.connected.entry(user).or_default() += 1;
    }

    pub fn went(&mut self, user: UserId) {
        if let Some(connections) = self.connected.get_mut(&user) {
            *connections -= 1;
            if *connections == 0 {
                self.connected.remove(&user);
            }
        }
    }

    /// Whom an event is for, by its sectors.
    pub fn cover(&self, routing: &Routing) -> Cover {
        if routing.sectors.is_empty() {
            return Cover::Everyone;
        }
        let connected: BTreeSet<UserId> = self.connected.keys().copied().collect();
        let nobody = BTreeSet::new();
        let of_sector = |sector| {
            let assigned = self.assigned.as_ref();
            let assigned = assigned.map(|assigned| assigned.get(sector).unwrap_or(&nobody));
            sector_cover(assigned, Some(&connected))
        };
        routing.sectors.iter().map(of_sector).collect()
    }

    /// The sectors that have gained their first connected waiter, or lost the last, since this was asked before.
    pub fn changes(&mut self) -> Vec<(SectorId, bool)> {
        let Some(assigned) = &self.assigned else {
            return Vec::new();
        };
        let is_covered =
            |users: &BTreeSet<UserId>| users.iter().any(|user| self.connected.contains_key(user));
        let now: BTreeSet<SectorId> = assigned
            .iter()
            .filter(|(_, users)| is_covered(users))
            .map(|(sector, _)| *sector)
            .collect();
        let gained = now.difference(&self.covered).map(|sector| (*sector, true));
        let lost = self.covered.difference(&now).map(|sector| (*sector, false));
        let changes = gained.chain(lost).collect();
        self.covered = now;
        changes
    }
}
