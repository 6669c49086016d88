//! Beginning an online payment: the amount is reserved before the provider is called.

use chrono::TimeDelta;

use super::announce::payment_event;
use super::intake::{Draft, PaymentFacts, PaymentRefused};
use super::outstanding::outstanding;
use super::who::floor_or_guest;
use super::{Ledger, Payment, Provider};
use crate::Timestamp;
use crate::actor::{Actor, Forbidden};
use crate::audit::AuditEntry;
use crate::event::{Event, EventName};
use crate::ids::{DinerId, IdSource};
use crate::money::Money;

/// How long an online payment reserves its amount.
pub const PAYMENT_LIFETIME: TimeDelta = TimeDelta::minutes(15);

/// What is to be paid online.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StartOnlinePayment {
    /// Through whom.
    pub provider: Provider,
    /// For the check; the payer's outstanding share when not said.
    pub amount: Option<Money>,
    /// For the staff.
    pub tip: Option<Money>,
    /// Who pays, when staff start it; a guest always pays for themselves.
    pub payer: Option<DinerId>,
    /// Whose shares the payer also pays, in order.
    pub covers: Vec<DinerId>,
}

/// The amount is reserved; the provider can be called.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PaymentCreated {
    /// The payment with its covers.
    pub payment: Payment,
    /// The ledger with it. The check itself has not changed.
    pub ledger: Ledger,
    /// `payment.created`
    pub events: Vec<Event>,
    /// `payment.start_online`
    pub audit: AuditEntry,
}

/// Why it does not begin.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StartPaymentError {
    /// `forbidden`
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// What no payment may do.
    #[error(transparent)]
    Refused(#[from] PaymentRefused),
}

/// Reserves an amount for [`PAYMENT_LIFETIME`].
///
/// # Errors
/// [`StartPaymentError`], in the order of its variants.
pub fn start_online_payment(
    facts: &PaymentFacts<'_>,
    command: &StartOnlinePayment,
    actor: &Actor,
    now: Timestamp,
    ids: &mut impl IdSource,
) -> Result<PaymentCreated, StartPaymentError> {
    floor_or_guest(actor, facts.branch.settings.diners_may_pay_online)?;
    facts.takes(command.provider, true)?;
    facts.one_currency(&[command.amount, command.tip])?;
    let payer = actor.diner_id().or(command.payer);
    facts.at_table(payer, &command.covers)?;
    let draft = Draft {
        provider: command.provider,
        amount: amount(facts, command.amount, payer)?,
        tip: command.tip.map_or(0, |tip| tip.minor),
        payer,
        covers: &command.covers,
    };
    facts.fits(&draft)?;
    let mut payment = facts.payment(ids.next(), &draft, actor.stamp(now));
    payment.expires_at = Some(now + PAYMENT_LIFETIME);
    Ok(PaymentCreated {
        events: vec![payment_event(EventName::PaymentCreated, &payment, facts.check)],
        audit: AuditEntry::new("payment.start_online", "payment", payment.id)
            .set("provider", payment.provider.as_str())
            .set("amount", payment.amount)
            .set("tip_amount", payment.tip_amount),
        ledger: facts.ledger.with_payment(&payment),
        payment,
    })
}

/// The given amount, else the payer's outstanding share; where there is none left, the amount must be given.
fn amount(
    facts: &PaymentFacts<'_>,
    given: Option<Money>,
    payer: Option<DinerId>,
) -> Result<i64, PaymentRefused> {
    if let Some(money) = given {
        return Ok(money.minor);
    }
    let share = payer.map_or(0, |diner| outstanding(facts.check, facts.ledger).of(diner));
    if share > 0 {
        Ok(share)
    } else {
        Err(PaymentRefused::ValueRequired("amount"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::fixtures::{
        CountingIds, EQUAL, ars, branch, diners, leo, names, now, online, running_example, session, split,
        start_with,
    };
    use crate::billing::{Payable, PaymentStatus};

    #[test]
    fn the_amount_defaults_to_the_payers_share_and_is_reserved() {
        let bill = split(&running_example(), &EQUAL);
        let ana = diners(3)[0];
        let done = start_with(&bill, &online(None), &Actor::diner(ana)).unwrap();
        assert_eq!(done.payment.status, PaymentStatus::Created);
        assert_eq!(
            (done.payment.amount, done.payment.payer_diner_id),
            (1_553_334, Some(ana))
        );
        assert_eq!(done.payment.expires_at, Some(now() + TimeDelta::minutes(15)));
        assert_eq!(done.ledger.reserved(), 1_553_334);
        assert_eq!(names(&done.events), ["payment.created"]);
        assert_eq!(done.audit.action, "payment.start_online");
    }

    #[test]
    fn without_a_share_the_amount_must_be_given() {
        let required = Err(PaymentRefused::ValueRequired("amount").into());
        let ana = Actor::diner(diners(3)[0]);
        assert_eq!(start_with(&running_example(), &online(None), &ana), required);
        let bill = split(&running_example(), &EQUAL);
        assert_eq!(start_with(&bill, &online(None), &leo()), required);
        assert!(start_with(&bill, &online(Some(ars(1))), &leo()).is_ok());
    }

    #[test]
    fn what_another_phone_reserved_cannot_be_started_again() {
        let bill = running_example();
        let [ana, bruno] = diners(2)[..] else { panic!() };
        let all = online(Some(ars(4_660_000)));
        let first = start_with(&bill, &all, &Actor::diner(ana)).unwrap();
        let mut reserved = bill.clone();
        reserved.ledger = first.ledger;
        let limits = Payable {
            due: 4_660_000,
            reserved: 4_660_000,
            payable: 0,
        };
        assert_eq!(
            start_with(&reserved, &all, &Actor::diner(bruno)),
            Err(PaymentRefused::ExceedsDue(limits).into())
        );
    }

    #[test]
    fn guests_pay_online_only_where_the_branch_lets_them_and_only_for_themselves() {
        let bill = running_example();
        let (session, mut branch) = (session(), branch());
        branch.settings.diners_may_pay_online = false;
        let facts = PaymentFacts {
            session: &session,
            branch: &branch,
            check: &bill.check,
            ledger: &bill.ledger,
            diners: &diners(3),
            enabled: &[Provider::Sandbox],
        };
        let ana = Actor::diner(diners(3)[0]);
        let command = online(Some(ars(1)));
        assert!(matches!(
            start_online_payment(&facts, &command, &ana, now(), &mut CountingIds::default()),
            Err(StartPaymentError::Forbidden(_))
        ));
        let other = StartOnlinePayment {
            payer: Some(diners(3)[1]),
            ..command
        };
        let done = start_with(&bill, &other, &ana).unwrap();
        assert_eq!(done.payment.payer_diner_id, ana.diner_id());
    }

    #[test]
    fn cash_is_not_an_online_provider() {
        let command = StartOnlinePayment {
            provider: Provider::Cash,
            ..online(Some(ars(1)))
        };
        let enabled = vec![Provider::Sandbox];
        assert_eq!(
            start_with(&running_example(), &command, &leo()),
            Err(PaymentRefused::ProviderNotEnabled { enabled }.into())
        );
    }
}
