//! Columns of diners and devices.

use chrono::{DateTime, Utc};
use comanda_domain::diner::{Device, Diner, Preferences};
use comanda_domain::ids::TenantId;
use serde_json::Value;
use uuid::Uuid;

use crate::db::{DbError, bytes_as_hex, row};
use crate::stored::json;

row! {
    /// A guest.
    DinerRow = diner, key (tenant_id, id), guard "t.version < r.version" {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        branch_id: Uuid,
        session_id: Uuid,
        name: String,
        color: String,
        client_ref: Option<String>,
        device_id: Option<Uuid>,
        registered_by_user_id: Option<Uuid>,
        preferences: Value,
        version: i64,
    }
}

impl DinerRow {
    pub(crate) fn of(tenant: TenantId, diner: &Diner) -> Self {
        Self {
            tenant_id: tenant.0,
            id: diner.id.0,
            created_at: diner.joined_at,
            branch_id: diner.branch_id.0,
            session_id: diner.session_id.0,
            name: diner.name.clone(),
            color: diner.color.clone(),
            client_ref: diner.client_ref.clone(),
            device_id: diner.device_id.map(Uuid::from),
            registered_by_user_id: diner.registered_by_user_id.map(Uuid::from),
            preferences: json(&diner.preferences),
            version: diner.version,
        }
    }

    pub(crate) fn into_domain(self) -> Result<Diner, DbError> {
        Ok(Diner {
            id: self.id.into(),
            branch_id: self.branch_id.into(),
            session_id: self.session_id.into(),
            name: self.name,
            color: self.color,
            client_ref: self.client_ref,
            device_id: self.device_id.map(Into::into),
            registered_by_user_id: self.registered_by_user_id.map(Into::into),
            preferences: preferences(self.preferences)?,
            joined_at: self.created_at,
            version: self.version,
        })
    }
}

fn preferences(value: Value) -> Result<Preferences, DbError> {
    serde_json::from_value(value).map_err(|error| DbError::Corrupt(error.to_string()))
}

row! {
    /// A remembered phone.
    DeviceRow = device, key (tenant_id, id) {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        #[serde(serialize_with = "bytes_as_hex")]
        token_hash: Vec<u8>,
        preferences: Value,
        last_seen_at: DateTime<Utc>,
        forgotten_at: Option<DateTime<Utc>>,
    }
}

impl DeviceRow {
    pub(crate) fn of(tenant: TenantId, device: &Device, token_hash: &[u8], now: DateTime<Utc>) -> Self {
        Self {
            tenant_id: tenant.0,
            id: device.id.0,
            created_at: now,
            token_hash: token_hash.to_vec(),
            preferences: json(&device.preferences),
            last_seen_at: device.last_seen_at,
            forgotten_at: device.forgotten_at,
        }
    }

    pub(crate) fn to_domain(&self) -> Result<Device, DbError> {
        Ok(Device {
            id: self.id.into(),
            preferences: preferences(self.preferences.clone())?,
            last_seen_at: self.last_seen_at,
            forgotten_at: self.forgotten_at,
        })
    }
}
