//! How many connections a process takes, and how it sends them away when it stops.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::queue::{Ended, Message, Queue};

/// Connections that have not said who they are, at most.
const MOST_UNKNOWN: usize = 512;
/// Over how long those who are sent away come back elsewhere.
const SPREAD: Duration = Duration::from_secs(5);

/// The connections of a process.
pub struct Door {
    most: usize,
    inner: Mutex<Inner>,
    unknown: AtomicUsize,
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
    known: bool,
}

impl Door {
    /// For at most so many connections.
    pub fn new(most: usize) -> Arc<Self> {
        metrics::gauge!("comanda_ws_connections_limit").set(u32::try_from(most).unwrap_or(u32::MAX));
        Arc::new(Self {
            most,
            inner: Mutex::default(),
            unknown: AtomicUsize::new(0),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a connection in that has not said yet who it is; nothing if there are too many, or the process stops.
    pub fn enter(self: &Arc<Self>, queue: &Arc<Queue>) -> Option<Entry> {
        let mut inner = self.inner();
        let full = inner.open.len() >= self.most || self.unknown.load(Ordering::Relaxed) >= MOST_UNKNOWN;
        if inner.closed || full {
            return None;
        }
        self.unknown.fetch_add(1, Ordering::Relaxed);
        inner.next += 1;
        let id = inner.next;
        inner.open.insert(id, Arc::clone(queue));
        drop(inner);
        Some(Entry {
            door: Arc::clone(self),
            id,
            known: false,
        })
    }

    /// Lets nobody in any more, and asks everyone to come back elsewhere, spread over five seconds.
    pub fn close(&self) {
        let mut inner = self.inner();
        inner.closed = true;
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
        if !std::mem::replace(&mut self.known, true) {
            self.door.unknown.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.known();
        self.door.inner().open.remove(&self.id);
    }
}
