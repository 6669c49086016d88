//! Who asks. Authentication runs once, in the scope's middleware, before any body is read; that of a signed request is
//! read for its hash.

use std::future::{Ready, ready};
use std::net::IpAddr;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, ResponseError, web};
use comanda_domain::Timestamp;
use comanda_infrastructure::api_keys::{KeyDenied, NonceClaim, ProvenKey};
use comanda_infrastructure::views::time;
use comanda_security::api_key::KeyRefusal;
use comanda_security::policy::{ApiKeyPrincipal, DinerPrincipal, Principal, StaffPrincipal, TablePrincipal};
use comanda_security::tokens::{Credential, TokenError};

use super::signed;
use crate::problem::{Code, Problem};
use crate::state::State;

/// How every API key begins.
const KEY_PREFIX: &str = "cmd_";
/// Says when the secret that was used stops working.
const KEY_EXPIRES: HeaderName = HeaderName::from_static("comanda-key-expires");

/// A member of staff with a live login.
#[derive(Debug, Clone)]
pub struct Staff(pub StaffPrincipal);

/// A registered guest.
#[derive(Debug, Clone)]
pub struct Diner(pub DinerPrincipal);

/// Whoever scanned a table code, registered or not.
#[derive(Debug, Clone)]
pub struct Guest(pub Principal);

/// An integration.
#[derive(Debug, Clone)]
pub struct ApiKey(pub ApiKeyPrincipal);

/// A phone that scanned a table code and has not registered.
#[derive(Debug, Clone)]
pub struct Visitor(pub TablePrincipal);

/// Until when the credential of somebody who listens is good; a key may be good for ever.
#[derive(Debug, Clone, Copy)]
pub struct GoodUntil(pub Option<Timestamp>);

/// Lets staff through.
///
/// # Errors
/// Only what the routes below have; a refused credential is an answer.
pub async fn staff_only<B: MessageBody + 'static>(
    state: web::Data<State>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    match staff(&state, &request).await {
        Ok(principal) => let_through(principal, request, next).await,
        Err(problem) => Ok(request.error_response(problem).map_into_right_body()),
    }
}

/// Lets guests through. Whether their visit still lives is judged with the facts of each operation, after the look
/// for a stored answer.
///
/// # Errors
/// Only what the routes below have; a refused credential is an answer.
pub async fn guests_only<B: MessageBody + 'static>(
    state: web::Data<State>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    match guest(&state, &request) {
        Ok(principal) => let_through(principal, request, next).await,
        Err(problem) => Ok(request.error_response(problem).map_into_right_body()),
    }
}

/// Lets everyone through who may hear of events: staff, guests and integrations.
///
/// # Errors
/// Only what the routes below have; a refused credential is an answer.
pub async fn listeners_only<B: MessageBody + 'static>(
    state: web::Data<State>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    match listener(&state, &mut request).await {
        Ok(Held::Token(principal, until)) => {
            request.extensions_mut().insert(GoodUntil(until));
            let_through(principal, request, next).await
        }
        Ok(Held::Key(key, nonce)) => let_key_through(&state, key, nonce, request, next).await,
        Err(problem) => Ok(request.error_response(problem).map_into_right_body()),
    }
}

/// Lets integrations through.
///
/// # Errors
/// Only what the routes below have; a refused credential is an answer.
pub async fn keys_only<B: MessageBody + 'static>(
    state: web::Data<State>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    match key(&state, &mut request).await {
        Ok((key, nonce)) => let_key_through(&state, key, nonce, request, next).await,
        Err(problem) => Ok(request.error_response(problem).map_into_right_body()),
    }
}

/// Lets an integration through, and sees to it that no signed request is made twice, whatever came of it: an effect has
/// claimed the nonce in its own transaction, anything else does so now.
async fn let_key_through<B: MessageBody + 'static>(
    state: &State,
    key: ProvenKey,
    nonce: Option<NonceClaim>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    request.extensions_mut().insert(GoodUntil(key.good_until));
    if let Some(nonce) = nonce.clone() {
        request.extensions_mut().insert(nonce);
    }
    let mut response = let_through(Principal::ApiKey(key.principal), request, next).await?;
    if let Some(nonce) = nonce.filter(|nonce| !nonce.is_kept())
        && let Err(denied) = state.services.api_keys.claim_for_good(&nonce).await
    {
        let (request, _) = response.into_parts();
        let answer = signed::refused(denied).error_response();
        return Ok(ServiceResponse::new(request, answer).map_into_right_body());
    }
    if let Some(ends) = key.ends.and_then(|at| HeaderValue::from_str(&time(at)).ok()) {
        response.headers_mut().insert(KEY_EXPIRES, ends);
    }
    Ok(response)
}

async fn let_through<B: MessageBody + 'static>(
    principal: Principal,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    request.extensions_mut().insert(principal);
    next.call(request).await.map(ServiceResponse::map_into_left_body)
}

async fn staff(state: &State, request: &ServiceRequest) -> Result<Principal, Problem> {
    let principal = credential(state, request)?.principal();
    let Principal::Staff(staff) = &principal else {
        return Err(Problem::new(Code::TokenWrongAudience));
    };
    state.services.staff.still_valid(staff).await?;
    Ok(principal)
}

/// What somebody who listens has shown.
enum Held {
    /// A token, and until when it is good.
    Token(Principal, Option<Timestamp>),
    /// A key, and the nonce that is still to be claimed if it signed.
    Key(ProvenKey, Option<NonceClaim>),
}

async fn listener(state: &State, request: &mut ServiceRequest) -> Result<Held, Problem> {
    if is_key(request) {
        let (key, nonce) = key(state, request).await?;
        return Ok(Held::Key(key, nonce));
    }
    let address = request.peer_addr().map(|address| address.ip());
    let (principal, until) = holder(state, bearer(request)?, address).await?;
    Ok(Held::Token(principal, until))
}

/// Whether a request comes with a key, sent or signing.
fn is_key(request: &ServiceRequest) -> bool {
    let is_sent = bearer(request).is_ok_and(|token| token.starts_with(KEY_PREFIX));
    is_sent || (signed::is_signed(request.headers()) && !has_bearer(request))
}

/// Who holds a token or key that is good, and until when it is; a key may be good for ever. Whether the visit of a
/// guest still lives is judged with the facts of each operation.
///
/// # Errors
/// `token_invalid`, `token_expired`, `token_wrong_audience`, `tenant_suspended`, `service_unavailable`.
pub async fn holder(
    state: &State,
    token: &str,
    address: Option<IpAddr>,
) -> Result<(Principal, Option<Timestamp>), Problem> {
    if token.starts_with(KEY_PREFIX) {
        let key = key_holder(state, token, address).await?;
        return Ok((Principal::ApiKey(key.principal), key.good_until));
    }
    let credential = authenticate(state, token)?;
    let principal = credential.principal();
    if let Principal::Staff(staff) = &principal {
        state.services.staff.still_valid(staff).await?;
    }
    Ok((principal, Some(credential.expires_at())))
}

fn guest(state: &State, request: &ServiceRequest) -> Result<Principal, Problem> {
    match credential(state, request)?.principal() {
        Principal::Staff(_) | Principal::ApiKey(_) => Err(Problem::new(Code::TokenWrongAudience)),
        principal => Ok(principal),
    }
}

async fn key(
    state: &State,
    request: &mut ServiceRequest,
) -> Result<(ProvenKey, Option<NonceClaim>), Problem> {
    if signed::is_signed(request.headers()) && !has_bearer(request) {
        return signed::signer(state, request).await;
    }
    let token = bearer(request)?;
    if !token.starts_with(KEY_PREFIX) {
        // Whatever else it is, it is not for here.
        return match authenticate(state, token) {
            Ok(_) => Err(Problem::new(Code::TokenWrongAudience)),
            Err(problem) => Err(problem),
        };
    }
    let address = request.peer_addr().map(|address| address.ip());
    Ok((key_holder(state, token, address).await?, None))
}

async fn key_holder(state: &State, token: &str, address: Option<IpAddr>) -> Result<ProvenKey, Problem> {
    match state.services.api_keys.authenticate(token, address).await {
        Ok(key) => Ok(key),
        Err(KeyDenied::Key(refusal)) => Err(Problem::new(key_code(refusal)).because(refusal)),
        Err(KeyDenied::Refused(refusal)) => Err(refusal.into()),
    }
}

fn key_code(refusal: KeyRefusal) -> Code {
    match refusal {
        // Only whoever knows the secret gets to hear this.
        KeyRefusal::Expired => Code::TokenExpired,
        KeyRefusal::Malformed
        | KeyRefusal::Unknown
        | KeyRefusal::Revoked
        | KeyRefusal::Address
        | KeyRefusal::Environment
        | KeyRefusal::SignatureRequired => Code::TokenInvalid,
    }
}

fn credential(state: &State, request: &ServiceRequest) -> Result<Credential, Problem> {
    authenticate(state, bearer(request)?)
}

fn has_bearer(request: &ServiceRequest) -> bool {
    request.headers().contains_key(header::AUTHORIZATION)
}

fn bearer(request: &ServiceRequest) -> Result<&str, Problem> {
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let header = values.next().ok_or_else(|| Problem::new(Code::Unauthenticated))?;
    if values.next().is_some() {
        return Err(
            Problem::with_detail(Code::InvalidParameter, "one Authorization header, please").at(
                "/header/Authorization",
                "not_allowed",
                "given twice",
            ),
        );
    }
    if signed::is_signed(request.headers()) {
        return Err(
            Problem::with_detail(Code::InvalidParameter, "a bearer or a signature, not both").at(
                "/header/X-Signature",
                "not_allowed",
                "beside a bearer",
            ),
        );
    }
    header
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| Problem::new(Code::Unauthenticated))
}

fn authenticate(state: &State, token: &str) -> Result<Credential, Problem> {
    let now = state.services.sources.now();
    comanda_security::tokens::authenticate(&state.keys.tokens, &state.public_url, token, now)
        .map_err(|error| Problem::new(token_code(error)).because(error))
}

fn token_code(error: TokenError) -> Code {
    match error {
        TokenError::Expired => Code::TokenExpired,
        TokenError::WrongAudience => Code::TokenWrongAudience,
        TokenError::Invalid(_) => Code::TokenInvalid,
    }
}

/// The principal that the middleware found.
pub fn principal(request: &HttpRequest) -> Result<Principal, Problem> {
    request
        .extensions()
        .get::<Principal>()
        .cloned()
        .ok_or_else(|| Problem::new(Code::Unauthenticated))
}

macro_rules! extractor {
    ($name:ident, $principal:ident => $found:expr) => {
        impl FromRequest for $name {
            type Error = Problem;
            type Future = Ready<Result<Self, Problem>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                ready(principal(request).and_then(|$principal| $found))
            }
        }
    };
}

extractor!(Staff, principal => match principal {
    Principal::Staff(staff) => Ok(Self(staff)),
    _ => Err(Problem::new(Code::TokenWrongAudience)),
});
extractor!(Diner, principal => match principal {
    Principal::Diner(diner) => Ok(Self(diner)),
    Principal::Table(_) => Err(Problem::new(Code::RegistrationRequired)),
    Principal::Staff(_) | Principal::ApiKey(_) => Err(Problem::new(Code::TokenWrongAudience)),
});
extractor!(ApiKey, principal => match principal {
    Principal::ApiKey(key) => Ok(Self(key)),
    _ => Err(Problem::new(Code::TokenWrongAudience)),
});
extractor!(Visitor, principal => match principal {
    Principal::Table(visitor) => Ok(Self(visitor)),
    _ => Err(Problem::new(Code::TokenWrongAudience)),
});
extractor!(Guest, principal => match principal {
    Principal::Diner(_) | Principal::Table(_) => Ok(Self(principal)),
    Principal::Staff(_) | Principal::ApiKey(_) => Err(Problem::new(Code::TokenWrongAudience)),
});
