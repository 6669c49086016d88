//! What operations on an existing round load and answer.

use std::collections::BTreeSet;

use comanda_domain::ids::{RoundId, SessionId, TicketId};
use comanda_domain::kitchen::Ticket;
use comanda_domain::round::Round;
use comanda_security::policy::{Principal, Resource};
use futures_util::try_join;
use uuid::Uuid;

use super::{rows, store};
use crate::db::{Act, Ask, Conn};
use crate::idempotency::Stored;
use crate::kitchen;
use crate::people::People;
use crate::refusal::Refusal;
use crate::sessions::{Scene, require_seating};
use crate::views::{self, Texts};

/// A round, its tickets, and where it takes place.
pub(crate) struct RoundScene {
    pub(crate) scene: Scene,
    pub(crate) round: Round,
    pub(crate) tickets: Vec<Ticket>,
    pub(crate) people: People,
}

impl RoundScene {
    /// Loads what an operation of `who` on the round needs. A guest sees the own visit only.
    pub(crate) async fn load(
        conn: Conn<'_>,
        ask: &Ask,
        who: &Principal,
        id: RoundId,
    ) -> Result<Self, Refusal> {
        let (found, tickets) = try_join!(
            store::one(conn, ask.tenant, id),
            kitchen::store::of_round(conn, ask.tenant, id)
        )?;
        let round = found.ok_or(Refusal::NotFound)?.round;
        let mut people = store::people_of([&round]);
        people.extend(ask.caller.id);
        let (scene, people) = scene_and_people(conn, ask, round.session_id, people).await?;
        if matches!(who, Principal::Diner(diner) if diner.session != round.session_id) {
            return Err(Refusal::NotFound);
        }
        require_seating(who, &scene.session)?;
        Ok(Self {
            scene,
            round,
            tickets,
            people,
        })
    }

    pub(crate) fn resource(&self) -> Resource {
        self.scene.resource()
    }

    /// The round as it travels.
    pub(crate) fn view(&self, ask: &Ask, round: &Round) -> views::RoundView {
        let texts = Texts::wanted(ask.language.as_deref(), &self.scene.branch);
        views::round(
            round,
            Some(&self.scene.table_ref()),
            &self.scene.branch,
            &self.people,
            &texts,
        )
    }

    /// One of its tickets.
    pub(crate) fn ticket(&self, id: TicketId) -> Result<&Ticket, Refusal> {
        self.tickets
            .iter()
            .find(|ticket| ticket.id == id)
            .ok_or(Refusal::NotFound)
    }

    /// A ticket as it travels, with the texts of its round.
    pub(crate) fn ticket_view(&self, ask: &Ask, ticket: &Ticket, round: &Round) -> views::TicketView {
        let texts = Texts::wanted(ask.language.as_deref(), &self.scene.branch);
        views::ticket(ticket, round, Some(&self.scene.table_ref()), &texts)
    }

    /// Refuses if the client saw another version.
    pub(crate) fn require_version(&self, ask: &Ask, seen: Option<i64>) -> Result<(), Refusal> {
        match seen {
            Some(seen) if seen != self.round.version => Err(Refusal::PreconditionFailed {
                version: self.round.version,
                current: crate::stored::json(&self.view(ask, &self.round)),
            }),
            _ => Ok(()),
        }
    }

    /// The answer of an operation that changed the round.
    pub(crate) fn answer(&self, ask: &Ask, round: &Round) -> Result<Stored, Refusal> {
        Ok(Stored::new(200, &self.view(ask, round))?.version(round.version))
    }

    /// Records the changed round and tickets; tickets that were not there before are new.
    pub(crate) fn record(&self, act: &mut Act<'_>, round: &Round, tickets: &[Ticket]) {
        let tenant = act.ask.tenant;
        // A ticket may move without its round.
        if *round != self.round {
            act.rows.update(&rows::RoundRow::of(tenant, round));
        }
        let known: BTreeSet<_> = self.tickets.iter().map(|ticket| ticket.id).collect();
        let (old, new): (Vec<Ticket>, Vec<Ticket>) = tickets
            .iter()
            .cloned()
            .partition(|ticket| known.contains(&ticket.id));
        kitchen::rows::update_tickets(&mut act.rows, tenant, &old);
        kitchen::rows::insert_tickets(&mut act.rows, tenant, &new);
    }
}

async fn scene_and_people(
    conn: Conn<'_>,
    ask: &Ask,
    session: SessionId,
    people: BTreeSet<Uuid>,
) -> Result<(Scene, People), Refusal> {
    try_join!(Scene::load(conn, ask.tenant, session), async {
        People::load(conn, ask.tenant, people)
            .await
            .map_err(Refusal::from)
    })
}
