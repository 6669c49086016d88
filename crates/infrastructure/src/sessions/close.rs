//! The party leaves.

use std::collections::BTreeMap;

use comanda_domain::Timestamp;
use comanda_domain::actor::Actor;
use comanda_domain::billing::{Ledger, settle_check, unbilled};
use comanda_domain::cart::CartLine;
use comanda_domain::diner::Diner;
use comanda_domain::event::Event;
use comanda_domain::ids::{RoundId, SessionId, TenantId};
use comanda_domain::kitchen::Ticket;
use comanda_domain::money::MAX_TOTAL;
use comanda_domain::round::{
    MoveRoundError, Round, RoundFacts, RoundMoved, RoundStatus, RoundTarget, move_round,
};
use comanda_domain::service_call::ServiceCall;
use comanda_domain::session::{CloseFacts, close_session};
use comanda_security::policy::{Action, Principal, authorize};
use futures_util::try_join;
use uuid::Uuid;

use super::read::{require_version, waiter};
use super::rows::{SessionRow, TableVersionRow};
use super::store::{self, Checks};
use super::{Scene, SessionService, ending};
use crate::db::{Act, Ask, Conn, Locks, Recorder};
use crate::idempotency::Stored;
use crate::people::People;
use crate::refusal::Refusal;
use crate::{carts, diners, kitchen, rounds, service_calls};

struct Facts {
    scene: Scene,
    diners: Vec<Diner>,
    rounds: Vec<Round>,
    tickets: BTreeMap<RoundId, Vec<Ticket>>,
    calls: Vec<ServiceCall>,
    checks: Checks,
    ledger: Ledger,
    lines: Vec<CartLine>,
    people: People,
}

impl SessionService {
    /// Closes a visit in which everything is served, billed and paid; with `serve_ready_rounds`, what is ready is
    /// served first.
    ///
    /// # Errors
    /// `session_closed`, `rounds_unfinished`, `unbilled_items`, `check_unpaid`, `surplus_unresolved`, `forbidden`.
    pub async fn close(
        &self,
        ask: &Ask,
        who: &Principal,
        id: SessionId,
        seen: Option<i64>,
        serve_ready_rounds: bool,
    ) -> Result<Stored, Refusal> {
        self.db
            .write(
                ask,
                // Whoever changes a check holds its session, so the check needs no lock of its own.
                Locks::session(id)
                    .and_table_of_session(id)
                    .and_unfinished_rounds(id)
                    .and_live_calls(id),
                async |conn| load(conn, ask, id, serve_ready_rounds).await,
                |facts, act| decide(&facts, act, who, seen, serve_ready_rounds),
            )
            .await
    }
}

async fn load(conn: Conn<'_>, ask: &Ask, id: SessionId, serving: bool) -> Result<Facts, Refusal> {
    let tenant = ask.tenant;
    let wanted = rounds::store::Wanted::OfSession(id);
    let (scene, diners, found, calls, checks, lines) = try_join!(
        Scene::find(conn, tenant, id),
        diners::store::of_session(conn, tenant, id),
        rounds::store::find(conn, tenant, &wanted),
        service_calls::store::of_session(conn, tenant, id),
        store::checks(conn, tenant, id),
        carts::store::of_session(conn, tenant, id),
    )?;
    let scene = scene.ok_or(Refusal::NotFound)?;
    let rounds: Vec<Round> = found.into_iter().map(|found| found.round).collect();
    let to_serve: Vec<&Round> = rounds.iter().filter(|round| serving && is_ready(round)).collect();
    let ids: Vec<Uuid> = to_serve.iter().map(|round| round.id.0).collect();
    let mut named = waiter(&scene.session);
    named.extend(ask.caller.id);
    named.extend(service_calls::store::people_of(&calls));
    named.extend(rounds::store::people_of(to_serve));
    let (ledger, tickets, people) = try_join!(
        ending::ledger_of(conn, tenant, checks.live.as_ref()),
        kitchen::store::of_rounds(conn, tenant, &ids),
        People::load(conn, tenant, named),
    )?;
    let mut by_round: BTreeMap<RoundId, Vec<Ticket>> = BTreeMap::new();
    for ticket in tickets {
        by_round.entry(ticket.round_id).or_default().push(ticket);
    }
    Ok(Facts {
        scene,
        diners,
        rounds,
        tickets: by_round,
        calls,
        checks,
        ledger,
        lines,
        people,
    })
}

fn is_ready(round: &Round) -> bool {
    round.status == RoundStatus::Ready
}

fn decide(
    facts: &Facts,
    act: &mut Act<'_>,
    who: &Principal,
    seen: Option<i64>,
    serving: bool,
) -> Result<Stored, Refusal> {
    let Facts {
        scene,
        diners,
        checks,
        people,
        ..
    } = facts;
    let permit = authorize(who, Action::SessionClose, &scene.resource())?;
    require_version(seen, scene, diners, checks.shown, people)?;
    let served = if serving {
        serve_ready(facts, permit.actor(), act.now)?
    } else {
        Vec::new()
    };
    let rounds = after_serving(&facts.rounds, &served);
    let closing = CloseFacts {
        session: &scene.session,
        table: &scene.table,
        check: checks.live.as_ref(),
        settled_check: checks.settled,
        rounds: &rounds,
        unbilled_total: unbilled_total(&rounds, checks),
        calls: &facts.calls,
    };
    let closed = close_session(closing, permit.actor(), act.now)
        .map_err(|error| Refusal::priced(scene.branch.currency, error))?;

    let tenant = act.ask.tenant;
    let served_events: Vec<Event> = served.iter().flat_map(|moved| moved.events.clone()).collect();
    record_served(&mut act.rows, tenant, &served);
    act.rows.update(&SessionRow::of(tenant, &closed.session));
    act.rows.update(&TableVersionRow::of(tenant, &closed.table));
    closed
        .calls
        .iter()
        .for_each(|call| act.rows.update(&service_calls::rows::CallRow::of(tenant, call)));
    let left: Vec<&CartLine> = facts.lines.iter().collect();
    carts::rows::delete_lines(&mut act.rows, tenant, &scene.session, &left, act.now);

    act.announce(&scene.place(people), &served_events);
    act.announce(&scene.place(people), &closed.call_events);
    if let Some(check) = checks.live.as_ref().filter(|_| closed.settle) {
        let ended = settle_check(check, &facts.ledger, &scene.branch, act.now);
        ending::record_check(act, scene, people, &ended);
    }
    let place = scene.place(people).with_party(diners, checks.shown);
    act.announce(&place, &closed.events);
    act.trace(Some(scene.branch.id), &closed.audit);
    ending::answer(scene, closed.session, diners, checks.shown, people)
}

/// Serves what is ready. Whoever may close may serve.
fn serve_ready(facts: &Facts, actor: &Actor, now: Timestamp) -> Result<Vec<RoundMoved>, MoveRoundError> {
    facts
        .rounds
        .iter()
        .filter(|round| is_ready(round))
        .map(|round| {
            let tickets = facts.tickets.get(&round.id).cloned().unwrap_or_default();
            move_round(
                RoundFacts {
                    round: round.clone(),
                    tickets,
                },
                RoundTarget::Served,
                actor,
                now,
            )
        })
        .collect()
}

fn after_serving(rounds: &[Round], served: &[RoundMoved]) -> Vec<Round> {
    rounds
        .iter()
        .map(|round| {
            let moved = served.iter().find(|moved| moved.round.id == round.id);
            moved.map_or(round, |moved| &moved.round).clone()
        })
        .collect()
}

fn record_served(rows: &mut Recorder, tenant: TenantId, served: &[RoundMoved]) {
    for moved in served {
        rows.update(&rounds::rows::RoundRow::of(tenant, &moved.round));
        kitchen::rows::update_tickets(rows, tenant, &moved.tickets);
    }
}

/// What the items without a check cost; a sum out of range is told as the largest one.
fn unbilled_total(rounds: &[Round], checks: &Checks) -> Option<i64> {
    match unbilled(rounds, &checks.billed) {
        Ok(lines) if lines.is_empty() => None,
        Ok(lines) => Some(lines.iter().map(|line| line.amount).sum()),
        Err(_) => Some(MAX_TOTAL),
    }
}
