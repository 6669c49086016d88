//! Signing of access tokens in the name of this installation.

use comanda_security::jwt::TokenKeys;
use comanda_security::tokens::{Claims, issue};
use secrecy::ExposeSecret;

use crate::refusal::Refusal;

/// Signs tokens.
#[derive(Clone)]
pub struct TokenIssuer {
    keys: TokenKeys,
    issuer: String,
}

impl TokenIssuer {
    /// `issuer` is the public address of this installation.
    pub fn new(keys: TokenKeys, issuer: impl Into<String>) -> Self {
        Self {
            keys,
            issuer: issuer.into(),
        }
    }

    /// The token, for the one answer that hands it out.
    ///
    /// # Errors
    /// Claims that have no JSON form, which is a defect.
    pub fn issue<C: Claims>(&self, claims: &C) -> Result<String, Refusal> {
        let token =
            issue(&self.keys, &self.issuer, claims).map_err(|error| Refusal::Internal(error.to_string()))?;
        Ok(token.expose_secret().to_owned())
    }
}
