//! Part of a round is taken back.

use comanda_domain::ids::RoundId;
use comanda_domain::round::{CheckState, TakeBackFacts, VoidItem, void_item};
use comanda_security::policy::{Action, Principal, authorize};

use super::scene::RoundScene;
use super::{RoundService, rows};
use crate::billing;
use crate::db::{Ask, Locks};
use crate::idempotency::Stored;
use crate::refusal::Refusal;
use crate::sessions::rows::SessionRow;

impl RoundService {
    /// Takes a quantity of one item back.
    ///
    /// # Errors
    /// `round_wrong_state`, `void_exceeds_live`, `forbidden`, `check_settled` or `check_wrong_state` once it is on
    /// a check.
    pub async fn void_item(
        &self,
        ask: &Ask,
        who: &Principal,
        id: RoundId,
        seen: Option<i64>,
        command: &VoidItem,
    ) -> Result<Stored, Refusal> {
        self.db
            .write(
                ask,
                Locks::session_of_round(id).and_round(id),
                async |conn| {
                    let facts = RoundScene::load(conn, ask, who, id).await?;
                    let check = billing::store::check_of_items(conn, ask.tenant, &[command.item_id]).await?;
                    Ok((facts, check))
                },
                |(facts, check), act| {
                    let permit = authorize(who, Action::RoundVoidItem, &facts.resource())?;
                    facts.require_version(ask, seen)?;
                    let taking_back = TakeBackFacts {
                        session: facts.scene.session.clone(),
                        check: check.map(|settled| CheckState { settled }),
                        round: facts.round.clone(),
                        tickets: facts.tickets.clone(),
                    };
                    let voided = void_item(
                        taking_back,
                        command.clone(),
                        permit.actor(),
                        act.now,
                        &mut act.ids,
                    )?;
                    facts.record(act, &voided.round, &voided.tickets);
                    let currency = facts.scene.branch.currency.code();
                    rows::record_voids(
                        &mut act.rows,
                        ask.tenant,
                        &voided.round,
                        currency,
                        std::slice::from_ref(&voided.void),
                    );
                    act.rows.update(&SessionRow::of(ask.tenant, &voided.session));
                    act.announce(&facts.scene.place(&facts.people), &voided.events);
                    act.trace(Some(facts.scene.branch.id), &voided.audit);
                    facts.answer(ask, &voided.round)
                },
            )
            .await
    }
}
