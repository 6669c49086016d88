//! Staff add a guest without a phone.

use comanda_domain::diner::{AddGuest, Diner, GuestFacts, add_guest};
use comanda_domain::ids::SessionId;
use comanda_security::policy::{Action, Principal, authorize};
use futures_util::try_join;

use super::rows::DinerRow;
use super::{DinerService, store};
use crate::db::{Act, Ask, Conn, Locks};
use crate::idempotency::Stored;
use crate::people::People;
use crate::refusal::Refusal;
use crate::sessions::Scene;
use crate::sessions::rows::SessionRow;
use crate::views;

struct Facts {
    scene: Scene,
    diners: Vec<Diner>,
    staff: People,
}

impl DinerService {
    /// Adds a guest, so that what they eat can be told apart. The guest is found in the visit.
    ///
    /// # Errors
    /// `session_closed`, `diner_limit_reached`, `forbidden`.
    pub async fn add_guest(
        &self,
        ask: &Ask,
        who: &Principal,
        session: SessionId,
        name: String,
        color: Option<String>,
    ) -> Result<Stored, Refusal> {
        let command = AddGuest { name, color };
        self.db
            .write(
                ask,
                Locks::session(session),
                async |conn| load(conn, ask, session).await,
                |facts, act| decide(&facts, act, who, &command),
            )
            .await
    }
}

async fn load(conn: Conn<'_>, ask: &Ask, session: SessionId) -> Result<Facts, Refusal> {
    let (scene, diners, staff) = try_join!(
        Scene::find(conn, ask.tenant, session),
        store::of_session(conn, ask.tenant, session),
        People::load(conn, ask.tenant, ask.caller.id.into_iter().collect()),
    )?;
    Ok(Facts {
        scene: scene.ok_or(Refusal::NotFound)?,
        diners,
        staff,
    })
}

fn decide(facts: &Facts, act: &mut Act<'_>, who: &Principal, command: &AddGuest) -> Result<Stored, Refusal> {
    let Facts { scene, diners, staff } = facts;
    let permit = authorize(who, Action::DinerAddGuest, &scene.resource())?;
    let joining = GuestFacts {
        session: &scene.session,
        count: diners.len(),
    };
    let added = add_guest(joining, command.clone(), permit.actor(), act.now, &mut act.ids)?;

    act.rows.insert(&DinerRow::of(act.ask.tenant, &added.diner));
    act.rows.update(&SessionRow::of(act.ask.tenant, &added.session));
    act.announce(&scene.place(staff), &added.events);
    if let Some(audit) = &added.audit {
        act.trace(Some(scene.branch.id), audit);
    }
    Ok(Stored::new(201, &views::diner(&added.diner))?
        .location(format!("{}{}", act.ask.found_at, scene.session.id)))
}
