//! Bytes as text and secrets as tokens: base64url without padding, in exactly one spelling.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

/// The value does not go into JSON, such as a map whose keys are no texts: a mistake of the caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the value cannot be written as JSON")]
pub struct Unwritable;

/// Characters that 256 bits take.
pub(crate) const SECRET_CHARS: usize = 43;

/// Writes base64url without padding.
pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads what [`base64url`] wrote. Padding, another alphabet and stray bits at the end are refused, so that a
/// byte string has one spelling only.
pub(crate) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Reads exactly `N` bytes.
pub(crate) fn from_base64url_exact<const N: usize>(text: &str) -> Option<[u8; N]> {
    from_base64url(text)?.try_into().ok()
}

/// Reads base64 as people and tools write it into settings: either alphabet, with or without padding.
pub(crate) fn from_any_base64(text: &str) -> Option<Vec<u8>> {
    [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|engine| engine.decode(text).ok())
}

/// Writes base64 as `openssl rand -base64` does.
pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// Writes lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)])
        .collect()
}

/// Reads exactly `N` bytes as [`hex`] writes them: capital letters are refused.
pub(crate) fn from_hex_exact<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let bytes: Option<Vec<u8>> = pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
        .collect();
    bytes?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_one_spelling() {
        assert_eq!(from_base64url("_-8"), Some(vec![0xff, 0xef]));
        for other in ["_-8=", "/+8", "_-9", "_-8 ", "_"] {
            assert_eq!(from_base64url(other), None, "{other}");
        }
        assert_eq!(base64url([0; 32]).len(), SECRET_CHARS);
        assert_eq!(from_base64url_exact::<3>("_-8"), None);
    }

    #[test]
    fn hexadecimal_digits_have_one_spelling() {
        assert_eq!(hex(&[0x00, 0x9f, 0xab]), "009fab");
        assert_eq!(from_hex_exact("009fab"), Some([0x00, 0x9f, 0xab]));
        for other in ["009fAb", "009fa", "009fab00", "009fag", "", "é9fab"] {
            assert_eq!(from_hex_exact::<3>(other), None, "{other}");
        }
    }

    #[test]
    fn settings_may_be_spelt_in_four_ways() {
        for text in ["/+8=", "/+8", "_-8=", "_-8"] {
            assert_eq!(from_any_base64(text), Some(vec![0xff, 0xef]), "{text}");
        }
        assert_eq!(from_any_base64("not base64!"), None);
        assert_eq!(base64([0xff, 0xef]), "/+8=");
    }
}
