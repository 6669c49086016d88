//! A round is taken back. Who may do so from which state stands in `comanda_domain::round::ROUND_TRANSITIONS`.

use comanda_domain::ids::RoundId;
use comanda_domain::round::{CheckState, TakeBackFacts, cancel_round};
use comanda_security::policy::{Action, Principal, authorize};

use super::scene::RoundScene;
use super::{RoundService, rows};
use crate::billing;
use crate::db::{Ask, Locks};
use crate::idempotency::Stored;
use crate::refusal::Refusal;
use crate::sessions::rows::SessionRow;

impl RoundService {
    /// Takes a whole round back.
    ///
    /// # Errors
    /// `round_wrong_state`, `forbidden`, `check_settled` or `check_wrong_state` once it is on a check.
    pub async fn cancel(
        &self,
        ask: &Ask,
        who: &Principal,
        id: RoundId,
        seen: Option<i64>,
        reason: Option<&str>,
    ) -> Result<Stored, Refusal> {
        self.db
            .write(
                ask,
                Locks::session_of_round(id).and_round(id),
                async |conn| {
                    let facts = RoundScene::load(conn, ask, who, id).await?;
                    let items: Vec<_> = facts.round.items.iter().map(|item| item.id).collect();
                    let check = billing::store::check_of_items(conn, ask.tenant, &items).await?;
                    Ok((facts, check))
                },
                |(facts, check), act| {
                    let permit = authorize(who, Action::RoundCancel, &facts.resource())?;
                    facts.require_version(ask, seen)?;
                    let taking_back = TakeBackFacts {
                        session: facts.scene.session.clone(),
                        check: check.map(|settled| CheckState { settled }),
                        round: facts.round.clone(),
                        tickets: facts.tickets.clone(),
                    };
                    let canceled = cancel_round(
                        taking_back,
                        reason.map(str::to_owned),
                        permit.actor(),
                        act.now,
                        &mut act.ids,
                    )?;
                    facts.record(act, &canceled.round, &canceled.tickets);
                    let currency = facts.scene.branch.currency.code();
                    rows::record_voids(
                        &mut act.rows,
                        ask.tenant,
                        &canceled.round,
                        currency,
                        &canceled.voids,
                    );
                    act.rows.update(&SessionRow::of(ask.tenant, &canceled.session));
                    act.announce(&facts.scene.place(&facts.people), &canceled.events);
                    act.trace(Some(facts.scene.branch.id), &canceled.audit);
                    facts.answer(ask, &canceled.round)
                },
            )
            .await
    }
}
