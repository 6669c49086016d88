//! Signatures: of the requests that integrations send us, and of the webhooks that we send them.
//!
//! Both sides of each scheme are here, so that server, command line and client code cannot drift apart. How they look
//! to somebody who writes a client is told in `docs/signing.md`, with vectors in `docs/signing-vectors.json`.

mod canonical;
mod headers;
mod request;
mod secret;
mod webhook;

#[cfg(test)]
mod laws;

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
