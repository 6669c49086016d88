//! The OpenAPI document and the pages that show it: everything from the binary itself.

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use comanda_security::signing::{KEY_ID, NONCE, SIGNATURE_VERSION, SIGNED_HEADERS, TIMESTAMP};
use serde::Serialize;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ContentBuilder, HeaderBuilder, OpenApi as OpenApiDocument, Ref, RefOr, Required, Response,
    ResponseBuilder, Server,
};
use utoipa::{Modify, OpenApi, ToSchema};

use crate::problem::{Code, FieldError, Problem};
use crate::state::State;

/// Where keys come from.
const INTEGRATION: &str = "/v1/integration/";

/// The shape of every error.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Address of the page about this code.
    pub r#type: String,
    /// Short and always the same.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// Stable; programs use it.
    pub code: String,
    /// In words.
    pub detail: String,
    /// The path of the request.
    pub instance: String,
    /// The name of the request.
    pub request_id: String,
    /// The same request can succeed later unchanged.
    pub retryable: bool,
    /// Field by field; may be empty.
    pub errors: Vec<FieldError>,
}

/// The frame of the document; operations come from the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Comanda",
        description = "Dine-in service: guests order from a table's code, staff confirm, the kitchen cooks, bills are split and paid.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(ProblemBody)),
    modifiers(&Credentials),
)]
pub struct Frame;

/// Adds the credentials.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        for name in SIGNED_HEADERS {
            let header = ApiKeyValue::with_description(name, signed_header(name));
            components.add_security_scheme(name, SecurityScheme::ApiKey(ApiKey::Header(header)));
        }
    }
}

/// What stands in a header of a signed request.
fn signed_header(name: &str) -> &'static str {
    match name {
        KEY_ID => "Id of the key that signs, 16 characters.",
        TIMESTAMP => "Time of signing, in seconds since 1970; at most 300 seconds ago.",
        NONCE => "16 to 64 of A-Z, a-z, 0-9, _ and -, fresh for every attempt.",
        SIGNATURE_VERSION => "1",
        _ => "HMAC-SHA-256 of the canonical form in lower-case hexadecimal digits; see docs/signing.md.",
    }
}

/// Every path of the document with its methods: what `405` and `Allow` are answered from.
#[derive(Debug, Clone, Default)]
pub struct RouteTable(Vec<(Vec<String>, Vec<String>)>);

impl RouteTable {
    /// From the document.
    pub fn of(document: &utoipa::openapi::OpenApi) -> Self {
        let json = serde_json::to_value(&document.paths).unwrap_or_default();
        let paths = json.as_object().cloned().unwrap_or_default();
        let entry = |(path, item): (String, serde_json::Value)| {
            let segments = path.split('/').map(str::to_owned).collect();
            let methods = item
                .as_object()
                .map(|item| item.keys().map(|m| m.to_uppercase()).collect());
            (segments, methods.unwrap_or_default())
        };
        Self(paths.into_iter().map(entry).collect())
    }

    /// The methods of a path, if any route has it.
    pub fn methods(&self, path: &str) -> Vec<String> {
        let wanted: Vec<&str> = path.split('/').collect();
        let fits = |segments: &[String]| {
            segments.len() == wanted.len()
                && segments.iter().zip(&wanted).all(|(segment, part)| {
                    if segment.starts_with('{') {
                        !part.is_empty()
                    } else {
                        segment == part
                    }
                })
        };
        let mut methods: Vec<String> = self
            .0
            .iter()
            .filter(|(segments, _)| fits(segments))
            .flat_map(|(_, methods)| methods.clone())
            .collect();
        methods.sort();
        methods.dedup();
        methods
    }
}

/// Adds what every operation has in common, so that no handler repeats it: its name, path parameters by theirs, the
/// shape of refusals, the credential of its audience and the `Idempotency-Key` where it is required.
pub fn complete(mut document: OpenApiDocument, public_url: &str) -> OpenApiDocument {
    document.servers = Some(vec![Server::new(public_url)]);
    for (path, item) in &mut document.paths.paths {
        let open = path.starts_with("/v1/public") || path == "/v1/auth/login" || path == "/v1/auth/refresh";
        let names: Vec<String> = path
            .split('/')
            .filter_map(|s| s.strip_prefix('{')?.strip_suffix('}').map(str::to_owned))
            .collect();
        for (method, operation) in operations(item) {
            operation.operation_id = Some(operation_id(method, path));
            let has_key = is_marked(operation, "x-idempotency-key");
            let parameters = operation.parameters.get_or_insert_default();
            for name in &names {
                if !parameters.iter().any(|parameter| is_named(parameter, name)) {
                    parameters.push(RefOr::T(path_parameter(name)));
                }
            }
            if has_key {
                parameters.push(RefOr::T(key_parameter()));
            }
            if is_marked(operation, "x-comanda-cursor") {
                promise_cursor(operation);
            }
            operation
                .responses
                .responses
                .entry("default".to_owned())
                .or_insert_with(|| RefOr::T(refusal()));
            if path.starts_with("/v1/") && !open {
                operation.security = Some(credentials(path));
                if path.starts_with(INTEGRATION) {
                    promise_key_expiry(operation);
                }
            }
        }
    }
    document
}

/// The ways to say who asks: a bearer, and where keys may come, a signature.
fn credentials(path: &str) -> Vec<SecurityRequirement> {
    let none = Vec::<String>::new;
    let mut ways = vec![SecurityRequirement::new("bearer", none())];
    if path.starts_with(INTEGRATION) || path.starts_with("/v1/events") {
        let signed = SIGNED_HEADERS
            .into_iter()
            .fold(SecurityRequirement::default(), |all, name| all.add(name, none()));
        ways.push(signed);
    }
    ways
}

/// The header of an answer to a secret that was replaced.
fn promise_key_expiry(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with('2')
        {
            let header = HeaderBuilder::new()
                .description(Some(
                    "When the secret that was used stops working; only if it was replaced.",
                ))
                .schema(Some(
                    text_schema().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))),
                ))
                .build();
            response
                .headers
                .insert("Comanda-Key-Expires".to_owned(), RefOr::T(header));
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    [
        ("get", &mut item.get),
        ("put", &mut item.put),
        ("post", &mut item.post),
        ("delete", &mut item.delete),
        ("patch", &mut item.patch),
    ]
    .into_iter()
    .filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
}

/// A name that no other operation has: `POST /v1/diner/rounds/{round_id}/cancel` is
/// `post_diner_rounds_round_id_cancel`.
fn operation_id(method: &str, path: &str) -> String {
    let path = path.trim_start_matches("/v1").replace(['{', '}'], "");
    format!("{method}{}", path.replace(['/', '-'], "_"))
}

fn is_marked(operation: &Operation, extension: &str) -> bool {
    let extensions = operation.extensions.as_ref();
    extensions.is_some_and(|extensions| extensions.get(extension).is_some())
}

/// The header of what a screen starts from.
fn promise_cursor(operation: &mut Operation) {
    if let Some(RefOr::T(read)) = operation.responses.responses.get_mut("200") {
        let header = HeaderBuilder::new()
            .description(Some(
                "Position of the branch's events that the answer contains; listening goes on from it.",
            ))
            .schema(Some(text_schema().pattern(Some("^[0-9a-f]{8}-[0-9]+$"))))
            .build();
        read.headers.insert("Comanda-Cursor".to_owned(), RefOr::T(header));
    }
}

fn is_named(parameter: &RefOr<Parameter>, name: &str) -> bool {
    matches!(parameter, RefOr::T(parameter) if parameter.name == name)
}

fn text_schema() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(Type::String))
}

fn path_parameter(name: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(text_schema().max_length(Some(255)).build()))
        .build()
}

fn key_parameter() -> Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some("One per user action; a random UUID is best."))
        .schema(Some(
            text_schema().min_length(Some(1)).max_length(Some(255)).build(),
        ))
        .build()
}

fn refusal() -> Response {
    ResponseBuilder::new()
        .description("A refusal, as RFC 9457 has it.")
        .content(
            "application/problem+json",
            ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("Problem")))
                .build(),
        )
        .build()
}

/// Public halves of the token keys (RFC 7517).
#[get("/.well-known/jwks.json")]
pub async fn jwks(state: web::Data<State>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .json(state.keys.tokens.jwks())
}

/// The document as text; members are sorted, so that the same document is always the same text.
///
/// # Errors
/// A document that has no JSON form, which is a defect.
pub fn text(document: &OpenApiDocument) -> serde_json::Result<String> {
    serde_json::to_string_pretty(&serde_json::to_value(document)?)
}

/// The document as it was built at start.
pub struct Document(pub String);

/// The OpenAPI 3.1 document.
#[get("/openapi.json")]
pub async fn openapi_json(document: web::Data<Document>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(document.0.clone())
}

/// The page about one error code, to which `type` of a problem leads.
#[get("/docs/problems/{code}")]
pub async fn problem_page(code: web::Path<String>) -> Result<HttpResponse, Problem> {
    let info = Code::ALL
        .iter()
        .map(|code| code.info())
        .find(|info| info.name == code.as_str())
        .ok_or_else(|| Problem::new(Code::NotFound))?;
    let retry = if info.retryable {
        "The same request can succeed later."
    } else {
        "Repeating the same request does not help."
    };
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{name}</title>\
         <h1>{title}</h1><p><code>{name}</code>, status {status}</p><p>{when}</p><p>{retry}</p></html>",
        name = info.name,
        title = info.title,
        status = info.status,
        when = info.when,
    );
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
        .body(page))
}
