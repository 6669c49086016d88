//! The newest events, from which most of what somebody missed is told without asking the database.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use comanda_domain::ids::{BranchId, TenantId};

use super::SharedEvent;

/// Events of a shard that are kept.
const KEPT: usize = 4096;

/// The newest events of every shard, in order.
#[derive(Default)]
pub(super) struct Recent(Mutex<BTreeMap<i32, VecDeque<Arc<SharedEvent>>>>);

impl Recent {
    fn shards(&self) -> MutexGuard<'_, BTreeMap<i32, VecDeque<Arc<SharedEvent>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the next event of its shard.
    pub fn push(&self, event: Arc<SharedEvent>) {
        let mut shards = self.shards();
        let ring = shards.entry(event.logged.shard).or_default();
        if ring.len() == KEPT {
            ring.pop_front();
        }
        ring.push_back(event);
    }

    /// Forgets everything: the log begins a new life.
    pub fn clear(&self) {
        self.shards().clear();
    }

    /// The events of a branch after a number, if memory reaches back that far. `shard` is that of the branch.
    pub fn after(
        &self,
        shard: i32,
        tenant: TenantId,
        branch: BranchId,
        seq: u64,
    ) -> Option<Vec<Arc<SharedEvent>>> {
        let shards = self.shards();
        let of_branch = |event: &&Arc<SharedEvent>| {
            event.logged.tenant_id == tenant.0
                && event.logged.branch_id == Some(branch.0)
                && event.seq() > seq
        };
        let found: Vec<_> = shards.get(&shard)?.iter().filter(of_branch).cloned().collect();
        (found.first()?.seq() == seq + 1).then_some(found)
    }
}
