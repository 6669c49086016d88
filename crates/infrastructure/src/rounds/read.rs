//! Reading rounds.

use comanda_domain::ids::{BranchId, RoundId, SessionId};
use comanda_domain::round::RoundStatus;
use comanda_security::policy::{Action, DinerPrincipal, Principal, Resource, authorize};
use futures_util::try_join;

use super::RoundService;
use super::scene::RoundScene;
use super::store::{self, Found, Wanted};
use crate::db::{Ask, Conn, Seen};
use crate::floor::store::branch;
use crate::paging::{Page, Part};
use crate::people::People;
use crate::refusal::Refusal;
use crate::sessions::{Scene, require_seating};
use crate::views::{self, RoundView, Texts};

/// Which rounds of a branch are wanted.
#[derive(Debug, Clone, Default)]
pub struct RoundFilter {
    /// Of this visit only.
    pub session: Option<SessionId>,
    /// In these statuses; any if empty.
    pub statuses: Vec<RoundStatus>,
    /// For the kitchen: nothing that was not submitted.
    pub submitted_only: bool,
}

/// What the kitchen may know of.
const SUBMITTED: &[RoundStatus] = &[
    RoundStatus::Submitted,
    RoundStatus::InKitchen,
    RoundStatus::Ready,
    RoundStatus::Served,
    RoundStatus::Canceled,
];

impl RoundService {
    /// One round and its version. The kitchen sees it from its submission on.
    ///
    /// # Errors
    /// `not_found`, `forbidden`.
    pub async fn get(
        &self,
        ask: &Ask,
        who: &Principal,
        id: RoundId,
    ) -> Result<Seen<(RoundView, i64)>, Refusal> {
        self.one(ask, who, id, false).await
    }

    /// One round and its version, from its submission on, whoever asks.
    ///
    /// # Errors
    /// `not_found`, `forbidden`.
    pub async fn get_submitted(
        &self,
        ask: &Ask,
        who: &Principal,
        id: RoundId,
    ) -> Result<Seen<(RoundView, i64)>, Refusal> {
        self.one(ask, who, id, true).await
    }

    async fn one(
        &self,
        ask: &Ask,
        who: &Principal,
        id: RoundId,
        submitted_only: bool,
    ) -> Result<Seen<(RoundView, i64)>, Refusal> {
        let seen = self
            .db
            .watch(ask.tenant, async |conn| {
                let facts = RoundScene::load(conn, ask, who, id).await?;
                Ok((facts.scene.branch.id, facts))
            })
            .await?;
        seen.try_map(|facts| {
            let permit = authorize(who, Action::RoundRead, &facts.resource())?;
            let hidden = submitted_only || crate::policy::only_kitchen(permit.actor());
            if facts.round.submitted.is_none() && hidden {
                return Err(Refusal::NotFound);
            }
            Ok((facts.view(ask, &facts.round), facts.round.version))
        })
    }

    /// The rounds of a guest's visit, in order.
    ///
    /// # Errors
    /// `seating_ended`.
    pub async fn of_visit(&self, ask: &Ask, who: &DinerPrincipal) -> Result<Seen<Vec<RoundView>>, Refusal> {
        let principal = Principal::Diner(who.clone());
        self.db
            .watch(ask.tenant, async |conn| {
                let scene = Scene::load(conn, ask.tenant, who.session).await?;
                require_seating(&principal, &scene.session)?;
                let _permit = authorize(&principal, Action::RoundRead, &scene.resource())?;
                Ok((scene.branch.id, views_of_session(conn, ask, &scene).await?))
            })
            .await
    }

    /// A page of a branch's rounds, newest first.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, `invalid_cursor`.
    pub async fn of_branch(
        &self,
        ask: &Ask,
        who: &Principal,
        id: BranchId,
        filter: &RoundFilter,
        page: &Page<'_>,
    ) -> Result<Seen<Part<RoundView>>, Refusal> {
        let statuses = if filter.submitted_only && filter.statuses.is_empty() {
            SUBMITTED.to_vec()
        } else {
            filter.statuses.clone()
        };
        let wanted = Wanted::OfBranch {
            branch: id,
            session: filter.session,
            statuses,
            after: page.position::<RoundId>()?,
            limit: page.limit + 1,
        };
        let seen = self
            .db
            .watch(ask.tenant, async |conn| {
                let (branch, mut found) = try_join!(
                    async { branch(conn, ask.tenant, id).await?.ok_or(Refusal::NotFound) },
                    async {
                        store::find(conn, ask.tenant, &wanted)
                            .await
                            .map_err(Refusal::from)
                    },
                )?;
                let _permit = authorize(who, Action::RoundRead, &Resource::of_branch(ask.tenant, id))?;
                if filter.submitted_only {
                    found.retain(|found| found.round.submitted.is_some());
                }
                let people = store::people_of(found.iter().map(|found| &found.round));
                let people = People::load(conn, ask.tenant, people).await?;
                Ok((id, (branch.to_domain()?, found, people)))
            })
            .await?;
        seen.try_map(|(branch, found, people)| {
            let texts = Texts::wanted(ask.language.as_deref(), &branch);
            page.part(
                found,
                |found: &Found| found.round.id,
                |found| views::round(&found.round, Some(&found.table), &branch, &people, &texts),
            )
        })
    }
}

/// The rounds of a visit, as they travel.
pub(crate) async fn views_of_session(
    conn: Conn<'_>,
    ask: &Ask,
    scene: &Scene,
) -> Result<Vec<RoundView>, Refusal> {
    let found = store::find(conn, ask.tenant, &Wanted::OfSession(scene.session.id)).await?;
    let people = store::people_of(found.iter().map(|found| &found.round));
    let people = People::load(conn, ask.tenant, people).await?;
    let texts = Texts::wanted(ask.language.as_deref(), &scene.branch);
    Ok(found
        .iter()
        .map(|found| views::round(&found.round, Some(&found.table), &scene.branch, &people, &texts))
        .collect())
}
