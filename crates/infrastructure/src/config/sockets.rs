//! Sockets and event streams.

use std::time::Duration;

use super::reader::Reader;
use super::{settings, values};
use crate::gateway::QueueLimits;

/// What this process offers to those who listen.
#[derive(Debug, Clone, Copy)]
pub struct Sockets {
    /// Connections at most.
    pub connections: usize,
    /// What may wait for each.
    pub queue: QueueLimits,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<Sockets> {
    let connections = reader.parsed(&settings::WS_MAX_CONNECTIONS, |text| {
        values::count(text, 1..=1_000_000)
    });
    let bytes = reader.parsed(&settings::WS_QUEUE_BYTES, |text| {
        values::count(text, 65_536..=67_108_864)
    });
    let age = reader.parsed(&settings::WS_QUEUE_AGE, |text| {
        values::duration_within(text, Duration::from_secs(1), Duration::from_mins(1))
    });
    Some(Sockets {
        connections: connections?,
        queue: QueueLimits {
            bytes: bytes?,
            age: age?,
        },
    })
}
