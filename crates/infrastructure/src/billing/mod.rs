//! The bill: one file per use case, each *load → decide → record*.
//!
//! An online payment takes two steps, because no network call happens inside a transaction: `online` says how.

mod apply;
mod end;
mod online;
mod preview;
pub mod provider;
mod read;
mod receipt;
pub mod receipt_html;
pub(crate) mod record;
mod register;
mod request;
pub(crate) mod rows;
mod scene;
mod split;
pub(crate) mod store;

use std::sync::Arc;

use comanda_domain::billing::Provider;
use comanda_domain::ids::{CheckId, SessionId};
use comanda_security::codes::CodeKeys;

use crate::db::Db;
pub use apply::SandboxOutcome;
pub use online::StartPayment;
pub use provider::ProviderOptions;
use provider::{PaymentProvider, Sandbox};
pub use receipt::Receipt;
pub use receipt_html::Page;
pub use store::CheckFilter;

/// Asking for checks, dividing, paying and printing them.
#[derive(Clone)]
pub struct BillingService {
    db: Db,
    codes: CodeKeys,
    public_url: String,
    providers: Vec<Arc<dyn PaymentProvider>>,
}

/// How a caller names a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CheckOf {
    /// By its id, as the staff do.
    Id(CheckId),
    /// As the one of a visit, as guests do: the unsettled one, else the latest.
    Visit(SessionId),
}

impl BillingService {
    /// Over this database, with the built-in sandbox as the only online provider. `codes` signs receipt codes;
    /// `public_url` is where guests reach this installation.
    pub fn new(db: Db, codes: CodeKeys, public_url: &str) -> Self {
        Self {
            db,
            codes,
            public_url: public_url.trim_end_matches('/').to_owned(),
            providers: vec![Arc::new(Sandbox)],
        }
    }

    /// With this provider, in the place of another of the same name.
    #[must_use]
    pub fn with_provider(mut self, provider: Arc<dyn PaymentProvider>) -> Self {
        self.providers
            .retain(|known| known.provider() != provider.provider());
        self.providers.push(provider);
        self
    }

    fn provider(&self, wanted: Provider) -> Option<&Arc<dyn PaymentProvider>> {
        self.providers.iter().find(|known| known.provider() == wanted)
    }

    /// Of the providers that a branch has switched on, those that this installation can serve.
    fn served(&self, enabled: &[Provider]) -> Vec<Provider> {
        let served = |provider: &Provider| !provider.is_online() || self.provider(*provider).is_some();
        enabled.iter().copied().filter(served).collect()
    }
}
