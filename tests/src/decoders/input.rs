//! Takes what a target needs from the front of the fuzzer's bytes. Where they end there are zeros.

/// The bytes not yet used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    pub(super) const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// One byte.
    pub(super) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    /// Two bytes as a number, the lower one first.
    pub(super) fn short(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    /// Eight bytes as a number, the lowest one first.
    pub(super) fn number(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    /// So many bytes.
    pub(super) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        array.fill_with(|| self.byte());
        array
    }

    /// At most so many bytes.
    pub(super) fn take(&mut self, bytes: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(bytes.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A length in two bytes, and so many bytes.
    pub(super) fn sized(&mut self) -> &'a [u8] {
        let bytes = self.short();
        self.take(usize::from(bytes))
    }

    /// One of these.
    pub(super) fn pick<T: Copy>(&mut self, among: &[T]) -> Option<T> {
        let place = usize::from(self.byte()).checked_rem(among.len())?;
        among.get(place).copied()
    }
}
