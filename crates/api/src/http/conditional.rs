//! Versions in `ETag` and `If-Match`.

use actix_web::HttpRequest;
use actix_web::http::header;

use crate::problem::{Code, Problem};

/// `"v7"`
pub fn etag(version: i64) -> String {
    format!("\"v{version}\"")
}

/// The version that the client saw. `W/"v4"`, which compressing proxies make of `"v4"`, counts the same.
///
/// # Errors
/// `invalid_parameter` for anything else, `*` included.
pub fn if_match(request: &HttpRequest) -> Result<Option<i64>, Problem> {
    let Some(value) = request.headers().get(header::IF_MATCH) else {
        return Ok(None);
    };
    let version = value.to_str().ok().and_then(|text| {
        let text = text.trim();
        let quoted = text.strip_prefix("W/").unwrap_or(text);
        let digits = quoted.strip_prefix("\"v")?.strip_suffix('"')?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())
            .flatten()
    });
    match version {
        Some(version) => Ok(Some(version)),
        None => Err(Problem::new(Code::InvalidParameter).at(
            "/header/If-Match",
            "wrong_format",
            "one entity tag such as \"v4\"",
        )),
    }
}
