//! A letter, as it is stored and as it is shown.

use chrono::{DateTime, Utc};
use comanda_domain::Timestamp;
use comanda_domain::dead_letter::{ErrorClass, LetterFacts, LetterState, Source};
use comanda_domain::ids::{DeadLetterId, TenantId};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::db::{DbError, row};
use crate::stored::named;

row! {
    /// A letter as it is stored.
    #[derive(diesel::QueryableByName)]
    LetterRow = dead_letter, key (tenant_id, id), guard "t.fence < r.fence" {
        tenant_id: Uuid,
        id: Uuid,
        source: String,
        source_id: String,
        event_type: Option<String>,
        payload: Value,
        error_class: String,
        error_code: String,
        error_text: String,
        attempts: i32,
        redrives: i32,
        first_failed_at: DateTime<Utc>,
        last_failed_at: DateTime<Utc>,
        next_attempt_at: Option<DateTime<Utc>>,
        state: String,
        lease_owner: Option<String>,
        lease_until: Option<DateTime<Utc>>,
        fence: i64,
        trace_id: Option<String>,
        resolved_by: Option<String>,
        resolved_at: Option<DateTime<Utc>>,
        note: Option<String>,
        created_at: DateTime<Utc>,
    }
}

/// What a worker gave up on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Letter {
    /// Unique.
    pub id: DeadLetterId,
    /// Whose.
    pub tenant_id: TenantId,
    /// Whose work it was.
    pub source: Source,
    /// What it was about, there. Unique in the tenant and source.
    pub source_id: String,
    /// The type of the event, if it was one.
    pub event_type: Option<String>,
    /// Where it stands.
    pub state: LetterState,
    /// What the last error says about trying again.
    pub error_class: ErrorClass,
    /// The last error, for programs.
    pub error_code: String,
    /// The last error, for people.
    pub error_text: String,
    /// How often the work was tried, before and after it was given up.
    pub attempts: i32,
    /// How often it was tried since.
    pub redrives: i32,
    /// When the work first failed.
    pub first_failed_at: Timestamp,
    /// When it last failed.
    pub last_failed_at: Timestamp,
    /// When it is due; nothing waits for a person.
    pub next_attempt_at: Option<Timestamp>,
    /// Who tries it now.
    pub lease_owner: Option<String>,
    /// Until when nobody else does.
    pub lease_until: Option<Timestamp>,
    /// The trace of what caused the work.
    pub trace_id: Option<String>,
    /// Who ended it.
    pub resolved_by: Option<String>,
    /// When.
    pub resolved_at: Option<Timestamp>,
    /// What that person said.
    pub note: Option<String>,
    /// Everything that doing the work takes. Left out of lists.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub payload: Value,
    /// Rises with every claim: whoever holds an older one has lost the letter.
    #[serde(skip)]
    pub fence: i64,
}

impl Letter {
    /// What the decision needs.
    pub fn facts(&self) -> LetterFacts {
        let due = match self.state {
            LetterState::Retrying => self.lease_until,
            _ => self.next_attempt_at,
        };
        LetterFacts {
            state: self.state,
            class: self.error_class,
            redrives: self.redrives_made(),
            next_attempt_at: due,
        }
    }

    /// The redrives as a count; the database refuses negative ones.
    pub(super) fn redrives_made(&self) -> u32 {
        u32::try_from(self.redrives).unwrap_or(0)
    }
}

impl TryFrom<LetterRow> for Letter {
    type Error = DbError;

    fn try_from(row: LetterRow) -> Result<Self, DbError> {
        Ok(Self {
            id: row.id.into(),
            tenant_id: row.tenant_id.into(),
            source: named(&row.source, Source::parse)?,
            source_id: row.source_id,
            event_type: row.event_type,
            state: named(&row.state, LetterState::parse)?,
            error_class: named(&row.error_class, ErrorClass::parse)?,
            error_code: row.error_code,
            error_text: row.error_text,
            attempts: row.attempts,
            redrives: row.redrives,
            first_failed_at: row.first_failed_at,
            last_failed_at: row.last_failed_at,
            next_attempt_at: row.next_attempt_at,
            lease_owner: row.lease_owner,
            lease_until: row.lease_until,
            trace_id: row.trace_id,
            resolved_by: row.resolved_by,
            resolved_at: row.resolved_at,
            note: row.note,
            payload: row.payload,
            fence: row.fence,
        })
    }
}
