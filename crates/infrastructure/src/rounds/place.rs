//! A guest places a round from the cart.

use comanda_domain::cart::CartLine;
use comanda_domain::diner::Diner;
use comanda_domain::menu::BranchMenu;
use comanda_domain::round::{PlaceFacts, PlaceRound, place_round};
use comanda_security::policy::{Action, DinerPrincipal, Principal, authorize};
use futures_util::try_join;

use super::{RoundService, rows};
use crate::carts;
use crate::db::{Act, Ask, Conn, Locks};
use crate::diners;
use crate::idempotency::Stored;
use crate::menus::store::{Wanted, products};
use crate::people::People;
use crate::refusal::Refusal;
use crate::sessions::rows::SessionRow;
use crate::sessions::{Scene, require_seating};
use crate::views::{self, Texts};

struct Facts {
    scene: Scene,
    diners: Vec<Diner>,
    lines: Vec<CartLine>,
    menu: BranchMenu,
}

impl RoundService {
    /// Places a round with the selected lines of the cart; `seen` is the cart's version that the guest saw.
    ///
    /// # Errors
    /// The refusals of placing (`domain.md` 4.1).
    pub async fn place(
        &self,
        ask: &Ask,
        who: &DinerPrincipal,
        command: &PlaceRound,
        seen: Option<i64>,
    ) -> Result<Stored, Refusal> {
        let principal = Principal::Diner(who.clone());
        self.db
            .write(
                ask,
                Locks::session(who.session),
                async |conn| load(conn, ask, who, &principal).await,
                |facts, act| decide(&facts, act, &principal, command, seen),
            )
            .await
    }
}

/// Everything behind the opening message, in one round trip.
async fn load(
    conn: Conn<'_>,
    ask: &Ask,
    who: &DinerPrincipal,
    principal: &Principal,
) -> Result<Facts, Refusal> {
    let wanted = Wanted::InCart(who.session, Vec::new());
    let (scene, diners, lines, menu) = try_join!(
        Scene::find(conn, ask.tenant, who.session),
        diners::store::of_session(conn, ask.tenant, who.session),
        carts::store::of_session(conn, ask.tenant, who.session),
        products(conn, ask.tenant, who.branch, &wanted),
    )?;
    let scene = scene.ok_or(Refusal::SeatingEnded)?;
    require_seating(principal, &scene.session)?;
    Ok(Facts {
        scene,
        diners,
        lines,
        menu,
    })
}

fn decide(
    facts: &Facts,
    act: &mut Act<'_>,
    who: &Principal,
    command: &PlaceRound,
    seen: Option<i64>,
) -> Result<Stored, Refusal> {
    let permit = authorize(who, Action::RoundPlace, &facts.scene.resource())?;
    carts::require_version(seen, &facts.scene, &facts.diners, &facts.lines, &facts.menu, act)?;
    let placing = PlaceFacts {
        branch: &facts.scene.branch,
        session: &facts.scene.session,
        diners: &facts.diners,
        lines: &facts.lines,
        menu: &facts.menu,
    };
    let placed = place_round(placing, command.clone(), permit.actor(), act.now, &mut act.ids)?;

    let people = People::of_diners(&facts.diners);
    let tenant = act.ask.tenant;
    rows::insert_round(
        &mut act.rows,
        tenant,
        &placed.round,
        facts.scene.branch.currency.code(),
    );
    act.rows.update(&SessionRow::of(tenant, &placed.session));
    let consumed: Vec<&CartLine> = facts
        .lines
        .iter()
        .filter(|line| placed.consumed.contains(&line.id))
        .collect();
    carts::rows::delete_lines(&mut act.rows, tenant, &placed.session, &consumed, act.now);
    if !consumed.is_empty() {
        let told = carts::signal::consumed(&facts.scene, &placed.session, &consumed);
        act.signals.push(told);
    }
    act.announce(&facts.scene.place(&people), &placed.events);
    act.trace(Some(facts.scene.branch.id), &placed.audit);

    let texts = Texts::wanted(act.ask.language.as_deref(), &facts.scene.branch);
    let view = views::round(
        &placed.round,
        Some(&facts.scene.table_ref()),
        &facts.scene.branch,
        &people,
        &texts,
    );
    Ok(Stored::new(201, &view)?
        .version(placed.round.version)
        .location(format!("{}{}", act.ask.found_at, placed.round.id)))
}
