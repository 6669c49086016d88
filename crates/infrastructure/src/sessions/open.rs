//! Staff lead a party to a table.

use comanda_domain::ids::TableId;
use comanda_domain::session::{OpenForStaff, Session, StaffOpenFacts, open_for_staff};
use comanda_security::policy::{Action, Principal, authorize};
use futures_util::try_join;

use super::rows::{SessionRow, TableVersionRow};
use super::spot::Spot;
use super::{SessionService, new_join_code, store};
use crate::db::{Act, Ask, Conn, Locks};
use crate::idempotency::Stored;
use crate::people::People;
use crate::refusal::Refusal;
use crate::views;

struct Facts {
    spot: Spot,
    session: Option<Session>,
    people: People,
}

impl SessionService {
    /// Opens a free table; whoever opens it serves it.
    ///
    /// # Errors
    /// `table_out_of_service`, `table_occupied`, `forbidden`.
    pub async fn open_for_staff(
        &self,
        ask: &Ask,
        who: &Principal,
        table: TableId,
        party_size: Option<i32>,
        note: Option<String>,
    ) -> Result<Stored, Refusal> {
        let command = OpenForStaff {
            party_size,
            note,
            new_join_code: new_join_code()?,
        };
        self.db
            .write(
                ask,
                Locks::table(table),
                async |conn| load(conn, ask, table).await,
                |facts, act| decide(&facts, act, who, &command),
            )
            .await
    }
}

async fn load(conn: Conn<'_>, ask: &Ask, table: TableId) -> Result<Facts, Refusal> {
    let (spot, session, people) = try_join!(
        Spot::find(conn, ask.tenant, table),
        store::live_at(conn, ask.tenant, table),
        People::load(conn, ask.tenant, ask.caller.id.into_iter().collect()),
    )?;
    Ok(Facts {
        spot: spot.ok_or(Refusal::NotFound)?,
        session,
        people,
    })
}

fn decide(
    facts: &Facts,
    act: &mut Act<'_>,
    who: &Principal,
    command: &OpenForStaff,
) -> Result<Stored, Refusal> {
    let permit = authorize(who, Action::SessionOpen, &facts.spot.resource())?;
    let opening = StaffOpenFacts {
        table: &facts.spot.table,
        session: facts.session.as_ref(),
    };
    let opened = open_for_staff(opening, command.clone(), permit.actor(), act.now, &mut act.ids)?;

    let scene = facts.spot.with(opened.session);
    act.rows.insert(&SessionRow::of(act.ask.tenant, &scene.session));
    act.rows
        .update(&TableVersionRow::of(act.ask.tenant, &opened.table));
    act.announce(&scene.place(&facts.people).with_party(&[], None), &opened.events);
    act.trace(Some(scene.branch.id), &opened.audit);
    Ok(
        Stored::new(201, &views::session(&scene, &[], None, &facts.people))?
            .version(scene.session.version)
            .location(format!("{}{}", act.ask.found_at, scene.session.id)),
    )
}
