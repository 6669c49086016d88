//! Queries over people and their logins.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use comanda_domain::actor::{Role, Roles};
use comanda_domain::ids::{BranchId, FamilyId, TenantId, UserId};
use comanda_security::policy::StaffPrincipal;
use diesel::sql_types::Uuid as SqlUuid;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, SelectableHelper,
};
use diesel_async::RunQueryDsl;
use futures_util::try_join;
use uuid::Uuid;

use super::rows::{FamilyRow, TenantRow, UserRow};
use crate::db::{Conn, DbError};
use crate::schema::{app_user, branch, refresh_family, staff_grant, tenant, tenant_directory};
use crate::stored::named;

#[diesel::declare_sql_function]
extern "SQL" {
    /// The tenant of a login, found before any tenant is set.
    fn comanda_refresh_family(family: SqlUuid) -> SqlUuid;
}

/// A role in a branch, with the branch's name.
#[derive(Debug, Clone)]
pub(crate) struct Granted {
    pub(crate) branch: BranchId,
    pub(crate) branch_name: String,
    pub(crate) role: Role,
}

/// A member of staff with everything that a login depends on.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) tenant: TenantRow,
    pub(crate) user: UserRow,
    /// Live grants in live branches, by branch name and role.
    pub(crate) grants: Vec<Granted>,
}

impl Person {
    /// Who asks with a token of this login.
    pub(crate) fn principal(&self, family: FamilyId) -> StaffPrincipal {
        let mut grants: BTreeMap<BranchId, Roles> = BTreeMap::new();
        for grant in &self.grants {
            let roles = grants.entry(grant.branch).or_default();
            *roles = roles.with(grant.role);
        }
        StaffPrincipal {
            tenant: self.tenant.tenant_id.into(),
            user: self.user.id.into(),
            family,
            epoch: self.user.token_epoch,
            owner: self.user.is_owner,
            grants: grants.into_iter().collect(),
        }
    }

    /// Whether there is anything that the person may do.
    pub(crate) fn has_rights(&self) -> bool {
        self.user.is_owner || !self.grants.is_empty()
    }
}

/// The tenant of this name. Needs no tenant to be set.
pub(crate) async fn tenant_of_slug(conn: Conn<'_>, slug: &str) -> Result<Option<TenantId>, DbError> {
    let found = tenant_directory::table
        .filter(tenant_directory::slug.eq(slug))
        .select(tenant_directory::tenant_id)
        .first::<Uuid>(&mut &*conn)
        .await
        .optional()?;
    Ok(found.map(TenantId))
}

/// Every tenant. Needs no tenant to be set.
pub(crate) async fn tenants(conn: Conn<'_>) -> Result<Vec<TenantId>, DbError> {
    let found = tenant_directory::table
        .order(tenant_directory::tenant_id)
        .select(tenant_directory::tenant_id)
        .load::<Uuid>(&mut &*conn)
        .await?;
    Ok(found.into_iter().map(TenantId).collect())
}

/// The tenant of a login. Needs no tenant to be set.
pub(crate) async fn tenant_of_family(conn: Conn<'_>, family: FamilyId) -> Result<Option<TenantId>, DbError> {
    // The function gives a set, which is empty for a login that nobody has.
    let found = diesel::select(comanda_refresh_family(family.0))
        .get_result::<Uuid>(&mut &*conn)
        .await
        .optional()?;
    Ok(found.map(TenantId))
}

/// The person who may log in with this address.
pub(crate) async fn user_of_email(
    conn: Conn<'_>,
    tenant: TenantId,
    email: &str,
) -> Result<Option<UserRow>, DbError> {
    let found = app_user::table
        .filter(app_user::tenant_id.eq(tenant.0))
        .filter(app_user::email.eq(email))
        .filter(app_user::deleted_at.is_null())
        .filter(app_user::disabled_at.is_null())
        .select(UserRow::as_select())
        .first(&mut &*conn)
        .await
        .optional()?;
    Ok(found)
}

/// A person, whatever has become of them.
pub(crate) async fn person(
    conn: Conn<'_>,
    tenant_id: TenantId,
    id: UserId,
) -> Result<Option<Person>, DbError> {
    let (mut a, mut b) = (conn, conn);
    let who = async {
        app_user::table
            .inner_join(tenant::table.on(tenant::tenant_id.eq(app_user::tenant_id)))
            .filter(app_user::tenant_id.eq(tenant_id.0))
            .filter(app_user::id.eq(id.0))
            .select((TenantRow::as_select(), UserRow::as_select()))
            .first::<(TenantRow, UserRow)>(&mut a)
            .await
            .optional()
    };
    let granted = staff_grant::table
        .inner_join(
            branch::table.on(branch::tenant_id
                .eq(staff_grant::tenant_id)
                .and(branch::id.eq(staff_grant::branch_id))),
        )
        .filter(staff_grant::tenant_id.eq(tenant_id.0))
        .filter(staff_grant::user_id.eq(id.0))
        .filter(staff_grant::deleted_at.is_null())
        .filter(branch::deleted_at.is_null())
        .order((branch::name, staff_grant::role, staff_grant::id))
        .select((branch::id, branch::name, staff_grant::role))
        .load::<(Uuid, String, String)>(&mut b);
    let (who, granted) = try_join!(who, granted)?;
    let Some((tenant, user)) = who else {
        return Ok(None);
    };
    let grants = granted
        .into_iter()
        .map(|(branch, branch_name, role)| {
            Ok(Granted {
                branch: branch.into(),
                branch_name,
                role: named(&role, Role::parse)?,
            })
        })
        .collect::<Result<_, DbError>>()?;
    Ok(Some(Person { tenant, user, grants }))
}

/// A login.
pub(crate) async fn family(
    conn: Conn<'_>,
    tenant: TenantId,
    id: FamilyId,
) -> Result<Option<FamilyRow>, DbError> {
    let found = refresh_family::table
        .filter(refresh_family::tenant_id.eq(tenant.0))
        .filter(refresh_family::id.eq(id.0))
        .select(FamilyRow::as_select())
        .first(&mut &*conn)
        .await
        .optional()?;
    Ok(found)
}

/// The logins of a person that have not been ended.
pub(crate) async fn families(
    conn: Conn<'_>,
    tenant: TenantId,
    user: UserId,
) -> Result<Vec<FamilyRow>, DbError> {
    let found = refresh_family::table
        .filter(refresh_family::tenant_id.eq(tenant.0))
        .filter(refresh_family::user_id.eq(user.0))
        .filter(refresh_family::revoked_at.is_null())
        .order(refresh_family::id)
        .select(FamilyRow::as_select())
        .load(&mut &*conn)
        .await?;
    Ok(found)
}

/// How a login stands now: the person's token epoch, whether both still count, and the tenant's status.
pub(crate) type Now = (
    i32,
    Option<DateTime<Utc>>,
    Option<DateTime<Utc>>,
    Option<DateTime<Utc>>,
    DateTime<Utc>,
    String,
);

/// How a login stands now, in one query.
pub(crate) async fn standing(conn: Conn<'_>, tenant: TenantId, id: FamilyId) -> Result<Option<Now>, DbError> {
    let found = refresh_family::table
        .inner_join(
            app_user::table.on(app_user::tenant_id
                .eq(refresh_family::tenant_id)
                .and(app_user::id.eq(refresh_family::user_id))),
        )
        .inner_join(tenant::table.on(tenant::tenant_id.eq(refresh_family::tenant_id)))
        .filter(refresh_family::tenant_id.eq(tenant.0))
        .filter(refresh_family::id.eq(id.0))
        .select((
            app_user::token_epoch,
            app_user::disabled_at,
            app_user::deleted_at,
            refresh_family::revoked_at,
            refresh_family::expires_at,
            tenant::status,
        ))
        .first::<Now>(&mut &*conn)
        .await
        .optional()?;
    Ok(found)
}
