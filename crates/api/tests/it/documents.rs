//! What the server tells about itself: everything from the binary, and nothing out of date.

use std::path::{Path, PathBuf};

use comanda_api::problem::{Code, errors_page};
use comanda_security::jwt::verifies;
use comanda_security::signing::SIGNED_HEADERS;
use comanda_testkit::TestApp;
use comanda_testkit::cluster::workspace;
use serde_json::{Value, json};

use crate::operations::Operation;

/// The file in `docs/` has this content, or is given it where that is wished.
#[track_caller]
#[expect(
    clippy::disallowed_methods,
    reason = "not a setting of the service: it lets the test write the page"
)]
pub fn is_up_to_date(name: &str, content: &str) {
    let path = workspace().join("docs").join(name);
    if std::env::var("COMANDA_UPDATE_DOCS").is_ok_and(|update| update == "1") {
        std::fs::write(&path, content).unwrap();
    }
    let file = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        file == content,
        "docs/{name} is out of date: write it with COMANDA_UPDATE_DOCS=1 just test documents"
    );
}

#[tokio::test]
async fn the_openapi_document_is_the_one_we_know() {
    let app = TestApp::start().await;
    let answer = app.anyone().get("/openapi.json").await.expect(200);
    assert_eq!(answer.header("content-type"), "application/json");
    let document = answer.json();
    assert!(
        document["openapi"].as_str().unwrap().starts_with("3.1."),
        "{}",
        document["openapi"]
    );
    assert_eq!(document["info"]["title"], "Comanda");
    assert!(document["components"]["schemas"]["Problem"].is_object());
    is_up_to_date(
        "openapi.json",
        &format!("{}\n", String::from_utf8(answer.bytes).unwrap().trim_end()),
    );
}

#[tokio::test]
async fn every_reference_of_the_document_leads_somewhere() {
    let app = TestApp::start().await;
    let document = app.anyone().get("/openapi.json").await.expect(200).json();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 100);
    for reference in references {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    let mut names: Vec<Value> = Vec::new();
    for operation in Operation::all(&app).await {
        let told = &document["paths"][&operation.path][operation.method.as_str().to_lowercase()];
        let name = operation.name();
        assert!(
            told["tags"].is_array() && told["operationId"].is_string(),
            "{name}: {told}"
        );
        assert!(told["summary"].is_string(), "{name} says nothing about itself");
        assert!(
            told["responses"]["default"].is_object(),
            "{name} does not say how it refuses"
        );
        assert_eq!(
            told["security"].is_array(),
            !operation.is_public(),
            "{name}: {}",
            told["security"]
        );
        names.push(json!([told["tags"], told["operationId"]]));
    }
    let count = names.len();
    names.sort_by_key(Value::to_string);
    names.dedup();
    assert_eq!(
        names.len(),
        count,
        "an operation's name is used twice below one tag"
    );
}

/// Where keys come, requests may be signed instead: all five headers together, none of them elsewhere.
#[tokio::test]
async fn signed_requests_are_described() {
    let app = TestApp::start().await;
    let document = app.anyone().get("/openapi.json").await.expect(200).json();
    let schemes = &document["components"]["securitySchemes"];
    for name in SIGNED_HEADERS {
        let scheme = &schemes[name];
        assert_eq!(
            (&scheme["type"], &scheme["in"], &scheme["name"]),
            (&json!("apiKey"), &json!("header"), &json!(name)),
            "{schemes}"
        );
    }
    for operation in Operation::all(&app).await {
        let told = &document["paths"][&operation.path][operation.method.as_str().to_lowercase()];
        let ways = told["security"].as_array().cloned().unwrap_or_default();
        let signed = ways.iter().filter(|way| way.get(SIGNED_HEADERS[0]).is_some());
        let whole = signed.filter(|way| SIGNED_HEADERS.iter().all(|name| way.get(name).is_some()));
        let may_sign = operation.is_for_keys() || operation.is_for_everyone();
        assert_eq!(
            whole.count(),
            usize::from(may_sign),
            "{}: {ways:?}",
            operation.name()
        );
    }
    let me = &document["paths"]["/v1/integration/me"]["get"]["responses"]["200"]["headers"];
    assert!(me["Comanda-Key-Expires"].is_object(), "{me}");
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get("$ref") {
                references.push(reference.clone());
            }
            object.values().for_each(|part| collect(part, references));
        }
        Value::Array(parts) => parts.iter().for_each(|part| collect(part, references)),
        _ => {}
    }
}

#[tokio::test]
async fn the_pages_come_from_the_binary() {
    let app = TestApp::start().await;
    let page = app.anyone().get("/docs/").await.expect(200);
    assert!(
        page.header("content-type").starts_with("text/html"),
        "{}",
        page.report()
    );
    let html = String::from_utf8(page.bytes).unwrap();
    let mut assets = 0;
    for attribute in ["src=\"", "href=\""] {
        for address in html
            .split(attribute)
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            assert!(!address.contains("//"), "{address} is on another server");
            let asset = app
                .anyone()
                .get(&format!("/docs/{}", address.trim_start_matches("./")))
                .await
                .expect(200);
            assert!(!asset.bytes.is_empty(), "{address} is empty");
            assets += 1;
        }
    }
    assert!(assets >= 3, "{html}");
    // What the page may load is ours, and its own security policy lets it work.
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.contains("'self'"),
        "the page could not load its scripts: {policy}"
    );
    let script = app.anyone().get("/docs/swagger-initializer.js").await.expect(200);
    assert!(String::from_utf8_lossy(&script.bytes).contains("/openapi.json"));
    let _ = app
        .anyone()
        .get("/docs/no-such-asset.js")
        .await
        .refused(404, "route_not_found");
}

#[tokio::test]
async fn every_error_has_its_page() {
    let app = TestApp::start().await;
    for code in Code::ALL {
        let info = code.info();
        let page = app
            .anyone()
            .get(&format!("/docs/problems/{}", info.name))
            .await
            .expect(200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let html = String::from_utf8(page.bytes).unwrap();
        for part in [info.name, info.title, info.when, &info.status.to_string()] {
            assert!(html.contains(part), "{part} is missing: {html}");
        }
    }
    let _ = app
        .anyone()
        .get("/docs/problems/no_such_code")
        .await
        .refused(404, "not_found");
    // The address in a problem is the page's own.
    let refused = app.anyone().get("/v1/diner/cart").await;
    let address = refused
        .text("/type")
        .strip_prefix("http://localhost:8080")
        .unwrap();
    let _ = app.anyone().get(address).await.expect(200);
}

#[tokio::test]
async fn the_published_keys_verify_tokens() {
    let app = TestApp::start().await;
    let answer = app.anyone().get("/.well-known/jwks.json").await.expect(200);
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    let token = app.staff("leo").await.token().to_owned();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let header: Value = serde_json::from_slice(&base64url(signed.split('.').next().unwrap())).unwrap();
    assert_eq!(
        (&header["alg"], &header["typ"]),
        (&json!("EdDSA"), &json!("at+jwt"))
    );
    let keys = answer.list("/keys");
    let key = keys.iter().find(|key| key["kid"] == header["kid"]).unwrap();
    assert_eq!((&key["kty"], &key["crv"]), (&json!("OKP"), &json!("Ed25519")));
    for key in &keys {
        assert_eq!(key["d"], Value::Null, "a private half is published");
    }
    let public = base64url(key["x"].as_str().unwrap());
    let signature = base64url(signature);
    assert!(verifies(&public, signed.as_bytes(), &signature));
    assert!(!verifies(&public, b"something else", &signature));
}

/// Base64url without padding (RFC 4648, 5).
pub fn base64url(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter).unwrap();
        bits = (bits << 6) | u32::try_from(value).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).unwrap());
        }
    }
    bytes
}

#[test]
fn the_page_of_errors_is_up_to_date() {
    let page = errors_page();
    for code in Code::ALL {
        let info = code.info();
        let row = format!(
            "| `{}` | {}{} | {} | {} |",
            info.name,
            info.status,
            if info.retryable { " ↻" } else { "" },
            info.title,
            info.when
        );
        assert!(page.contains(&row), "no row for {}", info.name);
    }
    is_up_to_date("errors.md", &page);
}

/// A code that nothing gives would be a promise to nobody.
#[test]
fn every_code_is_given_somewhere() {
    let mut sources = String::new();
    for folder in ["crates/api/src", "crates/infrastructure/src"] {
        read(&workspace().join(folder), &mut sources);
    }
    let unused: Vec<String> = Code::ALL
        .iter()
        .map(|code| format!("{code:?}"))
        .filter(|variant| {
            let name = format!("Code::{variant}");
            !sources.match_indices(&name).any(|(at, _)| {
                let next = sources[at + name.len()..].chars().next();
                !next.is_some_and(|next| next.is_alphanumeric() || next == '_')
            })
        })
        .collect();
    assert!(unused.is_empty(), "never given: {unused:?}");
}

fn read(folder: &Path, sources: &mut String) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            read(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("problem/codes.rs")
        {
            sources.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}
