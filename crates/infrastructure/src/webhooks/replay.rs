//! Sending a range again: what was delivered or given up is put back, what is missing is added, with the same ids.

use std::collections::BTreeSet;

use comanda_domain::audit::AuditEntry;
use comanda_domain::dead_letter::Source;
use comanda_domain::event::{EventName, TypeFilters};
use comanda_domain::ids::{BranchId, DeliveryId, WebhookId};
use comanda_security::policy::{Action, ApiKeyPrincipal};
use uuid::Uuid;

use super::body::Frame;
use super::retry::by;
use super::rows::DeliveryRow;
use super::store::{Endpoint, Range};
use super::{WebhookService, allowed, store};
use crate::db::{Act, Ask, Conn, Locks};
use crate::dead_letters::{LetterRow, letters_of, resolved};
use crate::events::LoggedEvent;
use crate::idempotency::Stored;
use crate::refusal::Refusal;
use crate::views::ReplayView;

/// Events of one replay.
const MOST: usize = 5_000;

/// What is to be sent again.
#[derive(Debug, Clone)]
pub struct Replay {
    /// Of which branch.
    pub branch: BranchId,
    /// Behind this number.
    pub after: i64,
    /// Before this number; to the end if it is not given.
    pub before: Option<i64>,
    /// Only these types, of those that the receiver wants.
    pub event_types: TypeFilters,
    /// Only count.
    pub dry_run: bool,
}

struct Facts {
    endpoint: Endpoint,
    there: Vec<DeliveryRow>,
    events: Vec<LoggedEvent>,
    epoch: String,
    letters: Vec<LetterRow>,
}

impl WebhookService {
    /// Puts the deliveries of a range back: 200 with how many.
    ///
    /// # Errors
    /// `scope_missing`, `not_found`; `validation_failed` for a branch that the receiver is not told of, or a range
    /// of more than 5,000 events.
    pub async fn replay(
        &self,
        ask: &Ask,
        who: &ApiKeyPrincipal,
        id: WebhookId,
        replay: &Replay,
    ) -> Result<Stored, Refusal> {
        allowed(who, ask.tenant, &[replay.branch])?;
        self.db
            .write(
                ask,
                Locks::webhook(id),
                async |conn| self.facts(conn, ask, who, id, replay).await,
                |facts, act| self.put_back(facts, act, who, replay),
            )
            .await
    }

    async fn facts(
        &self,
        conn: Conn<'_>,
        ask: &Ask,
        who: &ApiKeyPrincipal,
        id: WebhookId,
        replay: &Replay,
    ) -> Result<Facts, Refusal> {
        let endpoint = store::one(conn, ask.tenant, id).await?;
        let endpoint = endpoint.ok_or(Refusal::NotFound)?;
        allowed(who, ask.tenant, &endpoint.branches)?;
        if !endpoint.branches.contains(&replay.branch) {
            return Err(invalid(
                "/branch_id",
                "not_allowed",
                "not a branch of this webhook",
            ));
        }
        let range = Range {
            branch: replay.branch,
            after: replay.after,
            before: replay.before,
        };
        let limit = i64::try_from(MOST).unwrap_or(i64::MAX).saturating_add(1);
        let there = store::deliveries_of_range(conn, ask.tenant, id, range, limit).await?;
        let (events, epoch) = store::events_of_range(conn, ask.tenant, range, limit).await?;
        if there.len() > MOST || events.len() > MOST {
            let detail = format!("more than {MOST} events; replay them in parts");
            return Err(invalid("/before", "too_large", &detail));
        }
        let ids: Vec<String> = there.iter().map(|row| DeliveryId(row.id).to_string()).collect();
        let letters = letters_of(conn, ask.tenant, Source::Webhook, &ids).await?;
        Ok(Facts {
            endpoint,
            there,
            events,
            epoch,
            letters,
        })
    }

    fn put_back(
        &self,
        facts: Facts,
        act: &mut Act<'_>,
        who: &ApiKeyPrincipal,
        replay: &Replay,
    ) -> Result<Stored, Refusal> {
        let filters = super::worker::filters(&facts.endpoint.row)?;
        let wanted = |event_type: &str| {
            EventName::of_type(event_type)
                .is_some_and(|name| filters.matches(name) && replay.event_types.matches(name))
        };
        let known: BTreeSet<Uuid> = facts.there.iter().map(|row| row.event_id).collect();
        let frame = Frame {
            epoch: &facts.epoch,
            public_url: &self.public_url,
            now: act.now,
        };
        let mut ids = act.ids.clone();
        let missing: Vec<DeliveryRow> = facts
            .events
            .iter()
            .filter(|event| !known.contains(&event.event_id) && wanted(&event.type_))
            .filter_map(|event| frame.delivery(event, &facts.endpoint, &mut ids))
            .collect();
        let again: Vec<DeliveryRow> = facts
            .there
            .into_iter()
            .filter(|row| wanted(&row.event_type))
            .map(|row| row.again(act.now))
            .collect();
        let count = again.len().saturating_add(missing.len());
        if !replay.dry_run {
            let taken: BTreeSet<String> = again.iter().map(|row| DeliveryId(row.id).to_string()).collect();
            act.rows.update_all(&again);
            act.rows.insert_all(&missing);
            for letter in facts.letters {
                if taken.contains(&letter.source_id) {
                    let letter = resolved(letter, by(who), act.now);
                    act.rows.update(&letter);
                }
            }
            let entry = AuditEntry::new(Action::WebhookManage.as_str(), "webhook", facts.endpoint.row.id)
                .set("replayed", i64::try_from(count).unwrap_or(i64::MAX));
            act.trace(Some(replay.branch), &entry);
        }
        let view = ReplayView {
            count: u64::try_from(count).unwrap_or(u64::MAX),
            dry_run: replay.dry_run,
        };
        Stored::new(200, &view)
    }
}

fn invalid(pointer: &str, code: &'static str, detail: &str) -> Refusal {
    Refusal::Invalid {
        pointer: pointer.to_owned(),
        code,
        detail: detail.to_owned(),
    }
}
