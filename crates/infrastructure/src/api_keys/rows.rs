//! Columns of keys.

use chrono::{DateTime, Utc};
use comanda_domain::ids::BranchId;
use comanda_security::api_key::{KeyEnvironment, KeyId, PreviousMac, StoredApiKey, StoredMac, parse_network};
use comanda_security::policy::Scope;
use uuid::Uuid;

use crate::db::{DbError, bytes_as_hex, optional_bytes_as_hex, row};
use crate::stored::named;

row! {
    /// A key of an integration.
    ApiKeyRow = api_key, key (tenant_id, id), guard "t.version < r.version" {
        tenant_id: Uuid,
        id: Uuid,
        name: String,
        key_id: String,
        environment: String,
        #[serde(serialize_with = "bytes_as_hex")]
        secret_mac: Vec<u8>,
        pepper_id: String,
        #[serde(serialize_with = "optional_bytes_as_hex")]
        previous_mac: Option<Vec<u8>>,
        previous_pepper_id: Option<String>,
        previous_valid_until: Option<DateTime<Utc>>,
        #[serde(serialize_with = "optional_bytes_as_hex")]
        sealed_signing_secret: Option<Vec<u8>>,
        #[serde(serialize_with = "optional_bytes_as_hex")]
        previous_sealed_signing_secret: Option<Vec<u8>>,
        scopes: Vec<String>,
        ip_allow: Option<Vec<String>>,
        requires_signature: bool,
        expires_at: Option<DateTime<Utc>>,
        last_used_at: Option<DateTime<Utc>>,
        revoked_at: Option<DateTime<Utc>>,
        revoked_by: Option<Uuid>,
        version: i64,
        created_at: DateTime<Utc>,
        deleted_at: Option<DateTime<Utc>>,
    }
}

row! {
    /// A branch that a key acts in.
    ApiKeyBranchRow = api_key_branch, key (tenant_id, api_key_id, branch_id) {
        tenant_id: Uuid,
        api_key_id: Uuid,
        branch_id: Uuid,
        created_at: DateTime<Utc>,
    }
}

impl ApiKeyRow {
    /// As the judge of keys wants it, with the branches that it acts in.
    pub(crate) fn into_stored(self, branches: Vec<BranchId>) -> Result<StoredApiKey, DbError> {
        let corrupt = |what: &str| DbError::Corrupt(format!("{what} of the key {}", self.key_id));
        let networks = |list: &Vec<String>| {
            let parsed = list.iter().map(|text| parse_network(text));
            parsed.collect::<Result<_, _>>().map_err(|_| corrupt("a network"))
        };
        let previous = match (
            self.previous_mac,
            self.previous_pepper_id,
            self.previous_valid_until,
        ) {
            (Some(mac), Some(pepper_id), Some(valid_until)) => Some(PreviousMac {
                mac: StoredMac { pepper_id, mac },
                valid_until,
            }),
            _ => None,
        };
        Ok(StoredApiKey {
            tenant: self.tenant_id.into(),
            id: self.id.into(),
            key_id: KeyId::parse(&self.key_id).map_err(|_| corrupt("the id"))?,
            ip_allow: self.ip_allow.as_ref().map(networks).transpose()?,
            name: self.name,
            environment: named(&self.environment, KeyEnvironment::parse)?,
            current: StoredMac {
                pepper_id: self.pepper_id,
                mac: self.secret_mac,
            },
            previous,
            branches,
            scopes: self
                .scopes
                .iter()
                .map(|scope| named(scope, Scope::parse))
                .collect::<Result<_, _>>()?,
            requires_signature: self.requires_signature,
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
        })
    }
}
