//! Signed requests: the signature is the credential, and covers the body, which is therefore read first.

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header::HeaderMap;
use actix_web::web;
use comanda_infrastructure::api_keys::{NonceClaim, ProvenKey, SignatureDenied};
use comanda_security::signing::{KEY_ID, SIGNATURE, SIGNED_HEADERS, SignableRequest};

use super::command::whole_body;
use crate::problem::{Code, Problem};
use crate::state::State;

/// Whether a request says that it is signed.
pub fn is_signed(headers: &HeaderMap) -> bool {
    headers.contains_key(KEY_ID) || headers.contains_key(SIGNATURE)
}

/// Who signed the request, and the nonce that its effect has to claim; what changes nothing has claimed it already. The
/// body is there to be read once more.
///
/// # Errors
/// `signature_invalid` for whatever is wrong with it, `payload_too_large`, `tenant_suspended`, `service_unavailable`.
pub async fn signer(
    state: &State,
    request: &mut ServiceRequest,
) -> Result<(ProvenKey, Option<NonceClaim>), Problem> {
    let keys = &state.services.api_keys;
    let address = request.peer_addr().map(|address| address.ip());
    let signed = keys
        .announced(&pairs(request.headers()), address)
        .await
        .map_err(refused)?;
    let payload = request.extract::<web::Payload>().await;
    let payload = payload.map_err(|_| Problem::new(Code::InvalidJson))?;
    let body = whole_body(request.headers(), payload).await?;
    let target = request.uri();
    let signable = SignableRequest {
        method: request.method().as_str(),
        path: target.path(),
        query: target.query().unwrap_or_default(),
        body: &body,
    };
    let proven = keys.proven(&signed, &signable, address).await.map_err(refused)?;
    request.set_payload(Payload::from(body));
    if request.method().is_safe() {
        keys.claim_for_reading(&proven.nonce).await.map_err(refused)?;
        return Ok((proven.key, None));
    }
    Ok((proven.key, Some(proven.nonce)))
}

/// Outwards one code, inwards the reason.
pub fn refused(denied: SignatureDenied) -> Problem {
    match denied {
        SignatureDenied::Refused(refusal) => refusal.into(),
        other => Problem::new(Code::SignatureInvalid).because(other),
    }
}

/// The five headers as they came, however often. What is no text is none of their values.
fn pairs(headers: &HeaderMap) -> Vec<(&'static str, &str)> {
    SIGNED_HEADERS
        .into_iter()
        .flat_map(|name| {
            let values = headers.get_all(name);
            values.map(move |value| (name, value.to_str().unwrap_or_default()))
        })
        .collect()
}
