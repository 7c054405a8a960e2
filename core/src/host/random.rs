//! Randomness from the system. Nothing else in the crate draws any: pure code takes `&mut impl rand::CryptoRng`.

use std::convert::Infallible;

use rand::{TryCryptoRng, TryRng};

/// Fills `bytes` with randomness from the system, fit for keys.
///
/// # Panics
/// Where the system has no randomness. No key can be made then, and going on with a weak one would be worse.
pub fn fill(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        panic!("the system gives no randomness: {error}");
    }
}

/// `N` random bytes, as [`fill`] draws them.
#[must_use]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

/// The system's randomness as a random source for pure code. Panics as [`fill`] does.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl TryRng for SystemRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(bytes()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(bytes()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for SystemRandom {}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(random: &mut impl rand::CryptoRng) -> [u8; 32] {
        let mut bytes = [0; 32];
        random.fill_bytes(&mut bytes);
        bytes
    }

    #[test]
    fn two_draws_differ() {
        assert_ne!(draw(&mut SystemRandom), draw(&mut SystemRandom));
        assert_ne!(bytes::<32>(), [0; 32]);
    }
}
