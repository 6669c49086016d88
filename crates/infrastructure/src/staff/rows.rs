//! Columns of tenants, people, their roles and their logins.

use chrono::{DateTime, NaiveDate, Utc};
use comanda_domain::Timestamp;
use uuid::Uuid;

use crate::db::{bytes_as_hex, optional_bytes_as_hex, row};

row! {
    /// Finds a tenant by its name in addresses.
    TenantDirectoryRow = tenant_directory, key (slug) {
        slug: String,
        tenant_id: Uuid,
        created_at: DateTime<Utc>,
    }
}

row! {
    /// A restaurant business.
    TenantRow = tenant, key (tenant_id), guard "t.version < r.version" {
        tenant_id: Uuid,
        created_at: DateTime<Utc>,
        name: String,
        default_locale: String,
        allowed_origins: Vec<String>,
        status: String,
        sandbox: bool,
        version: i64,
    }
}

impl TenantRow {
    /// Whether the operator has not suspended it.
    pub(crate) fn is_active(&self) -> bool {
        self.status == ACTIVE
    }
}

/// The status of a tenant whose credentials are accepted.
pub(crate) const ACTIVE: &str = "active";

row! {
    /// A member of staff.
    UserRow = app_user, key (tenant_id, id), guard "t.version < r.version" {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        email: String,
        name: String,
        password_verifier: String,
        is_owner: bool,
        token_epoch: i32,
        disabled_at: Option<DateTime<Utc>>,
        last_login_at: Option<DateTime<Utc>>,
        deleted_at: Option<DateTime<Utc>>,
        version: i64,
    }
}

impl UserRow {
    /// Whether the person may log in at all.
    pub(crate) fn is_enabled(&self) -> bool {
        self.disabled_at.is_none() && self.deleted_at.is_none()
    }

    /// As it is after one more change.
    #[must_use]
    pub(crate) fn changed(&self) -> Self {
        Self {
            version: self.version.saturating_add(1),
            ..self.clone()
        }
    }

    /// With every access token that was ever issued made useless.
    #[must_use]
    pub(crate) fn cut_off(&self) -> Self {
        Self {
            token_epoch: self.token_epoch.saturating_add(1),
            ..self.changed()
        }
    }
}

row! {
    /// One role of one person in one branch.
    GrantRow = staff_grant, key (tenant_id, id) {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        branch_id: Uuid,
        user_id: Uuid,
        role: String,
        deleted_at: Option<DateTime<Utc>>,
    }
}

row! {
    /// Who serves which sector on a day.
    SectorAssignmentRow = sector_assignment, key (tenant_id, id) {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        branch_id: Uuid,
        sector_id: Uuid,
        user_id: Uuid,
        business_date: NaiveDate,
        shift: String,
        deleted_at: Option<DateTime<Utc>>,
    }
}

row! {
    /// One login. An ended one never changes again, and nothing goes back to an older token.
    FamilyRow = refresh_family, key (tenant_id, id), guard "t.generation <= r.generation AND t.revoked_at IS NULL" {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        user_id: Uuid,
        #[serde(serialize_with = "bytes_as_hex")]
        token_hash: Vec<u8>,
        #[serde(serialize_with = "optional_bytes_as_hex")]
        previous_hash: Option<Vec<u8>>,
        rotated_at: Option<DateTime<Utc>>,
        generation: i32,
        expires_at: DateTime<Utc>,
        revoked_at: Option<DateTime<Utc>>,
    }
}

impl FamilyRow {
    /// Whether the login still goes on.
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at > now
    }

    /// As it is once it has ended.
    #[must_use]
    pub(crate) fn ended(&self, now: Timestamp) -> Self {
        Self {
            revoked_at: Some(now),
            ..self.clone()
        }
    }
}
