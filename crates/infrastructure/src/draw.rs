//! Draws of the lot, for waits that must not all be equal.

use comanda_domain::backoff::Draw;
use comanda_security::entropy::fresh;
use comanda_security::{Entropy, SystemEntropy};

/// A fresh one; the longest wait if the machine has no randomness to give.
pub fn draw() -> Draw {
    draw_from(&SystemEntropy::new())
}

fn draw_from(entropy: &dyn Entropy) -> Draw {
    fresh(entropy).map_or(Draw::MOST, |bytes| Draw(u16::from_le_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use comanda_security::EntropyError;

    use super::*;

    struct Dry;

    impl Entropy for Dry {
        fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
            Err(EntropyError)
        }
    }

    #[test]
    fn draws_differ_and_never_fail() {
        let first = draw();
        assert!((0..100).any(|_| draw() != first), "{first:?} a hundred times");
        assert_eq!(draw_from(&Dry), Draw::MOST);
    }
}
