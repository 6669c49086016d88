//! Which language a guest reads.

use actix_web::HttpRequest;
use actix_web::http::header;

/// The first language of `Accept-Language` by weight (RFC 9110, 12.5.4); `*` means no wish.
pub fn accepted(request: &HttpRequest) -> Option<String> {
    let header = request.headers().get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    let mut wishes: Vec<(String, u16)> = header.split(',').take(16).filter_map(wish).collect();
    // Stable: equal weights keep their order.
    wishes.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    wishes.into_iter().next().map(|(tag, _)| tag)
}

fn wish(part: &str) -> Option<(String, u16)> {
    let mut pieces = part.split(';');
    let tag = pieces.next()?.trim();
    let weight = match pieces.next().map(str::trim) {
        None => 1000,
        Some(q) => {
            let (whole, fraction) = q
                .strip_prefix("q=")?
                .split_once('.')
                .unwrap_or((q.strip_prefix("q=")?, ""));
            let thousandths: u16 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
            whole
                .parse::<u16>()
                .ok()?
                .checked_mul(1000)?
                .checked_add(thousandths)?
        }
    };
    (is_tag(tag) && weight > 0).then(|| (tag.to_lowercase(), weight))
}

/// Whether a text looks like a language tag.
pub fn is_tag(tag: &str) -> bool {
    !tag.is_empty()
        && tag.len() <= 35
        && tag != "*"
        && tag
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_heaviest_wish_wins() {
        let of = |value: &'static str| {
            accepted(
                &TestRequest::default()
                    .insert_header((header::ACCEPT_LANGUAGE, value))
                    .to_http_request(),
            )
        };
        assert_eq!(of("en;q=0.5, es-AR;q=0.9, *;q=0.1"), Some("es-ar".to_owned()));
        assert_eq!(of("en"), Some("en".to_owned()));
        assert_eq!(of("*"), None);
        assert_eq!(of("en;q=nonsense"), None);
    }
}
