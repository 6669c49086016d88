//! Errors as clients see them: RFC 9457 problems with stable codes.

mod codes;
mod page;
mod refusals;

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::{Map, Value};

pub use codes::{Code, CodeInfo};
pub use page::errors_page;

/// What is wrong with one field, line or parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// JSON pointer into the body, `/query/name`, `/path/name`, or `/lines/n`.
    pub pointer: String,
    /// A stable name.
    pub code: String,
    /// In words, for people.
    pub detail: String,
    /// The object meant, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl FieldError {
    /// A fault at a pointer.
    pub fn new(pointer: impl Into<String>, code: &str, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code: code.to_owned(),
            detail: detail.into(),
            id: None,
        }
    }

    /// With the object meant.
    #[must_use]
    pub fn about(mut self, id: &impl ToString) -> Self {
        self.id = Some(id.to_string());
        self
    }
}

/// A refusal on its way to the client; boxed, since results carry it up many calls.
#[derive(Debug, Clone)]
pub struct Problem(Box<Details>);

/// What a [`Problem`] says.
#[derive(Debug, Clone)]
pub struct Details {
    /// Which.
    pub code: Code,
    /// In words; never a cause of a 5xx.
    pub detail: String,
    /// Field by field.
    pub errors: Vec<FieldError>,
    /// Facts that help the client.
    pub members: Map<String, Value>,
    /// Seconds, for `Retry-After`.
    pub retry_after: Option<u32>,
    /// Methods, for `Allow`.
    pub allow: Option<String>,
    /// What really happened, for the log.
    pub cause: Option<String>,
}

impl Problem {
    /// A problem whose title says it all.
    pub fn new(code: Code) -> Self {
        Self::with_detail(code, code.info().title)
    }

    /// A problem in more words.
    pub fn with_detail(code: Code, detail: impl Into<String>) -> Self {
        let retry_after = match code {
            Code::IdempotencyInFlight => Some(1),
            Code::ServiceUnavailable | Code::ProviderUnavailable => Some(2),
            _ => None,
        };
        Self(Box::new(Details {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            members: Map::new(),
            retry_after,
            allow: None,
            cause: None,
        }))
    }

    /// With a helping fact.
    #[must_use]
    pub fn member(mut self, name: &str, value: impl Serialize) -> Self {
        self.members
            .insert(name.to_owned(), serde_json::to_value(value).unwrap_or_default());
        self
    }

    /// With faults, field by field.
    #[must_use]
    pub fn errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// With one fault.
    #[must_use]
    pub fn at(self, pointer: &str, code: &str, detail: &str) -> Self {
        let error = FieldError::new(pointer, code, detail);
        self.errors(vec![error])
    }

    /// With what really happened, for the log only.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(format!("{cause}"));
        self
    }

    /// The body as RFC 9457 has it.
    pub fn body(&self, public_url: &str, instance: &str, request_id: &str) -> Value {
        let info = self.code.info();
        let mut body = Map::new();
        body.insert(
            "type".into(),
            format!("{public_url}/docs/problems/{}", info.name).into(),
        );
        body.insert("title".into(), info.title.into());
        body.insert("status".into(), info.status.into());
        body.insert("code".into(), info.name.into());
        body.insert("detail".into(), self.detail.clone().into());
        body.insert("instance".into(), instance.into());
        body.insert("request_id".into(), request_id.into());
        body.insert("retryable".into(), info.retryable.into());
        body.insert(
            "errors".into(),
            serde_json::to_value(&self.errors).unwrap_or_default(),
        );
        for (name, value) in &self.members {
            body.entry(name.clone()).or_insert_with(|| value.clone());
        }
        Value::Object(body)
    }
}

impl std::ops::Deref for Problem {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl std::ops::DerefMut for Problem {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.info().name, self.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.info().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The bare answer; the outermost middleware writes the body, which names the request.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status_code());
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = self
            .allow
            .as_deref()
            .and_then(|allow| HeaderValue::from_str(allow).ok())
        {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        response.extensions_mut().insert(self.clone());
        response
    }
}
