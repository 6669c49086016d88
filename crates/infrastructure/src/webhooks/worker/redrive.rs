//! The handler of dead letters about webhooks.

use comanda_domain::dead_letter::ErrorClass;
use comanda_domain::ids::DeliveryId;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use super::{RedeliveryError, WebhookWorker};
use crate::dead_letters::{Effect, Letter, Redrive, RedriveError};

impl Redrive for WebhookWorker {
    fn attempt<'a>(&'a self, letter: &'a Letter) -> LocalBoxFuture<'a, Result<Effect, RedriveError>> {
        async move {
            let delivery: DeliveryId = letter.source_id.parse().map_err(|_| {
                let text = format!("{:?} is no delivery", letter.source_id);
                RedriveError::new(ErrorClass::Unrecoverable, "delivery_gone", &text)
            })?;
            let arrived = self.redeliver(letter.tenant_id, delivery).await?;
            let effect: Effect = Box::new(move |conn| arrived.record(conn).boxed_local());
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
