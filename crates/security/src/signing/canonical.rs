//! The bytes that are signed: what a request says, in exactly one way.

use std::fmt::Write as _;

use crate::encoding::hex;
use crate::hash::sha256;

const PURPOSE: &str = "comanda-request-signature";

/// The query has an escape that is none, such as `%4` or `%zz`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the query has an invalid escape")]
pub struct InvalidQuery;

/// A request, as far as its signature covers it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignableRequest<'a> {
    /// The method; signed in upper case.
    pub method: &'a str,
    /// The path exactly as on the request line, without the query.
    pub path: &'a str,
    /// The query as on the request line, without the question mark; empty if there is none.
    pub query: &'a str,
    /// The body as it is sent; empty if there is none.
    pub body: &'a [u8],
}

/// What stands in the headers beside the signature, as text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp<'a> {
    pub(super) version: &'a str,
    pub(super) timestamp: &'a str,
    pub(super) nonce: &'a str,
    pub(super) key_id: &'a str,
}

/// The canonical form. The method is taken as it is: whoever signs writes it in upper case, and a request whose
/// method is not in upper case was not signed.
pub(super) fn canonical_form(
    request: &SignableRequest<'_>,
    stamp: &Stamp<'_>,
) -> Result<Vec<u8>, InvalidQuery> {
    let query = canonical_query(request.query)?;
    let body = hex(&sha256(&[request.body]));
    let fields = [
        PURPOSE,
        stamp.version,
        request.method,
        request.path,
        &query,
        &body,
        stamp.timestamp,
        stamp.nonce,
        stamp.key_id,
    ];
    let mut out = Vec::with_capacity(fields.iter().map(|field| field.len() + 4).sum());
    for field in fields {
        // Nothing that came over a wire has four gigabytes.
        out.extend_from_slice(&u32::try_from(field.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(field.as_bytes());
    }
    Ok(out)
}

/// One spelling for all queries that mean the same: pieces without the empty ones, each byte outside
/// `A-Z a-z 0-9 - . _ ~` as upper-case `%XX`, sorted by name and then by value, duplicates kept.
///
/// # Errors
/// [`InvalidQuery`] for an escape that is none.
pub fn canonical_query(raw: &str) -> Result<String, InvalidQuery> {
    let mut pairs = raw
        .split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            Ok((respelt(name)?, respelt(value)?))
        })
        .collect::<Result<Vec<_>, InvalidQuery>>()?;
    pairs.sort();
    let pieces: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    Ok(pieces.join("&"))
}

/// Decoded and encoded again. A plus is a plus, not a space.
fn respelt(text: &str) -> Result<String, InvalidQuery> {
    let mut out = String::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let byte = if byte == b'%' {
            let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
            high << 4 | low
        } else {
            byte
        };
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    Ok(out)
}

fn digit(byte: Option<u8>) -> Result<u8, InvalidQuery> {
    byte.and_then(|byte| char::from(byte).to_digit(16))
        .and_then(|digit| u8::try_from(digit).ok())
        .ok_or(InvalidQuery)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn queries_that_mean_the_same_are_spelt_the_same() {
        for (raw, canonical) in [
            ("", ""),
            ("&&", ""),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1&a=2", "a=1&a=2&a=2"),
            ("a", "a="),
            ("a=", "a="),
            ("=a", "=a"),
            ("=", "="),
            ("a=b=c", "a=b%3Dc"),
            ("a+b=c+d", "a%2Bb=c%2Bd"),
            ("a%20b=%7e", "a%20b=~"),
            ("a=%2f", "a=%2F"),
            ("%41=é", "A=%C3%A9"),
            ("a=%00%ff", "a=%00%FF"),
            // Sorted by what is written, not by what is meant.
            ("~=1&%C3%A9=2&z=3", "%C3%A9=2&z=3&~=1"),
            ("a-b=1&a=2", "a=2&a-b=1"),
        ] {
            assert_eq!(canonical_query(raw).as_deref(), Ok(canonical), "{raw}");
        }
    }

    #[test]
    fn escapes_that_are_none_are_refused() {
        for raw in ["%", "a=%", "a=%4", "a=%zz", "a=%4&b", "%+1=a", "a=%é1"] {
            assert_eq!(canonical_query(raw), Err(InvalidQuery), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn what_is_canonical_stays(raw in "[a-c=&+%0-9é]{0,24}") {
            if let Ok(canonical) = canonical_query(&raw) {
                prop_assert_eq!(canonical_query(&canonical), Ok(canonical.clone()), "{}", raw);
            }
        }

        /// A query is known by its pairs alone: their order and the spelling of their bytes do not matter.
        #[test]
        fn order_and_spelling_do_not_matter(
            pairs in prop::collection::vec((".{0,4}", ".{0,4}"), 0..6).prop_shuffle(),
            seed: u64,
        ) {
            let escaped = |text: &str| text.bytes().fold(String::new(), |out, byte| format!("{out}%{byte:02x}"));
            let spelt = |pairs: &[(String, String)]| {
                let pieces: Vec<String> = pairs
                    .iter()
                    .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
                    .collect();
                canonical_query(&pieces.join("&")).unwrap()
            };
            let mut turned = pairs.clone();
            if !turned.is_empty() {
                let by = usize::try_from(seed % 7).unwrap() % turned.len();
                turned.rotate_left(by);
            }
            prop_assert_eq!(spelt(&pairs), spelt(&turned));
            let mut sorted = pairs.clone();
            let mut fewer = pairs;
            sorted.sort();
            if fewer.pop().is_some() {
                prop_assert_ne!(spelt(&sorted), spelt(&fewer));
            }
        }
    }
}
