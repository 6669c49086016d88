//! A request that wants something done: who, what, from which version, and how often it may be repeated.

use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use bytes::Bytes;
use comanda_domain::actor::ActorKind;
use comanda_infrastructure::api_keys::NonceClaim;
use comanda_infrastructure::audit::Caller;
use comanda_infrastructure::db::Ask;
use comanda_infrastructure::idempotency::Idempotency;
use comanda_infrastructure::staff::Stranger;
use comanda_security::hash::{canonical_json, idempotency_fingerprint};
use comanda_security::policy::Principal;
use futures_util::future::LocalBoxFuture;
use serde_json::Value;
use uuid::Uuid;

use super::body::{self, FromJson};
use super::conditional::if_match;
use super::frame::RequestName;
use super::principal::principal;
use crate::problem::{Code, Problem};

/// Largest body that is read.
pub const MAX_BODY: usize = 256 * 1024;
/// Longest idempotency key.
const MAX_KEY: usize = 255;

/// Whether an endpoint needs an `Idempotency-Key`.
pub trait KeyRule {
    /// Needed, or only accepted.
    const REQUIRED: bool;
    /// Looked at at all.
    const USED: bool;
}

/// The endpoint creates or moves food or money: a key is needed.
#[derive(Debug)]
pub struct Keyed;
/// A key is accepted.
#[derive(Debug)]
pub struct Unkeyed;
/// The answer holds a secret, or repeating is harmless by itself: a key is ignored.
#[derive(Debug)]
pub struct Plain;

impl KeyRule for Keyed {
    const REQUIRED: bool = true;
    const USED: bool = true;
}
impl KeyRule for Unkeyed {
    const REQUIRED: bool = false;
    const USED: bool = true;
}
impl KeyRule for Plain {
    const REQUIRED: bool = false;
    const USED: bool = false;
}

/// A parsed command.
#[derive(Debug)]
pub struct Command<B, K = Unkeyed> {
    /// Who asks, for the use case.
    pub who: Principal,
    /// The frame of the operation.
    pub ask: Ask,
    /// What is wanted.
    pub body: B,
    /// The version that the client saw.
    pub if_match: Option<i64>,
    rule: PhantomData<K>,
}

impl<B, K> Command<B, K> {
    /// The version that the client saw, which this endpoint insists on.
    ///
    /// # Errors
    /// `precondition_required`.
    pub fn seen_version(&self) -> Result<i64, Problem> {
        self.if_match
            .ok_or_else(|| Problem::new(Code::PreconditionRequired))
    }

    /// Where the created object will be found.
    #[must_use]
    pub fn found_at(mut self, base: &'static str) -> Self {
        self.ask.found_at = base;
        self
    }
}

impl<B: FromJson, K: KeyRule> FromRequest for Command<B, K> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = web::Payload::from_request(&request, payload);
        Box::pin(async move {
            let who = principal(&request)?;
            let key = if K::USED {
                idempotency_key(&request, K::REQUIRED)?
            } else {
                None
            };
            let if_match = if_match(&request)?;
            let payload = payload.await.map_err(|_| Problem::new(Code::InvalidJson))?;
            let value = json_body(&request, payload).await?;
            let parsed = body::read(&value)?;
            let mut ask = ask(&request, &who);
            ask.idempotency = key.map(|key| idempotency(&request, &who, key, &value));
            Ok(Self {
                who,
                ask,
                body: parsed,
                if_match,
                rule: PhantomData,
            })
        })
    }
}

/// The body of a request without credentials.
#[derive(Debug)]
pub struct Open<B> {
    /// What is wanted.
    pub body: B,
}

impl<B: FromJson> FromRequest for Open<B> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = web::Payload::from_request(&request, payload);
        Box::pin(async move {
            let payload = payload.await.map_err(|_| Problem::new(Code::InvalidJson))?;
            let value = json_body(&request, payload).await?;
            Ok(Self {
                body: body::read(&value)?,
            })
        })
    }
}

/// The frame of an operation of this principal.
pub fn ask(request: &HttpRequest, who: &Principal) -> Ask {
    let (kind, id) = whose(who);
    Ask {
        tenant: who.tenant(),
        caller: caller(request, kind, Some(id)),
        request_id: RequestName::of(request),
        origin: super::trace::origin(request),
        language: super::language::accepted(request),
        found_at: "",
        nonce: request.extensions().get::<NonceClaim>().cloned(),
        idempotency: None,
    }
}

/// Somebody who has not proved yet who they are.
pub fn stranger(request: &HttpRequest) -> Stranger {
    let caller = caller(request, ActorKind::System, None);
    Stranger {
        request_id: RequestName::of(request),
        origin: super::trace::origin(request),
        client_ip: caller.client_ip,
        user_agent: caller.user_agent,
    }
}

/// Who called, as the trace keeps it.
pub fn caller(request: &HttpRequest, kind: ActorKind, id: Option<Uuid>) -> Caller {
    Caller {
        kind,
        id,
        client_ip: request.peer_addr().map(|address| address.ip().to_string()),
        user_agent: header_text(request, header::USER_AGENT.as_str()),
    }
}

fn header_text(request: &HttpRequest, name: &str) -> Option<String> {
    request
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}

fn whose(who: &Principal) -> (ActorKind, Uuid) {
    match who {
        Principal::Staff(staff) => (ActorKind::User, staff.user.0),
        Principal::Diner(diner) => (ActorKind::Diner, diner.diner.0),
        Principal::Table(table) => (ActorKind::System, table.session.0),
        Principal::ApiKey(key) => (ActorKind::ApiKey, key.id.0),
    }
}

fn idempotency(request: &HttpRequest, who: &Principal, key: String, body: &Value) -> Idempotency {
    let (kind, id) = whose(who);
    let route = request.match_pattern().unwrap_or_default();
    let segments: Vec<&str> = request.match_info().iter().map(|(_, value)| value).collect();
    let method = request.method().as_str();
    Idempotency {
        key,
        method: if method == "POST" { "POST" } else { "OTHER" },
        fingerprint: idempotency_fingerprint(
            method,
            &route,
            &segments,
            request.query_string(),
            &canonical_json(body),
        ),
        route,
        principal_kind: kind.as_str(),
        principal_id: id,
    }
}

/// The key: a quoted structured-field string (RFC 9651, 3.3.3), or bare.
fn idempotency_key(request: &HttpRequest, required: bool) -> Result<Option<String>, Problem> {
    const NAME: &str = "idempotency-key";
    let mut values = request.headers().get_all(NAME);
    let Some(value) = values.next() else {
        return if required {
            Err(Problem::new(Code::IdempotencyKeyMissing))
        } else {
            Ok(None)
        };
    };
    let refused = || {
        Problem::new(Code::IdempotencyKeyInvalid).at(
            "/header/Idempotency-Key",
            "wrong_format",
            "1 to 255 printable ASCII characters",
        )
    };
    if values.next().is_some() {
        return Err(refused());
    }
    let text = value.to_str().map_err(|_| refused())?.trim();
    let key = match text.strip_prefix('"') {
        Some(rest) => unquote(rest.strip_suffix('"').ok_or_else(refused)?).ok_or_else(refused)?,
        None => text.to_owned(),
    };
    let printable = key.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if key.is_empty() || key.len() > MAX_KEY || !printable {
        Err(refused())
    } else {
        Ok(Some(key))
    }
}

fn unquote(text: &str) -> Option<String> {
    let mut key = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => key.push(chars.next().filter(|c| matches!(c, '"' | '\\'))?),
            '"' => return None,
            c => key.push(c),
        }
    }
    Some(key)
}

/// The body as it came.
///
/// # Errors
/// `payload_too_large`; `invalid_json` for a body that ends too early.
pub(super) async fn whole_body(headers: &HeaderMap, payload: web::Payload) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(Code::PayloadTooLarge);
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    if announced
        .and_then(|text| text.parse::<usize>().ok())
        .is_some_and(|length| length > MAX_BODY)
    {
        return Err(too_large());
    }
    payload
        .to_bytes_limited(MAX_BODY)
        .await
        .map_err(|_| too_large())?
        .map_err(|_| Problem::with_detail(Code::InvalidJson, "the body could not be read"))
}

async fn json_body(request: &HttpRequest, payload: web::Payload) -> Result<Value, Problem> {
    let bytes = whole_body(request.headers(), payload).await?;
    if bytes.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    if !is_json(request) {
        return Err(Problem::new(Code::UnsupportedMediaType));
    }
    super::json::parse(&bytes).map_err(|error| Problem::with_detail(Code::InvalidJson, error))
}

fn is_json(request: &HttpRequest) -> bool {
    let charset_ok = header_text(request, header::CONTENT_TYPE.as_str())
        .and_then(|text| {
            text.split_once("charset=")
                .map(|(_, charset)| charset.trim_matches('"').to_lowercase())
        })
        .is_none_or(|charset| charset == "utf-8");
    request.content_type().eq_ignore_ascii_case("application/json") && charset_ok
}
