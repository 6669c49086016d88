//! Reading branches.

use comanda_domain::ids::BranchId;
use comanda_security::policy::{Action, Principal, Resource, authorize};

use super::{FloorService, store};
use crate::db::Ask;
use crate::paging::{Page, Part};
use crate::refusal::Refusal;
use crate::sessions::rows::BranchRow;
use crate::views::{BranchView, admin_branch};

impl FloorService {
    /// A page of the branches that the person may read, oldest first.
    ///
    /// # Errors
    /// `forbidden` for someone who may read none, `invalid_cursor`.
    pub async fn branches(
        &self,
        ask: &Ask,
        who: &Principal,
        page: &Page<'_>,
    ) -> Result<Part<BranchView>, Refusal> {
        let _permit = authorize(who, Action::BranchRead, &Resource::of_tenant(ask.tenant))?;
        let readable = readable(ask, who);
        let after = page.position::<BranchId>()?;
        let found = self
            .db
            .read(ask.tenant, async |conn| {
                Ok(store::branches(conn, ask.tenant, readable.as_deref(), after, page.limit + 1).await?)
            })
            .await?;
        page.part(found, |row| BranchId(row.id), admin_branch)
    }

    /// One branch and its version.
    ///
    /// # Errors
    /// `not_found`, `forbidden`.
    pub async fn branch(
        &self,
        ask: &Ask,
        who: &Principal,
        id: BranchId,
    ) -> Result<(BranchView, i64), Refusal> {
        let found: Option<BranchRow> = self
            .db
            .read(ask.tenant, async |conn| {
                Ok(store::branch(conn, ask.tenant, id).await?)
            })
            .await?;
        let row = found.ok_or(Refusal::NotFound)?;
        let _permit = authorize(who, Action::BranchRead, &Resource::of_branch(ask.tenant, id))?;
        Ok((admin_branch(&row), row.version))
    }
}

/// Which branches the person may read; all for an owner.
fn readable(ask: &Ask, who: &Principal) -> Option<Vec<BranchId>> {
    let may = |branch: BranchId| {
        authorize(who, Action::BranchRead, &Resource::of_branch(ask.tenant, branch)).is_ok()
    };
    match who {
        Principal::Staff(staff) if staff.owner => None,
        Principal::Staff(staff) => Some(
            staff
                .grants
                .iter()
                .map(|(branch, _)| *branch)
                .filter(|branch| may(*branch))
                .collect(),
        ),
        Principal::Diner(_) | Principal::Table(_) | Principal::ApiKey(_) => Some(Vec::new()),
    }
}
