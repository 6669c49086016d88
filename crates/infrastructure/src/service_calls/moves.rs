//! Staff react to a call, or its guest takes it back.

use comanda_domain::ids::ServiceCallId;
use comanda_domain::service_call::{CallMove, MoveCallError, ServiceCall, move_call};
use comanda_security::policy::{Action, Principal, authorize};
use futures_util::try_join;

use super::rows::CallRow;
use super::{ServiceCallService, store};
use crate::db::{Act, Ask, Conn, Locks};
use crate::idempotency::Stored;
use crate::people::People;
use crate::refusal::Refusal;
use crate::sessions::{Scene, require_seating};
use crate::views;

struct Facts {
    scene: Scene,
    call: ServiceCall,
    people: People,
}

impl ServiceCallService {
    /// Staff react to a call, or the guest who raised it takes it back.
    ///
    /// # Errors
    /// `service_call_wrong_state`, `forbidden`.
    pub async fn moved(
        &self,
        ask: &Ask,
        who: &Principal,
        id: ServiceCallId,
        to: CallMove,
    ) -> Result<Stored, Refusal> {
        self.db
            .write(
                ask,
                Locks::call(id),
                async |conn| load(conn, ask, who, id).await,
                |facts, act| decide(&facts, act, who, to),
            )
            .await
    }
}

async fn load(conn: Conn<'_>, ask: &Ask, who: &Principal, id: ServiceCallId) -> Result<Facts, Refusal> {
    let call = store::one(conn, ask.tenant, id).await?.ok_or(Refusal::NotFound)?;
    let mut named = store::people_of([&call]);
    named.extend(ask.caller.id);
    let (scene, people) = try_join!(
        Scene::find(conn, ask.tenant, call.session_id),
        People::load(conn, ask.tenant, named)
    )?;
    let scene = scene.ok_or(Refusal::NotFound)?;
    if let Principal::Diner(diner) = who
        && diner.session != call.session_id
    {
        return Err(Refusal::NotFound);
    }
    require_seating(who, &scene.session)?;
    Ok(Facts { scene, call, people })
}

fn decide(facts: &Facts, act: &mut Act<'_>, who: &Principal, to: CallMove) -> Result<Stored, Refusal> {
    let Facts { scene, call, people } = facts;
    let permit = authorize(who, action(to), &scene.resource())?;
    let moved = move_call(call, to, permit.actor(), act.now).map_err(|error| with_name(error, people))?;

    act.rows.update(&CallRow::of(act.ask.tenant, &moved.call));
    act.announce(&scene.place(people), &moved.events);
    act.trace(Some(scene.branch.id), &moved.audit);
    Stored::new(200, &views::call(&moved.call, Some(&scene.table_ref()), people))
}

fn action(to: CallMove) -> Action {
    match to {
        CallMove::Ack => Action::ServiceCallAck,
        CallMove::Close => Action::ServiceCallClose,
        CallMove::Cancel => Action::ServiceCallCancel,
    }
}

/// Whoever comes second learns by name who was first.
fn with_name(error: MoveCallError, people: &People) -> Refusal {
    match error {
        MoveCallError::WrongState { current_status, by } => Refusal::CallWrongState {
            current_status,
            by: by.map(|stamp| views::stamped_by(&stamp, people)),
        },
        MoveCallError::Forbidden(forbidden) => forbidden.into(),
    }
}
