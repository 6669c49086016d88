//! The work: events become deliveries, deliveries are claimed, sent and recorded.

mod claim;
mod deliver;
mod disabled;
mod fan_out;
mod forget;
mod record;
mod redeliver;
mod redrive;

use std::sync::Arc;
use std::time::Duration;

use comanda_domain::event::{TypeFilter, TypeFilters};
use comanda_security::seal::SealKeys;
use tokio::sync::{Notify, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout};
use tracing::{error, warn};

pub use claim::Claimed;
pub use redeliver::{Redelivered, RedeliveryError};

use super::outbound::Outbound;
use super::rows::EndpointRow;
use crate::config::Config;
use crate::db::{DbError, Relay};
use crate::events::Bell;

/// How often work is looked for.
const POLL: Duration = Duration::from_millis(100);
/// How often after a failure of the database.
const TROUBLE: Duration = Duration::from_secs(1);
/// How often old attempts are looked for.
const FORGET: Duration = Duration::from_hours(1);
/// How long sends under way have once the worker stops.
const GRACE: Duration = Duration::from_secs(5);

/// Delivers webhooks. Any number of them share the work.
#[derive(Clone)]
pub struct WebhookWorker {
    relay: Relay,
    bell: Bell,
    seal: SealKeys,
    outbound: Outbound,
    public_url: Arc<str>,
    concurrency: usize,
    /// Rings when there are new deliveries.
    fanned: Arc<Notify>,
}

impl WebhookWorker {
    /// Sends at most `concurrency` at once. `bell` rings when it has staged an event.
    pub fn new(
        relay: Relay,
        bell: Bell,
        seal: SealKeys,
        outbound: Outbound,
        public_url: &str,
        concurrency: usize,
    ) -> Self {
        Self {
            relay,
            bell,
            seal,
            outbound,
            public_url: public_url.into(),
            concurrency,
            fanned: Arc::default(),
        }
    }

    /// With what the settings say.
    pub fn assemble(relay: &Relay, bell: &Bell, config: &Config) -> Self {
        Self::new(
            relay.clone(),
            bell.clone(),
            SealKeys::new(&config.keys.master),
            Outbound::new(!config.environment.is_guarded()),
            &config.public_url,
            config.webhook_concurrency,
        )
    }

    /// Turns events into deliveries until it is stopped, and forgets old attempts.
    pub async fn run_fan_out(self, mut stopped: watch::Receiver<bool>) {
        let mut forgot: Option<Instant> = None;
        while !*stopped.borrow() {
            if forgot.is_none_or(|at| at.elapsed() >= FORGET) {
                forgot = Some(Instant::now());
                if let Err(error) = self.forget().await {
                    warn!(%error, "webhooks.forget");
                }
            }
            let pause = match self.fan_out().await {
                Ok(0) => POLL,
                Ok(_) => {
                    self.fanned.notify_one();
                    continue;
                }
                Err(error) => {
                    warn!(%error, "webhooks.fan_out");
                    TROUBLE
                }
            };
            tokio::select! {
                _ = stopped.changed() => {}
                () = sleep(pause) => {}
            }
        }
    }

    /// Claims, sends and records until it is stopped; then what is under way is finished, or given back. On a thread
    /// with a local set.
    pub async fn run(self, mut stopped: watch::Receiver<bool>) {
        let mut flying = JoinSet::new();
        let mut held: Vec<Claimed> = Vec::new();
        while !*stopped.borrow() {
            let free = self.concurrency.saturating_sub(flying.len());
            let pause = match self.claim(free).await {
                Ok(claimed) => {
                    for delivery in claimed {
                        held.push(delivery.clone());
                        let worker = self.clone();
                        flying.spawn_local(async move { worker.deliver(delivery).await });
                    }
                    POLL
                }
                Err(error) => {
                    warn!(%error, "webhooks.claim");
                    TROUBLE
                }
            };
            tokio::select! {
                _ = stopped.changed() => {}
                Some(done) = flying.join_next() => landed(&mut held, done),
                () = self.fanned.notified() => {}
                () = sleep(pause) => {}
            }
        }
        let finish = async {
            while let Some(done) = flying.join_next().await {
                landed(&mut held, done);
            }
        };
        if timeout(GRACE, finish).await.is_err() {
            flying.shutdown().await;
            self.give_back(&held).await;
        }
    }
}

/// One is not under way any more. What has panicked is held until its lease ends.
fn landed(held: &mut Vec<Claimed>, done: Result<Claimed, JoinError>) {
    match done {
        Ok(done) => held.retain(|claimed| !claimed.is(&done)),
        Err(error) => error!(%error, "webhooks.panicked"),
    }
}

/// The filters of a receiver, as they are stored.
pub(super) fn filters(row: &EndpointRow) -> Result<TypeFilters, DbError> {
    row.event_types
        .iter()
        .map(|text| {
            TypeFilter::parse(text).map_err(|error| DbError::Corrupt(format!("webhook {}: {error}", row.id)))
        })
        .collect()
}
