//! What a provider says of a payment is entered: the one path for answers, reports and results given by hand.

use comanda_domain::billing::{
    EndPaymentError, Payment, Provider, ProviderFacts, ProviderOutcome, ProviderState, ProviderStatus,
    apply_provider_state,
};
use comanda_domain::ids::PaymentId;
use comanda_security::policy::{Action, Principal, authorize};

use super::provider::Sandbox;
use super::scene::{BillScene, locks_of_payment, require_own};
use super::{BillingService, record};
use crate::audit::Caller;
use crate::db::{Act, Ask};
use crate::idempotency::Stored;
use crate::refusal::Refusal;

/// How a payment of the sandbox ends by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SandboxOutcome {
    /// Paid, early or late.
    Approved,
    /// Refused.
    Rejected,
}

impl SandboxOutcome {
    fn status(self) -> ProviderStatus {
        match self {
            Self::Approved => ProviderStatus::Approved,
            Self::Rejected => ProviderStatus::Rejected,
        }
    }
}

/// The same request, continued by a provider: nobody's credential is behind what follows, and no key guards it.
pub(super) fn by_provider(ask: &Ask) -> Ask {
    Ask {
        caller: Caller::provider(),
        nonce: None,
        idempotency: None,
        ..ask.clone()
    }
}

/// Enters a result; the rows go into the act. Nothing if it says nothing new.
pub(super) fn apply(
    facts: &BillScene,
    payment: &Payment,
    state: &ProviderState,
    act: &mut Act<'_>,
) -> Option<Payment> {
    let given = ProviderFacts {
        check: &facts.check,
        ledger: &facts.ledger,
        payment,
        waiter_id: facts.scene.session.assigned_waiter_id,
    };
    let ProviderOutcome::Applied(applied) = apply_provider_state(&given, state, act.now, &mut act.ids) else {
        return None;
    };
    let tenant = act.ask.tenant;
    record::update_check(&mut act.rows, tenant, &facts.check, &applied.check);
    record::update_payment(
        &mut act.rows,
        tenant,
        &applied.check,
        (payment, &applied.payment),
        act.now,
    );
    facts.touch(act);
    act.announce(&facts.place(&applied.ledger), &applied.events);
    act.trace(Some(facts.scene.branch.id), &applied.audit);
    Some(applied.payment)
}

impl BillingService {
    /// Enters a provider's report. A repetition, or news older than what is known, has no effect.
    ///
    /// # Errors
    /// `not_found`, or a failure of the database.
    pub async fn apply_report(&self, ask: &Ask, id: PaymentId, state: &ProviderState) -> Result<(), Refusal> {
        let ask = by_provider(ask);
        self.db
            .transact(
                &ask,
                locks_of_payment(id),
                async |conn| BillScene::load_by_payment(conn, &ask, id).await,
                |_, facts, act| {
                    let facts = facts?;
                    apply(&facts, facts.payment(id)?, state, act);
                    Ok(())
                },
            )
            .await
    }

    /// Decides a payment of the sandbox by hand. As with any provider, money may also come after the payment was
    /// refused, canceled or expired.
    ///
    /// # Errors
    /// `not_found` for a payment of another provider, too; `forbidden`; `payment_wrong_state` where the result
    /// changes nothing.
    pub async fn settle_sandbox(
        &self,
        ask: &Ask,
        who: &Principal,
        id: PaymentId,
        outcome: SandboxOutcome,
    ) -> Result<Stored, Refusal> {
        self.db
            .write(
                ask,
                locks_of_payment(id),
                async |conn| {
                    let facts = BillScene::load_by_payment(conn, ask, id).await?;
                    require_own(who, facts.scene.session.id)?;
                    Ok(facts)
                },
                |facts, act| {
                    let _permit = authorize(who, Action::PaymentRegister, &facts.resource())?;
                    let payment = facts.payment(id)?;
                    if payment.provider != Provider::Sandbox {
                        return Err(Refusal::NotFound);
                    }
                    let state = Sandbox::state(id, outcome.status());
                    let settled =
                        apply(&facts, payment, &state, act).ok_or(EndPaymentError::PaymentWrongState {
                            current: payment.status,
                        })?;
                    facts.payment_answer(200, &settled)
                },
            )
            .await
    }
}
