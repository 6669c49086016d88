//! Who asks for an operation, and what its decision leaves behind.

use comanda_domain::Timestamp;
use comanda_domain::actor::ActorKind;
use comanda_domain::audit::AuditEntry;
use comanda_domain::event::Event;
use comanda_domain::ids::{BranchId, EventId, TenantId};
use uuid::Uuid;

use super::record::Recorder;
use crate::api_keys::NonceClaim;
use crate::audit::{self, Caller};
use crate::clock::Ids;
use crate::events::bus::Signal;
use crate::idempotency::Idempotency;
use crate::outbox::{self, Ended, Place};
use crate::refusal::Refusal;

/// Who asks for what, and how often they may repeat it.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Whose restaurant.
    pub tenant: TenantId,
    /// Who, for the trace.
    pub caller: Caller,
    /// The request, in the client's words or ours.
    pub request_id: String,
    /// What led to the request.
    pub origin: Origin,
    /// The language that the client reads, if it said so.
    pub language: Option<String>,
    /// Where what it creates will be found: the address without the id.
    pub found_at: &'static str,
    /// Of a signed request: what must not have been used before.
    pub nonce: Option<NonceClaim>,
    /// Makes the operation repeatable.
    pub idempotency: Option<Idempotency>,
}

/// What led to an operation, as its events pass it on.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// `traceparent` of the request, if it had a valid one.
    pub traceparent: Option<String>,
    /// `tracestate` beside it, likewise.
    pub tracestate: Option<String>,
    /// The event that a worker acted on.
    pub event: Option<EventId>,
}

/// What a decision leaves behind.
pub struct Act<'a> {
    /// The time of the operation: one for everything it writes.
    pub now: Timestamp,
    /// Fresh ids.
    pub ids: Ids,
    /// Who asked.
    pub ask: &'a Ask,
    /// The rows.
    pub rows: Recorder,
    /// What is told once, after the commit.
    pub signals: Vec<Signal>,
    pub(super) shards: u32,
    /// Why nothing of this may be written, whatever else was decided.
    pub(super) veto: Option<Refusal>,
}

impl Act<'_> {
    /// Stages the events of the operation, in their order. If one of them cannot be written, the whole operation is
    /// refused at its end.
    pub fn announce(&mut self, place: &Place<'_>, events: &[Event]) {
        for event in events {
            match outbox::stage(self.ask, place, event, self.now, self.shards, &mut self.ids) {
                Ok(row) => self.rows.insert(&row),
                Err(refusal) => self.veto = Some(refusal),
            }
        }
    }

    /// How many event shards there are.
    pub(crate) fn shards(&self) -> u32 {
        self.shards
    }

    /// Tells the other processes that a credential has ended.
    pub fn end(&mut self, what: Ended) {
        let row = outbox::ended(self.ask, what, self.now, self.shards, &mut self.ids);
        self.rows.insert(&row);
    }

    /// Stages the audit entry of the operation.
    pub fn trace(&mut self, branch: Option<BranchId>, entry: &AuditEntry) {
        let row = audit::stage(self.ask, branch, entry, self.now, &mut self.ids);
        self.rows.insert(&row);
    }

    /// Like [`Self::trace`], where only the facts tell which member of staff acts.
    pub fn trace_by(&mut self, user: Uuid, branch: Option<BranchId>, entry: &AuditEntry) {
        let caller = Caller {
            kind: ActorKind::User,
            id: Some(user),
            ..self.ask.caller.clone()
        };
        let ask = Ask {
            caller,
            ..self.ask.clone()
        };
        let row = audit::stage(&ask, branch, entry, self.now, &mut self.ids);
        self.rows.insert(&row);
    }
}
