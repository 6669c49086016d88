//! Every change of a letter is audited in its transaction, and counted after it.

use comanda_domain::audit::AuditEntry;
use comanda_domain::dead_letter::LetterState;
use comanda_domain::ids::{RequestId, TenantId};

use super::processor::Changed;
use crate::audit::{self, Caller};
use crate::clock::Sources;
use crate::db::{Ask, Conn, DbError, Origin};

/// Who changes letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The processor, by itself.
    Processor,
    /// A person at the command line, by the name that the operating system knows.
    Operator(String),
}

impl Actor {
    /// As a letter remembers who ended it.
    pub(super) fn label(&self) -> String {
        match self {
            Self::Processor => "processor".to_owned(),
            Self::Operator(name) => format!("operator:{name}"),
        }
    }
}

/// One piece of work on letters: who, and what its traces have in common.
pub(super) struct Tracer {
    pub(super) actor: Actor,
    request: RequestId,
    sources: Sources,
}

impl Tracer {
    pub(super) fn new(actor: Actor, sources: &Sources) -> Self {
        Self {
            actor,
            request: crate::db::request_id(&mut sources.ids()),
            sources: sources.clone(),
        }
    }

    /// Stages the entry of a change, in its transaction.
    pub(super) async fn stage(
        &self,
        conn: Conn<'_>,
        Changed { before, after }: &Changed,
        reason: Option<String>,
    ) -> Result<(), DbError> {
        let entry = AuditEntry::new(action(before.state, after.state), "dead_letter", before.id)
            .because(reason)
            .moved("state", before.state.as_str(), after.state.as_str());
        let now = self.sources.now();
        let ask = self.ask(before.tenant_id);
        let mut row = audit::stage(&ask, None, &entry, now, &mut self.sources.ids());
        if let Actor::Operator(name) = &self.actor {
            "operator".clone_into(&mut row.actor_kind);
            row.actor_label = Some(name.clone());
        }
        audit::insert(conn, &row).await
    }

    fn ask(&self, tenant: TenantId) -> Ask {
        Ask {
            tenant,
            caller: Caller::system(),
            request_id: self.request.to_string(),
            origin: Origin::default(),
            language: None,
            found_at: "",
            nonce: None,
            idempotency: None,
        }
    }
}

/// Counts a change that has been committed.
pub(super) fn count(Changed { before, after }: &Changed) {
    metrics::counter!(
        "comanda_dlq_transitions_total",
        "source" => before.source.as_str(), "from" => before.state.as_str(), "to" => after.state.as_str()
    )
    .increment(1);
}

/// What the change is called.
fn action(from: LetterState, to: LetterState) -> &'static str {
    match (from, to) {
        (_, LetterState::Retrying) => "dead_letter.retry",
        (_, LetterState::Resolved) => "dead_letter.resolve",
        (_, LetterState::Archived) => "dead_letter.archive",
        (_, LetterState::Discarded) => "dead_letter.discard",
        (LetterState::Archived, LetterState::Pending) => "dead_letter.reopen",
        (_, LetterState::Pending) => "dead_letter.put_back",
    }
}
