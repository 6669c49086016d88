//! Events that other processes act on and no client ever sees (`events.md` 3.3).

use comanda_domain::Timestamp;
use comanda_domain::event::{InternalName, event_type};
use comanda_domain::ids::{ApiKeyId, EventId, FamilyId, IdSource, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{OutboxRow, attributes, shard};
use crate::clock::Ids;
use crate::db::Ask;

/// What is no longer good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Every access token of a member of staff.
    UserId(UserId),
    /// One login.
    FamilyId(FamilyId),
    /// An API key, or one of its secrets.
    KeyId(ApiKeyId),
    /// Nothing yet: an API key has another secret, and the one before still works.
    RotatedKeyId(ApiKeyId),
}

impl Ended {
    fn name(self) -> InternalName {
        match self {
            Self::UserId(_) => InternalName::AuthEpochChanged,
            Self::FamilyId(_) => InternalName::AuthFamilyRevoked,
            Self::KeyId(_) | Self::RotatedKeyId(_) => InternalName::AuthKeyChanged,
        }
    }

    fn subject(self) -> String {
        match self {
            Self::UserId(id) => id.to_string(),
            Self::FamilyId(id) => id.to_string(),
            Self::KeyId(id) | Self::RotatedKeyId(id) => id.to_string(),
        }
    }
}

/// The row that tells the other processes.
pub(crate) fn ended(ask: &Ask, what: Ended, now: Timestamp, shards: u32, ids: &mut Ids) -> OutboxRow {
    let id: EventId = ids.next();
    OutboxRow {
        tenant_id: ask.tenant.0,
        branch_id: None,
        shard: shard(ask.tenant.0, Uuid::nil(), shards),
        event_id: id.0,
        type_: event_type(what.name()),
        subject: what.subject(),
        session_id: None,
        sector_id: None,
        attributes: Some(attributes(&ask.request_id, &ask.origin)),
        data: json!(what),
        occurred_at: now,
        numbered: false,
    }
}
