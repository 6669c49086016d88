//! Staff places a round for the table; the cart is untouched.

use comanda_domain::diner::Diner;
use comanda_domain::ids::SessionId;
use comanda_domain::menu::BranchMenu;
use comanda_domain::round::{PlaceFacts, PlaceForTable, place_round_for_table};
use comanda_security::policy::{Action, Principal, authorize};
use futures_util::try_join;

use super::{RoundService, rows};
use crate::db::{Act, Ask, Conn, Locks};
use crate::diners;
use crate::idempotency::Stored;
use crate::kitchen::rows::insert_tickets;
use crate::menus::store::{Wanted, products};
use crate::people::People;
use crate::refusal::Refusal;
use crate::sessions::Scene;
use crate::sessions::rows::SessionRow;
use crate::views::{self, Texts};

struct Facts {
    scene: Scene,
    diners: Vec<Diner>,
    menu: BranchMenu,
    staff: People,
}

impl RoundService {
    /// Places the given items; they are confirmed, and submitted where the branch wants it, in the same step.
    ///
    /// # Errors
    /// The refusals of placing (`domain.md` 4.1).
    pub async fn place_for_table(
        &self,
        ask: &Ask,
        who: &Principal,
        session: SessionId,
        command: &PlaceForTable,
    ) -> Result<Stored, Refusal> {
        self.db
            .write(
                ask,
                Locks::session(session),
                async |conn| load(conn, ask, session, command).await,
                |facts, act| decide(&facts, act, who, command),
            )
            .await
    }
}

async fn load(
    conn: Conn<'_>,
    ask: &Ask,
    session: SessionId,
    command: &PlaceForTable,
) -> Result<Facts, Refusal> {
    let scene = Scene::load(conn, ask.tenant, session).await?;
    let wanted = Wanted::Of(command.items.iter().map(|item| item.product_id).collect());
    let (diners, menu, staff) = try_join!(
        diners::store::of_session(conn, ask.tenant, session),
        products(conn, ask.tenant, scene.branch.id, &wanted),
        People::load(conn, ask.tenant, ask.caller.id.into_iter().collect()),
    )?;
    Ok(Facts {
        scene,
        diners,
        menu,
        staff,
    })
}

fn decide(
    facts: &Facts,
    act: &mut Act<'_>,
    who: &Principal,
    command: &PlaceForTable,
) -> Result<Stored, Refusal> {
    let permit = authorize(who, Action::RoundPlaceForTable, &facts.scene.resource())?;
    let placing = PlaceFacts {
        branch: &facts.scene.branch,
        session: &facts.scene.session,
        diners: &facts.diners,
        lines: &[],
        menu: &facts.menu,
    };
    let placed = place_round_for_table(placing, command.clone(), permit.actor(), act.now, &mut act.ids)?;

    let people = People::of_diners(&facts.diners).with(facts.staff.clone());
    let tenant = act.ask.tenant;
    rows::insert_round(
        &mut act.rows,
        tenant,
        &placed.round,
        facts.scene.branch.currency.code(),
    );
    insert_tickets(&mut act.rows, tenant, &placed.tickets);
    act.rows.update(&SessionRow::of(tenant, &placed.session));
    act.announce(&facts.scene.place(&people), &placed.events);
    act.trace(Some(facts.scene.branch.id), &placed.audit);

    let texts = Texts::wanted(act.ask.language.as_deref(), &facts.scene.branch);
    let table = facts.scene.table_ref();
    let view = views::round(&placed.round, Some(&table), &facts.scene.branch, &people, &texts);
    Ok(Stored::new(201, &view)?
        .version(placed.round.version)
        .location(format!("{}{}", act.ask.found_at, placed.round.id)))
}
