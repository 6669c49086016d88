//! The outermost middleware: every answer, whatever made it, has a request id and the security headers, and every
//! refusal is a problem that names the request.

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use comanda_domain::ids::{IdSource, RequestId};
use tracing::{error, info};

use crate::problem::{Code, Problem};
use crate::state::State;

/// Swagger UI sets styles on its elements and draws icons from `data:` addresses.
const PAGES_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a request is called, in the client's words or ours.
#[derive(Debug, Clone)]
pub struct RequestName(String);

impl RequestName {
    /// The name of a request that has passed the middleware.
    pub fn of(request: &HttpRequest) -> String {
        request
            .extensions()
            .get::<Self>()
            .map(|name| name.0.clone())
            .unwrap_or_default()
    }

    fn choose(headers: &HeaderMap, state: &State) -> Self {
        let theirs = headers
            .get(REQUEST_ID)
            .and_then(|value| value.to_str().ok())
            .filter(|text| {
                (1..=64).contains(&text.len())
                    && text
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
            });
        match theirs {
            Some(text) => Self(text.to_owned()),
            None => Self(state.services.sources.ids().next::<RequestId>().to_string()),
        }
    }
}

/// Names the request, runs it, and finishes the answer.
///
/// # Errors
/// Only what the framework itself cannot answer.
pub async fn finish<B: MessageBody + 'static>(
    state: web::Data<State>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, actix_web::Error> {
    let name = RequestName::choose(request.headers(), &state);
    let began = state.services.sources.now();
    request.extensions_mut().insert(name.clone());
    // The router needs the request for itself: nothing may hold a copy while it looks for the route.
    let response = next.call(request).await?;
    let problem = problem_of(response.response());
    let mut response = match &problem {
        None => response.map_into_left_body(),
        Some(problem) => told(problem, response, &state.public_url, &name.0).map_into_right_body(),
    };
    // The pages of the documentation load their scripts, styles and the document from here, and from nowhere else.
    let policy = if response.request().path().starts_with("/docs/") {
        PAGES_POLICY
    } else {
        "default-src 'none'; frame-ancestors 'none'"
    };
    let https = state.public_url.starts_with("https:");
    add_headers(response.headers_mut(), &name, policy, https);
    log(
        response.request(),
        response.status(),
        &name,
        problem.as_ref(),
        state.services.sources.now() - began,
    );
    Ok(response)
}

/// The answer with its problem written out.
fn told<B>(
    problem: &Problem,
    response: ServiceResponse<B>,
    public_url: &str,
    request_id: &str,
) -> ServiceResponse<BoxBody> {
    let (request, bare) = response.into_parts();
    let mut answer =
        HttpResponse::build(bare.status()).json(problem.body(public_url, request.path(), request_id));
    for (name, value) in bare.headers() {
        if *name != header::CONTENT_TYPE && *name != header::CONTENT_LENGTH {
            answer.headers_mut().append(name.clone(), value.clone());
        }
    }
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    ServiceResponse::new(request, answer)
}

/// The problem of an answer: ours, or the one that the framework's own refusal amounts to.
fn problem_of<B>(response: &HttpResponse<B>) -> Option<Problem> {
    if let Some(problem) = response.extensions().get::<Problem>() {
        return Some(problem.clone());
    }
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    Some(match status {
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::URI_TOO_LONG => Problem::new(Code::PayloadTooLarge),
        StatusCode::NOT_FOUND => Problem::new(Code::RouteNotFound),
        _ if status.is_client_error() => {
            Problem::with_detail(Code::InvalidParameter, "the request cannot be read")
        }
        _ => Problem::new(Code::InternalError).because("unexpected answer of the framework"),
    })
}

fn add_headers(headers: &mut HeaderMap, name: &RequestName, policy: &'static str, https: bool) {
    if let Ok(value) = HeaderValue::from_str(&name.0) {
        headers.insert(REQUEST_ID, value);
    }
    let mut default = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    default(header::CACHE_CONTROL, "no-store");
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(header::X_FRAME_OPTIONS, "DENY");
    default(header::REFERRER_POLICY, "no-referrer");
    default(header::CONTENT_SECURITY_POLICY, policy);
    default(
        HeaderName::from_static("permissions-policy"),
        "geolocation=(), camera=(), microphone=()",
    );
    default(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-site",
    );
    if https {
        default(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}

/// One line per request, without query, body or credentials.
fn log(
    request: &HttpRequest,
    status: StatusCode,
    name: &RequestName,
    problem: Option<&Problem>,
    took: chrono::TimeDelta,
) {
    let route = request.match_pattern().unwrap_or_else(|| "-".to_owned());
    let code = problem.map_or("", |problem| problem.code.info().name);
    let micros = took.num_microseconds().unwrap_or(i64::MAX);
    let method = request.method().as_str();
    // A refusal that protects us from too much has no cause, and is no error: it must not fill the log besides.
    let cause = problem.and_then(|problem| problem.cause.as_deref());
    let shed = status == StatusCode::SERVICE_UNAVAILABLE && cause.is_none();
    if status.is_server_error() && !shed {
        error!(
            method,
            route,
            status = status.as_u16(),
            duration_us = micros,
            request_id = name.0,
            code,
            cause = cause.unwrap_or(""),
            "request"
        );
    } else {
        info!(
            method,
            route,
            status = status.as_u16(),
            duration_us = micros,
            request_id = name.0,
            code,
            "request"
        );
    }
}
