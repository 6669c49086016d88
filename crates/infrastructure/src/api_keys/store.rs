//! Queries over keys.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use comanda_domain::Timestamp;
use comanda_domain::ids::{ApiKeyId, BranchId, TenantId};
use comanda_security::api_key::{KeyId, StoredMac};
use diesel::sql_types::{Text, Uuid as SqlUuid};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, SelectableHelper,
};
use diesel_async::RunQueryDsl;
use futures_util::try_join;
use uuid::Uuid;

use super::rows::ApiKeyRow;
use crate::db::{Conn, DbError};
use crate::schema::{api_key, api_key_branch, branch, tenant};

#[diesel::declare_sql_function]
extern "SQL" {
    /// The tenant of a key, found before any tenant is set.
    fn comanda_api_key(shown: Text) -> SqlUuid;
}

/// A key with the branches that it acts in.
pub(super) type Found = (ApiKeyRow, Vec<BranchId>);

/// The tenant of a key. Needs no tenant to be set.
pub(super) async fn tenant_of(conn: Conn<'_>, key_id: &KeyId) -> Result<Option<TenantId>, DbError> {
    // The function gives a set, which is empty for a key that nobody has.
    let found = diesel::select(comanda_api_key(key_id.as_str()))
        .get_result::<Uuid>(&mut &*conn)
        .await
        .optional()?;
    Ok(found.map(TenantId))
}

/// A key as it is presented, and the status of its tenant.
pub(super) async fn presented(
    conn: Conn<'_>,
    tenant_id: TenantId,
    key_id: &KeyId,
) -> Result<Option<(Found, String)>, DbError> {
    let (mut a, mut b) = (conn, conn);
    let key = async {
        api_key::table
            .filter(api_key::tenant_id.eq(tenant_id.0))
            .filter(api_key::key_id.eq(key_id.as_str()))
            .filter(api_key::deleted_at.is_null())
            .select(ApiKeyRow::as_select())
            .first(&mut a)
            .await
            .optional()
    };
    let status = tenant::table
        .filter(tenant::tenant_id.eq(tenant_id.0))
        .select(tenant::status)
        .first::<String>(&mut b);
    let (key, status) = try_join!(key, status)?;
    let Some(row) = key else {
        return Ok(None);
    };
    let mut branches = branches_of(conn, tenant_id, &[row.id]).await?;
    let branches = branches.remove(&row.id).unwrap_or_default();
    Ok(Some(((row, branches), status)))
}

/// One key, revoked or not.
pub(super) async fn one(conn: Conn<'_>, tenant_id: TenantId, id: ApiKeyId) -> Result<Option<Found>, DbError> {
    let row: Option<ApiKeyRow> = api_key::table
        .filter(api_key::tenant_id.eq(tenant_id.0))
        .filter(api_key::id.eq(id.0))
        .filter(api_key::deleted_at.is_null())
        .select(ApiKeyRow::as_select())
        .first(&mut &*conn)
        .await
        .optional()?;
    let Some(row) = row else {
        return Ok(None);
    };
    let mut branches = branches_of(conn, tenant_id, &[row.id]).await?;
    let branches = branches.remove(&row.id).unwrap_or_default();
    Ok(Some((row, branches)))
}

/// Keys, newest first, revoked or not.
pub(super) async fn all(
    conn: Conn<'_>,
    tenant_id: TenantId,
    before: Option<ApiKeyId>,
    limit: i64,
) -> Result<Vec<Found>, DbError> {
    let mut query = api_key::table
        .filter(api_key::tenant_id.eq(tenant_id.0))
        .filter(api_key::deleted_at.is_null())
        .select(ApiKeyRow::as_select())
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(api_key::id.lt(before.0));
    }
    let rows: Vec<ApiKeyRow> = query
        .order(api_key::id.desc())
        .limit(limit)
        .load(&mut &*conn)
        .await?;
    with_branches(conn, tenant_id, rows).await
}

async fn with_branches(
    conn: Conn<'_>,
    tenant_id: TenantId,
    rows: Vec<ApiKeyRow>,
) -> Result<Vec<Found>, DbError> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut branches = branches_of(conn, tenant_id, &ids).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let own = branches.remove(&row.id).unwrap_or_default();
            (row, own)
        })
        .collect())
}

/// The live branches of keys, by key.
async fn branches_of(
    conn: Conn<'_>,
    tenant_id: TenantId,
    keys: &[Uuid],
) -> Result<BTreeMap<Uuid, Vec<BranchId>>, DbError> {
    let found: Vec<(Uuid, Uuid)> = api_key_branch::table
        .inner_join(
            branch::table.on(branch::tenant_id
                .eq(api_key_branch::tenant_id)
                .and(branch::id.eq(api_key_branch::branch_id))),
        )
        .filter(api_key_branch::tenant_id.eq(tenant_id.0))
        .filter(api_key_branch::api_key_id.eq_any(keys))
        .filter(branch::deleted_at.is_null())
        .order((api_key_branch::api_key_id, api_key_branch::branch_id))
        .select((api_key_branch::api_key_id, api_key_branch::branch_id))
        .load(&mut &*conn)
        .await?;
    let mut branches: BTreeMap<Uuid, Vec<BranchId>> = BTreeMap::new();
    for (key, branch) in found {
        branches.entry(key).or_default().push(branch.into());
    }
    Ok(branches)
}

/// Whether the tenant is a sandbox, and which of these branches live.
pub(super) async fn ground(
    conn: Conn<'_>,
    tenant_id: TenantId,
    branches: &[BranchId],
) -> Result<(bool, Vec<BranchId>), DbError> {
    let (mut a, mut b) = (conn, conn);
    let ids: Vec<Uuid> = branches.iter().map(|id| id.0).collect();
    let sandbox = tenant::table
        .filter(tenant::tenant_id.eq(tenant_id.0))
        .select(tenant::sandbox)
        .first::<bool>(&mut a);
    let live = branch::table
        .filter(branch::tenant_id.eq(tenant_id.0))
        .filter(branch::id.eq_any(ids))
        .filter(branch::deleted_at.is_null())
        .select(branch::id)
        .load::<Uuid>(&mut b);
    let (sandbox, live) = try_join!(sandbox, live)?;
    Ok((sandbox, live.into_iter().map(BranchId).collect()))
}

/// Marks the keys that end before `until`, live now, and of which nobody was told; gives them.
pub(super) async fn mark_expiring(
    conn: Conn<'_>,
    tenant_id: TenantId,
    now: Timestamp,
    until: Timestamp,
) -> Result<Vec<Found>, DbError> {
    let rows: Vec<ApiKeyRow> = diesel::update(api_key::table)
        .filter(api_key::tenant_id.eq(tenant_id.0))
        .filter(api_key::deleted_at.is_null())
        .filter(api_key::revoked_at.is_null())
        .filter(api_key::expiring_told_at.is_null())
        .filter(api_key::expires_at.gt(now))
        .filter(api_key::expires_at.le(until))
        .set(api_key::expiring_told_at.eq(now))
        .returning(ApiKeyRow::as_returning())
        .get_results(&mut &*conn)
        .await?;
    with_branches(conn, tenant_id, rows).await
}

/// How exactly the last use of a key is kept.
pub(super) const NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// Keeps when a key was used, unless that was kept within the last minute, and the MAC under the current pepper.
pub(super) async fn used(
    conn: Conn<'_>,
    tenant_id: TenantId,
    id: ApiKeyId,
    now: Timestamp,
    rewrite: Option<(&StoredMac, &StoredMac)>,
) -> Result<(), DbError> {
    let before: DateTime<Utc> = now - NOTED_EVERY;
    diesel::update(api_key::table)
        .filter(api_key::tenant_id.eq(tenant_id.0))
        .filter(api_key::id.eq(id.0))
        .filter(
            api_key::last_used_at
                .is_null()
                .or(api_key::last_used_at.le(before)),
        )
        .set(api_key::last_used_at.eq(now))
        .execute(&mut &*conn)
        .await?;
    if let Some((old, new)) = rewrite {
        diesel::update(api_key::table)
            .filter(api_key::tenant_id.eq(tenant_id.0))
            .filter(api_key::id.eq(id.0))
            // Rotated meanwhile, it is another secret's.
            .filter(api_key::secret_mac.eq(&old.mac))
            .set((
                api_key::secret_mac.eq(&new.mac),
                api_key::pepper_id.eq(&new.pepper_id),
            ))
            .execute(&mut &*conn)
            .await?;
    }
    Ok(())
}
