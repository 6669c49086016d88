//! Numbers in base62: `0-9A-Za-z`, most significant digit first.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE: u16 = 62;

/// The big-endian number `bytes` in `chars` digits, filled with `0` on the left. The number must fit.
pub(super) fn encode(bytes: &[u8], chars: usize) -> String {
    let mut number = bytes.to_vec();
    let mut digits: Vec<char> = (0..chars).map(|_| divide(&mut number)).collect();
    debug_assert!(number.iter().all(|byte| *byte == 0), "the number does not fit");
    digits.reverse();
    digits.into_iter().collect()
}

/// Divides the number by 62 in place and gives the remainder's digit.
fn divide(number: &mut [u8]) -> char {
    let rest = number.iter_mut().fold(0, |rest, byte| {
        let value = rest * 256 + u16::from(*byte);
        // Below 256, because the rest is below 62.
        *byte = u8::try_from(value / BASE).unwrap_or(u8::MAX);
        value % BASE
    });
    let digit = ALPHABET.get(usize::from(rest)).copied().unwrap_or(b'0');
    char::from(digit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_filled_on_the_left() {
        assert_eq!(encode(&[0], 6), "000000");
        assert_eq!(encode(&[61], 2), "0z");
        assert_eq!(encode(&[62], 2), "10");
        assert_eq!(
            encode(&[u8::MAX; 32], 43),
            "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1"
        );
    }

    proptest! {
        #[test]
        fn the_digits_add_up_to_the_number(number: u64) {
            let text = encode(&number.to_be_bytes(), 11);
            let read = text.bytes().fold(0_u128, |sum, c| {
                let digit = ALPHABET.iter().position(|a| *a == c).unwrap();
                sum * 62 + u128::try_from(digit).unwrap()
            });
            prop_assert_eq!(read, u128::from(number));
        }

        #[test]
        fn greater_numbers_are_greater_texts(a: [u8; 32], b: [u8; 32]) {
            prop_assert_eq!(a.cmp(&b), encode(&a, 43).cmp(&encode(&b, 43)));
        }
    }
}
