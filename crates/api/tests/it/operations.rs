//! The operations as the server's own document lists them: what the generated suites run over.

use std::collections::BTreeMap;

use comanda_api::problem::Code;
use comanda_testkit::{Answer, Client, TestApp};
use reqwest::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// One operation of the document.
#[derive(Debug, Clone)]
pub struct Operation {
    pub method: Method,
    /// As the document has it: `/v1/diner/rounds/{round_id}`.
    pub path: String,
    /// Its row of the authorisation table, or `public`.
    pub action: String,
    /// An `Idempotency-Key` is required.
    pub keyed: bool,
    /// The schema of its body, where it has fields.
    pub body: Option<Value>,
    /// The names of its query parameters.
    pub query: Vec<String>,
}

impl Operation {
    /// Every operation that the server tells of.
    pub async fn all(app: &TestApp) -> Vec<Self> {
        let document = app.anyone().get("/openapi.json").await.expect(200).json();
        let mut all = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
                let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
                all.push(Self {
                    method: method.to_uppercase().parse().unwrap(),
                    path: path.clone(),
                    action: operation["x-comanda-action"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned(),
                    keyed: operation["x-idempotency-key"] == "required",
                    body: (!schema.is_null()).then(|| resolve(schema, &document)),
                    query: parameters
                        .iter()
                        .filter(|parameter| parameter["in"] == "query")
                        .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
                        .collect(),
                });
            }
        }
        assert!(all.len() > 50, "the document lists {} operations", all.len());
        all
    }

    /// `POST /v1/…`
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Needs no credential.
    pub fn is_public(&self) -> bool {
        self.action == "public"
    }

    /// Is for guests, not for staff.
    pub fn is_for_guests(&self) -> bool {
        self.path.starts_with("/v1/diner/")
    }

    /// Is for whoever may listen to events, guests and staff alike; `events.rs` has its cases.
    pub fn is_for_everyone(&self) -> bool {
        self.path.starts_with("/v1/events")
    }

    /// Is for integrations.
    pub fn is_for_keys(&self) -> bool {
        self.path.starts_with("/v1/integration/")
    }

    /// Reads a body, with fields or without.
    pub fn has_command(&self) -> bool {
        self.method != Method::GET
    }

    /// The names of the ids in the path.
    pub fn segments(&self) -> Vec<&str> {
        self.path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
            .collect()
    }

    /// The prefix of the ids in this segment; none for what is no id.
    fn kind(&self, segment: &str) -> &'static str {
        if segment.ends_with("_id") {
            self.prefix(segment)
        } else {
            ""
        }
    }

    /// The path with these ids, by segment or prefix; one that is not given gets an id that nobody has.
    pub fn at(&self, ids: &BTreeMap<&str, String>) -> String {
        let mut path = self.path.clone();
        for segment in self.segments() {
            let id = ids
                .get(segment)
                .or_else(|| ids.get(self.kind(segment)))
                .cloned()
                .unwrap_or_else(|| self.unknown(segment));
            path = path.replace(&format!("{{{segment}}}"), &id);
        }
        path
    }

    /// An id of the kind that the segment wants, which nobody has.
    pub fn unknown(&self, segment: &str) -> String {
        if segment.ends_with("_id") {
            fresh(self.prefix(segment))
        } else {
            "nothing".to_owned()
        }
    }

    /// What an id in this segment begins with.
    pub fn prefix(&self, segment: &str) -> &'static str {
        match segment {
            "branch_id" => "brn",
            "call_id" => "cal",
            "delivery_id" => "dlv",
            "key_id" => "key",
            "check_id" => "chk",
            "item_id" if self.path.contains("/tickets/") => "tki",
            "item_id" => "rit",
            "line_id" => "crt",
            "option_id" => "mdo",
            "payment_id" => "pay",
            "product_id" => "prd",
            "round_id" => "rnd",
            "session_id" => "ses",
            "table_id" => "tbl",
            "ticket_id" => "tkt",
            "webhook_id" => "whk",
            other => panic!("{}: which kind is {other}?", self.name()),
        }
    }

    /// A body that every check of single values accepts: all members, or only those that are required.
    pub fn sample(&self, ids: &BTreeMap<&str, String>, whole: bool) -> Value {
        let mut body = self
            .body
            .as_ref()
            .map_or_else(|| json!({}), |schema| sample(schema, ids, whole));
        if self.path == "/v1/billing/checks/{check_id}/payments" {
            // Only an online payment can do without, which the schema cannot say.
            body["amount"] = json!({ "amount": 100, "currency": "ARS" });
        }
        body
    }
}

/// An id that nobody has.
pub fn fresh(prefix: &str) -> String {
    let now = uuid::Timestamp::now(uuid::ContextV7::new());
    comanda_domain::ids::encode(prefix, Uuid::new_v7(now))
}

fn resolve(schema: &Value, document: &Value) -> Value {
    match schema {
        Value::Object(object) => match object.get("$ref").and_then(Value::as_str) {
            Some(name) => resolve(document.pointer(name.trim_start_matches('#')).unwrap(), document),
            None => object
                .iter()
                .map(|(name, part)| (name.clone(), resolve(part, document)))
                .collect::<Map<_, _>>()
                .into(),
        },
        Value::Array(parts) => parts.iter().map(|part| resolve(part, document)).collect(),
        other => other.clone(),
    }
}

/// The prefix of the id that a schema wants, if it wants one.
pub fn id_prefix(schema: &Value) -> Option<&str> {
    schema["pattern"]
        .as_str()?
        .strip_prefix('^')?
        .split_once("_[0-7]")
        .map(|(prefix, _)| prefix)
}

/// Something that the schema accepts. Ids are looked up by their prefix.
pub fn sample(schema: &Value, ids: &BTreeMap<&str, String>, whole: bool) -> Value {
    if let Some(names) = schema["enum"].as_array() {
        return names[0].clone();
    }
    if let Some(prefix) = id_prefix(schema) {
        return ids.get(prefix).cloned().unwrap_or_else(|| fresh(prefix)).into();
    }
    match schema["type"].as_str().unwrap() {
        "object" => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let members = schema["properties"].as_object().cloned().unwrap_or_default();
            members
                .iter()
                .filter(|(name, _)| whole || required.contains(&json!(name)))
                .map(|(name, part)| (name.clone(), sample(part, ids, whole)))
                .collect::<Map<_, _>>()
                .into()
        }
        "array" => json!([sample(&schema["items"], ids, whole)]),
        "boolean" => json!(true),
        "integer" => schema["minimum"].as_i64().unwrap().max(1).into(),
        "string" if schema["pattern"] == "^[A-Z]{3}$" => json!("ARS"),
        "string" if schema["format"] == "date-time" => json!("2031-01-31T23:59:00Z"),
        "string" if schema["format"] == "ip-network" => json!("192.0.2.0/24"),
        "string" if schema["format"] == "uri" => json!("https://192.88.98.1/hook"),
        "string" if schema["format"] == "event-type" => json!("round.*"),
        "string" => "a".repeat(length(schema, "minLength").unwrap_or(1).max(1)).into(),
        other => panic!("no sample of {other}"),
    }
}

/// A bound of a text or list.
pub fn length(schema: &Value, bound: &str) -> Option<usize> {
    schema[bound]
        .as_u64()
        .and_then(|length| usize::try_from(length).ok())
}

/// Somebody of each kind of credential.
pub struct Callers {
    pub staff: Client,
    pub guest: Client,
    pub visitor: Client,
    pub key: Client,
    pub anyone: Client,
}

impl Callers {
    /// Whose credential fits the operation.
    pub fn fitting(&self, operation: &Operation) -> &Client {
        match operation.path.as_str() {
            "/v1/diner/register" => &self.visitor,
            _ if operation.is_public() => &self.anyone,
            _ if operation.is_for_guests() || operation.is_for_everyone() => &self.guest,
            _ if operation.is_for_keys() => &self.key,
            _ => &self.staff,
        }
    }
}

/// The answer is a problem in every respect, and none of ours that should not be; gives its code.
#[track_caller]
pub fn problem(answer: &Answer) -> String {
    let (report, status) = (answer.report(), answer.status.as_u16());
    assert!(answer.status.is_client_error(), "{report}");
    assert_eq!(
        answer.header("content-type"),
        "application/problem+json",
        "{report}"
    );
    let code = answer.text("/code");
    let known = Code::ALL
        .iter()
        .map(|code| code.info())
        .find(|info| info.name == code);
    let known = known.unwrap_or_else(|| panic!("unknown code: {report}"));
    assert_eq!(
        (known.status, answer.at("/status")),
        (status, json!(status)),
        "{report}"
    );
    assert_eq!(answer.at("/title"), known.title, "{report}");
    assert_eq!(answer.at("/retryable"), known.retryable, "{report}");
    assert!(
        answer.text("/type").ends_with(&format!("/docs/problems/{code}")),
        "{report}"
    );
    assert!(!answer.text("/detail").is_empty(), "{report}");
    assert!(answer.text("/instance").starts_with('/'), "{report}");
    assert_eq!(
        answer.text("/request_id"),
        answer.header("x-request-id"),
        "{report}"
    );
    for error in answer.list("/errors") {
        let pointer = error["pointer"].as_str().unwrap_or("none");
        assert!(pointer.is_empty() || pointer.starts_with('/'), "{report}");
        assert!(
            error["code"].is_string() && error["detail"].is_string(),
            "{report}"
        );
    }
    headers(answer);
    code.to_owned()
}

/// What every answer carries.
#[track_caller]
pub fn headers(answer: &Answer) {
    assert!(!answer.header("x-request-id").is_empty(), "{}", answer.report());
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        (
            "content-security-policy",
            "default-src 'none'; frame-ancestors 'none'",
        ),
        ("permissions-policy", "geolocation=(), camera=(), microphone=()"),
        ("cross-origin-resource-policy", "same-site"),
    ] {
        assert_eq!(answer.header(name), value, "{name}: {}", answer.report());
    }
}

/// The faults of a problem: pointer and code.
pub fn faults(answer: &Answer) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    answer
        .list("/errors")
        .iter()
        .map(|error| (text(&error["pointer"]), text(&error["code"])))
        .collect()
}
