//! Where unpredictable bytes come from.

use ring::rand::{SecureRandom, SystemRandom};

/// The source gave no bytes. Nothing may be issued then.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the source of randomness failed")]
pub struct EntropyError;

/// A source of unpredictable bytes. The binaries pass [`SystemEntropy`], tests count.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// [`EntropyError`] when the source fails; `bytes` must not be used then.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// `N` fresh bytes.
///
/// # Errors
/// [`EntropyError`] when the source fails.
pub fn fresh<const N: usize>(entropy: &dyn Entropy) -> Result<[u8; N], EntropyError> {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes)?;
    Ok(bytes)
}

/// The randomness of the operating system.
#[derive(Clone, Debug)]
pub struct SystemEntropy(SystemRandom);

impl SystemEntropy {
    /// The system's source.
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Default for SystemEntropy {
    fn default() -> Self {
        Self::new()
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        self.0.fill(bytes).map_err(|_| EntropyError)
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::{Entropy, EntropyError};

    /// Counts: the first call yields zeros, the next ones …
    #[derive(Default)]
    pub(crate) struct Counting(AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
            Ok(())
        }
    }

    /// Has nothing to give.
    pub(crate) struct Dry;

    impl Entropy for Dry {
        fn fill(&self, _bytes: &mut [u8]) -> Result<(), EntropyError> {
            Err(EntropyError)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_gives_different_bytes_each_time() {
        let entropy = SystemEntropy::new();
        let first = fresh::<32>(&entropy).unwrap();
        assert_ne!(first, [0; 32]);
        assert_ne!(first, fresh::<32>(&entropy).unwrap());
    }

    #[test]
    fn a_failing_source_is_an_error() {
        assert_eq!(fresh::<4>(&testing::Dry), Err(EntropyError));
    }
}
