//! What closing and reopening share: the visit with its bill, and what is written when the bill ends with it.

use comanda_domain::billing::{Check, CheckClosed, Ledger};
use comanda_domain::diner::Diner;
use comanda_domain::ids::CheckId;
use comanda_domain::session::Session;

use super::Scene;
use crate::billing;
use crate::db::{Act, Conn, DbError, Tenant};
use crate::idempotency::Stored;
use crate::people::People;
use crate::refusal::Refusal;
use crate::views;

/// The ledger of a check, if there is one.
pub(super) async fn ledger_of(
    conn: Conn<'_>,
    tenant: Tenant,
    check: Option<&Check>,
) -> Result<Ledger, DbError> {
    match check {
        Some(check) => billing::store::ledger(conn, tenant, check).await,
        None => Ok(Ledger::default()),
    }
}

/// Records and announces that the check ended with the visit, or went on without it.
pub(super) fn record_check(act: &mut Act<'_>, scene: &Scene, people: &People, ended: &CheckClosed) {
    billing::record::record_closed(&mut act.rows, act.ask.tenant, ended);
    act.announce(&scene.place(people).with_ledger(&ended.ledger), &ended.events);
}

/// The visit as it is now.
pub(super) fn answer(
    scene: &Scene,
    after: Session,
    diners: &[Diner],
    check: Option<CheckId>,
    people: &People,
) -> Result<Stored, Refusal> {
    let scene = Scene {
        session: after,
        ..scene.clone()
    };
    Ok(Stored::new(200, &views::session(&scene, diners, check, people))?.version(scene.session.version))
}
