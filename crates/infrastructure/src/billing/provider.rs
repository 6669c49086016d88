//! The port to payment providers, and the built-in one for trying out.

use comanda_domain::Timestamp;
use comanda_domain::billing::{Provider, ProviderState, ProviderStatus};
use comanda_domain::ids::PaymentId;
use comanda_domain::money::Money;
use futures_util::future::BoxFuture;

use crate::refusal::Refusal;

/// What a provider is asked to collect.
#[derive(Debug, Clone)]
pub struct PaymentOrder {
    /// Our payment. The provider knows it by this reference, and a repeated order with the same one has no second
    /// effect there.
    pub payment: PaymentId,
    /// Amount and tip together.
    pub money: Money,
    /// When we stop waiting.
    pub expires_at: Option<Timestamp>,
    /// How the sandbox is to behave; other providers do not look at it.
    pub behaviour: Behaviour,
}

impl PaymentOrder {
    /// The key under which the provider takes a repetition for what it is.
    pub fn key(&self) -> String {
        self.payment.to_string()
    }
}

/// A provider's answer to an order.
#[derive(Debug, Clone)]
pub struct Started {
    /// Where the payment stands there.
    pub state: ProviderState,
    /// Reports that follow the answer, in order. Only the sandbox knows them beforehand.
    pub reports: Vec<ProviderState>,
}

/// The provider did not answer, or not in a way that tells what became of the order. The same order can be given
/// again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("payment provider unreachable: {0}")]
pub struct Unreachable(pub String);

/// An online payment provider.
pub trait PaymentProvider: Send + Sync {
    /// Which one it is.
    fn provider(&self) -> Provider;

    /// Opens a payment. Never called inside a transaction.
    ///
    /// # Errors
    /// [`Unreachable`]; a refusal is an answer like any other.
    fn start<'a>(&'a self, order: &'a PaymentOrder) -> BoxFuture<'a, Result<Started, Unreachable>>;
}

/// What a client tells the provider besides (`provider_options`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProviderOptions {
    /// How the sandbox is to behave, by name.
    pub outcome: Option<String>,
    /// Where a provider with a page of its own sends the guest back to; the sandbox has none.
    pub return_url: Option<String>,
}

impl ProviderOptions {
    /// How the sandbox is to behave.
    pub(super) fn behaviour(&self) -> Result<Behaviour, Refusal> {
        let Some(name) = &self.outcome else {
            return Ok(Behaviour::default());
        };
        Behaviour::parse(name).ok_or_else(|| Refusal::Invalid {
            pointer: "/provider_options/outcome".to_owned(),
            code: "not_allowed",
            detail: format!("One of {}.", Behaviour::NAMES.join(", ")),
        })
    }
}

/// How the sandbox behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Behaviour {
    /// Paid at once.
    #[default]
    Approved,
    /// Refused at once.
    Rejected,
    /// Open until it is settled by hand.
    Pending,
    /// Paid at once, and reported three times more.
    Duplicated,
}

impl Behaviour {
    /// Every name.
    pub const NAMES: &'static [&'static str] = &["approved", "rejected", "pending", "duplicated"];

    /// Reads a name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "approved" => Some(Self::Approved),
            "rejected" => Some(Self::Rejected),
            "pending" => Some(Self::Pending),
            "duplicated" => Some(Self::Duplicated),
            _ => None,
        }
    }
}

/// The built-in provider: it moves no money and answers as it is told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sandbox;

/// How often a duplicated payment is reported again.
const REPEATS: usize = 3;

impl Sandbox {
    /// What the sandbox says of a payment.
    pub fn state(payment: PaymentId, status: ProviderStatus) -> ProviderState {
        ProviderState {
            status,
            external_id: Some(format!("sandbox-{payment}")),
            failure_code: (status == ProviderStatus::Rejected).then(|| "rejected_by_sandbox".to_owned()),
            // Nobody can ever visit a host of this reserved domain; the staff settle the payment by hand.
            checkout_url: (status == ProviderStatus::Pending)
                .then(|| format!("https://sandbox.invalid/checkout/{payment}")),
        }
    }

    fn answer(order: &PaymentOrder) -> Started {
        let state = |status| Self::state(order.payment, status);
        let (status, repeats) = match order.behaviour {
            Behaviour::Approved => (ProviderStatus::Approved, 0),
            Behaviour::Rejected => (ProviderStatus::Rejected, 0),
            Behaviour::Pending => (ProviderStatus::Pending, 0),
            Behaviour::Duplicated => (ProviderStatus::Approved, REPEATS),
        };
        Started {
            state: state(status),
            reports: vec![state(status); repeats],
        }
    }
}

impl PaymentProvider for Sandbox {
    fn provider(&self) -> Provider {
        Provider::Sandbox
    }

    fn start<'a>(&'a self, order: &'a PaymentOrder) -> BoxFuture<'a, Result<Started, Unreachable>> {
        Box::pin(async move { Ok(Self::answer(order)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use comanda_domain::money::Currency;
    use uuid::Uuid;

    fn answer(behaviour: Behaviour) -> Started {
        let currency = Currency::parse("ARS").unwrap();
        Sandbox::answer(&PaymentOrder {
            payment: PaymentId(Uuid::from_u128(7)),
            money: Money::new(1000, currency),
            expires_at: None,
            behaviour,
        })
    }

    #[test]
    fn every_name_is_read() {
        assert!(
            Behaviour::NAMES
                .iter()
                .all(|name| Behaviour::parse(name).is_some())
        );
        assert_eq!(Behaviour::parse("lost"), None);
    }

    #[test]
    fn the_sandbox_answers_as_told() {
        assert_eq!(answer(Behaviour::Approved).state.status, ProviderStatus::Approved);
        let rejected = answer(Behaviour::Rejected).state;
        assert!(rejected.failure_code.is_some() && rejected.checkout_url.is_none());
        let pending = answer(Behaviour::Pending).state;
        assert!(pending.checkout_url.is_some() && pending.failure_code.is_none());
    }

    #[test]
    fn a_duplicated_payment_is_the_same_one_every_time() {
        let started = answer(Behaviour::Duplicated);
        assert_eq!(started.reports.len(), 3);
        assert!(started.reports.iter().all(|report| *report == started.state));
    }
}
