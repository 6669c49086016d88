//! Starting, finishing, recalling and handing over a ticket or one of its lines; the round follows.

use comanda_domain::ids::TicketId;
use comanda_domain::kitchen::{ItemAction, TicketAction, TicketCommand, move_ticket};
use comanda_domain::round::RoundFacts;
use comanda_security::policy::{Action, Principal, authorize};

use super::{KitchenService, store};
use crate::db::{Ask, Locks};
use crate::idempotency::Stored;
use crate::refusal::Refusal;
use crate::rounds::scene::RoundScene;

/// What the authorisation table calls it.
fn action_of(command: TicketCommand) -> Action {
    match command {
        TicketCommand::Whole(TicketAction::Start) | TicketCommand::Item(_, ItemAction::Start) => {
            Action::TicketStart
        }
        TicketCommand::Whole(TicketAction::Ready) | TicketCommand::Item(_, ItemAction::Ready) => {
            Action::TicketReady
        }
        TicketCommand::Whole(TicketAction::Recall) | TicketCommand::Item(_, ItemAction::Recall) => {
            Action::TicketRecall
        }
        TicketCommand::Whole(TicketAction::Deliver) => Action::TicketDeliver,
    }
}

impl KitchenService {
    /// Moves a ticket or one of its lines; `seen` is the ticket's version that the client saw.
    ///
    /// # Errors
    /// `ticket_wrong_state`, `forbidden`.
    pub async fn moved(
        &self,
        ask: &Ask,
        who: &Principal,
        id: TicketId,
        seen: Option<i64>,
        command: TicketCommand,
    ) -> Result<Stored, Refusal> {
        self.db
            .write(
                ask,
                Locks::round_of_ticket(id),
                async |conn| {
                    let round = store::round_of(conn, ask.tenant, id)
                        .await?
                        .ok_or(Refusal::NotFound)?;
                    RoundScene::load(conn, ask, who, round).await
                },
                |facts, act| {
                    let permit = authorize(who, action_of(command), &facts.resource())?;
                    let before = facts.ticket(id)?;
                    if seen.is_some_and(|seen| seen != before.version) {
                        return Err(Refusal::PreconditionFailed {
                            version: before.version,
                            current: crate::stored::json(&facts.ticket_view(ask, before, &facts.round)),
                        });
                    }
                    let round = RoundFacts {
                        round: facts.round.clone(),
                        tickets: facts.tickets.clone(),
                    };
                    let moved = move_ticket(round, id, command, permit.actor(), act.now)?;
                    facts.record(act, &moved.round, &moved.tickets);
                    act.announce(&facts.scene.place(&facts.people), &moved.events);
                    act.trace(Some(facts.scene.branch.id), &moved.audit);
                    let after = moved
                        .tickets
                        .iter()
                        .find(|ticket| ticket.id == id)
                        .unwrap_or(before);
                    Ok(
                        Stored::new(200, &facts.ticket_view(ask, after, &moved.round))?
                            .version(after.version),
                    )
                },
            )
            .await
    }
}
