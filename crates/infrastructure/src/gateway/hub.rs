//! Everyone who listens in this process, branch by branch.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use comanda_domain::event::{EventName, InternalName, Viewer};
use comanda_domain::ids::{BranchId, TenantId};
use futures_util::future::{BoxFuture, FutureExt};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::warn;

use super::SharedEvent;
use super::member::{Counted, Member, Members};
use super::membership::{Membership, Watching};
use super::queue::Ended;
use super::recent::Recent;
use super::room::{At, Listener, Room};
use super::source::{Answering, Source};
use crate::db::Db;
use crate::events::bus::Signal;
use crate::events::{self, LoggedEvent};
use crate::outbox::{self, Ended as InternalEnded};
use crate::refusal::Refusal;

/// How often it is asked who serves which sector: shifts begin and end without an event.
const TEND: Duration = Duration::from_secs(30);
/// When the database did not answer, it is asked again after this.
const AGAIN: Duration = Duration::from_secs(1);

type Rooms = HashMap<(TenantId, BranchId), Arc<Room>>;

/// The listeners of a process. Hears the feed, and tells whoever is concerned.
pub struct Hub {
    public_url: Arc<str>,
    pub(super) source: Source,
    rooms: Mutex<Rooms>,
    recent: Recent,
    members: Members,
    next_id: AtomicU64,
    /// Rings when rooms must be asked about again.
    stale: Notify,
    shards: u32,
}

/// The work of a hub that waits for the database.
pub struct Tending {
    hub: Arc<Hub>,
    answering: Answering,
}

impl Hub {
    /// Without anybody yet. The second part must run for it to do anything.
    pub fn new(db: Db, public_url: &str) -> (Arc<Self>, Tending) {
        let shards = db.shards();
        let (source, answering) = Source::new(db);
        let hub = Arc::new(Self {
            public_url: public_url.into(),
            source,
            shards,
            rooms: Mutex::default(),
            recent: Recent::default(),
            members: Members::default(),
            next_id: AtomicU64::new(1),
            stale: Notify::new(),
        });
        let tending = Tending {
            hub: Arc::clone(&hub),
            answering,
        };
        (hub, tending)
    }

    fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn room(&self, tenant: TenantId, branch: BranchId) -> Option<Arc<Room>> {
        self.rooms().get(&(tenant, branch)).cloned()
    }

    fn every_room(&self) -> Vec<Arc<Room>> {
        self.rooms().values().cloned().collect()
    }

    /// Whether somebody listens to a branch of that name, which therefore exists. Those who come back in a storm need
    /// not ask the database each.
    pub(super) fn knows(&self, tenant: TenantId, branch: BranchId) -> bool {
        self.room(tenant, branch).is_some_and(|room| room.at().is_some())
    }

    /// Counts a connection; nothing if its owner has as many as they may.
    pub fn count(&self, tenant: TenantId, member: Member) -> Option<Counted> {
        self.members.count(tenant, member)
    }

    /// Entries of each index: nothing when nobody is connected.
    pub fn entries(&self) -> [(&'static str, usize); 3] {
        let rooms = self.every_room();
        let listeners = rooms.iter().map(|room| room.len()).sum();
        [
            ("rooms", rooms.len()),
            ("subscriptions", listeners),
            ("members", self.members.len()),
        ]
    }

    pub(super) fn enter(
        self: &Arc<Self>,
        tenant: TenantId,
        branch: BranchId,
        listener: Listener,
    ) -> Membership {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let room = self.open(tenant, branch, |room| room.enter(id, listener));
        Membership {
            hub: Arc::clone(self),
            room,
            id,
        }
    }

    pub(super) fn sweep(&self, room: &Room) {
        let mut rooms = self.rooms();
        if room.is_empty() {
            rooms.remove(&(room.tenant, room.branch));
        }
    }

    /// Waits for things to happen in a branch.
    pub(super) fn watch(self: &Arc<Self>, tenant: TenantId, branch: BranchId) -> Watching {
        let mut happened = None;
        let room = self.open(tenant, branch, |room| happened = Some(room.happened.subscribe()));
        Watching {
            happened,
            room,
            hub: Arc::clone(self),
        }
    }

    /// The room of a branch, as it is after somebody has come in: under the lock of the rooms, so that nobody takes
    /// the room away in between.
    fn open(&self, tenant: TenantId, branch: BranchId, come_in: impl FnOnce(&Room)) -> Arc<Room> {
        let mut rooms = self.rooms();
        let room = rooms
            .entry((tenant, branch))
            .or_insert_with(|| Arc::new(Room::new(tenant, branch, Arc::clone(&self.public_url))));
        come_in(room);
        Arc::clone(room)
    }

    /// Where the stream of a branch stands. The first to come asks the log.
    pub(super) async fn started(&self, membership: &Membership) -> Result<At, Refusal> {
        self.asked(&membership.room).await
    }

    async fn asked(&self, room: &Room) -> Result<At, Refusal> {
        if let Some(at) = room.at() {
            return Ok(at);
        }
        let (at, assigned) = self.source.start(room.tenant, room.branch).await?;
        Ok(room.start(at, &assigned))
    }

    pub(super) fn recent(
        &self,
        tenant: TenantId,
        branch: BranchId,
        seq: u64,
    ) -> Option<Vec<Arc<SharedEvent>>> {
        let shard = outbox::shard(tenant.0, branch.0, self.shards);
        self.recent.after(shard, tenant, branch, seq)
    }

    /// Asks who serves which sector, if nobody has yet.
    ///
    /// # Errors
    /// `not_found` for a branch that is none, or a failure of the database.
    pub(super) async fn know(&self, watching: &Watching) -> Result<(), Refusal> {
        self.asked(&watching.room).await.map(|_| ())
    }

    /// Asks about every room again. Says whether all were answered.
    async fn refresh(&self) -> bool {
        let mut all = true;
        for room in self.every_room() {
            match self.source.start(room.tenant, room.branch).await {
                Ok((at, assigned)) => {
                    room.start(at, &assigned);
                    room.assign(&assigned);
                }
                Err(error) => {
                    warn!(%error, "gateway.room_not_asked");
                    all = false;
                }
            }
        }
        all
    }

    /// Ends whoever an event deprives of their right to listen.
    fn end_those_concerned(&self, room: &Room, event: &SharedEvent) {
        let session = event.routing.as_ref().and_then(|routing| routing.session);
        match event.name {
            Some(EventName::SessionClosed) => room.end(Ended::SeatingEnded, |listener| {
                matches!(listener.member, Member::Diner { session: own, .. } if Some(own) == session)
            }),
            Some(EventName::SessionPhonesRevoked) => {
                let seating = event.logged.data.read::<Value>().ok();
                let seating = seating.as_ref().and_then(|data| data.pointer("/session/seating")?.as_i64());
                room.end(Ended::SeatingEnded, |listener| {
                    matches!(listener.member, Member::Diner { session: own, seating: since, .. }
                        if Some(own) == session && seating != Some(i64::from(since)))
                });
            }
            Some(EventName::AssignmentChanged) => self.stale.notify_one(),
            _ => {}
        }
    }

    /// What other processes must forget, and what must close.
    fn internal(&self, event: &LoggedEvent) {
        let ended = event.data.read::<InternalEnded>().ok();
        let concerned = |listener: &Listener| match (ended, listener.member) {
            (Some(InternalEnded::UserId(ended)), Member::Staff { user, .. }) => user == ended,
            (Some(InternalEnded::FamilyId(ended)), Member::Staff { family, .. }) => family == ended,
            (Some(InternalEnded::KeyId(ended)), Member::Key(key)) => key == ended,
            _ => false,
        };
        match InternalName::of_type(&event.type_) {
            Some(
                InternalName::AuthEpochChanged
                | InternalName::AuthFamilyRevoked
                | InternalName::AuthKeyChanged,
            ) => {
                let rooms = self.every_room();
                let own = rooms.iter().filter(|room| room.tenant.0 == event.tenant_id);
                own.for_each(|room| room.end(Ended::Revoked, concerned));
            }
            Some(_) => {}
            None => {
                metrics::counter!("comanda_ws_unrouted_events_total").increment(1);
            }
        }
    }
}

impl Tending {
    /// Answers what the hub asks, and keeps what its rooms know up to date, until it is dropped.
    pub async fn run(self) {
        let Self { hub, answering } = self;
        let mut often = interval(TEND);
        often.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let refreshing = async {
            loop {
                tokio::select! {
                    _ = often.tick() => {}
                    () = hub.stale.notified() => {}
                }
                while !hub.refresh().await {
                    sleep(AGAIN).await;
                }
            }
        };
        tokio::join!(answering.run(), refreshing);
    }
}

impl events::Listener for Hub {
    fn event(&self, event: &Arc<LoggedEvent>) -> Option<BoxFuture<'static, ()>> {
        let Some(branch) = event.branch_id.filter(|_| event.seq.is_some()).map(BranchId) else {
            self.internal(event);
            return None;
        };
        let event = SharedEvent::new(Arc::clone(event));
        if event.routing.is_none() {
            metrics::counter!("comanda_ws_unrouted_events_total").increment(1);
        }
        self.recent.push(Arc::clone(&event));
        let room = self.room(TenantId(event.logged.tenant_id), branch)?;
        let told = room.deliver(&event);
        metrics::histogram!("comanda_ws_broadcast_recipients")
            .record(u32::try_from(told).unwrap_or(u32::MAX));
        self.end_those_concerned(&room, &event);
        room.is_pressed()
            .then(|| async move { room.relief().await }.boxed())
    }

    fn epoch_changed(&self, _epoch: &str) {
        self.recent.clear();
        self.every_room().iter().for_each(|room| room.forget());
        self.stale.notify_one();
    }

    fn signal(&self, signal: &Arc<Signal>) {
        let Some(room) = self.room(TenantId(signal.tenant_id), BranchId(signal.branch_id)) else {
            return;
        };
        let rendered = Arc::new(super::signal::rendered(signal));
        room.signal(&rendered, |listener| {
            matches!(listener.subscription.viewer, Viewer::Diner { session } if session.0 == signal.session_id)
        });
    }
}

#[cfg(test)]
mod tests;
