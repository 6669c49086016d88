//! Reading calls.

use comanda_domain::ids::BranchId;
use comanda_domain::service_call::CallStatus;
use comanda_security::policy::{Action, DinerPrincipal, Principal, Resource, authorize};
use futures_util::try_join;

use super::{ServiceCallService, store};
use crate::db::{Ask, Seen};
use crate::floor;
use crate::paging::{Page, Part};
use crate::people::People;
use crate::refusal::Refusal;
use crate::sessions::{Scene, require_seating};
use crate::views::{self, CallView};

/// What somebody still has to answer.
const LIVE: &[CallStatus] = &[CallStatus::Open, CallStatus::Acked];

impl ServiceCallService {
    /// All calls of a guest's visit, oldest first.
    ///
    /// # Errors
    /// `seating_ended`.
    pub async fn of_visit(&self, ask: &Ask, who: &DinerPrincipal) -> Result<Seen<Vec<CallView>>, Refusal> {
        let principal = Principal::Diner(who.clone());
        self.db
            .watch(ask.tenant, async |conn| {
                let (scene, calls) = try_join!(
                    Scene::find(conn, ask.tenant, who.session),
                    store::of_session(conn, ask.tenant, who.session),
                )?;
                let scene = scene.ok_or(Refusal::SeatingEnded)?;
                require_seating(&principal, &scene.session)?;
                let _permit = authorize(&principal, Action::ServiceCallRead, &scene.resource())?;
                let people = People::load(conn, ask.tenant, store::people_of(&calls)).await?;
                let table = scene.table_ref();
                let calls = calls.iter().map(|call| views::call(call, Some(&table), &people));
                Ok((scene.branch.id, calls.collect()))
            })
            .await
    }

    /// A page of a branch's calls, oldest first; those that somebody still has to answer if no status is named.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, `invalid_cursor`.
    pub async fn of_branch(
        &self,
        ask: &Ask,
        who: &Principal,
        id: BranchId,
        statuses: &[CallStatus],
        page: &Page<'_>,
    ) -> Result<Seen<Part<CallView>>, Refusal> {
        let statuses = if statuses.is_empty() { LIVE } else { statuses };
        let wanted = (page.position::<store::After>()?, page.limit.saturating_add(1));
        let seen = self
            .db
            .watch(ask.tenant, async |conn| {
                let (branch, found) = try_join!(
                    floor::store::branch(conn, ask.tenant, id),
                    store::of_branch(conn, ask.tenant, id, statuses, wanted),
                )?;
                branch.ok_or(Refusal::NotFound)?;
                let _permit = authorize(who, Action::ServiceCallRead, &Resource::of_branch(ask.tenant, id))?;
                let named = store::people_of(found.iter().map(|(call, _)| call));
                Ok((id, (found, People::load(conn, ask.tenant, named).await?)))
            })
            .await?;
        seen.try_map(|(found, people)| {
            page.part(
                found,
                |(call, _)| (call.opened_at, call.id.0),
                |(call, table)| views::call(call, Some(table), &people),
            )
        })
    }
}
