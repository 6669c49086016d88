//! What every new payment must satisfy, whether the staff enter it or a guest starts it online.

use super::ledger::{Payable, payable};
use super::outstanding::{covers, outstanding};
use super::{Check, CheckStatus, Ledger, Payment, PaymentStatus, Provider};
use crate::actor::Stamp;
use crate::branch::Branch;
use crate::ids::{DinerId, PaymentId};
use crate::money::{self, Currency, Money, MoneyError};
use crate::session::Session;

/// What is known before a payment is made.
#[derive(Clone, Copy, Debug)]
pub struct PaymentFacts<'a> {
    /// The session.
    pub session: &'a Session,
    /// Its branch.
    pub branch: &'a Branch,
    /// The check.
    pub check: &'a Check,
    /// Its ledger.
    pub ledger: &'a Ledger,
    /// The diners of the session.
    pub diners: &'a [DinerId],
    /// The providers that the branch accepts.
    pub enabled: &'a [Provider],
}

/// Why a payment is not taken. The checks run in the order of the variants.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PaymentRefused {
    /// `check_wrong_state`
    #[error("the check is {current}")]
    CheckWrongState {
        /// Where the check stands.
        current: CheckStatus,
    },
    /// `provider_not_enabled`
    #[error("this payment method is not offered here")]
    ProviderNotEnabled {
        /// Those that this operation takes here.
        enabled: Vec<Provider>,
    },
    /// `currency_mismatch`
    #[error("an amount is of another currency")]
    CurrencyMismatch {
        /// The currency of the check.
        expected: Currency,
    },
    /// `diner_not_in_session`
    #[error("the payer or a covered guest is not at this table")]
    DinerNotInSession {
        /// Who.
        diner_id: DinerId,
    },
    /// `validation_failed`, `required`: the named member must be given here.
    #[error("{0} is required")]
    ValueRequired(&'static str),
    /// `validation_failed`, `too_small`: the named amount.
    #[error("{0} is too small")]
    ValueTooSmall(&'static str),
    /// `amount_overflow`
    #[error(transparent)]
    Overflow(#[from] MoneyError),
    /// `payment_exceeds_due`
    #[error("more than can be paid")]
    ExceedsDue(Payable),
}

/// A payment as wished for, its amounts in the check's currency.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draft<'a> {
    pub provider: Provider,
    pub amount: i64,
    pub tip: i64,
    pub payer: Option<DinerId>,
    pub covers: &'a [DinerId],
}

impl PaymentFacts<'_> {
    /// The check takes payments, and this provider is enabled and of the kind that the operation handles.
    pub(super) fn takes(&self, provider: Provider, online: bool) -> Result<(), PaymentRefused> {
        let current = self.check.status;
        let open = matches!(current, CheckStatus::Requested | CheckStatus::InPayment);
        if !open || !self.check.is_live() {
            return Err(PaymentRefused::CheckWrongState { current });
        }
        let fitting = self
            .enabled
            .iter()
            .copied()
            .filter(|provider| provider.is_online() == online);
        let enabled: Vec<Provider> = fitting.collect();
        if enabled.contains(&provider) {
            Ok(())
        } else {
            Err(PaymentRefused::ProviderNotEnabled { enabled })
        }
    }

    /// All given amounts are of the check's currency.
    pub(super) fn one_currency(&self, amounts: &[Option<Money>]) -> Result<(), PaymentRefused> {
        let expected = self.check.currency;
        if amounts.iter().flatten().all(|money| money.currency == expected) {
            Ok(())
        } else {
            Err(PaymentRefused::CurrencyMismatch { expected })
        }
    }

    /// Payer and covered diners sit at this table.
    pub(super) fn at_table(&self, payer: Option<DinerId>, covers: &[DinerId]) -> Result<(), PaymentRefused> {
        let stranger = payer
            .iter()
            .chain(covers)
            .find(|diner| !self.diners.contains(diner));
        stranger.map_or(Ok(()), |diner_id| {
            Err(PaymentRefused::DinerNotInSession { diner_id: *diner_id })
        })
    }

    /// The amounts are in range and the check can take the amount now.
    pub(super) fn fits(&self, draft: &Draft<'_>) -> Result<(), PaymentRefused> {
        if draft.amount < 1 {
            return Err(PaymentRefused::ValueTooSmall("amount"));
        }
        if draft.tip < 0 {
            return Err(PaymentRefused::ValueTooSmall("tip"));
        }
        money::add(draft.amount, draft.tip)?;
        let limits = payable(self.check, self.ledger);
        if draft.amount > limits.payable {
            return Err(PaymentRefused::ExceedsDue(limits));
        }
        Ok(())
    }

    /// The payment in its first state, covering shares but not yet received.
    pub(super) fn payment(&self, id: PaymentId, draft: &Draft<'_>, created: Stamp) -> Payment {
        let standing = outstanding(self.check, self.ledger);
        Payment {
            id,
            check_id: self.check.id,
            provider: draft.provider,
            status: PaymentStatus::Created,
            amount: draft.amount,
            tip_amount: draft.tip,
            payer_diner_id: draft.payer,
            tendered_amount: None,
            change_amount: None,
            unallocated_amount: 0,
            refunded_amount: 0,
            refunded_tip_amount: 0,
            external_id: None,
            checkout_url: None,
            reference: None,
            failure_code: None,
            split_revision: self.check.split_revision,
            expires_at: None,
            created,
            approved: None,
            version: 1,
            covers: covers(draft.amount, draft.payer, draft.covers, &standing),
            allocations: Vec::new(),
            tip: None,
        }
    }
}
