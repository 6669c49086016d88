//! The staff enter money that has changed hands.

use comanda_domain::billing::{PaymentFacts, RegisterPayment, register_payment};
use comanda_domain::ids::CheckId;
use comanda_security::policy::{Action, Principal, authorize};

use super::scene::BillScene;
use super::{BillingService, CheckOf, record};
use crate::db::Ask;
use crate::idempotency::Stored;
use crate::refusal::Refusal;

impl BillingService {
    /// Enters cash, a card slip or a transfer.
    ///
    /// # Errors
    /// `not_found`, `forbidden` and the refusals of paying (`domain.md` 4.3).
    pub async fn register_payment(
        &self,
        ask: &Ask,
        who: &Principal,
        check: CheckId,
        command: &RegisterPayment,
    ) -> Result<Stored, Refusal> {
        let check = CheckOf::Id(check);
        self.db
            .write(
                ask,
                check.locks(),
                async |conn| BillScene::load(conn, ask, who, check.wanted()).await,
                |facts, act| {
                    let permit = authorize(who, Action::PaymentRegister, &facts.resource())?;
                    let paying = PaymentFacts {
                        session: &facts.scene.session,
                        branch: &facts.scene.branch,
                        check: &facts.check,
                        ledger: &facts.ledger,
                        diners: &facts.diners,
                        enabled: &facts.enabled,
                    };
                    let registered =
                        register_payment(&paying, command, permit.actor(), act.now, &mut act.ids)
                            .map_err(|error| Refusal::priced(facts.check.currency, error))?;
                    record::update_check(&mut act.rows, ask.tenant, &facts.check, &registered.check);
                    record::insert_payment(&mut act.rows, ask.tenant, &registered.check, &registered.payment);
                    facts.touch(act);
                    act.announce(&facts.place(&registered.ledger), &registered.events);
                    act.trace(Some(facts.scene.branch.id), &registered.audit);
                    let answer = facts.payment_answer(201, &registered.payment)?;
                    Ok(answer.location(format!("{}{}", ask.found_at, registered.payment.id)))
                },
            )
            .await
    }
}
