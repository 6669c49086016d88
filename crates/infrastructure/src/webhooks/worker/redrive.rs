//! The handler of dead deliveries.

use comanda_domain::dead_letter::ErrorClass;
use comanda_domain::ids::DeliveryId;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use super::{RedeliveryError, WebhookWorker};
use crate::dead_letters::{Effect, Letter, Redrive, RedriveError};

impl Redrive for WebhookWorker {
    fn attempt<'a>(&'a self, letter: &'a Letter) -> LocalBoxFuture<'a, Result<Effect, RedriveError>> {
        async {
            let delivery: DeliveryId = letter.source_id.parse().map_err(|_| {
                RedriveError::new(
                    ErrorClass::Unrecoverable,
                    "delivery_gone",
                    "not the id of a delivery",
                )
            })?;
            let redelivered = self.redeliver(letter.tenant_id, delivery).await?;
            let effect: Effect = Box::new(|conn| redelivered.record(conn).boxed_local());
            Ok(effect)
        }
        .boxed_local()
    }
}

impl From<RedeliveryError> for RedriveError {
    fn from(error: RedeliveryError) -> Self {
        Self::new(error.class, &error.code, &error.text)
    }
}
