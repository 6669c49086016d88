//! Signatures: of the requests that integrations send us, and of the webhooks that we send them.
//!
//! Both sides of each scheme are here, so that server, command line and client code cannot drift apart. How they look
//! to somebody who writes a client is told in `docs/signing.md`, with vectors in `docs/signing-vectors.json`.
//!
//! ```
//! use comanda_security::SystemEntropy;
//! use comanda_security::api_key::KeyId;
//! use comanda_security::signing::{Nonce, RequestSigner, SignableRequest, SigningSecret};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).ok_or("a time")?;
//! # let secret = "cmds_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA";
//! let signer = RequestSigner::new(KeyId::parse("041061050r3gg28a")?, SigningSecret::parse(secret)?);
//! let request = SignableRequest {
//!     method: "GET",
//!     path: "/v1/integration/branches",
//!     query: "limit=5",
//!     body: b"",
//! };
//! let headers = signer.sign(&request, now, Nonce::fresh(&SystemEntropy::new())?)?.pairs();
//! # assert_eq!(headers.len(), 5);
//! # Ok(())
//! # }
//! ```

mod canonical;
mod headers;
mod request;
mod secret;
mod webhook;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod vectors;

pub use canonical::{InvalidQuery, SignableRequest, canonical_query};
pub use headers::{
    KEY_ID, NONCE, Nonce, SIGNATURE, SIGNATURE_VERSION, SIGNED_HEADERS, SignedHeaders, TIMESTAMP, VERSION,
};
pub use request::{AHEAD, PAST, RequestSigner, SignatureRefusal, verify};
pub use secret::{InvalidSigningSecret, SIGNING_SECRET_PREFIX, SigningSecret};
pub use webhook::{
    InvalidWebhookKey, Verified, WEBHOOK_ID, WEBHOOK_PUBLIC_KEY_PREFIX, WEBHOOK_SECRET_PREFIX,
    WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP, WEBHOOK_TOLERANCE, WebhookError, WebhookKey, WebhookSecret,
    sign_webhook, verify_webhook_signature,
};
