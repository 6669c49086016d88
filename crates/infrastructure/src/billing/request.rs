//! The check is asked for.

use std::collections::BTreeSet;

use comanda_domain::actor::Actor;
use comanda_domain::audit::AuditEntry;
use comanda_domain::billing::{
    Check, CheckRequested, Ledger, PendingRounds, RequestCheck, RequestFacts, SplitRequest, request_check,
};
use comanda_domain::event::Event;
use comanda_domain::ids::{DinerId, RoundItemId, SessionId};
use comanda_domain::round::{Round, RoundStatus, TakeBackFacts, cancel_round, confirm};
use comanda_security::policy::{Action, Principal, authorize};
use futures_util::try_join;

use super::rows::BranchCounterRow;
use super::scene::{check_view, require_own};
use super::store::{self, Wanted};
use super::{BillingService, record};
use crate::db::{Act, Ask, Conn, Locks};
use crate::diners;
use crate::idempotency::Stored;
use crate::kitchen::rows::insert_tickets;
use crate::people::People;
use crate::refusal::Refusal;
use crate::rounds;
use crate::rounds::rows::{RoundRow, record_voids};
use crate::sessions::rows::{SessionRow, TableVersionRow};
use crate::sessions::{Scene, require_seating};

/// Stands on rounds that the staff let go because the bill was asked for.
const CANCELED_BY_REQUEST: &str = "not confirmed before the bill was asked for";

struct Facts {
    scene: Scene,
    bill: Bill,
}

enum Bill {
    /// It is out already.
    Out(Box<(Check, Ledger)>),
    /// It has to be made.
    None(Box<Material>),
}

/// What a check is made of.
struct Material {
    rounds: Vec<Round>,
    billed: BTreeSet<RoundItemId>,
    diners: Vec<DinerId>,
    counter: BranchCounterRow,
    people: People,
}

impl BillingService {
    /// Puts everything unbilled on a new check. One that is out already is the answer, unchanged, whatever else is
    /// wanted.
    ///
    /// `pending_rounds` says what becomes of rounds that nobody has confirmed; for guests they are always in the
    /// way. Confirming and canceling are the decisions of a round's own operations, each with its events and its
    /// entry in the trace; canceled rounds bear the reason `not confirmed before the bill was asked for`.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, `session_closed`, `rounds_pending`, `nothing_to_bill`, and those of the split.
    pub async fn request_check(
        &self,
        ask: &Ask,
        who: &Principal,
        session: SessionId,
        split: Option<SplitRequest>,
        pending_rounds: PendingRounds,
    ) -> Result<Stored, Refusal> {
        require_own(who, session)?;
        let command = RequestCheck {
            split,
            pending_rounds,
        };
        // A check of the visit comes and goes under the session's lock alone.
        let locks = Locks::session(session)
            .and_table_of_session(session)
            .and_unfinished_rounds(session);
        self.db
            .write(
                ask,
                locks,
                async |conn| load(conn, ask, who, session).await,
                |facts, act| decide(facts, act, who, &command),
            )
            .await
    }
}

async fn load(conn: Conn<'_>, ask: &Ask, who: &Principal, session: SessionId) -> Result<Facts, Refusal> {
    let (scene, head) = try_join!(
        Scene::find(conn, ask.tenant, session),
        store::head(conn, ask.tenant, Wanted::Live(session)),
    )?;
    let scene = scene.ok_or(Refusal::NotFound)?;
    require_seating(who, &scene.session)?;
    let bill = match head {
        Some(check) => {
            let ledger = store::ledger(conn, ask.tenant, &check).await?;
            Bill::Out(Box::new((check, ledger)))
        }
        None => Bill::None(Box::new(material(conn, ask, &scene).await?)),
    };
    Ok(Facts { scene, bill })
}

async fn material(conn: Conn<'_>, ask: &Ask, scene: &Scene) -> Result<Material, Refusal> {
    let (tenant, session) = (ask.tenant, scene.session.id);
    let wanted = rounds::store::Wanted::OfSession(session);
    let (found, billed, diners, counter) = try_join!(
        rounds::store::find(conn, tenant, &wanted),
        store::billed_items(conn, tenant, session),
        diners::store::of_session(conn, tenant, session),
        store::lock_check_counter(conn, tenant, scene.branch.id),
    )?;
    let rounds: Vec<Round> = found.into_iter().map(|found| found.round).collect();
    let mut named =
        rounds::store::people_of(rounds.iter().filter(|round| round.status == RoundStatus::Pending));
    named.extend(ask.caller.id);
    Ok(Material {
        people: People::load(conn, tenant, named).await?,
        diners: diners.iter().map(|diner| diner.id).collect(),
        rounds,
        billed,
        counter,
    })
}

fn decide(
    facts: Facts,
    act: &mut Act<'_>,
    who: &Principal,
    command: &RequestCheck,
) -> Result<Stored, Refusal> {
    let permit = authorize(who, Action::CheckRequest, &facts.scene.resource())?;
    let scene = &facts.scene;
    let material = match facts.bill {
        Bill::Out(bill) => {
            let (check, ledger) = *bill;
            return Ok(Stored::new(200, &check_view(scene, act.ask, &check, &ledger))?.version(check.version));
        }
        Bill::None(material) => *material,
    };
    let cleared = clear_pending(scene, &material, act, permit.actor(), command.pending_rounds)?;
    let mut counter = material.counter;
    counter.value += 1;
    let asking = RequestFacts {
        session: &scene.session,
        table: &scene.table,
        branch: &scene.branch,
        rounds: &cleared.rounds,
        billed: &material.billed,
        diners: &material.diners,
        next_number: counter.value,
    };
    let requested = request_check(&asking, command, permit.actor(), act.now, &mut act.ids)
        .map_err(|error| Refusal::priced(scene.branch.currency, error))?;
    let CheckRequested {
        session,
        table,
        check,
        ledger,
        events,
        audit,
    } = requested;

    act.rows.update(&SessionRow::of(act.ask.tenant, &session));
    act.rows.update(&TableVersionRow::of(act.ask.tenant, &table));
    record::insert_check(&mut act.rows, act.ask.tenant, &check, &ledger);
    act.rows.update(&counter);
    let place = || scene.place(&material.people).with_ledger(&ledger);
    act.announce(&place(), &cleared.events);
    act.announce(&place(), &events);
    for entry in cleared.audits.iter().chain([&audit]) {
        act.trace(Some(scene.branch.id), entry);
    }
    Ok(Stored::new(201, &check_view(scene, act.ask, &check, &ledger))?
        .version(check.version)
        .location(location(act.ask, who, &check)))
}

/// Guests find their visit's check at an address without an id.
fn location(ask: &Ask, who: &Principal, check: &Check) -> String {
    match who {
        Principal::Staff(_) | Principal::ApiKey(_) => format!("{}{}", ask.found_at, check.id),
        Principal::Diner(_) | Principal::Table(_) => ask.found_at.to_owned(),
    }
}

/// The rounds of the visit once none of them waits any more.
#[derive(Default)]
struct Cleared {
    rounds: Vec<Round>,
    events: Vec<Event>,
    audits: Vec<AuditEntry>,
}

/// Confirms or cancels what still waits, if the staff want it so; the rows go into the act.
fn clear_pending(
    scene: &Scene,
    material: &Material,
    act: &mut Act<'_>,
    actor: &Actor,
    wish: PendingRounds,
) -> Result<Cleared, Refusal> {
    let mut cleared = Cleared::default();
    for round in material.rounds.iter().cloned() {
        let waits = round.status == RoundStatus::Pending && actor.diner_id().is_none();
        let round = match wish {
            PendingRounds::Confirm if waits => confirmed(scene, round, act, actor, &mut cleared)?,
            PendingRounds::Cancel if waits => canceled(scene, round, act, actor, &mut cleared)?,
            _ => round,
        };
        cleared.rounds.push(round);
    }
    Ok(cleared)
}

fn confirmed(
    scene: &Scene,
    round: Round,
    act: &mut Act<'_>,
    actor: &Actor,
    cleared: &mut Cleared,
) -> Result<Round, Refusal> {
    let moved = confirm(round, scene.branch.settings, actor, act.now, &mut act.ids)?;
    act.rows.update(&RoundRow::of(act.ask.tenant, &moved.round));
    // A round that waited has no tickets yet, so whatever there is now is new.
    insert_tickets(&mut act.rows, act.ask.tenant, &moved.tickets);
    cleared.events.extend(moved.events);
    cleared.audits.push(moved.audit);
    Ok(moved.round)
}

fn canceled(
    scene: &Scene,
    round: Round,
    act: &mut Act<'_>,
    actor: &Actor,
    cleared: &mut Cleared,
) -> Result<Round, Refusal> {
    let taking_back = TakeBackFacts {
        session: scene.session.clone(),
        check: None,
        round,
        tickets: Vec::new(),
    };
    let reason = Some(CANCELED_BY_REQUEST.to_owned());
    let taken = cancel_round(taking_back, reason, actor, act.now, &mut act.ids)?;
    act.rows.update(&RoundRow::of(act.ask.tenant, &taken.round));
    record_voids(
        &mut act.rows,
        act.ask.tenant,
        &taken.round,
        scene.branch.currency.code(),
        &taken.voids,
    );
    cleared.events.extend(taken.events);
    cleared.audits.push(taken.audit);
    Ok(taken.round)
}
