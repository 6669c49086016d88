//! Reading keys: never a value, a MAC or a part of one.

use comanda_domain::ids::{ApiKeyId, BranchId};
use comanda_security::policy::{Action, ApiKeyPrincipal, Principal, Resource, authorize};

use super::manager::KeyManager;
use super::{ApiKeyService, store};
use crate::db::Ask;
use crate::floor;
use crate::paging::{Page, Part};
use crate::refusal::Refusal;
use crate::views::{ApiKeyView, BranchRef, OwnKeyView, api_key, branch_ref, own_key};

impl ApiKeyService {
    /// A page of the tenant's keys, newest first, also those that have ended.
    ///
    /// # Errors
    /// `forbidden`, `invalid_cursor`.
    pub async fn list(
        &self,
        ask: &Ask,
        who: &KeyManager<'_>,
        page: &Page<'_>,
    ) -> Result<Part<ApiKeyView>, Refusal> {
        who.may(ask.tenant)?;
        let before = page.position::<ApiKeyId>()?;
        let found = self
            .db
            .read(ask.tenant, async |conn| {
                Ok(store::all(conn, ask.tenant, before, page.limit + 1).await?)
            })
            .await?;
        let now = self.db.sources().now();
        page.part(
            found,
            |(row, _)| ApiKeyId(row.id),
            |(row, branches)| api_key(row, branches, now),
        )
    }

    /// One key and its version.
    ///
    /// # Errors
    /// `forbidden`, `not_found`.
    pub async fn one(
        &self,
        ask: &Ask,
        who: &KeyManager<'_>,
        id: ApiKeyId,
    ) -> Result<(ApiKeyView, i64), Refusal> {
        who.may(ask.tenant)?;
        let found = self
            .db
            .read(ask.tenant, async |conn| {
                Ok(store::one(conn, ask.tenant, id).await?)
            })
            .await?;
        let (row, branches) = found.ok_or(Refusal::NotFound)?;
        let view = api_key(&row, &branches, self.db.sources().now());
        Ok((view, row.version))
    }

    /// What a key learns about itself.
    ///
    /// # Errors
    /// `not_found` for a key whose branches are gone.
    pub fn own(&self, who: &ApiKeyPrincipal) -> Result<OwnKeyView, Refusal> {
        let principal = Principal::ApiKey(who.clone());
        let _permit = authorize(&principal, Action::SelfManage, &Resource::of_tenant(who.tenant))?;
        Ok(own_key(who))
    }

    /// A page of the branches that a key acts in, oldest first.
    ///
    /// # Errors
    /// `invalid_cursor`; `not_found` for a key whose branches are gone.
    pub async fn own_branches(
        &self,
        who: &ApiKeyPrincipal,
        page: &Page<'_>,
    ) -> Result<Part<BranchRef>, Refusal> {
        let principal = Principal::ApiKey(who.clone());
        let _permit = authorize(&principal, Action::SelfManage, &Resource::of_tenant(who.tenant))?;
        let after = page.position::<BranchId>()?;
        let limit = page.limit + 1;
        let found = self
            .db
            .read(who.tenant, async |conn| {
                Ok(floor::store::branches(conn, who.tenant, Some(&who.branches), after, limit).await?)
            })
            .await?;
        page.part(found, |row| BranchId(row.id), branch_ref)
    }
}
