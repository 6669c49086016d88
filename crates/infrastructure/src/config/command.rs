//! What the operator's commands read of the environment; nothing of it is a setting of the service.

use secrecy::SecretString;

/// Holds the credential that commands show to a server.
pub(super) const API_KEY: &str = "COMANDA_API_KEY";

/// The credential in `COMANDA_API_KEY`, if there is one. Secrets never travel as arguments, which every account of the
/// machine can read.
pub fn api_key() -> Option<SecretString> {
    let (_, value) = std::env::vars_os().find(|(name, _)| name == API_KEY)?;
    let text = value.to_string_lossy().trim().to_owned();
    (!text.is_empty()).then(|| text.into())
}
