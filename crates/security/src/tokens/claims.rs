//! What the tokens say.

use chrono::serde::ts_seconds;
use chrono::{SubsecRound, TimeDelta};
use comanda_domain::Timestamp;
use comanda_domain::actor::Role;
use comanda_domain::ids::{BranchId, DinerId, FamilyId, SessionId, TenantId, UserId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::policy::{DinerPrincipal, StaffPrincipal, TablePrincipal};

/// How long a staff access token lives.
pub const STAFF_LIFETIME: TimeDelta = TimeDelta::minutes(15);
/// How long a table token lives.
pub const TABLE_LIFETIME: TimeDelta = TimeDelta::minutes(30);
/// How long a diner token lives at most; the end of the session ends it earlier.
pub const DINER_LIFETIME: TimeDelta = TimeDelta::hours(12);
/// The roles of a user in one branch, as a token carries them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GrantClaim {
    /// The branch.
    #[serde(rename = "b")]
    pub branch: BranchId,
    /// The roles held there.
    #[serde(rename = "r")]
    pub roles: Vec<Role>,
}

/// What a staff access token says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StaffClaims {
    /// Who.
    #[serde(rename = "sub")]
    pub user: UserId,
    /// Of which tenant.
    #[serde(rename = "tid")]
    pub tenant: TenantId,
    /// The login.
    #[serde(rename = "fam")]
    pub family: FamilyId,
    /// The user's token epoch at the time; a raised one makes this token useless.
    #[serde(rename = "ep")]
    pub epoch: i32,
    /// Whether the user is an owner.
    #[serde(rename = "own")]
    pub owner: bool,
    /// The live grants.
    pub grants: Vec<GrantClaim>,
    /// When it was issued, to the second.
    #[serde(rename = "iat", with = "ts_seconds")]
    pub issued_at: Timestamp,
    /// When it ends.
    #[serde(rename = "exp", with = "ts_seconds")]
    pub expires_at: Timestamp,
    /// Its own id.
    #[serde(rename = "jti")]
    pub token_id: Uuid,
}

/// What a table token says. The table is not in it: it is found through the session.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TableClaims {
    /// Of which tenant.
    #[serde(rename = "tid")]
    pub tenant: TenantId,
    /// The branch of the session.
    pub branch: BranchId,
    /// The session.
    pub session: SessionId,
    /// The session's seating at the time; a raised one makes this token useless.
    pub seating: i32,
    /// When it was issued, to the second.
    #[serde(rename = "iat", with = "ts_seconds")]
    pub issued_at: Timestamp,
    /// When it ends.
    #[serde(rename = "exp", with = "ts_seconds")]
    pub expires_at: Timestamp,
    /// Its own id.
    #[serde(rename = "jti")]
    pub token_id: Uuid,
}

/// What a diner token says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DinerClaims {
    /// Of which tenant.
    #[serde(rename = "tid")]
    pub tenant: TenantId,
    /// The branch of the session.
    pub branch: BranchId,
    /// The session.
    pub session: SessionId,
    /// The session's seating at the time; a raised one makes this token useless.
    pub seating: i32,
    /// Who.
    pub diner: DinerId,
    /// When it was issued, to the second.
    #[serde(rename = "iat", with = "ts_seconds")]
    pub issued_at: Timestamp,
    /// When it ends.
    #[serde(rename = "exp", with = "ts_seconds")]
    pub expires_at: Timestamp,
    /// Its own id.
    #[serde(rename = "jti")]
    pub token_id: Uuid,
}

/// Claims that a token can be issued for.
pub trait Claims: Serialize + DeserializeOwned {
    /// Whom the token is for.
    const AUDIENCE: &'static str;
}

impl Claims for StaffClaims {
    const AUDIENCE: &'static str = "comanda:staff";
}

impl Claims for TableClaims {
    const AUDIENCE: &'static str = "comanda:table";
}

impl Claims for DinerClaims {
    const AUDIENCE: &'static str = "comanda:diner";
}

impl StaffClaims {
    /// The claims of a token for this user that begins now.
    pub fn new(principal: &StaffPrincipal, now: Timestamp, token_id: Uuid) -> Self {
        let issued_at = now.trunc_subsecs(0);
        let grants = principal.grants.iter().map(|(branch, roles)| GrantClaim {
            branch: *branch,
            roles: Role::ALL
                .iter()
                .copied()
                .filter(|role| roles.has(*role))
                .collect(),
        });
        Self {
            user: principal.user,
            tenant: principal.tenant,
            family: principal.family,
            epoch: principal.epoch,
            owner: principal.owner,
            grants: grants.collect(),
            issued_at,
            expires_at: after(issued_at, STAFF_LIFETIME),
            token_id,
        }
    }

    /// Who asks with this token.
    pub fn principal(&self) -> StaffPrincipal {
        StaffPrincipal {
            tenant: self.tenant,
            user: self.user,
            family: self.family,
            epoch: self.epoch,
            owner: self.owner,
            grants: self
                .grants
                .iter()
                .map(|grant| (grant.branch, grant.roles.iter().copied().collect()))
                .collect(),
        }
    }
}

impl TableClaims {
    /// The claims of a token for this table visit that begins now.
    pub fn new(principal: &TablePrincipal, now: Timestamp, token_id: Uuid) -> Self {
        let issued_at = now.trunc_subsecs(0);
        Self {
            tenant: principal.tenant,
            branch: principal.branch,
            session: principal.session,
            seating: principal.seating,
            issued_at,
            expires_at: after(issued_at, TABLE_LIFETIME),
            token_id,
        }
    }

    /// Who asks with this token.
    pub fn principal(&self) -> TablePrincipal {
        TablePrincipal {
            tenant: self.tenant,
            branch: self.branch,
            session: self.session,
            seating: self.seating,
        }
    }
}

impl DinerClaims {
    /// The claims of a token for this diner that begins now.
    pub fn new(principal: &DinerPrincipal, now: Timestamp, token_id: Uuid) -> Self {
        let issued_at = now.trunc_subsecs(0);
        Self {
            tenant: principal.tenant,
            branch: principal.branch,
            session: principal.session,
            seating: principal.seating,
            diner: principal.diner,
            issued_at,
            expires_at: after(issued_at, DINER_LIFETIME),
            token_id,
        }
    }

    /// Who asks with this token.
    pub fn principal(&self) -> DinerPrincipal {
        DinerPrincipal {
            tenant: self.tenant,
            branch: self.branch,
            session: self.session,
            seating: self.seating,
            diner: self.diner,
        }
    }
}

pub(super) fn after(start: Timestamp, lifetime: TimeDelta) -> Timestamp {
    start.checked_add_signed(lifetime).unwrap_or(Timestamp::MAX_UTC)
}
