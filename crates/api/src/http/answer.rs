//! Outcomes to responses.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use comanda_infrastructure::idempotency::Stored;
use serde::Serialize;
use utoipa::ToSchema;

use super::conditional::etag;

/// Every handler's answer.
pub type Answer = Result<HttpResponse, crate::problem::Problem>;

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
