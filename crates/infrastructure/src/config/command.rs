//! What the operator's commands read of the environment; nothing of it is a setting of the service.

use secrecy::SecretString;

/// Holds the credential that commands show to a server.
pub(super) const API_KEY: &str = "COMANDA_API_KEY";

/// Hold the key and the secret that `comanda api-key sign` signs with.
pub(super) const KEY_ID: &str = "COMANDA_KEY_ID";
pub(super) const SIGNING_SECRET: &str = "COMANDA_SIGNING_SECRET";

/// The credential in `COMANDA_API_KEY`, if there is one. Secrets never travel as arguments, which every account of the
/// machine can read.
pub fn api_key() -> Option<SecretString> {
    secret(API_KEY)
}

/// The secret in `COMANDA_SIGNING_SECRET`, if there is one.
pub fn signing_secret() -> Option<SecretString> {
    secret(SIGNING_SECRET)
}

fn secret(wanted: &str) -> Option<SecretString> {
    let (_, value) = std::env::vars_os().find(|(name, _)| name == wanted)?;
    let text = value.to_string_lossy().trim().to_owned();
    (!text.is_empty()).then(|| text.into())
}
