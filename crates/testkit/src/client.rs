//! Anybody who talks to a server over HTTP.

use std::fmt::Write;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// A caller with a credential, or none.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    headers: HeaderMap,
}

impl Client {
    /// Somebody without credentials.
    pub fn new(base: &str) -> Self {
        comanda_infrastructure::tls::install();
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client can be built");
        Self {
            http,
            base: base.to_owned(),
            token: None,
            headers: HeaderMap::new(),
        }
    }

    /// The same with a bearer token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The same, at another server.
    #[must_use]
    pub fn at(&self, base: &str) -> Self {
        Self {
            base: base.to_owned(),
            ..self.clone()
        }
    }

    /// The bearer token.
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// The same with one more header on its next requests.
    #[must_use]
    pub fn header(&self, name: &str, value: &str) -> Self {
        let mut same = self.clone();
        let name: HeaderName = name.parse().expect("a header name");
        same.headers.insert(
            name,
            HeaderValue::from_bytes(value.as_bytes()).expect("a header value"),
        );
        same
    }

    /// The same with an idempotency key on its next requests.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.header("idempotency-key", &format!("\"{key}\""))
    }

    /// The same with `If-Match` on its next requests.
    #[must_use]
    pub fn seen(&self, version: i64) -> Self {
        self.header("if-match", &format!("\"v{version}\""))
    }

    /// `GET`
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    /// `POST` without a body.
    pub async fn command(&self, path: &str) -> Answer {
        self.send(Method::POST, path, None).await
    }

    /// `POST` with a fresh idempotency key.
    pub async fn act(&self, path: &str, body: &Value) -> Answer {
        self.key(&uuid::Uuid::new_v7(uuid::Timestamp::now(uuid::ContextV7::new())).to_string())
            .post(path, body)
            .await
    }

    /// `POST` that asks again for as long as the first request with its key still runs.
    pub async fn insist(&self, path: &str, body: &Value) -> Answer {
        loop {
            let answer = self.post(path, body).await;
            if answer.at("/code") != "idempotency_in_flight" {
                return answer;
            }
            assert_eq!(answer.header("retry-after"), "1", "{}", answer.report());
            tokio::task::yield_now().await;
        }
    }

    /// `PUT`
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    /// `PATCH`
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    /// `DELETE`
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// Anything, with a JSON body or none.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let bytes = body.map(|body| body.to_string().into_bytes());
        let json = self.header("content-type", "application/json");
        let caller = if bytes.is_some() { &json } else { self };
        caller.send_raw(method, path, bytes).await
    }

    /// Anything, with any body.
    pub async fn send_raw(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Answer {
        let sent = self.try_send(method.clone(), path, body).await;
        sent.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// The same, where the server may be gone before it answers.
    ///
    /// # Errors
    /// No answer.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.request(method.clone(), path);
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let is_stream = headers
            .get("content-type")
            .is_some_and(|kind| kind == "text/event-stream");
        // A stream has no end to wait for.
        let bytes = if is_stream {
            Vec::new()
        } else {
            response.bytes().await.unwrap_or_default().to_vec()
        };
        Ok(Answer {
            what: format!("{method} {path}"),
            status,
            headers,
            bytes,
        })
    }

    /// `GET` whose body is read as it comes.
    pub async fn stream(&self, path: &str) -> reqwest::Response {
        let sent = self.request(Method::GET, path).send().await;
        sent.unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .headers(self.headers.clone());
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    what: String,
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    /// A part of the body by JSON pointer.
    pub fn at(&self, pointer: &str) -> Value {
        self.json().pointer(pointer).cloned().unwrap_or_default()
    }

    /// A text of the body by JSON pointer.
    pub fn text(&self, pointer: &str) -> &'static str {
        // Tests keep few texts; leaking them keeps the calls short.
        match self.at(pointer) {
            Value::String(text) => Box::leak(text.into_boxed_str()),
            other => panic!("{}no text at {pointer}: {other}", self.report()),
        }
    }

    /// A number of the body by JSON pointer.
    pub fn number(&self, pointer: &str) -> i64 {
        self.at(pointer)
            .as_i64()
            .unwrap_or_else(|| panic!("{}no number at {pointer}", self.report()))
    }

    /// A list of the body by JSON pointer.
    pub fn list(&self, pointer: &str) -> Vec<Value> {
        self.at(pointer)
            .as_array()
            .cloned()
            .unwrap_or_else(|| panic!("{}no list at {pointer}", self.report()))
    }

    /// A header as text; empty if it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The status must be this one.
    #[must_use]
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.report());
        self
    }

    /// The answer must be this problem.
    #[expect(clippy::return_self_not_must_use, reason = "most tests want the check alone")]
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{}",
            answer.report()
        );
        assert_eq!(answer.at("/code"), code, "{}", answer.report());
        assert_eq!(answer.at("/status"), status, "{}", answer.report());
        answer
    }

    /// The request, for a failing test.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What was asked and what came, for a failing test.
    pub fn report(&self) -> String {
        let mut report = format!("{} → {}\n", self.what, self.status);
        for (name, value) in &self.headers {
            let _ = writeln!(report, "  {name}: {}", value.to_str().unwrap_or("…"));
        }
        let _ = writeln!(report, "{}", String::from_utf8_lossy(&self.bytes));
        report
    }
}
