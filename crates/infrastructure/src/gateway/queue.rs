//! What waits for one slow or quick connection: bounded, so that nobody waits for it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use comanda_domain::cursor::{Epoch, LostReason};
use comanda_domain::ids::{BranchId, SectorId};
use futures_util::task::AtomicWaker;

use super::Rendered;

/// Messages that may wait.
const MOST_MESSAGES: usize = 1024;
/// What a message costs besides the event it carries.
const OVERHEAD: usize = 160;

/// What may wait for a connection before it counts as too slow.
#[derive(Debug, Clone, Copy)]
pub struct QueueLimits {
    /// Bytes.
    pub bytes: usize,
    /// How long the oldest message.
    pub age: Duration,
}

/// What a connection is told, in the order in which it happened.
#[derive(Debug, Clone)]
pub enum Message {
    /// It is subscribed; what it missed follows.
    Ready {
        /// To which branch.
        branch: BranchId,
        /// The present life of the log.
        epoch: Epoch,
        /// After which number events follow.
        from: u64,
        /// The newest number.
        head: u64,
        /// Why it must read the state again, if it must.
        lost: Option<LostReason>,
    },
    /// An event.
    Event {
        /// Of which branch.
        branch: BranchId,
        /// Its number.
        seq: u64,
        /// The number of the one before, as this subscription saw it.
        prev: u64,
        /// As it travels.
        event: Arc<Rendered>,
    },
    /// Something that is told once and not kept.
    Signal(Arc<Rendered>),
    /// All that concerns it up to the head has been told.
    Heartbeat {
        /// In which branch.
        branch: BranchId,
        /// The newest number.
        head: u64,
        /// The present life of the log.
        epoch: Epoch,
    },
    /// The state must be read again; the subscription stays.
    Resync {
        /// Of which branch.
        branch: BranchId,
        /// Why.
        reason: LostReason,
        /// The number after which events follow.
        head: u64,
        /// The present life of the log.
        epoch: Epoch,
    },
    /// Whether somebody connected covers a sector.
    Cover {
        /// Where.
        branch: BranchId,
        /// Which.
        sector: SectorId,
        /// Whether it is covered now.
        covered: bool,
    },
    /// This process is about to stop.
    Reconnect {
        /// When to come back.
        after: Duration,
    },
}

impl Message {
    fn size(&self) -> usize {
        match self {
            Self::Event { event, .. } | Self::Signal(event) => OVERHEAD + event.json.len(),
            _ => OVERHEAD,
        }
    }
}

/// Why a connection ends from our side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It does not read as fast as things happen.
    TooSlow,
    /// The visit of the phone is over, or its phones were revoked.
    SeatingEnded,
    /// The login or key is no longer good.
    Revoked,
    /// The role that it needs was taken.
    Forbidden,
    /// This process stops.
    GoingAway,
}

/// The messages of one connection. Whoever broadcasts only puts them here and goes on.
#[derive(Debug)]
pub struct Queue {
    limits: QueueLimits,
    inner: Mutex<Inner>,
    waker: AtomicWaker,
    /// Of whoever has more to tell than fits.
    teller: AtomicWaker,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: VecDeque<(Instant, Message)>,
    bytes: usize,
    ended: Option<Ended>,
}

impl Inner {
    fn is_full(&self, limits: &QueueLimits, now: Instant) -> bool {
        let age = self
            .waiting
            .front()
            .map(|(since, _)| now.saturating_duration_since(*since));
        self.bytes > limits.bytes
            || self.waiting.len() > MOST_MESSAGES
            || age.is_some_and(|age| age > limits.age)
    }

    fn drop_signals(&mut self) {
        let before = self.waiting.len();
        self.waiting
            .retain(|(_, message)| !matches!(message, Message::Signal(_)));
        self.bytes = self.waiting.iter().map(|(_, message)| message.size()).sum();
        if before > self.waiting.len() {
            slow("signal_dropped");
        }
    }

    fn end(&mut self, why: Ended) {
        if why == Ended::TooSlow {
            self.waiting.clear();
            self.bytes = 0;
        }
        self.ended.get_or_insert(why);
    }
}

fn slow(action: &'static str) {
    metrics::counter!("comanda_ws_slow_consumers_total", "action" => action).increment(1);
}

impl Queue {
    /// Empty.
    pub fn new(limits: QueueLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            inner: Mutex::default(),
            waker: AtomicWaker::new(),
            teller: AtomicWaker::new(),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a message. A queue that is full loses its signals first; if that does not help, the connection ends.
    pub fn push(&self, message: Message) {
        let now = Instant::now();
        {
            let mut inner = self.inner();
            if inner.ended.is_some() {
                return;
            }
            inner.bytes += message.size();
            inner.waiting.push_back((now, message));
            if inner.is_full(&self.limits, now) {
                inner.drop_signals();
            }
            if inner.is_full(&self.limits, now) {
                slow("closed");
                inner.end(Ended::TooSlow);
            }
        }
        self.waker.wake();
    }

    /// Waits until there is room for more, for whoever can wait: what was missed is not pressing.
    pub async fn room(&self) {
        poll_fn(|cx| {
            self.teller.register(cx.waker());
            let inner = self.inner();
            let roomy = inner.bytes < self.limits.bytes / 2 && inner.waiting.len() < MOST_MESSAGES / 2;
            if roomy || inner.ended.is_some() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// Whether it takes a burst more without overflowing.
    pub fn is_roomy(&self) -> bool {
        let inner = self.inner();
        inner.bytes <= self.limits.bytes / 4 && inner.waiting.len() <= MOST_MESSAGES / 4
    }

    /// Ends the connection once it has been told what waits.
    pub fn end(&self, why: Ended) {
        self.inner().end(why);
        self.waker.wake();
    }

    /// The next message; why there will be none when all have been taken.
    pub fn poll(&self, cx: &Context<'_>) -> Poll<Result<Message, Ended>> {
        self.waker.register(cx.waker());
        let mut inner = self.inner();
        if let Some((_, message)) = inner.waiting.pop_front() {
            inner.bytes = inner.bytes.saturating_sub(message.size());
            self.teller.wake();
            return Poll::Ready(Ok(message));
        }
        inner.ended.map_or(Poll::Pending, |why| Poll::Ready(Err(why)))
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use comanda_domain::event::EventName;
    use uuid::Uuid;

    use super::*;

    fn event(seq: u64, size: usize) -> Message {
        Message::Event {
            branch: BranchId(Uuid::nil()),
            seq,
            prev: seq - 1,
            event: rendered(size),
        }
    }

    fn rendered(size: usize) -> Arc<Rendered> {
        Arc::new(Rendered {
            name: EventName::RoundPending.as_str(),
            json: vec![b'x'; size],
        })
    }

    fn queue() -> Arc<Queue> {
        Queue::new(QueueLimits {
            bytes: 262_144,
            age: Duration::from_secs(5),
        })
    }

    fn take(queue: &Queue) -> Option<Result<Message, Ended>> {
        match queue.poll(&Context::from_waker(Waker::noop())) {
            Poll::Ready(next) => Some(next),
            Poll::Pending => None,
        }
    }

    #[test]
    fn what_was_put_in_comes_out_in_order_and_then_the_end() {
        let queue = queue();
        (1..=3).for_each(|seq| queue.push(event(seq, 10)));
        queue.end(Ended::SeatingEnded);
        queue.push(event(4, 10));
        for wanted in 1..=3 {
            assert!(matches!(take(&queue), Some(Ok(Message::Event { seq, .. })) if seq == wanted));
        }
        assert!(matches!(take(&queue), Some(Err(Ended::SeatingEnded))));
    }

    #[test]
    fn a_full_queue_loses_its_signals_before_it_gives_up() {
        let queue = queue();
        (0..200).for_each(|_| queue.push(Message::Signal(rendered(1000))));
        (1..=100).for_each(|seq| queue.push(event(seq, 1000)));
        assert!(matches!(take(&queue), Some(Ok(Message::Event { seq: 1, .. }))));
        (101..=400).for_each(|seq| queue.push(event(seq, 1000)));
        assert!(matches!(take(&queue), Some(Err(Ended::TooSlow))));
    }

    #[test]
    fn small_messages_are_counted_too() {
        let queue = queue();
        (1..=1025).for_each(|seq| queue.push(event(seq, 0)));
        assert!(matches!(take(&queue), Some(Err(Ended::TooSlow))));
    }
}
