//! How many connections a process takes, and how it sends them away when it stops.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::queue::{Ended, Message, Queue, QueueLimits};

/// Connections that have not said who they are, at most.
const MOST_UNKNOWN: usize = 512;
/// How long others wait until one of them has.
const PATIENCE: Duration = Duration::from_secs(5);
/// Over how long those who are sent away come back elsewhere.
const SPREAD: Duration = Duration::from_secs(5);

/// The connections of a process.
pub struct Door {
    most: usize,
    limits: QueueLimits,
    inner: Mutex<Inner>,
    unknown: Arc<Semaphore>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    open: BTreeMap<u64, Arc<Queue>>,
    closed: bool,
}

/// An open connection; dropping it makes room.
pub struct Entry {
    door: Arc<Door>,
    id: u64,
    /// Held as long as it is unknown.
    unknown: Option<OwnedSemaphorePermit>,
}

impl Door {
    /// For at most so many connections, each of which may lag behind so far.
    pub fn new(most: usize, limits: QueueLimits) -> Arc<Self> {
        metrics::gauge!("comanda_ws_connections_limit").set(u32::try_from(most).unwrap_or(u32::MAX));
        Arc::new(Self {
            most,
            limits,
            inner: Mutex::default(),
            unknown: Arc::new(Semaphore::new(MOST_UNKNOWN)),
        })
    }

    /// What a connection is told waits here.
    pub fn queue(&self) -> Arc<Queue> {
        Queue::new(self.limits)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a connection in that has not said yet who it is; nothing if there are too many, or the process stops.
    /// When all come back at once they wait in line here: sent away, most would come again, and all of them later.
    pub async fn enter(self: &Arc<Self>, queue: &Arc<Queue>) -> Option<Entry> {
        let mut entry = self.line_up(queue)?;
        let turn = Arc::clone(&self.unknown).acquire_owned();
        entry.unknown = Some(timeout(PATIENCE, turn).await.ok()?.ok()?);
        Some(entry)
    }

    fn line_up(self: &Arc<Self>, queue: &Arc<Queue>) -> Option<Entry> {
        let mut inner = self.inner();
        if inner.closed || inner.open.len() >= self.most {
            return None;
        }
        inner.next += 1;
        let id = inner.next;
        inner.open.insert(id, Arc::clone(queue));
        drop(inner);
        Some(Entry {
            door: Arc::clone(self),
            id,
            unknown: None,
        })
    }

    /// Lets nobody in any more, and asks everyone to come back elsewhere, spread over five seconds.
    pub fn close(&self) {
        let mut inner = self.inner();
        inner.closed = true;
        self.unknown.close();
        let everyone = u32::try_from(inner.open.len()).unwrap_or(u32::MAX).max(1);
        for (nth, queue) in (0_u32..).zip(inner.open.values()) {
            queue.push(Message::Reconnect {
                after: SPREAD * nth / everyone,
            });
            queue.end(Ended::GoingAway);
        }
    }

    /// Open connections.
    pub fn len(&self) -> usize {
        self.inner().open.len()
    }

    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Entry {
    /// The connection has said who it is.
    pub fn known(&mut self) {
        self.unknown = None;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.door.inner().open.remove(&self.id);
    }
}
