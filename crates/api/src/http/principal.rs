//! Who asks. Authentication runs once, in the scope's middleware, before any body is read.

use std::future::{Ready, ready};
use std::net::IpAddr;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use comanda_domain::Timestamp;
use comanda_infrastructure::api_keys::KeyDenied;
use comanda_security::api_key::KeyRefusal;
use comanda_security::policy::{ApiKeyPrincipal, DinerPrincipal, Principal, StaffPrincipal, TablePrincipal};
use comanda_security::tokens::{Credential, TokenError};

use crate::problem::{Code, Problem};
use crate::state::State;

/// How every API key begins.
const KEY_PREFIX: &str = "cmd_";

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
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    match listener(&state, &request).await {
        Ok((principal, until)) => {
            request.extensions_mut().insert(GoodUntil(until));
            let_through(principal, request, next).await
        }
        Err(problem) => Ok(request.error_response(problem).map_into_right_body()),
    }
}

/// Lets integrations through.
///
/// # Errors
/// Only what the routes below have; a refused credential is an answer.
pub async fn keys_only<B: MessageBody + 'static>(
    state: web::Data<State>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    match key(&state, &request).await {
        Ok(principal) => let_through(principal, request, next).await,
        Err(problem) => Ok(request.error_response(problem).map_into_right_body()),
    }
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

async fn listener(
    state: &State,
    request: &ServiceRequest,
) -> Result<(Principal, Option<Timestamp>), Problem> {
    let address = request.peer_addr().map(|address| address.ip());
    holder(state, bearer(request)?, address).await
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
        return Ok((key_holder(state, token, address).await?, None));
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

async fn key(state: &State, request: &ServiceRequest) -> Result<Principal, Problem> {
    let token = bearer(request)?;
    if !token.starts_with(KEY_PREFIX) {
        // Whatever else it is, it is not for here.
        return match authenticate(state, token) {
            Ok(_) => Err(Problem::new(Code::TokenWrongAudience)),
            Err(problem) => Err(problem),
        };
    }
    key_holder(state, token, request.peer_addr().map(|address| address.ip())).await
}

async fn key_holder(state: &State, token: &str, address: Option<IpAddr>) -> Result<Principal, Problem> {
    match state.services.api_keys.authenticate(token, address).await {
        Ok(key) => Ok(Principal::ApiKey(key)),
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
