//! Hashes of what is compared later: stored tokens, request bodies, repeated requests.

use std::fmt::{self, Write as _};

use ring::digest;
use serde_json::{Number, Value};

/// SHA-256 of the parts, one after the other.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    out
}

/// SHA-256 in base64, as a content security policy names a style or a script.
pub fn sha256_base64(bytes: &[u8]) -> String {
    crate::encoding::base64(sha256(&[bytes]))
}

/// The parts, each behind its length (8 bytes, big endian), so that no two lists give the same bytes.
pub(crate) fn framed(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        out.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

/// What makes a request with an idempotency key the same request again: method, route template, the ids in its
/// path in order, the query and the canonical body ([`canonical_json`]; empty when there is none).
pub fn idempotency_fingerprint(
    method: &str,
    route: &str,
    path_ids: &[&str],
    query: &str,
    canonical_body: &[u8],
) -> [u8; 32] {
    let ids: Vec<&[u8]> = path_ids.iter().map(|id| id.as_bytes()).collect();
    sha256(&[&framed(&[
        b"comanda.idempotency.v1",
        method.as_bytes(),
        route.as_bytes(),
        &framed(&ids),
        query.as_bytes(),
        canonical_body,
    ])])
}

/// The one spelling of a JSON value (RFC 8785): no white space, members sorted by the UTF-16 code units of their
/// names, the shortest escapes, numbers as ECMAScript writes them. Integers keep all their digits, also beyond
/// 2⁵³, where the standard would round them.
pub fn canonical_json(value: &Value) -> Vec<u8> {
    let mut out = String::new();
    write_value(&mut out, value);
    out.into_bytes()
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(out, number),
        Value::String(text) => write_string(out, text),
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (i, (name, value)) in members.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_string(out, name);
                out.push(':');
                write_value(out, value);
            }
            out.push('}');
        }
    }
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..='\u{1f}' => write_all(out, format_args!("\\u{:04x}", u32::from(c))),
            _ => out.push(c),
        }
    }
    out.push('"');
}

/// Appends; writing to a `String` cannot fail.
fn write_all(out: &mut String, text: fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

fn write_number(out: &mut String, number: &Number) {
    match number.as_f64() {
        Some(float) if number.is_f64() => write_float(out, float),
        _ => out.push_str(&number.to_string()),
    }
}

/// ECMAScript's spelling of a finite number: the shortest digits, plain from 10⁻⁶ to below 10²¹.
fn write_float(out: &mut String, float: f64) {
    if float == 0.0 {
        out.push('0');
        return;
    }
    if float < 0.0 {
        out.push('-');
    }
    let scientific = format!("{:e}", float.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let point = usize::try_from(exponent + 1).unwrap_or(0);
    match exponent {
        -6..=-1 => {
            let zeros = "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0));
            write_all(out, format_args!("0.{zeros}{digits}"));
        }
        0..=20 if point >= digits.len() => {
            out.push_str(&digits);
            out.push_str(&"0".repeat(point - digits.len()));
        }
        0..=20 => {
            let (whole, part) = digits.split_at(point);
            write_all(out, format_args!("{whole}.{part}"));
        }
        _ => {
            let (whole, part) = digits.split_at(1);
            let dot = if part.is_empty() { "" } else { "." };
            write_all(out, format_args!("{whole}{dot}{part}e{exponent:+}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn canonical(value: &Value) -> String {
        String::from_utf8(canonical_json(value)).unwrap()
    }

    #[test]
    fn sha256_takes_parts_as_one() {
        let abc = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
        assert_eq!(crate::encoding::base64url(sha256(&[b"a", b"bc"])), abc);
    }

    #[test]
    fn members_are_sorted_by_utf16() {
        // U+1F600 is written with surrogates (0xD83D…), which sort before U+FB33 although its scalar is greater.
        let value =
            json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
        assert_eq!(
            canonical(&value),
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}"
        );
    }

    #[test]
    fn strings_are_escaped_as_little_as_possible() {
        let value = json!("\u{20ac}$\u{f}\nA'B\"\\\\\"/\u{7f}\u{8}\u{c}");
        assert_eq!(
            canonical(&value),
            "\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\u{7f}\\b\\f\""
        );
    }

    #[test]
    fn numbers_are_written_as_ecmascript_does() {
        for (number, text) in [
            (1.0, "1"),
            (-0.0, "0"),
            (4.50, "4.5"),
            (2e-3, "0.002"),
            (1e-6, "0.000001"),
            (1.5e-6, "0.0000015"),
            (1e-7, "1e-7"),
            (-1e-27, "-1e-27"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (333_333_333.333_333_3, "333333333.3333333"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(canonical(&json!(number)), text);
        }
        assert_eq!(
            canonical(&json!([u64::MAX, i64::MIN])),
            format!("[{},{}]", u64::MAX, i64::MIN)
        );
    }

    #[test]
    fn fields_of_a_fingerprint_do_not_run_together() {
        let one = idempotency_fingerprint("POST", "/v1/a", &["ab", "c"], "", b"{}");
        assert_eq!(
            one,
            idempotency_fingerprint("POST", "/v1/a", &["ab", "c"], "", b"{}")
        );
        for other in [
            idempotency_fingerprint("PUT", "/v1/a", &["ab", "c"], "", b"{}"),
            idempotency_fingerprint("POST", "/v1/a", &["a", "bc"], "", b"{}"),
            idempotency_fingerprint("POST", "/v1/a", &["ab"], "c", b"{}"),
            idempotency_fingerprint("POST", "/v1/a", &["ab", "c"], "{}", b""),
            idempotency_fingerprint("POST", "/v1/", &["ab", "c"], "", b"a{}"),
        ] {
            assert_ne!(one, other);
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,6}|[\\x00-\\x20]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("\\PC{0,3}", inner), 0..4)
                    .prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_spelling_says_the_same_and_is_stable(value in any_json()) {
            let spelt = canonical_json(&value);
            let again: Value = serde_json::from_slice(&spelt).unwrap();
            prop_assert_eq!(&again, &value);
            prop_assert_eq!(canonical_json(&again), spelt);
        }

        #[test]
        fn floats_come_back(bits: u64) {
            let float = f64::from_bits(bits);
            prop_assume!(float.is_finite() && float != 0.0);
            let mut text = String::new();
            write_float(&mut text, float);
            let back: f64 = text.parse().unwrap();
            prop_assert_eq!(back.to_bits(), float.to_bits());
        }
    }
}
