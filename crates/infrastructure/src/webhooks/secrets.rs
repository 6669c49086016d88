//! The secrets that sign: sealed at rest, good only for their receiver.

use comanda_domain::Timestamp;
use comanda_security::SystemEntropy;
use comanda_security::seal::SealKeys;
use comanda_security::signing::WebhookSecret;
use uuid::Uuid;

use super::rows::EndpointRow;
use crate::refusal::Refusal;

const KIND: &[u8] = b"webhook_endpoint";

/// A fresh secret, and the same sealed for the receiver.
pub(super) fn fresh(
    keys: &SealKeys,
    tenant: Uuid,
    endpoint: Uuid,
) -> Result<(WebhookSecret, Vec<u8>), Refusal> {
    let entropy = SystemEntropy::new();
    let secret = WebhookSecret::generate(&entropy).map_err(|error| Refusal::Internal(error.to_string()))?;
    let context: [&[u8]; 3] = [tenant.as_bytes(), KIND, endpoint.as_bytes()];
    let sealed = keys
        .seal(&context, secret.bytes(), &entropy)
        .map_err(|error| Refusal::Internal(error.to_string()))?;
    Ok((secret, sealed))
}

/// The secrets that sign now, the newest first; none if one of them cannot be opened.
pub(super) fn live(keys: &SealKeys, row: &EndpointRow, now: Timestamp) -> Option<Vec<WebhookSecret>> {
    use secrecy::ExposeSecret;
    let context: [&[u8]; 3] = [row.tenant_id.as_bytes(), KIND, row.id.as_bytes()];
    let open = |sealed: &Vec<u8>| {
        let bytes = keys.open(&context, sealed).ok()?;
        WebhookSecret::from_bytes(bytes.expose_secret()).ok()
    };
    let previous = row
        .previous_sealed_secret
        .as_ref()
        .filter(|_| row.previous_valid_until.is_some_and(|end| now < end));
    std::iter::once(&row.sealed_secret)
        .chain(previous)
        .map(open)
        .collect()
}
