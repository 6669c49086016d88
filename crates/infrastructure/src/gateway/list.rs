//! Reading events over HTTP: the same log, numbers and recipients as sockets have (`events.md` 8).

use std::sync::Arc;
use std::time::Duration;

use comanda_domain::cursor::{Epoch, Recover, StreamCursor, StreamState, position};
use comanda_domain::event::{Subscription, TypeFilters, Viewer, recipients};
use comanda_domain::ids::BranchId;
use futures_util::try_join;
use tokio::time::{Instant, timeout_at};

use super::membership::Watching;
use super::{Hub, Rendered, SharedEvent, source};
use crate::db::{Db, head};
use crate::events::Lateness;
use crate::refusal::Refusal;

/// Events of a branch that one answer looks at, whether or not they are for the one who asks.
const LOOKED_AT: i64 = 1000;

/// What somebody wants to read.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Of which branch.
    pub branch: BranchId,
    /// As whom, and of which tenant.
    pub subscription: Subscription,
    /// Which types only; all if none are named.
    pub types: TypeFilters,
    /// What they have seen.
    pub after: StreamCursor,
    /// Events of an answer at most.
    pub limit: usize,
    /// How long an empty answer is held back.
    pub wait: Duration,
}

/// Events after a position.
#[derive(Debug)]
pub struct Listed {
    /// The events.
    pub data: Vec<Arc<Rendered>>,
    /// After which number to go on.
    pub last: u64,
    /// The newest number.
    pub head: u64,
    /// The present life of the log.
    pub epoch: Epoch,
    /// Something in between is not kept: the state must be read again, and then what comes after the head.
    pub truncated: bool,
}

impl Listed {
    /// As it travels. The envelopes are encoded already.
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = b"{\"data\":[".to_vec();
        for (n, event) in self.data.iter().enumerate() {
            if n > 0 {
                json.push(b',');
            }
            json.extend_from_slice(&event.json);
        }
        let Self {
            last,
            head,
            epoch,
            truncated,
            ..
        } = self;
        let rest = format!(r#"],"last":{last},"head":{head},"epoch":"{epoch}","truncated":{truncated}}}"#);
        json.extend_from_slice(rest.as_bytes());
        json
    }
}

/// Events to read.
#[derive(Clone)]
pub struct EventService {
    pub(super) db: Db,
    hub: Arc<Hub>,
    /// Of what the hub hears; nothing where it hears nothing.
    lateness: Option<Lateness>,
    public_url: Arc<str>,
}

impl EventService {
    /// Over this database. The hub knows who is connected, and hears when something happens.
    pub(super) fn new(db: Db, hub: Arc<Hub>, lateness: Option<Lateness>, public_url: &str) -> Self {
        Self {
            db,
            hub,
            lateness,
            public_url: public_url.into(),
        }
    }

    /// For how long those who listen here may have missed something; nothing where nobody can listen.
    pub fn behind(&self) -> Option<Duration> {
        self.lateness.as_ref().map(Lateness::behind)
    }

    /// The listeners of this process.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// The events after a position. An empty answer is held back until something comes or the time is over.
    ///
    /// # Errors
    /// `not_found` for a branch that is none.
    pub async fn list(&self, listing: &Listing) -> Result<Listed, Refusal> {
        let until = Instant::now() + listing.wait;
        let mut watching = self.hub.watch(listing.subscription.tenant, listing.branch);
        let mut listing = listing.clone();
        loop {
            let listed = self.look(&listing, &watching).await?;
            let told = !listed.data.is_empty() || listed.truncated;
            if told || listed.last < listed.head {
                return Ok(listed);
            }
            listing.after.seq = listed.last;
            if timeout_at(until, watching.changed()).await.is_err() {
                return Ok(listed);
            }
        }
    }

    async fn look(&self, listing: &Listing, watching: &Watching) -> Result<Listed, Refusal> {
        let (tenant, branch) = (listing.subscription.tenant, listing.branch);
        if matches!(
            listing.subscription.viewer,
            Viewer::Waiter {
                unfiltered: false,
                ..
            }
        ) {
            self.hub.know(watching).await?;
        }
        let ((epoch, head), rows) = self
            .db
            .read(tenant, async |conn| {
                let rows =
                    async { Ok(source::after(conn, tenant, branch, listing.after.seq, LOOKED_AT).await?) };
                let head = async { Ok(head(conn, tenant, branch).await?) };
                try_join!(head, rows)
            })
            .await?;
        let events: Vec<_> = rows
            .into_iter()
            .map(|row| SharedEvent::new(Arc::new(row)))
            .collect();
        let oldest_kept = events.first().map_or(head + 1, |event| event.seq());
        let stream = StreamState {
            epoch,
            head,
            oldest_kept,
        };
        let Recover::From(from) = position(Some(listing.after), stream, u64::MAX) else {
            return Ok(Listed {
                data: Vec::new(),
                last: head,
                head,
                epoch,
                truncated: true,
            });
        };
        let mut listed = Listed {
            data: Vec::new(),
            last: from,
            head,
            epoch,
            truncated: false,
        };
        for event in &events {
            if listed.data.len() == listing.limit {
                break;
            }
            listed.last = event.seq();
            if let Some(envelope) = self.shown(event, listing, watching, epoch) {
                listed.data.push(envelope);
            }
        }
        Ok(listed)
    }

    /// The envelope, if the event is for the one who asks.
    fn shown(
        &self,
        event: &SharedEvent,
        listing: &Listing,
        watching: &Watching,
        epoch: Epoch,
    ) -> Option<Arc<Rendered>> {
        let wanted = event.name.is_some_and(|name| listing.types.matches(name));
        let facts = watching.facts(event).filter(|_| wanted)?;
        if !recipients(&facts, &listing.subscription) {
            return None;
        }
        let view = listing.subscription.viewer.view();
        event.rendered(view, &epoch.to_string(), &self.public_url)
    }
}
