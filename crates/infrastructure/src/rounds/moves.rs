//! Confirming, submitting, starting, finishing, recalling and serving a round.

use comanda_domain::ids::RoundId;
use comanda_domain::round::{
    MoveRoundError, RoundFacts, RoundMoved, RoundTarget, confirm, move_round, submit,
};
use comanda_security::policy::{Action, Permit, Principal, authorize};

use super::RoundService;
use super::scene::RoundScene;
use crate::db::{Act, Ask, Locks};
use crate::idempotency::Stored;
use crate::refusal::Refusal;

/// Where a round is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Move {
    Confirm,
    Submit,
    To(RoundTarget),
}

impl Move {
    fn action(self) -> Action {
        match self {
            Self::Confirm => Action::RoundConfirm,
            Self::Submit => Action::RoundSubmit,
            Self::To(RoundTarget::InKitchen) => Action::RoundStart,
            Self::To(RoundTarget::Ready) => Action::RoundReady,
            Self::To(RoundTarget::Recall) => Action::RoundRecall,
            Self::To(RoundTarget::Served) => Action::RoundServe,
        }
    }
}

impl RoundService {
    /// A waiter has verified the round.
    ///
    /// # Errors
    /// `round_wrong_state`, `forbidden`.
    pub async fn confirm(
        &self,
        ask: &Ask,
        who: &Principal,
        id: RoundId,
        seen: Option<i64>,
    ) -> Result<Stored, Refusal> {
        self.moved(ask, who, id, seen, Move::Confirm).await
    }

    /// The kitchen gets the round.
    ///
    /// # Errors
    /// `round_wrong_state`, `forbidden`.
    pub async fn submit(
        &self,
        ask: &Ask,
        who: &Principal,
        id: RoundId,
        seen: Option<i64>,
    ) -> Result<Stored, Refusal> {
        self.moved(ask, who, id, seen, Move::Submit).await
    }

    /// The round goes on by all its tickets at once.
    ///
    /// # Errors
    /// `round_wrong_state`, `forbidden`.
    pub async fn advance(
        &self,
        ask: &Ask,
        who: &Principal,
        id: RoundId,
        seen: Option<i64>,
        target: RoundTarget,
    ) -> Result<Stored, Refusal> {
        self.moved(ask, who, id, seen, Move::To(target)).await
    }

    async fn moved(
        &self,
        ask: &Ask,
        who: &Principal,
        id: RoundId,
        seen: Option<i64>,
        to: Move,
    ) -> Result<Stored, Refusal> {
        self.db
            .write(
                ask,
                Locks::round(id),
                async |conn| RoundScene::load(conn, ask, who, id).await,
                |facts, act| {
                    let permit = authorize(who, to.action(), &facts.resource())?;
                    facts.require_version(ask, seen)?;
                    let moved = decide(&facts, to, &permit, act)?;
                    facts.record(act, &moved.round, &moved.tickets);
                    act.announce(&facts.scene.place(&facts.people), &moved.events);
                    act.trace(Some(facts.scene.branch.id), &moved.audit);
                    facts.answer(ask, &moved.round)
                },
            )
            .await
    }
}

fn decide(
    facts: &RoundScene,
    to: Move,
    permit: &Permit,
    act: &mut Act<'_>,
) -> Result<RoundMoved, MoveRoundError> {
    let (actor, settings, round) = (permit.actor(), facts.scene.branch.settings, facts.round.clone());
    match to {
        Move::Confirm => confirm(round, settings, actor, act.now, &mut act.ids),
        Move::Submit => submit(round, settings, actor, act.now, &mut act.ids),
        Move::To(target) => move_round(
            RoundFacts {
                round,
                tickets: facts.tickets.clone(),
            },
            target,
            actor,
            act.now,
        ),
    }
}
