//! All randomness of a run: dice that a seed loads.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// A source of chance. The same seed and stream give the same throws.
#[derive(Debug, Clone)]
pub(super) struct Dice(ChaCha20Rng);

impl Dice {
    /// Dice of their own for each stream of a seed.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// A number from 0 to below `n`; 0 where `n` is 0.
    pub(super) fn below(&mut self, n: usize) -> usize {
        let n = (n as u64).max(1);
        usize::try_from(self.0.next_u64() % n).unwrap_or(0)
    }

    /// True in so many of a hundred throws.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    pub(super) fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        from.get(self.below(from.len())).cloned()
    }

    /// In another order.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }

    /// For what wants a source of randomness.
    pub(super) const fn rng(&mut self) -> &mut ChaCha20Rng {
        &mut self.0
    }
}
