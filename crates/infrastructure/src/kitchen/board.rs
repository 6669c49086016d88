//! Reading the work.

use chrono::{DateTime, Utc};
use comanda_domain::ids::{BranchId, TicketId};
use comanda_security::policy::{Action, Principal, Resource, authorize};
use futures_util::try_join;

use super::store::{self, Shown};
use super::{BoardFilter, KitchenService};
use crate::db::{Ask, Seen};
use crate::floor;
use crate::paging::{Page, Part};
use crate::refusal::Refusal;
use crate::rounds::scene::RoundScene;
use crate::views::{self, Texts, TicketView};

impl KitchenService {
    /// A page of a branch's tickets, oldest submission first.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, `invalid_cursor`.
    pub async fn board(
        &self,
        ask: &Ask,
        who: &Principal,
        id: BranchId,
        board: &BoardFilter,
        page: &Page<'_>,
    ) -> Result<Seen<Part<TicketView>>, Refusal> {
        let after = page.position::<(DateTime<Utc>, TicketId)>()?;
        let seen = self
            .db
            .watch(ask.tenant, async |conn| {
                let (branch, shown) = try_join!(
                    floor::store::branch(conn, ask.tenant, id),
                    store::board(conn, ask.tenant, id, board, after, page.limit + 1),
                )?;
                Ok((id, (branch.ok_or(Refusal::NotFound)?.to_domain()?, shown)))
            })
            .await?;
        let _permit = authorize(who, Action::TicketRead, &Resource::of_branch(ask.tenant, id))?;
        let position = |shown: &Shown| (shown.ticket.created_at, shown.ticket.id);
        seen.try_map(|(branch, shown)| {
            let texts = Texts::wanted(ask.language.as_deref(), &branch);
            page.part(shown, position, |shown| {
                views::ticket(&shown.ticket, &shown.round, Some(&shown.table), &texts)
            })
        })
    }

    /// One ticket and its version.
    ///
    /// # Errors
    /// `not_found`, `forbidden`.
    pub async fn get(
        &self,
        ask: &Ask,
        who: &Principal,
        id: TicketId,
    ) -> Result<Seen<(TicketView, i64)>, Refusal> {
        let seen = self
            .db
            .watch(ask.tenant, async |conn| {
                let round = store::round_of(conn, ask.tenant, id)
                    .await?
                    .ok_or(Refusal::NotFound)?;
                let facts = RoundScene::load(conn, ask, who, round).await?;
                Ok((facts.scene.branch.id, facts))
            })
            .await?;
        seen.try_map(|facts| {
            let _permit = authorize(who, Action::TicketRead, &facts.resource())?;
            let ticket = facts.ticket(id)?;
            Ok((facts.ticket_view(ask, ticket, &facts.round), ticket.version))
        })
    }
}
