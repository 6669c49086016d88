//! `comanda api-key sign`: needs neither a server nor a database.

use comanda_infrastructure::clock::Sources;
use comanda_infrastructure::config;
use comanda_security::signing::{Nonce, RequestSigner, SignableRequest, SigningSecret};
use comanda_security::{ExposeSecret, SystemEntropy};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::args::SignArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

#[derive(Serialize)]
struct Headers {
    headers: Map<String, Value>,
}

/// Prints the headers.
///
/// # Errors
/// No secret, an unreadable body, or an address that cannot be asked.
pub fn run(args: &SignArgs, output: Output) -> Result<(), Failure> {
    let unusable = |message: String| {
        let hint = "COMANDA_SIGNING_SECRET must hold the signing secret, which begins with cmds_";
        Failure::new(Exit::Usage, "no_signing_secret", message, hint)
    };
    let secret = config::signing_secret().ok_or_else(|| unusable("there is no signing secret".to_owned()))?;
    let secret = SigningSecret::parse(secret.expose_secret()).map_err(|error| unusable(error.to_string()))?;
    let body = match &args.body {
        Some(file) => std::fs::read(file).map_err(|error| {
            let message = format!("{}: {error}", file.display());
            Failure::new(Exit::Usage, "unreadable_body", message, "look at --body")
        })?,
        None => Vec::new(),
    };
    let (path, query) = target(&args.url).ok_or_else(|| {
        let hint = "http://host/path?query or /path?query, with what is no ASCII escaped";
        Failure::new(Exit::Usage, "address", "the address cannot be asked", hint)
    })?;
    let request = SignableRequest {
        method: &args.method,
        path,
        query,
        body: &body,
    };
    let nonce = Nonce::fresh(&SystemEntropy::new())
        .map_err(|error| Failure::new(Exit::Failed, "no_randomness", error.to_string(), "try again"))?;
    let signed = RequestSigner::new(args.key_id.clone(), secret)
        .sign(&request, Sources::system().now(), nonce)
        .map_err(|error| Failure::new(Exit::Usage, "address", error.to_string(), "escape it as %25"))?;
    if output.json {
        let headers = signed
            .pairs()
            .map(|(name, value)| (name.to_owned(), value.into()));
        output.document(&Headers {
            headers: headers.into_iter().collect(),
        })?;
    } else {
        let lines = signed.pairs().map(|(name, value)| format!("{name}: {value}\n"));
        output.text(&lines.concat())?;
    }
    Ok(())
}

/// The path and the query of an address, as they go onto the request line.
fn target(url: &str) -> Option<(&str, &str)> {
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let url = url.split('#').next()?;
    let rest = match url.split_once("://") {
        Some(("http" | "https", rest)) => rest.find(['/', '?']).map_or("/", |at| rest.split_at(at).1),
        Some(_) => return None,
        None => url,
    };
    match rest.split_once('?').unwrap_or((rest, "")) {
        ("", query) => Some(("/", query)),
        (path, query) if path.starts_with('/') => Some((path, query)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn addresses_become_what_goes_onto_the_request_line() {
        for (url, path, query) in [
            ("/v1/integration/me", "/v1/integration/me", ""),
            ("/v1/a%2Fb?x=1&y=2#there", "/v1/a%2Fb", "x=1&y=2"),
            ("http://localhost:8080/v1?x", "/v1", "x"),
            ("https://example.com", "/", ""),
            ("https://example.com?x=http://a/b", "/", "x=http://a/b"),
        ] {
            assert_eq!(target(url), Some((path, query)), "{url}");
        }
        for wrong in ["", "v1", "ftp://example.com/", "/a b", "/é"] {
            let found = target(wrong);
            assert!(found.is_none() || wrong.is_empty(), "{wrong}: {found:?}");
        }
    }
}
