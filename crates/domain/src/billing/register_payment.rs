//! Money that the staff take: cash, a card terminal, a bank transfer.

use super::intake::{Draft, PaymentFacts, PaymentRefused};
use super::receive::{Books, receive};
use super::who::floor_or_guest;
use super::{Check, Ledger, Payment, Provider};
use crate::Timestamp;
use crate::actor::{Actor, Forbidden};
use crate::audit::AuditEntry;
use crate::event::Event;
use crate::ids::{DinerId, IdSource};
use crate::money::Money;

/// What was taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegisterPayment {
    /// How.
    pub provider: Provider,
    /// For the check.
    pub amount: Money,
    /// For the staff.
    pub tip: Option<Money>,
    /// Cash handed over; exactly amount and tip when not said. Nothing else has it.
    pub tendered: Option<Money>,
    /// Who pays.
    pub payer: Option<DinerId>,
    /// Whose shares the payer also pays, in order.
    pub covers: Vec<DinerId>,
    /// Terminal slip, transfer number.
    pub reference: Option<String>,
}

/// The money is in the books.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PaymentRegistered {
    /// The payment with covers, tip and allocations, all of them new.
    pub payment: Payment,
    /// The check after it.
    pub check: Check,
    /// The ledger after it.
    pub ledger: Ledger,
    /// `payment.approved`, then `check.paid` or `check.updated`.
    pub events: Vec<Event>,
    /// `payment.register`
    pub audit: AuditEntry,
}

/// Why it is not taken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RegisterPaymentError {
    /// `forbidden`
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// What no payment may do.
    #[error(transparent)]
    Refused(#[from] PaymentRefused),
    /// `tendered_too_small`
    #[error("the cash does not cover amount and tip")]
    TenderedTooSmall {
        /// Amount and tip together.
        needed: i64,
    },
}

/// Enters money that has changed hands.
///
/// # Errors
/// [`RegisterPaymentError`], in the order of its variants.
pub fn register_payment(
    facts: &PaymentFacts<'_>,
    command: &RegisterPayment,
    actor: &Actor,
    now: Timestamp,
    ids: &mut impl IdSource,
) -> Result<PaymentRegistered, RegisterPaymentError> {
    floor_or_guest(actor, false)?;
    facts.takes(command.provider, false)?;
    facts.one_currency(&[Some(command.amount), command.tip, command.tendered])?;
    facts.at_table(command.payer, &command.covers)?;
    let draft = Draft {
        provider: command.provider,
        amount: command.amount.minor,
        tip: command.tip.map_or(0, |tip| tip.minor),
        payer: command.payer,
        covers: &command.covers,
    };
    facts.fits(&draft)?;
    let cash = cash(command, draft.amount + draft.tip)?;
    let mut payment = facts.payment(ids.next(), &draft, actor.stamp(now));
    payment.tendered_amount = cash.map(|(tendered, _)| tendered);
    payment.change_amount = cash.map(|(_, change)| change);
    payment.reference.clone_from(&command.reference);
    let books = Books {
        check: facts.check,
        ledger: facts.ledger,
        waiter_id: facts.session.assigned_waiter_id,
    };
    let received = receive(&books, &payment, actor.stamp(now), ids);
    let audit = AuditEntry::new("payment.register", "payment", received.payment.id)
        .set("provider", received.payment.provider.as_str())
        .set("amount", received.payment.amount)
        .set("tip_amount", received.payment.tip_amount)
        .moved("paid_amount", facts.check.paid_amount, received.check.paid_amount);
    Ok(PaymentRegistered {
        payment: received.payment,
        check: received.check,
        ledger: received.ledger,
        events: received.events,
        audit,
    })
}

/// Cash handed over and handed back; nothing for other ways of paying.
fn cash(command: &RegisterPayment, needed: i64) -> Result<Option<(i64, i64)>, RegisterPaymentError> {
    if command.provider != Provider::Cash {
        return Ok(None);
    }
    let tendered = command.tendered.map_or(needed, |money| money.minor);
    if tendered < needed {
        return Err(RegisterPaymentError::TenderedTooSmall { needed });
    }
    Ok(Some((tendered, tendered - needed)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::fixtures::{
        Bill, CountingIds, EQUAL, ars, branch, cook, diners, leo, names, now, register, running_example,
        session, split, start, take,
    };
    use crate::billing::{CheckStatus, Payable, PaymentStatus, void_check};
    use crate::money::{Currency, MAX_TOTAL, MoneyError};

    fn refused(result: Result<PaymentRegistered, RegisterPaymentError>) -> PaymentRefused {
        match result {
            Err(RegisterPaymentError::Refused(refused)) => refused,
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    #[test]
    fn cash_gives_change_and_the_tip_is_the_waiters() {
        let bill = running_example();
        let command = RegisterPayment {
            tip: Some(ars(50_000)),
            tendered: Some(ars(2_000_000)),
            ..take(Provider::Cash, 1_553_333, Some(diners(3)[1]))
        };
        let done = register(&bill, &command, &leo()).unwrap();
        assert_eq!(done.payment.status, PaymentStatus::Approved);
        assert_eq!(done.payment.version, 1);
        assert_eq!(
            (done.payment.tendered_amount, done.payment.change_amount),
            (Some(2_000_000), Some(396_667))
        );
        let tip = done.payment.tip.unwrap();
        assert_eq!((tip.amount, tip.diner_id), (50_000, Some(diners(3)[1])));
        assert_eq!(tip.waiter_id, session().assigned_waiter_id);
        assert_eq!(done.check.status, CheckStatus::InPayment);
        assert_eq!(names(&done.events), ["payment.approved", "check.updated"]);
        assert_eq!(done.audit.action, "payment.register");
    }

    #[test]
    fn the_whole_amount_makes_the_check_paid() {
        let bill = running_example();
        let done = register(&bill, &take(Provider::Transfer, 4_660_000, None), &leo()).unwrap();
        assert_eq!(done.check.status, CheckStatus::Paid);
        assert_eq!(done.payment.tendered_amount, None);
        assert_eq!(done.payment.covers, []);
        assert_eq!(names(&done.events), ["payment.approved", "check.paid"]);
        let paid = Bill {
            check: done.check,
            ledger: done.ledger,
        };
        let current = CheckStatus::Paid;
        assert_eq!(
            refused(register(&paid, &take(Provider::Cash, 1, None), &leo())),
            PaymentRefused::CheckWrongState { current }
        );
    }

    #[test]
    fn exact_cash_need_not_be_said_and_too_little_is_refused() {
        let bill = running_example();
        let exact = register(&bill, &take(Provider::Cash, 100, None), &leo()).unwrap();
        assert_eq!(
            (exact.payment.tendered_amount, exact.payment.change_amount),
            (Some(100), Some(0))
        );
        let command = RegisterPayment {
            tip: Some(ars(10)),
            tendered: Some(ars(109)),
            ..take(Provider::Cash, 100, None)
        };
        assert_eq!(
            register(&bill, &command, &leo()),
            Err(RegisterPaymentError::TenderedTooSmall { needed: 110 })
        );
    }

    #[test]
    fn reserved_money_cannot_be_paid_twice() {
        let bill = split(&running_example(), &EQUAL);
        let bill = start(&bill, 4_000_000, diners(3)[0]);
        let limits = Payable {
            due: 4_660_000,
            reserved: 4_000_000,
            payable: 660_000,
        };
        assert_eq!(
            refused(register(&bill, &take(Provider::Cash, 660_001, None), &leo())),
            PaymentRefused::ExceedsDue(limits)
        );
        assert!(register(&bill, &take(Provider::Cash, 660_000, None), &leo()).is_ok());
    }

    #[test]
    fn checks_run_in_order() {
        let bill = running_example();
        let euros = Money::new(9_999_999, Currency::parse("EUR").unwrap());
        let stranger = diners(4)[3];
        // Everything is wrong with this one; mending one thing after another shows the next.
        let mut command = RegisterPayment {
            amount: euros,
            tip: Some(ars(-1)),
            tendered: Some(ars(1)),
            covers: vec![stranger],
            ..take(Provider::Sandbox, 0, None)
        };
        assert!(matches!(
            register(&bill, &command, &Actor::diner(diners(1)[0])),
            Err(RegisterPaymentError::Forbidden(_))
        ));
        assert!(matches!(
            register(&bill, &command, &cook()),
            Err(RegisterPaymentError::Forbidden(_))
        ));
        let (check, ledger) = (&bill.check, &bill.ledger);
        let void = void_check(check, ledger, &leo(), now());
        let void = Bill {
            check: void.check,
            ledger: void.ledger,
        };
        let current = CheckStatus::Void;
        assert_eq!(
            refused(register(&void, &command, &leo())),
            PaymentRefused::CheckWrongState { current }
        );
        let enabled = vec![Provider::Cash, Provider::CardTerminal, Provider::Transfer];
        assert_eq!(
            refused(register(&bill, &command, &leo())),
            PaymentRefused::ProviderNotEnabled { enabled }
        );
        command.provider = Provider::Cash;
        let expected = bill.check.currency;
        assert_eq!(
            refused(register(&bill, &command, &leo())),
            PaymentRefused::CurrencyMismatch { expected }
        );
        command.amount = ars(0);
        assert_eq!(
            refused(register(&bill, &command, &leo())),
            PaymentRefused::DinerNotInSession { diner_id: stranger }
        );
        command.covers.clear();
        let mut refuses = |change: &dyn Fn(&mut RegisterPayment)| {
            change(&mut command);
            refused(register(&bill, &command, &leo()))
        };
        assert_eq!(refuses(&|_| ()), PaymentRefused::ValueTooSmall("amount"));
        assert_eq!(
            refuses(&|command| command.amount = ars(4_660_001)),
            PaymentRefused::ValueTooSmall("tip")
        );
        assert_eq!(
            refuses(&|command| command.tip = Some(ars(MAX_TOTAL))),
            PaymentRefused::Overflow(MoneyError::Overflow)
        );
        assert!(matches!(
            refuses(&|command| command.tip = None),
            PaymentRefused::ExceedsDue(_)
        ));
    }

    #[test]
    fn a_branch_takes_only_what_it_has_enabled() {
        let bill = running_example();
        let (session, branch) = (session(), branch());
        let facts = PaymentFacts {
            session: &session,
            branch: &branch,
            check: &bill.check,
            ledger: &bill.ledger,
            diners: &diners(3),
            enabled: &[Provider::Cash, Provider::Sandbox],
        };
        let command = take(Provider::Transfer, 1, None);
        let result = register_payment(&facts, &command, &leo(), now(), &mut CountingIds::default());
        let enabled = vec![Provider::Cash];
        assert_eq!(refused(result), PaymentRefused::ProviderNotEnabled { enabled });
    }
}
