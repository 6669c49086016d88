//! Reading a visit.

use std::collections::BTreeSet;

use comanda_domain::diner::Diner;
use comanda_domain::ids::{CheckId, SessionId};
use comanda_domain::session::Session;
use comanda_security::policy::{Action, Principal, authorize};
use futures_util::try_join;
use uuid::Uuid;

use super::{Scene, SessionService, require_seating};
use crate::billing;
use crate::db::{Ask, Seen};
use crate::diners;
use crate::people::People;
use crate::refusal::Refusal;
use crate::rounds;
use crate::service_calls;
use crate::views::{self, SessionDetailView, SessionView, Texts};

impl SessionService {
    /// The visit of a guest, registered or not, and its version.
    ///
    /// # Errors
    /// `seating_ended`.
    pub async fn of_visit(&self, ask: &Ask, who: &Principal) -> Result<Seen<(SessionView, i64)>, Refusal> {
        let id = match who {
            Principal::Diner(diner) => diner.session,
            Principal::Table(table) => table.session,
            Principal::Staff(_) | Principal::ApiKey(_) => return Err(Refusal::WrongCredential),
        };
        self.db
            .watch(ask.tenant, async |conn| {
                let (scene, diners, check) = try_join!(
                    Scene::find(conn, ask.tenant, id),
                    diners::store::of_session(conn, ask.tenant, id),
                    billing::store::latest_of_session(conn, ask.tenant, id),
                )?;
                let scene = scene.ok_or(Refusal::SeatingEnded)?;
                require_seating(who, &scene.session)?;
                let _permit = authorize(who, Action::SessionRead, &scene.resource())?;
                let people = People::load(conn, ask.tenant, waiter(&scene.session)).await?;
                let view = views::session(&scene, &diners, check.map(|check| check.id), &people);
                Ok((scene.branch.id, (view, scene.session.version)))
            })
            .await
    }

    /// A visit with its rounds, its calls and the numbers of its check, for staff, and its version.
    ///
    /// # Errors
    /// `not_found`, `forbidden`.
    pub async fn get(
        &self,
        ask: &Ask,
        who: &Principal,
        id: SessionId,
    ) -> Result<Seen<(SessionDetailView, i64)>, Refusal> {
        self.db
            .watch(ask.tenant, async |conn| {
                let wanted = rounds::store::Wanted::OfSession(id);
                let (scene, diners, rounds, calls, check) = try_join!(
                    Scene::find(conn, ask.tenant, id),
                    diners::store::of_session(conn, ask.tenant, id),
                    rounds::store::find(conn, ask.tenant, &wanted),
                    service_calls::store::of_session(conn, ask.tenant, id),
                    billing::store::latest_of_session(conn, ask.tenant, id),
                )?;
                let scene = scene.ok_or(Refusal::NotFound)?;
                let _permit = authorize(who, Action::SessionRead, &scene.resource())?;
                let mut named = rounds::store::people_of(rounds.iter().map(|found| &found.round));
                named.extend(waiter(&scene.session));
                named.extend(service_calls::store::people_of(&calls));
                let ids: Vec<Uuid> = check.iter().map(|check| check.id.0).collect();
                let (people, mut ledgers) = try_join!(
                    People::load(conn, ask.tenant, named),
                    billing::store::totals(conn, ask.tenant, &ids),
                )?;
                let texts = Texts::wanted(ask.language.as_deref(), &scene.branch);
                let table = scene.table_ref();
                let view = SessionDetailView {
                    session: views::session(&scene, &diners, check.as_ref().map(|check| check.id), &people),
                    rounds: rounds
                        .iter()
                        .map(|found| views::round(&found.round, Some(&table), &scene.branch, &people, &texts))
                        .collect(),
                    calls: calls
                        .iter()
                        .map(|call| views::call(call, Some(&table), &people))
                        .collect(),
                    check: check.map(|check| {
                        let ledger = ledgers.remove(&check.id.0).unwrap_or_default();
                        views::check_totals(&check, &ledger)
                    }),
                };
                Ok((scene.branch.id, (view, scene.session.version)))
            })
            .await
    }
}

/// The person who serves, if somebody is.
pub(super) fn waiter(session: &Session) -> BTreeSet<Uuid> {
    session.assigned_waiter_id.map(|id| id.0).into_iter().collect()
}

/// Refuses if the client saw another version of the visit.
pub(super) fn require_version(
    seen: Option<i64>,
    scene: &Scene,
    diners: &[Diner],
    check: Option<CheckId>,
    people: &People,
) -> Result<(), Refusal> {
    match seen {
        Some(seen) if seen != scene.session.version => Err(Refusal::PreconditionFailed {
            version: scene.session.version,
            current: crate::stored::json(&views::session(scene, diners, check, people)),
        }),
        _ => Ok(()),
    }
}
