//! A branch and everyone here who listens to it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use comanda_domain::cursor::{Epoch, LostReason};
use comanda_domain::event::{EventFacts, Subscription, TypeFilters, Viewer, recipients};
use comanda_domain::ids::{BranchId, TenantId};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::cover::{Assigned, Floor};
use super::member::Member;
use super::queue::{Ended, Message, Queue};
use super::{Rendered, SharedEvent};

/// Bytes that are told before it is looked whether they are read; less than any queue holds.
const BURST: usize = 16 * 1024;
/// How long a branch that does not read holds up the others after each burst.
const PATIENCE: Duration = Duration::from_millis(50);
const LOOK: Duration = Duration::from_millis(1);

/// A branch with its listeners. All that changes stands behind one lock, which every event takes: a subscription
/// that goes live under it misses nothing.
pub(super) struct Room {
    pub tenant: TenantId,
    pub branch: BranchId,
    public_url: Arc<str>,
    inner: Mutex<Inner>,
    /// Rises with the head; whoever waits for something to happen waits here.
    pub happened: watch::Sender<u64>,
}

#[derive(Default)]
struct Inner {
    listeners: BTreeMap<u64, Listener>,
    /// What the log said when it was asked.
    start: Option<At>,
    /// The newest number that has been heard of.
    heard: u64,
    floor: Floor,
    /// Bytes that have been told since it was last looked whether they are read.
    told: usize,
}

/// Where the stream of a branch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// The present life of the log.
    pub epoch: Epoch,
    /// The newest number.
    pub head: u64,
}

/// How far a subscription has come that is told what it missed.
pub(super) enum Progress {
    /// It hears what happens.
    Live,
    /// It has been told up to a number below the head.
    Behind { head: u64, seen: u64 },
    /// The log has begun a new life.
    Elsewhere,
}

/// One subscription of one connection.
pub(super) struct Listener {
    pub member: Member,
    pub subscription: Subscription,
    pub types: TypeFilters,
    pub queue: Arc<Queue>,
    /// Hears what happens; before that it is still being told what it missed.
    pub live: bool,
    /// Everything up to this number has been judged for it.
    pub seen: u64,
    /// The number of the event that it got last.
    pub prev: u64,
}

impl Listener {
    /// Tells it an event, once, if it is for it.
    fn tell(
        &mut self,
        facts: &EventFacts,
        event: &SharedEvent,
        render: &Render<'_>,
        kind: &'static str,
    ) -> bool {
        let seq = event.seq();
        if seq <= self.seen {
            return false;
        }
        self.seen = seq;
        let wanted = event.name.is_some_and(|name| self.types.matches(name));
        if !wanted || !recipients(facts, &self.subscription) {
            return false;
        }
        let Some(rendered) = render.of(event, &self.subscription.viewer) else {
            return false;
        };
        let view = self.subscription.viewer.view().as_str();
        metrics::counter!("comanda_ws_deliveries_total", "role" => view, "kind" => kind).increment(1);
        self.queue.push(Message::Event {
            branch: render.branch,
            seq,
            prev: self.prev,
            event: rendered,
        });
        self.prev = seq;
        true
    }

    /// It must read the state again, and hears what happens after the head.
    pub fn restart(&mut self, branch: BranchId, at: At, reason: LostReason) {
        (self.seen, self.prev) = (at.head, at.head);
        metrics::counter!("comanda_ws_resyncs_total", "reason" => reason.as_str()).increment(1);
        self.queue.push(Message::Resync {
            branch,
            reason,
            head: at.head,
            epoch: at.epoch,
        });
    }
}

/// What rendering needs besides event and view.
struct Render<'a> {
    branch: BranchId,
    epoch: String,
    public_url: &'a str,
}

impl Render<'_> {
    fn of(&self, event: &SharedEvent, viewer: &Viewer) -> Option<Arc<Rendered>> {
        event.rendered(viewer.view(), &self.epoch, self.public_url)
    }
}

impl Inner {
    fn at(&self) -> Option<At> {
        self.start.map(|start| At {
            head: start.head.max(self.heard),
            ..start
        })
    }

    /// What decides about recipients; nothing for what nobody is told.
    fn facts(&self, event: &SharedEvent) -> Option<EventFacts> {
        let routing = event.routing.clone()?;
        Some(EventFacts {
            tenant: TenantId(event.logged.tenant_id),
            branch: event.logged.branch_id.map(BranchId),
            name: event.name,
            cover: self.floor.cover(&routing),
            routing,
        })
    }

    /// Whether most of those who hear what happens have read it.
    fn is_roomy(&self) -> bool {
        let live = || self.listeners.values().filter(|listener| listener.live);
        let roomy = live().filter(|listener| listener.queue.is_roomy()).count();
        2 * roomy >= live().count()
    }

    fn tell_floor(&mut self, branch: BranchId) {
        for (sector, covered) in self.floor.changes() {
            let notice = Message::Cover {
                branch,
                sector,
                covered,
            };
            let hearing = |listener: &&Listener| {
                let viewer = &listener.subscription.viewer;
                listener.live && matches!(viewer, Viewer::Waiter { .. } | Viewer::Admin)
            };
            self.listeners
                .values()
                .filter(hearing)
                .for_each(|listener| listener.queue.push(notice.clone()));
        }
    }
}

impl Room {
    pub fn new(tenant: TenantId, branch: BranchId, public_url: Arc<str>) -> Self {
        Self {
            tenant,
            branch,
            public_url,
            inner: Mutex::default(),
            happened: watch::Sender::new(0),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn render(&self, epoch: Epoch) -> Render<'_> {
        Render {
            branch: self.branch,
            epoch: epoch.to_string(),
            public_url: &self.public_url,
        }
    }

    /// Where the stream stands, once the log has been asked.
    pub fn at(&self) -> Option<At> {
        self.inner().at()
    }

    /// What the log said. Whoever has been listening since before a new epoch must read the state again.
    pub fn start(&self, start: At, assigned: &Assigned) -> At {
        let mut inner = self.inner();
        if let Some(at) = inner.at().filter(|at| at.epoch == start.epoch) {
            return at;
        }
        inner.floor.assign(assigned.clone());
        inner.start = Some(start);
        let at = inner.at().unwrap_or(start);
        for listener in inner.listeners.values_mut().filter(|listener| listener.live) {
            listener.restart(self.branch, at, LostReason::EpochChanged);
        }
        inner.tell_floor(self.branch);
        at
    }

    /// The log begins a new life: nobody is told anything until it has been asked.
    pub fn forget(&self) {
        let mut inner = self.inner();
        (inner.start, inner.heard) = (None, 0);
    }

    pub fn enter(&self, id: u64, listener: Listener) {
        let mut inner = self.inner();
        if let Viewer::Waiter { user, .. } = listener.subscription.viewer {
            inner.floor.came(user);
        }
        inner.listeners.insert(id, listener);
        inner.tell_floor(self.branch);
    }

    pub fn leave(&self, id: u64) {
        let mut inner = self.inner();
        let left = inner.listeners.remove(&id);
        if let Some(Viewer::Waiter { user, .. }) = left.map(|listener| listener.subscription.viewer) {
            inner.floor.went(user);
        }
        inner.tell_floor(self.branch);
    }

    pub fn is_empty(&self) -> bool {
        self.inner().listeners.is_empty() && self.happened.receiver_count() == 0
    }

    pub fn len(&self) -> usize {
        self.inner().listeners.len()
    }

    /// Who serves which sector has been asked again.
    pub fn assign(&self, assigned: &Assigned) {
        let mut inner = self.inner();
        inner.floor.assign(assigned.clone());
        inner.tell_floor(self.branch);
    }

    /// What decides about an event's recipients in this branch now.
    pub fn facts(&self, event: &SharedEvent) -> Option<EventFacts> {
        self.inner().facts(event)
    }

    /// Changes one subscription.
    pub fn change<T>(&self, id: u64, change: impl FnOnce(&mut Listener) -> T) -> Option<T> {
        self.inner().listeners.get_mut(&id).map(change)
    }

    /// Lets a subscription that has been told everything up to the head hear what happens from now on.
    pub fn go_live(&self, id: u64, epoch: Epoch) -> Progress {
        let mut inner = self.inner();
        let at = inner.at().filter(|at| at.epoch == epoch);
        let (Some(at), Some(listener)) = (at, inner.listeners.get_mut(&id)) else {
            return Progress::Elsewhere;
        };
        listener.live = listener.seen >= at.head;
        if listener.live {
            Progress::Live
        } else {
            let (head, seen) = (at.head, listener.seen);
            Progress::Behind { head, seen }
        }
    }

    /// Tells one subscription what it missed.
    pub fn catch_up(&self, id: u64, event: &SharedEvent, epoch: Epoch) {
        let mut inner = self.inner();
        let facts = inner.facts(event);
        let Some(listener) = inner.listeners.get_mut(&id) else {
            return;
        };
        match facts {
            Some(facts) => {
                listener.tell(&facts, event, &self.render(epoch), "catchup");
            }
            None => listener.seen = listener.seen.max(event.seq()),
        }
    }

    /// Tells everyone what happened. Gives how many were told.
    pub fn deliver(&self, event: &SharedEvent) -> usize {
        let seq = event.seq();
        let mut told = 0;
        {
            let mut inner = self.inner();
            inner.heard = inner.heard.max(seq);
            let facts = inner.facts(event);
            if let (Some(at), Some(facts)) = (inner.start, facts) {
                let render = self.render(at.epoch);
                for listener in inner.listeners.values_mut().filter(|listener| listener.live) {
                    told += usize::from(listener.tell(&facts, event, &render, "live"));
                }
                if told > 0 {
                    inner.told += event.logged.data.size();
                }
            }
        }
        self.happened.send_replace(seq);
        told
    }

    /// Whether so much has been told that those who listen may not keep up: a leader that catches up tells in a
    /// moment what happened in minutes. Begins to count anew.
    pub fn is_pressed(&self) -> bool {
        let mut inner = self.inner();
        if inner.told <= BURST {
            return false;
        }
        inner.told = 0;
        !inner.is_roomy()
    }

    /// Until most of those who listen have taken in what they were told, but not for long: some never read.
    pub async fn relief(&self) {
        let _ = timeout(PATIENCE, async {
            while !self.inner().is_roomy() {
                sleep(LOOK).await;
            }
        })
        .await;
    }

    /// Tells a subscription that all which concerns it up to the head has been told.
    pub fn heartbeat(&self, id: u64) {
        let inner = self.inner();
        let listener = inner.listeners.get(&id).filter(|listener| listener.live);
        if let (Some(At { epoch, head }), Some(listener)) = (inner.at(), listener) {
            let branch = self.branch;
            listener.queue.push(Message::Heartbeat { branch, head, epoch });
        }
    }

    /// Sends a signal to the devices of a visit.
    pub fn signal(&self, signal: &Arc<Rendered>, meant: impl Fn(&Listener) -> bool) {
        let inner = self.inner();
        for listener in inner.listeners.values().filter(|listener| meant(listener)) {
            metrics::counter!("comanda_ws_deliveries_total", "role" => "diner", "kind" => "signal")
                .increment(1);
            listener.queue.push(Message::Signal(Arc::clone(signal)));
        }
    }

    /// Ends whoever is meant.
    pub fn end(&self, why: Ended, meant: impl Fn(&Listener) -> bool) {
        let inner = self.inner();
        let meant = inner.listeners.values().filter(|listener| meant(listener));
        meant.for_each(|listener| listener.queue.end(why));
    }
}
