//! Reading tables.

use comanda_domain::ids::{BranchId, TableId};
use comanda_security::policy::{Action, Principal, Resource, authorize};
use futures_util::try_join;

use super::FloorService;
use super::store::{self, Seated};
use crate::db::Ask;
use crate::paging::{Page, Part};
use crate::refusal::Refusal;
use crate::views::{TableView, table};

impl FloorService {
    /// A page of a branch's tables by their codes; with `code`, the one table that has it.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, `invalid_cursor`.
    pub async fn tables(
        &self,
        ask: &Ask,
        who: &Principal,
        id: BranchId,
        code: Option<&str>,
        page: &Page<'_>,
    ) -> Result<Part<TableView>, Refusal> {
        let after = page.position::<String>()?;
        let found = self
            .db
            .read(ask.tenant, async |conn| {
                let (branch, found) = try_join!(
                    store::branch(conn, ask.tenant, id),
                    store::tables(conn, ask.tenant, id, code, after.as_deref(), page.limit + 1),
                )?;
                branch.ok_or(Refusal::NotFound)?;
                Ok(found)
            })
            .await?;
        let _permit = authorize(who, Action::FloorManage, &Resource::of_branch(ask.tenant, id))?;
        page.part(found, |seated| seated.table.code.clone(), table)
    }

    /// One table and its version.
    ///
    /// # Errors
    /// `not_found`, `forbidden`.
    pub async fn table(&self, ask: &Ask, who: &Principal, id: TableId) -> Result<(TableView, i64), Refusal> {
        let seated = self.managed(ask, who, id).await?;
        Ok((table(&seated), seated.table.version))
    }

    /// A table that the person manages.
    pub(super) async fn managed(&self, ask: &Ask, who: &Principal, id: TableId) -> Result<Seated, Refusal> {
        let found = self
            .db
            .read(ask.tenant, async |conn| {
                Ok(store::table(conn, ask.tenant, id).await?)
            })
            .await?;
        let seated = found.ok_or(Refusal::NotFound)?;
        let resource = Resource::of_branch(ask.tenant, seated.table.branch_id.into());
        let _permit = authorize(who, Action::FloorManage, &resource)?;
        Ok(seated)
    }
}
