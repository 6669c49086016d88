//! Everyone who listens in this process, branch by branch.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use comanda_domain::cursor::{Epoch, LostReason};
use comanda_domain::event::{EventFacts, EventName, InternalName, Viewer};
use comanda_domain::ids::{BranchId, TenantId};
use serde::Deserialize;
use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::warn;

use super::SharedEvent;
use super::member::{Counted, Member, Members};
use super::queue::Ended;
use super::recent::Recent;
use super::room::{At, Listener, Progress, Room};
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
        let room = {
            let mut rooms = self.rooms();
            let room = rooms
                .entry((tenant, branch))
                .or_insert_with(|| Arc::new(Room::new(tenant, branch, Arc::clone(&self.public_url))));
            // Under the lock of the rooms, so that nobody takes the room away in between.
            room.enter(id, listener);
            Arc::clone(room)
        };
        Membership {
            hub: Arc::clone(self),
            room,
            id,
        }
    }

    fn sweep(&self, room: &Room) {
        let mut rooms = self.rooms();
        if room.is_empty() {
            rooms.remove(&(room.tenant, room.branch));
        }
    }

    /// Waits for things to happen in a branch; gives the newest number heard of so far, which rises.
    pub(super) fn watch(self: &Arc<Self>, tenant: TenantId, branch: BranchId) -> Watching {
        let mut rooms = self.rooms();
        let room = rooms
            .entry((tenant, branch))
            .or_insert_with(|| Arc::new(Room::new(tenant, branch, Arc::clone(&self.public_url))));
        Watching {
            happened: Some(room.happened.subscribe()),
            room: Arc::clone(room),
            hub: Arc::clone(self),
        }
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

    /// What decides about an event's recipients now.
    ///
    /// # Errors
    /// A failure of the database.
    pub(super) async fn facts(
        &self,
        watching: &Watching,
        event: &SharedEvent,
    ) -> Result<Option<EventFacts>, Refusal> {
        self.asked(&watching.room).await?;
        Ok(watching.room.facts(event))
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
                let seating = event.logged.data.pointer("/session/seating");
                let seating = seating.and_then(serde_json::Value::as_i64);
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
        let ended = InternalEnded::deserialize(&event.data).ok();
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
    fn event(&self, event: &Arc<LoggedEvent>) {
        let Some(branch) = event.branch_id.filter(|_| event.seq.is_some()).map(BranchId) else {
            return self.internal(event);
        };
        let event = SharedEvent::new(Arc::clone(event));
        if event.routing.is_none() {
            metrics::counter!("comanda_ws_unrouted_events_total").increment(1);
        }
        self.recent.push(Arc::clone(&event));
        let Some(room) = self.room(TenantId(event.logged.tenant_id), branch) else {
            return;
        };
        let told = room.deliver(&event);
        metrics::histogram!("comanda_ws_broadcast_recipients")
            .record(u32::try_from(told).unwrap_or(u32::MAX));
        self.end_those_concerned(&room, &event);
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

/// A subscription; dropping it ends it.
pub struct Membership {
    hub: Arc<Hub>,
    room: Arc<Room>,
    id: u64,
}

impl Membership {
    /// Of which tenant.
    pub fn tenant(&self) -> TenantId {
        self.room.tenant
    }

    /// Of which branch.
    pub fn branch(&self) -> BranchId {
        self.room.branch
    }

    /// Has the queue told that all up to the head has been told.
    pub fn heartbeat(&self) {
        self.room.heartbeat(self.id);
    }

    /// The same owner goes on by another login; when that ends, so does the subscription.
    pub fn renew(&self, member: Member) {
        self.change(|listener| listener.member = member);
    }

    /// Changes what is listened to.
    pub fn narrow(&self, narrow: impl FnOnce(&mut Viewer)) {
        self.change(|listener| narrow(&mut listener.subscription.viewer));
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Listener)) {
        self.room.change(self.id, change);
    }

    pub(super) fn restart(&self, at: At, reason: LostReason) {
        self.change(|listener| listener.restart(self.room.branch, at, reason));
    }

    pub(super) fn go_live(&self, epoch: Epoch) -> Progress {
        self.room.go_live(self.id, epoch)
    }

    pub(super) fn catch_up(&self, event: &SharedEvent, epoch: Epoch) {
        self.room.catch_up(self.id, event, epoch);
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.room.leave(self.id);
        self.hub.sweep(&self.room);
    }
}

/// Somebody who waits for something to happen in a branch.
pub(super) struct Watching {
    happened: Option<watch::Receiver<u64>>,
    room: Arc<Room>,
    hub: Arc<Hub>,
}

impl Watching {
    /// Until something happens.
    pub async fn changed(&mut self) {
        if let Some(happened) = &mut self.happened {
            // The sender lives as long as the room, which is held.
            let _ = happened.changed().await;
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        drop(self.happened.take());
        self.hub.sweep(&self.room);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use comanda_domain::event::{Subscription, TypeFilters};
    use comanda_domain::ids::{DinerId, FamilyId, SessionId, UserId};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::super::Queue;
    use super::*;
    use crate::clock::Sources;
    use crate::db::DbOptions;

    fn hub() -> Arc<Hub> {
        let options = DbOptions {
            url: "postgres://127.0.0.1:1/nowhere".to_owned(),
            size: 1,
            timeout: Duration::from_millis(1),
            role: None,
            application_name: "test".to_owned(),
            shards: 16,
        };
        Hub::new(Db::new(&options, Sources::system()).unwrap(), "http://test").0
    }

    fn id<T: From<Uuid>>(number: u8) -> T {
        Uuid::from_u128(u128::from(number) + 1).into()
    }

    fn listener(tenant: u8, branch: u8, who: u8) -> Listener {
        let (viewer, member) = if who < 4 {
            let (user, family): (UserId, FamilyId) = (id(who), id(who));
            let viewer = Viewer::Waiter {
                user,
                unfiltered: false,
            };
            (viewer, Member::Staff { user, family })
        } else {
            let (diner, session): (DinerId, SessionId) = (id(who), id(who / 2));
            let member = Member::Diner {
                diner,
                session,
                seating: 1,
            };
            (Viewer::Diner { session }, member)
        };
        Listener {
            member,
            subscription: Subscription {
                tenant: id(tenant),
                branches: BTreeSet::from([id(branch)]),
                viewer,
            },
            types: TypeFilters::default(),
            queue: Arc::new(Queue::default()),
            live: false,
            seen: 0,
            prev: 0,
        }
    }

    proptest! {
        /// Whatever comes and goes, in whatever order: when all have gone, nothing of them is left.
        #[test]
        fn nobody_leaves_a_trace(steps in proptest::collection::vec((0_u8..3, 0_u8..2, 0_u8..3, 0_u8..10, any::<prop::sample::Index>()), 0..120)) {
            let hub = hub();
            let mut here = Vec::new();
            for (what, tenant, branch, who, leaves) in steps {
                match what {
                    0 => {
                        let comer = listener(tenant, branch, who);
                        let counted = hub.count(id(tenant), comer.member);
                        here.push((Some(hub.enter(id(tenant), id(branch), comer)), counted, None));
                    }
                    1 => here.push((None, None, Some(hub.watch(id(tenant), id(branch))))),
                    _ if !here.is_empty() => {
                        here.swap_remove(leaves.index(here.len()));
                    }
                    _ => {}
                }
            }
            drop(here);
            for (index, entries) in hub.entries() {
                prop_assert_eq!(entries, 0, "{}", index);
            }
        }
    }
}
