//! An online payment in two steps, so that no network call happens inside a transaction (`domain.md` 4.0).
//!
//! 1. One transaction reserves the amount and writes the idempotency record as `started`, with a lease.
//! 2. The provider is called. Its key is our payment's id, so a repeated call has no second effect there.
//! 3. A second transaction enters the answer and finishes the record.
//!
//! A repetition during the lease is `idempotency_in_flight`. After it, or at once when the provider could not be
//! reached, the repetition goes on with the same payment: it calls the provider again if that never answered, and
//! otherwise answers with the payment as it is by now.

use std::time::Duration;

use comanda_domain::billing::{
    Payment, PaymentFacts, PaymentStatus, Provider, ProviderState, StartOnlinePayment, start_online_payment,
};
use comanda_domain::ids::{CheckId, PaymentId};
use comanda_domain::money::{Currency, Money};
use comanda_security::policy::{Action, DinerPrincipal, Principal, authorize};

use super::apply::{apply, by_provider};
use super::provider::{Behaviour, PaymentOrder, ProviderOptions, Started};
use super::scene::{BillScene, locks_of_payment};
use super::{BillingService, CheckOf, record};
use crate::db::{Act, Ask, Locks};
use crate::idempotency::{self, Claim, RecordRow, Stored};
use crate::refusal::Refusal;

/// How long a provider has to answer.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(8);

/// What is to be paid online, and what the provider is told besides.
#[derive(Debug, Clone)]
pub struct StartPayment {
    /// What.
    pub payment: StartOnlinePayment,
    /// What the provider is told.
    pub options: ProviderOptions,
}

/// What the first step found.
enum First {
    /// It was all done before.
    Answered(Stored),
    /// The provider is to be called.
    Begun(Box<Begun>),
    /// An earlier try got stuck.
    Resumed(PaymentId, Box<RecordRow>),
}

struct Begun {
    payment: Payment,
    currency: Currency,
    record: Option<RecordRow>,
}

impl BillingService {
    /// Reserves the amount and starts the payment with its provider. A refusal by the provider is answered
    /// normally, with a rejected payment.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, `validation_failed`, the refusals of paying (`domain.md` 4.3), and
    /// `provider_unavailable`: the amount stays reserved, and the same request goes on.
    pub async fn start_online_payment(
        &self,
        ask: &Ask,
        who: &Principal,
        check: CheckId,
        wish: &StartPayment,
    ) -> Result<Stored, Refusal> {
        self.start(ask, who, CheckOf::Id(check), wish).await
    }

    /// A guest pays online on the check of the own visit.
    ///
    /// # Errors
    /// As for [`Self::start_online_payment`].
    pub async fn pay_at_visit(
        &self,
        ask: &Ask,
        who: &DinerPrincipal,
        wish: &StartPayment,
    ) -> Result<Stored, Refusal> {
        self.start(
            ask,
            &Principal::Diner(who.clone()),
            CheckOf::Visit(who.session),
            wish,
        )
        .await
    }

    async fn start(
        &self,
        ask: &Ask,
        who: &Principal,
        check: CheckOf,
        wish: &StartPayment,
    ) -> Result<Stored, Refusal> {
        let behaviour = wish.options.behaviour()?;
        match self.begin(ask, who, check, &wish.payment).await? {
            First::Answered(stored) => Ok(stored),
            First::Begun(begun) => {
                let Begun {
                    payment,
                    currency,
                    record,
                } = *begun;
                let order = order(&payment, currency, behaviour);
                self.go_on(ask, payment.provider, &order, record.as_ref()).await
            }
            First::Resumed(id, record) => {
                let facts = {
                    let ask = by_provider(ask);
                    self.db
                        .read(ask.tenant, async |conn| {
                            BillScene::load_by_payment(conn, &ask, id).await
                        })
                        .await?
                };
                let payment = facts.payment(id)?;
                if payment.status == PaymentStatus::Created {
                    let order = order(payment, facts.check.currency, behaviour);
                    self.go_on(ask, payment.provider, &order, Some(&record)).await
                } else {
                    self.conclude(ask, id, None, Some(&record)).await
                }
            }
        }
    }

    async fn begin(
        &self,
        ask: &Ask,
        who: &Principal,
        check: CheckOf,
        wish: &StartOnlinePayment,
    ) -> Result<First, Refusal> {
        self.db
            .transact(
                ask,
                check.locks(),
                async |conn| BillScene::load(conn, ask, who, check.wanted()).await,
                |claim, facts, act| match claim {
                    Claim::Replay(stored) => Ok(First::Answered(stored)),
                    Claim::Resume(row) => resume(row, act),
                    Claim::Fresh => {
                        let facts = facts?;
                        let permit = authorize(who, Action::PaymentStartOnline, &facts.resource())?;
                        let paying = PaymentFacts {
                            session: &facts.scene.session,
                            branch: &facts.scene.branch,
                            check: &facts.check,
                            ledger: &facts.ledger,
                            diners: &facts.diners,
                            enabled: &self.served(&facts.enabled),
                        };
                        let currency = facts.check.currency;
                        let created =
                            start_online_payment(&paying, wish, permit.actor(), act.now, &mut act.ids)
                                .map_err(|error| Refusal::priced(currency, error))?;
                        record::insert_payment(&mut act.rows, ask.tenant, &facts.check, &created.payment);
                        facts.touch(act);
                        act.announce(&facts.place(&created.ledger), &created.events);
                        act.trace(Some(facts.scene.branch.id), &created.audit);
                        let record = idempotency::started(ask, created.payment.id.0, act.now, &mut act.ids);
                        act.rows.insert_all(&record);
                        Ok(First::Begun(Box::new(Begun {
                            payment: created.payment,
                            currency,
                            record,
                        })))
                    }
                },
            )
            .await
    }

    /// Calls the provider and enters what it says.
    async fn go_on(
        &self,
        ask: &Ask,
        provider: Provider,
        order: &PaymentOrder,
        record: Option<&RecordRow>,
    ) -> Result<Stored, Refusal> {
        crate::failpoint::reached("before_provider");
        let Some(started) = self.call(provider, order).await else {
            self.release(ask, record).await;
            return Err(Refusal::ProviderUnavailable);
        };
        crate::failpoint::reached("after_provider");
        let answer = self
            .conclude(ask, order.payment, Some(&started.state), record)
            .await?;
        crate::failpoint::reached("after_payment");
        for report in &started.reports {
            // The answer is committed; a report that cannot be entered now changes nothing of it.
            if let Err(error) = self.apply_report(ask, order.payment, report).await {
                tracing::warn!(payment = %order.payment, %error, "a provider's report was not entered");
            }
        }
        Ok(answer)
    }

    /// The provider's answer; nothing if there is none in time.
    async fn call(&self, provider: Provider, order: &PaymentOrder) -> Option<Started> {
        let port = self.provider(provider)?;
        match tokio::time::timeout(PROVIDER_TIMEOUT, port.start(order)).await {
            Ok(Ok(started)) => Some(started),
            Ok(Err(error)) => {
                tracing::warn!(payment = %order.payment, %provider, %error, "provider not reached");
                None
            }
            Err(_) => {
                tracing::warn!(payment = %order.payment, %provider, "provider did not answer in time");
                None
            }
        }
    }

    /// Enters the provider's answer, if there is a new one, and finishes the record.
    async fn conclude(
        &self,
        ask: &Ask,
        id: PaymentId,
        state: Option<&ProviderState>,
        record: Option<&RecordRow>,
    ) -> Result<Stored, Refusal> {
        let inner = by_provider(ask);
        self.db
            .transact(
                &inner,
                locks_of_payment(id),
                async |conn| BillScene::load_by_payment(conn, &inner, id).await,
                |_, facts, act| {
                    let facts = facts?;
                    let before = facts.payment(id)?;
                    let moved = state.and_then(|state| apply(&facts, before, state, act));
                    let answer = facts
                        .payment_answer(201, moved.as_ref().unwrap_or(before))?
                        .location(format!("{}{id}", ask.found_at));
                    if let Some(mut record) = record.cloned() {
                        idempotency::finish(&mut record, &answer);
                        act.rows.update(&record);
                    }
                    Ok(answer)
                },
            )
            .await
    }

    /// Lets a repetition go on at once. Where that fails, the lease ends by itself.
    async fn release(&self, ask: &Ask, record: Option<&RecordRow>) {
        let Some(record) = record else { return };
        let released = self
            .db
            .transact(
                &by_provider(ask),
                Locks::none(),
                async |_| Ok(()),
                |_, _, act| {
                    let mut record = record.clone();
                    idempotency::release(&mut record, act.now);
                    act.rows.update(&record);
                    Ok(())
                },
            )
            .await;
        if let Err(error) = released {
            tracing::warn!(%error, "the lease of an online payment was not given back");
        }
    }
}

fn order(payment: &Payment, currency: Currency, behaviour: Behaviour) -> PaymentOrder {
    PaymentOrder {
        payment: payment.id,
        // In range: the sum was checked when the payment was made.
        money: Money::new(payment.amount.saturating_add(payment.tip_amount), currency),
        expires_at: payment.expires_at,
        behaviour,
    }
}

/// Takes over from a try that did not finish.
fn resume(row: Box<RecordRow>, act: &mut Act<'_>) -> Result<First, Refusal> {
    let mut record = row;
    idempotency::lease(&mut record, act.now);
    act.rows.update(&*record);
    let id = record
        .resource_id
        .ok_or_else(|| Refusal::Internal("a started payment without its id".to_owned()))?;
    Ok(First::Resumed(id.into(), record))
}
