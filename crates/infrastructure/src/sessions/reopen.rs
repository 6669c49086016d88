//! The party orders again after asking for the check.

use comanda_domain::billing::{Ledger, settle_check, void_check};
use comanda_domain::diner::Diner;
use comanda_domain::ids::SessionId;
use comanda_domain::session::{CheckEnd, ReopenFacts, reopen_session};
use comanda_security::policy::{Action, Principal, authorize};
use futures_util::try_join;

use super::read::{require_version, waiter};
use super::rows::{SessionRow, TableVersionRow};
use super::store::{self, Checks};
use super::{Scene, SessionService, ending};
use crate::db::{Act, Ask, Conn, Locks};
use crate::diners;
use crate::idempotency::Stored;
use crate::people::People;
use crate::refusal::Refusal;

struct Facts {
    scene: Scene,
    diners: Vec<Diner>,
    checks: Checks,
    ledger: Ledger,
    people: People,
}

impl SessionService {
    /// Reopens a paying visit: a paid check is settled, one without money is withdrawn.
    ///
    /// # Errors
    /// `session_wrong_state`, `payments_exist`, `surplus_unresolved`, `forbidden`.
    pub async fn reopen(
        &self,
        ask: &Ask,
        who: &Principal,
        id: SessionId,
        seen: Option<i64>,
    ) -> Result<Stored, Refusal> {
        self.db
            .write(
                ask,
                Locks::session(id).and_table_of_session(id).and_live_check(id),
                async |conn| load(conn, ask, id).await,
                |facts, act| decide(&facts, act, who, seen),
            )
            .await
    }
}

async fn load(conn: Conn<'_>, ask: &Ask, id: SessionId) -> Result<Facts, Refusal> {
    let (scene, diners, checks) = try_join!(
        Scene::find(conn, ask.tenant, id),
        diners::store::of_session(conn, ask.tenant, id),
        store::checks(conn, ask.tenant, id),
    )?;
    let scene = scene.ok_or(Refusal::NotFound)?;
    let mut named = waiter(&scene.session);
    named.extend(ask.caller.id);
    let (ledger, people) = try_join!(
        ending::ledger_of(conn, ask.tenant, checks.live.as_ref()),
        People::load(conn, ask.tenant, named),
    )?;
    Ok(Facts {
        scene,
        diners,
        checks,
        ledger,
        people,
    })
}

fn decide(facts: &Facts, act: &mut Act<'_>, who: &Principal, seen: Option<i64>) -> Result<Stored, Refusal> {
    let Facts {
        scene,
        diners,
        checks,
        ledger,
        people,
    } = facts;
    let permit = authorize(who, Action::SessionReopen, &scene.resource())?;
    require_version(seen, scene, diners, checks.shown, people)?;
    let check = checks.live.as_ref();
    let reopening = ReopenFacts {
        session: &scene.session,
        table: &scene.table,
        check,
        reserved: ledger.reserved(),
    };
    let reopened = reopen_session(reopening, permit.actor(), act.now)
        .map_err(|error| Refusal::priced(scene.branch.currency, error))?;

    act.rows
        .update(&SessionRow::of(act.ask.tenant, &reopened.session));
    act.rows
        .update(&TableVersionRow::of(act.ask.tenant, &reopened.table));
    if let Some(check) = check {
        let ended = match reopened.check_end {
            CheckEnd::Settle => settle_check(check, ledger, &scene.branch, act.now),
            CheckEnd::Void => void_check(check, ledger, permit.actor(), act.now),
        };
        ending::record_check(act, scene, people, &ended);
    }
    let place = scene.place(people).with_party(diners, checks.shown);
    act.announce(&place, &reopened.events);
    act.trace(Some(scene.branch.id), &reopened.audit);
    ending::answer(scene, reopened.session, diners, checks.shown, people)
}
