//! A request as it is put together, and its answer.

use reqwest::header::{ACCEPT, CONTENT_TYPE, ETAG, HeaderName, IF_MATCH, LOCATION};
use reqwest::{Client, Method, Request, Url};
use serde::de::DeserializeOwned;

use super::{ClientError, Problem};

/// A request that was not sent yet.
#[derive(Debug, Clone)]
#[must_use = "a draft does nothing until it is sent"]
pub struct Draft {
    http: Client,
    method: Method,
    url: Url,
    /// Method and path, for messages.
    named: String,
    headers: Vec<(HeaderName, String)>,
    bearer: Option<String>,
    body: Option<serde_json::Value>,
}

impl Draft {
    pub(super) fn new(http: Client, method: Method, url: Url, path: &str) -> Self {
        let named = format!("{method} {path}");
        Self {
            http,
            method,
            url,
            named,
            headers: Vec::new(),
            bearer: None,
            body: None,
        }
    }

    /// With a query parameter.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    /// As the holder of a token.
    pub fn bearer(mut self, token: &str) -> Self {
        self.bearer = Some(token.to_owned());
        self
    }

    /// Repeatable under this key.
    pub fn key(self, key: impl Into<String>) -> Self {
        self.header(
            HeaderName::from_static("idempotency-key"),
            format!("\"{}\"", key.into()),
        )
    }

    /// Only if the object still has this version.
    pub fn if_match(self, version: i64) -> Self {
        self.header(IF_MATCH, format!("\"v{version}\""))
    }

    /// Answered in this form.
    pub fn accept(self, media_type: &str) -> Self {
        self.header(ACCEPT, media_type.to_owned())
    }

    /// With a JSON body.
    pub fn body(mut self, body: serde_json::Value) -> Self {
        self.body = Some(body);
        self
    }

    fn header(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Sends it and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`].
    pub async fn send(self) -> Result<Answer, ClientError> {
        let unreachable = |source| ClientError::Unreachable {
            request: self.named.clone(),
            source,
        };
        let request = self.build().map_err(unreachable)?;
        let response = self.http.execute(request).await.map_err(unreachable)?;
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        let (etag, location) = (header(ETAG.as_str()), header(LOCATION.as_str()));
        let replayed = header("idempotency-replayed").is_some_and(|value| value == "true");
        let media_type = header(CONTENT_TYPE.as_str()).unwrap_or_default();
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(unreachable)?.to_vec();
        Ok(Answer {
            request: self.named,
            status,
            etag,
            location,
            replayed,
            media_type,
            body,
        })
    }

    fn build(&self) -> Result<Request, reqwest::Error> {
        let mut builder = self.http.request(self.method.clone(), self.url.clone());
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        if let Some(token) = &self.bearer {
            builder = builder.bearer_auth(token);
        }
        if let Some(body) = &self.body {
            builder = builder.json(body);
        }
        builder.build()
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    request: String,
    /// HTTP status.
    pub status: u16,
    /// `ETag`, as it came.
    pub etag: Option<String>,
    /// Address of what was created.
    pub location: Option<String>,
    /// Whether it is the stored answer of an earlier request.
    pub replayed: bool,
    /// `Content-Type`.
    pub media_type: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body of an answer with the wanted status.
    ///
    /// # Errors
    /// Another status, or a body of another shape.
    pub fn json<T: DeserializeOwned>(&self, wanted: u16) -> Result<T, ClientError> {
        self.wanted(wanted)?;
        self.read()
    }

    /// An answer with the wanted status, whatever its body.
    ///
    /// # Errors
    /// Another status.
    pub fn wanted(&self, wanted: u16) -> Result<&Self, ClientError> {
        if self.status == wanted {
            return Ok(self);
        }
        Err(match self.read::<Problem>() {
            Ok(problem) => ClientError::Refused {
                request: self.request.clone(),
                problem: Box::new(problem),
            },
            Err(_) => ClientError::Status {
                request: self.request.clone(),
                wanted,
                got: self.status,
            },
        })
    }

    /// The refusal that had to come.
    ///
    /// # Errors
    /// An acceptance, or another refusal.
    pub fn refusal(&self, status: u16, code: &str) -> Result<Problem, ClientError> {
        if self.status < 400 {
            return Err(ClientError::Status {
                request: self.request.clone(),
                wanted: status,
                got: self.status,
            });
        }
        let problem: Problem = self.read()?;
        if (self.status, problem.code.as_str()) == (status, code) {
            Ok(problem)
        } else {
            Err(ClientError::Refused {
                request: self.request.clone(),
                problem: Box::new(problem),
            })
        }
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        serde_json::from_slice(&self.body).map_err(|source| ClientError::Unreadable {
            request: self.request.clone(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            request: "GET /v1/diner/cart".to_owned(),
            status,
            etag: None,
            location: None,
            replayed: false,
            media_type: String::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    const ENDED: &str =
        r#"{"status":401,"code":"seating_ended","title":"This visit has ended","detail":null}"#;

    #[test]
    fn a_refusal_is_recognised_by_its_code() {
        let ended = answer(401, ENDED);
        assert_eq!(ended.refusal(401, "seating_ended").unwrap().code, "seating_ended");
        assert!(matches!(
            ended.refusal(401, "token_expired"),
            Err(ClientError::Refused { .. })
        ));
        assert!(matches!(
            answer(200, "{}").refusal(401, "seating_ended"),
            Err(ClientError::Status { .. })
        ));
    }

    #[test]
    fn an_unwanted_status_says_why() {
        let error = answer(401, ENDED).wanted(200).unwrap_err();
        let text = "GET /v1/diner/cart was refused with 401 seating_ended: This visit has ended";
        assert_eq!(error.to_string(), text);
        let error = answer(502, "<html>").wanted(200).unwrap_err();
        assert_eq!(
            error.to_string(),
            "GET /v1/diner/cart gave status 502 instead of 200"
        );
    }
}
