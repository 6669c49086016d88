//! An online payment is given up.

use comanda_domain::actor::Actor;
use comanda_domain::billing::{Payment, PaymentEnd, end_payment};
use comanda_domain::ids::{IdSource, PaymentId, RequestId, TenantId};
use comanda_security::policy::{Action, Principal, authorize};

use super::BillingService;
use super::rows::PaymentRow;
use super::scene::{BillScene, locks_of_payment, require_own};
use super::store::overdue_payments;
use crate::audit::Caller;
use crate::db::{Act, Ask, Origin};
use crate::idempotency::Stored;
use crate::refusal::Refusal;
use crate::sessions::require_seating;

/// How many payments one run of the job takes up; what is left waits for the next.
const PER_RUN: i64 = 200;

impl BillingService {
    /// Takes back a payment that is still under way, by the guest who started it or the staff.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, `payment_wrong_state`.
    pub async fn cancel_payment(&self, ask: &Ask, who: &Principal, id: PaymentId) -> Result<Stored, Refusal> {
        self.db
            .write(
                ask,
                locks_of_payment(id),
                async |conn| {
                    let facts = BillScene::load_by_payment(conn, ask, id).await?;
                    require_own(who, facts.scene.session.id)?;
                    require_seating(who, &facts.scene.session)?;
                    Ok(facts)
                },
                |facts, act| {
                    let permit = authorize(who, Action::PaymentCancel, &facts.resource())?;
                    let ended = end(
                        &facts,
                        facts.payment(id)?,
                        PaymentEnd::Canceled,
                        permit.actor(),
                        act,
                    )?;
                    facts.touch(act);
                    facts.payment_answer(200, &ended)
                },
            )
            .await
    }

    /// Gives up the payments of a tenant whose time is over, one operation each, and says how many. One that
    /// cannot be ended now is left to the next run.
    ///
    /// # Errors
    /// A failure of the database while looking for them.
    pub async fn expire_due_payments(&self, tenant: TenantId) -> Result<usize, Refusal> {
        let now = self.db.sources().now();
        let due = self
            .db
            .read(tenant, async |conn| {
                Ok(overdue_payments(conn, tenant, now, PER_RUN).await?)
            })
            .await?;
        let mut expired = 0;
        for id in due {
            match self.expire(tenant, id).await {
                Ok(true) => expired += 1,
                Ok(false) => {}
                Err(error) => tracing::warn!(payment = %id, %error, "a payment was not expired"),
            }
        }
        Ok(expired)
    }

    /// Whether the payment was still waiting.
    async fn expire(&self, tenant: TenantId, id: PaymentId) -> Result<bool, Refusal> {
        let ask = self.ask_of_job(tenant);
        self.db
            .transact(
                &ask,
                locks_of_payment(id),
                async |conn| BillScene::load_by_payment(conn, &ask, id).await,
                |_, facts, act| {
                    let facts = facts?;
                    let payment = facts.payment(id)?;
                    let over = payment.expires_at.is_some_and(|at| at <= act.now);
                    if !over || !payment.status.is_under_way() {
                        return Ok(false);
                    }
                    // Nobody at the table did anything, so this is no activity of the visit.
                    end(&facts, payment, PaymentEnd::Expired, &Actor::SYSTEM, act)?;
                    Ok(true)
                },
            )
            .await
    }

    fn ask_of_job(&self, tenant: TenantId) -> Ask {
        let request: RequestId = self.db.sources().ids().next();
        Ask {
            tenant,
            caller: Caller::system(),
            request_id: request.to_string(),
            origin: Origin::default(),
            language: None,
            found_at: "",
            nonce: None,
            idempotency: None,
        }
    }
}

/// Ends the payment; the rows go into the act.
fn end(
    facts: &BillScene,
    payment: &Payment,
    how: PaymentEnd,
    actor: &Actor,
    act: &mut Act<'_>,
) -> Result<Payment, Refusal> {
    let ended = end_payment(&facts.check, payment, how, actor)?;
    act.rows
        .update(&PaymentRow::of(act.ask.tenant, &facts.check, &ended.payment));
    let ledger = facts.ledger.with_payment(&ended.payment);
    act.announce(&facts.place(&ledger), &ended.events);
    act.trace(Some(facts.scene.branch.id), &ended.audit);
    Ok(ended.payment)
}
