//! A guest asks for a person, or asks again.

use comanda_domain::service_call::{RaiseCall, RaiseFacts, ServiceCall, raise_call};
use comanda_security::policy::{Action, DinerPrincipal, Principal, authorize};
use futures_util::try_join;

use super::rows::CallRow;
use super::{ServiceCallService, store};
use crate::db::{Act, Ask, Conn, Locks};
use crate::idempotency::Stored;
use crate::people::People;
use crate::refusal::Refusal;
use crate::sessions::rows::SessionRow;
use crate::sessions::{Scene, require_seating};
use crate::views;

struct Facts {
    scene: Scene,
    open: Option<ServiceCall>,
    people: People,
}

impl ServiceCallService {
    /// Raises a call: 201, or 200 with the one that is already open.
    ///
    /// # Errors
    /// `session_closed`.
    pub async fn raise(
        &self,
        ask: &Ask,
        who: &DinerPrincipal,
        command: &RaiseCall,
    ) -> Result<Stored, Refusal> {
        let principal = Principal::Diner(who.clone());
        self.db
            .write(
                ask,
                Locks::session(who.session),
                async |conn| load(conn, ask, who, command).await,
                |facts, act| decide(&facts, act, &principal, command),
            )
            .await
    }
}

async fn load(
    conn: Conn<'_>,
    ask: &Ask,
    who: &DinerPrincipal,
    command: &RaiseCall,
) -> Result<Facts, Refusal> {
    let (scene, open, people) = try_join!(
        Scene::find(conn, ask.tenant, who.session),
        store::open_of_type(conn, ask.tenant, who.session, command.call_type),
        People::load(conn, ask.tenant, [who.diner.0].into()),
    )?;
    let scene = scene.ok_or(Refusal::SeatingEnded)?;
    require_seating(&Principal::Diner(who.clone()), &scene.session)?;
    Ok(Facts { scene, open, people })
}

fn decide(facts: &Facts, act: &mut Act<'_>, who: &Principal, command: &RaiseCall) -> Result<Stored, Refusal> {
    let Facts { scene, open, people } = facts;
    let permit = authorize(who, Action::ServiceCallRaise, &scene.resource())?;
    let raising = RaiseFacts {
        session: &scene.session,
        open_call: open.as_ref(),
    };
    let raised = raise_call(raising, command.clone(), permit.actor(), act.now, &mut act.ids)?;

    let row = CallRow::of(act.ask.tenant, &raised.call);
    if raised.is_new {
        act.rows.insert(&row);
    } else if raised.reminded {
        act.rows.update(&row);
    }
    if raised.is_new || raised.reminded {
        act.rows.update(&SessionRow::of(act.ask.tenant, &raised.session));
    }
    act.announce(&scene.place(people), &raised.events);
    if let Some(audit) = &raised.audit {
        act.trace(Some(scene.branch.id), audit);
    }
    let view = views::call(&raised.call, Some(&scene.table_ref()), people);
    if raised.is_new {
        Ok(Stored::new(201, &view)?.location(format!("{}{}", act.ask.found_at, raised.call.id)))
    } else {
        Stored::new(200, &view)
    }
}
