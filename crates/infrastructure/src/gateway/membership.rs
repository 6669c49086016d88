//! What somebody holds who listens, or waits: dropping it leaves nothing behind.

use std::sync::Arc;

use comanda_domain::cursor::{Epoch, LostReason};
use comanda_domain::event::{EventFacts, Viewer};
use comanda_domain::ids::{BranchId, TenantId};
use tokio::sync::watch;

use super::member::Member;
use super::room::{At, Listener, Progress, Room};
use super::{Hub, SharedEvent};

/// A subscription; dropping it ends it.
pub struct Membership {
    pub(super) hub: Arc<Hub>,
    pub(super) room: Arc<Room>,
    pub(super) id: u64,
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
    pub(super) happened: Option<watch::Receiver<u64>>,
    pub(super) room: Arc<Room>,
    pub(super) hub: Arc<Hub>,
}

impl Watching {
    /// What decides about an event's recipients now.
    pub fn facts(&self, event: &SharedEvent) -> Option<EventFacts> {
        self.room.facts(event)
    }

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
