//! Outcomes to responses.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use comanda_infrastructure::db::Seen;
use comanda_infrastructure::idempotency::Stored;
use serde::Serialize;
use utoipa::ToSchema;

use super::conditional::etag;

/// Every handler's answer.
pub type Answer = Result<HttpResponse, crate::problem::Problem>;

/// Where the branch's stream stood when the answer was read: events up to there are contained.
pub const CURSOR: HeaderName = HeaderName::from_static("comanda-cursor");

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The answer of a use case that changes something.
pub fn stored(stored: Stored) -> HttpResponse {
    let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    response.content_type("application/json");
    if let Some(version) = stored.version {
        response.insert_header((header::ETAG, etag(version)));
    }
    if let Some(location) = stored.location {
        response.insert_header((header::LOCATION, location));
    }
    if stored.replayed {
        response.insert_header((REPLAYED, HeaderValue::from_static("true")));
    }
    response.body(stored.body)
}

/// What was read.
pub fn ok(view: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().json(view)
}

/// What was read, with its version.
pub fn versioned(view: &impl Serialize, version: i64) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::ETAG, etag(version)))
        .json(view)
}

/// What a screen starts from, told by `answer`, with the position from which its events go on.
pub fn seen<T>(seen: Seen<T>, answer: impl FnOnce(T) -> HttpResponse) -> HttpResponse {
    let cursor = seen.cursor.to_string();
    let mut response = answer(seen.value);
    // Hexadecimal digits, a hyphen and digits are always a header's value.
    if let Ok(value) = HeaderValue::try_from(cursor) {
        response.headers_mut().insert(CURSOR, value);
    }
    response
}

/// Part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Listed<T> {
    /// The entries.
    pub data: Vec<T>,
    /// Where the next part begins; null at the end.
    pub next_cursor: Option<String>,
}

/// A list that is always whole.
pub fn list<T: Serialize>(data: Vec<T>) -> HttpResponse {
    ok(&Listed {
        data,
        next_cursor: None,
    })
}
