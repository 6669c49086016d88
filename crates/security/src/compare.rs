//! Comparison of secrets.

use std::hint::black_box;

/// Whether two byte strings are equal, in a time that depends on their lengths only.
pub(crate) fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len()
        && black_box(
            a.iter()
                .zip(b)
                .fold(0_u8, |seen, (x, y)| black_box(seen | (x ^ y))),
        ) == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::equal;

    proptest! {
        #[test]
        fn agrees_with_the_ordinary_comparison(a: Vec<u8>, b: Vec<u8>) {
            prop_assert!(equal(&a, &a.clone()));
            prop_assert_eq!(equal(&a, &b), a == b);
        }
    }
}
