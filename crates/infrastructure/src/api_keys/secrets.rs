//! The secrets that sign: sealed at rest, good only for their key.

use comanda_domain::Timestamp;
use comanda_security::seal::SealKeys;
use comanda_security::signing::SigningSecret;
use comanda_security::{ExposeSecret, SystemEntropy};
use uuid::Uuid;

use super::rows::ApiKeyRow;
use crate::db::DbError;
use crate::refusal::Refusal;

const KIND: &[u8] = b"api_key";

/// A secret that signs, and until when if it was replaced.
#[derive(Debug, Clone)]
pub(super) struct LiveSecret {
    pub(super) secret: SigningSecret,
    pub(super) until: Option<Timestamp>,
}

/// A fresh secret, and the same sealed for the key.
pub(super) fn fresh(
    keys: &SealKeys,
    tenant: Uuid,
    key_id: &str,
) -> Result<(SigningSecret, Vec<u8>), Refusal> {
    let entropy = SystemEntropy::new();
    let secret = SigningSecret::generate(&entropy).map_err(|error| Refusal::Internal(error.to_string()))?;
    let sealed = keys
        .seal(&context(&tenant, key_id), secret.bytes(), &entropy)
        .map_err(|error| Refusal::Internal(error.to_string()))?;
    Ok((secret, sealed))
}

/// The secrets of a key, the newest first; none for one that is not to sign.
pub(super) fn of(keys: &SealKeys, row: &ApiKeyRow) -> Result<Vec<LiveSecret>, DbError> {
    if !row.requires_signature {
        return Ok(Vec::new());
    }
    let open = |sealed: &[u8], until| {
        let corrupt = |why: &dyn std::fmt::Display| {
            DbError::Corrupt(format!("secret of the key {}: {why}", row.key_id))
        };
        let bytes = keys
            .open(&context(&row.tenant_id, &row.key_id), sealed)
            .map_err(|error| corrupt(&error))?;
        let secret = SigningSecret::from_bytes(bytes.expose_secret()).map_err(|error| corrupt(&error))?;
        Ok(LiveSecret { secret, until })
    };
    let current = row.sealed_signing_secret.as_deref().map(|sealed| (sealed, None));
    let previous = row
        .previous_sealed_signing_secret
        .as_deref()
        .zip(row.previous_valid_until)
        .map(|(sealed, until)| (sealed, Some(until)));
    current
        .into_iter()
        .chain(previous)
        .map(|(sealed, until)| open(sealed, until))
        .collect()
}

fn context<'a>(tenant: &'a Uuid, key_id: &'a str) -> [&'a [u8]; 3] {
    [tenant.as_bytes(), KIND, key_id.as_bytes()]
}
