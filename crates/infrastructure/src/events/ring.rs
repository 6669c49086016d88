//! The newest events of a shard, in memory.

use std::collections::VecDeque;
use std::sync::Arc;

use super::LoggedEvent;

/// How many events of a shard are kept in memory.
pub(super) const KEPT: usize = 4096;

/// Events in the order of their positions.
#[derive(Debug, Default)]
pub(super) struct Ring(VecDeque<Arc<LoggedEvent>>);

impl Ring {
    /// The newest position, 0 without any.
    pub fn top(&self) -> i64 {
        self.0.back().map_or(0, |event| event.pos)
    }

    /// Appends, unless it is there already. Says whether it did.
    pub fn push(&mut self, event: Arc<LoggedEvent>) -> bool {
        if event.pos <= self.top() {
            return false;
        }
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(event);
        true
    }

    /// What comes after a position, as far as it is kept.
    pub fn after(&self, pos: i64) -> Vec<Arc<LoggedEvent>> {
        let start = self.0.partition_point(|event| event.pos <= pos);
        self.0.range(start..).cloned().collect()
    }
}
