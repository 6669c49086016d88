//! Trace context of a request (W3C Trace Context): passed on if it is well formed, else dropped.

use actix_web::HttpRequest;
use comanda_infrastructure::db::Origin;

/// Members of a `tracestate`.
const MAX_MEMBERS: usize = 32;
/// Characters of a `tracestate` that everybody has to pass on; longer ones are dropped.
const MAX_STATE: usize = 512;
/// Characters of a member's key, and of its value.
const MAX_PART: usize = 256;

/// Where the request says that it comes from. A state without its parent means nothing.
pub fn origin(request: &HttpRequest) -> Origin {
    let headers = request.headers();
    let mut parents = headers.get_all("traceparent");
    let traceparent = match (parents.next(), parents.next()) {
        (Some(only), None) => only.to_str().ok().and_then(parent),
        _ => None,
    };
    let tracestate = traceparent.as_ref().and_then(|_| {
        let lines: Option<Vec<&str>> = headers
            .get_all("tracestate")
            .map(|line| line.to_str().ok())
            .collect();
        state(&lines?)
    });
    Origin {
        traceparent,
        tracestate,
        event: None,
    }
}

/// A `traceparent` of version 00, or the part of it in a later version's.
fn parent(text: &str) -> Option<String> {
    let mut parts = text.trim().split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_ours = version == "00" && parts.next().is_none();
    let is_later = is_hex(version, 2) && version != "00" && version != "ff";
    let names = is_hex(trace, 32) && is_hex(span, 16) && is_hex(flags, 2);
    let zero = |text: &str| text.bytes().all(|byte| byte == b'0');
    ((is_ours || is_later) && names && !zero(trace) && !zero(span))
        .then(|| format!("00-{trace}-{span}-{flags}"))
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The members of all lines in their order, if every one is well formed and no key comes twice.
fn state(lines: &[&str]) -> Option<String> {
    let members: Vec<&str> = lines
        .iter()
        .flat_map(|line| line.split(','))
        .map(|member| member.trim_matches([' ', '\t']))
        .filter(|member| !member.is_empty())
        .collect();
    let mut keys = Vec::with_capacity(members.len());
    for member in &members {
        let (key, value) = member.split_once('=')?;
        if !is_key(key) || !is_value(value) || keys.contains(&key) {
            return None;
        }
        keys.push(key);
    }
    let text = members.join(",");
    (!members.is_empty() && members.len() <= MAX_MEMBERS && text.len() <= MAX_STATE).then_some(text)
}

fn is_key(key: &str) -> bool {
    let mut bytes = key.bytes();
    let begins = bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let goes_on = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-' | b'*' | b'/' | b'@')
    };
    begins && key.len() <= MAX_PART && bytes.all(goes_on)
}

fn is_value(value: &str) -> bool {
    let fits = |byte: u8| (0x20..0x7f).contains(&byte) && byte != b',' && byte != b'=';
    !value.is_empty() && value.len() <= MAX_PART && value.bytes().all(fits) && !value.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn read(parent: Option<&str>, states: &[&str]) -> (Option<String>, Option<String>) {
        let mut request = TestRequest::get();
        if let Some(parent) = parent {
            request = request.append_header(("traceparent", parent));
        }
        for state in states {
            request = request.append_header(("tracestate", *state));
        }
        let Origin {
            traceparent,
            tracestate,
            event,
        } = origin(&request.to_http_request());
        assert_eq!(event, None);
        (traceparent, tracestate)
    }

    #[test]
    fn a_valid_context_is_passed_on() {
        let (parent, state) = read(
            Some(PARENT),
            &["rojo=00f067aa0ba902b7, congo=t61rcWkgMzE", "1@tenant=a b"],
        );
        assert_eq!(parent.as_deref(), Some(PARENT));
        assert_eq!(
            state.as_deref(),
            Some("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE,1@tenant=a b")
        );
    }

    #[test]
    fn a_malformed_parent_is_dropped_with_its_state() {
        let zeros = "0".repeat(32);
        for wrong in [
            "",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            &format!("00-{zeros}-00f067aa0ba902b7-01"),
        ] {
            assert_eq!(read(Some(wrong), &["a=1"]), (None, None), "{wrong}");
        }
        assert_eq!(read(None, &["a=1"]), (None, None));
    }

    #[test]
    fn a_malformed_state_is_dropped_alone() {
        let many: Vec<String> = (0..33).map(|n| format!("k{n}=1")).collect();
        let long = format!("a={}", "x".repeat(257));
        let longer = format!("a={0},b={0}", "x".repeat(255));
        for wrong in [
            "a",
            "a=",
            "=1",
            "A=1",
            "a=1,a=2",
            "a=1=2",
            "a=ñ",
            &long,
            &longer,
            &many.join(","),
        ] {
            assert_eq!(
                read(Some(PARENT), &[wrong]),
                (Some(PARENT.to_owned()), None),
                "{wrong}"
            );
        }
    }
}
