use comanda_domain::Timestamp;
use comanda_domain::ids::{ApiKeyId, BranchId, UserId};
use comanda_security::policy::ApiKeyPrincipal;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use utoipa::ToSchema;

use super::{BranchRef, time};
use crate::api_keys::rows::ApiKeyRow;
use crate::sessions::rows::BranchRow;

/// A key of an integration, to the owner. Nothing of its secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ApiKeyView {
    /// Its id.
    pub id: String,
    /// The part of the key that may be shown; it stands in every key.
    #[schema(example = "041061050r3gg28a")]
    pub key_id: String,
    /// What its owner calls it.
    pub name: String,
    /// `live`, or `test` in a sandbox.
    pub environment: String,
    /// What it may.
    pub scopes: Vec<String>,
    /// Where it acts.
    pub branch_ids: Vec<String>,
    /// `active`, `expired` or `revoked`.
    pub state: String,
    /// Whether it signs its requests, and is never sent.
    pub requires_signature: bool,
    /// From where it may be used; null is anywhere.
    pub ip_allow: Option<Vec<String>>,
    /// When it was made.
    pub created_at: String,
    /// When it ends; null is never.
    pub expires_at: Option<String>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<String>,
    /// Until when the secret before this one works; null if there is none.
    pub previous_valid_until: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<String>,
    /// By whom.
    pub revoked_by: Option<String>,
    /// Rises with each change.
    pub version: i64,
}

/// A key just made. It holds the secret and has no `Debug`.
#[derive(Clone, Serialize, ToSchema)]
pub struct IssuedKeyView {
    /// The key as lists show it.
    #[serde(flatten)]
    pub key: ApiKeyView,
    /// The whole key, in this answer and never again.
    pub secret: String,
    /// What signs its requests, in this answer and never again; only if it signs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signing_secret: Option<String>,
}

/// A key, to itself.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OwnKeyView {
    /// Its id.
    pub id: String,
    /// The part of it that may be shown.
    pub key_id: String,
    /// What its owner calls it.
    pub name: String,
    /// The restaurant business.
    pub tenant_id: String,
    /// What it may.
    pub scopes: Vec<String>,
    /// Where it acts.
    pub branch_ids: Vec<String>,
}

pub(crate) fn api_key(row: &ApiKeyRow, branches: &[BranchId], now: Timestamp) -> ApiKeyView {
    let state = match (row.revoked_at, row.expires_at) {
        (Some(_), _) => "revoked",
        (None, Some(end)) if end <= now => "expired",
        _ => "active",
    };
    ApiKeyView {
        id: ApiKeyId(row.id).to_string(),
        key_id: row.key_id.clone(),
        name: row.name.clone(),
        environment: row.environment.clone(),
        scopes: row.scopes.clone(),
        branch_ids: branches.iter().map(ToString::to_string).collect(),
        state: state.to_owned(),
        requires_signature: row.requires_signature,
        ip_allow: row.ip_allow.clone(),
        created_at: time(row.created_at),
        expires_at: row.expires_at.map(time),
        last_used_at: row.last_used_at.map(time),
        previous_valid_until: row.previous_valid_until.filter(|end| *end > now).map(time),
        revoked_at: row.revoked_at.map(time),
        revoked_by: row.revoked_by.map(|id| UserId(id).to_string()),
        version: row.version,
    }
}

/// A key with the secrets that only its maker is shown.
pub(crate) fn issued_key(
    row: &ApiKeyRow,
    branches: &[BranchId],
    now: Timestamp,
    key: &SecretString,
    signing: Option<&SecretString>,
) -> IssuedKeyView {
    IssuedKeyView {
        key: api_key(row, branches, now),
        secret: key.expose_secret().to_owned(),
        signing_secret: signing.map(|secret| secret.expose_secret().to_owned()),
    }
}

pub(crate) fn own_key(key: &ApiKeyPrincipal) -> OwnKeyView {
    OwnKeyView {
        id: key.id.to_string(),
        key_id: key.key_id.to_string(),
        name: key.name.clone(),
        tenant_id: key.tenant.to_string(),
        scopes: key.scopes.iter().map(ToString::to_string).collect(),
        branch_ids: key.branches.iter().map(ToString::to_string).collect(),
    }
}

pub(crate) fn branch_ref(row: &BranchRow) -> BranchRef {
    BranchRef {
        id: BranchId(row.id).to_string(),
        name: row.name.clone(),
        currency: row.currency.clone(),
        timezone: row.timezone.clone(),
    }
}
