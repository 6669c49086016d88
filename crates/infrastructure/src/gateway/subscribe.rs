//! Coming in: what was missed first, then what happens, without a gap in between (`events.md` 7.4).

use std::sync::Arc;
use std::time::Duration;

use comanda_domain::cursor::{LostReason, Recover, StreamCursor, StreamState, position};
use comanda_domain::event::{Subscription, TypeFilters};
use comanda_domain::ids::{BranchId, TenantId};

use super::hub::Hub;
use super::member::Member;
use super::membership::Membership;
use super::queue::{Message, Queue};
use super::room::{At, Listener, Progress};
use super::source::Events;
use crate::failpoint;
use crate::refusal::Refusal;

/// Whoever misses more reads the state again: that is quicker.
const MOST_MISSED: u64 = 5000;
/// How long the planted defect is deaf, so that a short test finds it.
const DETACHED: Duration = Duration::from_millis(200);

/// Who wants to hear of what.
pub struct Wish {
    /// Whose connection it is.
    pub member: Member,
    /// Which branch.
    pub branch: BranchId,
    /// As whom, and of which tenant.
    pub subscription: Subscription,
    /// Which types only; all if none are named.
    pub types: TypeFilters,
    /// What they have seen.
    pub after: Option<StreamCursor>,
    /// Where they are told.
    pub queue: Arc<Queue>,
}

impl Hub {
    /// Subscribes. The queue is told that it is ready, then what was missed, then what happens. Cancelling it, or
    /// dropping what it gives, ends the subscription.
    ///
    /// # Errors
    /// `not_found` for a branch that is none, or a failure of the database.
    pub async fn subscribe(self: &Arc<Self>, wish: Wish) -> Result<Membership, Refusal> {
        let (tenant, branch, after) = (wish.subscription.tenant, wish.branch, wish.after);
        let queue = Arc::clone(&wish.queue);
        let membership = self.enter(
            tenant,
            branch,
            Listener {
                member: wish.member,
                subscription: wish.subscription,
                types: wish.types,
                queue: wish.queue,
                live: false,
                seen: 0,
                prev: 0,
            },
        );
        let at = self.started(&membership).await?;
        let missed = self.missed(tenant, branch, after, at).await?;
        let (from, lost) = match missed {
            Ok((from, _)) => (from, None),
            Err(lost) => (at.head, Some(lost)),
        };
        membership.change(|listener| (listener.seen, listener.prev) = (from, from));
        queue.push(Message::Ready {
            branch,
            epoch: at.epoch,
            from,
            head: at.head,
            lost,
        });
        let source = missed.map_or("ring", |(_, source)| source);
        let recovered = if lost.is_none() { "true" } else { "false" };
        metrics::counter!("comanda_ws_catchups_total", "source" => source, "recovered" => recovered)
            .increment(1);
        self.follow(&membership, at, &queue).await?;
        Ok(membership)
    }

    /// From where somebody goes on, and where what they miss is read; or why they cannot.
    async fn missed(
        &self,
        tenant: TenantId,
        branch: BranchId,
        after: Option<StreamCursor>,
        at: At,
    ) -> Result<Result<(u64, &'static str), LostReason>, Refusal> {
        let stream = StreamState {
            epoch: at.epoch,
            head: at.head,
            oldest_kept: 0,
        };
        let from = match position(after, stream, MOST_MISSED) {
            Recover::Lost(lost) => return Ok(Err(lost)),
            Recover::From(from) => from,
        };
        if from == at.head {
            return Ok(Ok((from, "ring")));
        }
        let (events, source) = self.read(tenant, branch, from).await?;
        // The log keeps events without a gap, so the first tells whether all are kept.
        let whole = events.first().is_some_and(|event| event.seq() == from + 1);
        Ok(if whole {
            Ok((from, source))
        } else {
            Err(LostReason::TooOld)
        })
    }

    /// Tells what lies between, as fast as it is read, until nothing does.
    async fn follow(&self, membership: &Membership, began: At, queue: &Queue) -> Result<(), Refusal> {
        let mut epoch = began.epoch;
        loop {
            let at = self.started(membership).await?;
            if at.epoch != epoch {
                membership.restart(at, LostReason::EpochChanged);
                epoch = at.epoch;
            }
            let (head, seen) = match membership.go_live(epoch) {
                Progress::Live => return Ok(()),
                Progress::Elsewhere => continue,
                Progress::Behind { head, seen } => (head, seen),
            };
            if head - seen > MOST_MISSED {
                membership.restart(at, LostReason::TooMany);
                continue;
            }
            let (events, _) = self.read(membership.tenant(), membership.branch(), seen).await?;
            if events.first().is_none_or(|event| event.seq() != seen + 1) {
                membership.restart(at, LostReason::TooOld);
                continue;
            }
            for event in events.iter() {
                queue.room().await;
                membership.catch_up(event, epoch);
            }
            // Breaks: what happens between reading and attaching is never told, and nobody notices: the next event
            // names the last one that was told as the one before it.
            if failpoint::planted(failpoint::REPLAY_BEFORE_ATTACH) {
                tokio::time::sleep(DETACHED).await;
                membership.change(|listener| listener.live = true);
                return Ok(());
            }
        }
    }

    /// Events after a number, from memory if it reaches back that far.
    async fn read(
        &self,
        tenant: TenantId,
        branch: BranchId,
        seq: u64,
    ) -> Result<(Events, &'static str), Refusal> {
        if let Some(events) = self.recent(tenant, branch, seq) {
            return Ok((events.into(), "ring"));
        }
        let events = self.source.events(tenant, branch, seq).await;
        Ok((events?, "database"))
    }
}
