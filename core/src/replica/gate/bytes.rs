//! Reads the numbers and texts that chunks are made of, each in its one canonical form.

use super::refusal::Refusal;

/// The bytes not yet read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> Result<u8, Refusal> {
        let (first, rest) = self.0.split_first().ok_or(Refusal::Truncated)?;
        self.0 = rest;
        Ok(*first)
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Refusal> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Refusal::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    /// An unsigned number in LEB128, in its shortest form.
    pub(super) fn unsigned(&mut self) -> Result<u64, Refusal> {
        let mut value = 0_u64;
        for place in 0..10_u32 {
            let byte = self.byte()?;
            let shift = place.saturating_mul(7);
            // The tenth byte has room for one bit.
            if place == 9 && byte > 1 {
                return Err(Refusal::NumberNotCanonical);
            }
            value |= u64::from(byte & 0x7f).wrapping_shl(shift);
            if byte & 0x80 == 0 {
                let shortest = byte != 0 || place == 0;
                return if shortest {
                    Ok(value)
                } else {
                    Err(Refusal::NumberNotCanonical)
                };
            }
        }
        Err(Refusal::NumberNotCanonical)
    }

    /// A signed number in LEB128, in its shortest form.
    pub(super) fn signed(&mut self) -> Result<i64, Refusal> {
        let mut value = 0_u64;
        let mut before = 0_u8;
        for place in 0..10_u32 {
            let byte = self.byte()?;
            let shift = place.saturating_mul(7);
            if place == 9 && byte != 0 && byte != 0x7f {
                return Err(Refusal::NumberNotCanonical);
            }
            value |= u64::from(byte & 0x7f).wrapping_shl(shift);
            if byte & 0x80 == 0 {
                // A last byte that only repeats the sign of the one before it could have been left out.
                let repeats =
                    place > 0 && ((byte == 0 && before & 0x40 == 0) || (byte == 0x7f && before & 0x40 != 0));
                if repeats {
                    return Err(Refusal::NumberNotCanonical);
                }
                if byte & 0x40 != 0 && place < 9 {
                    value |= u64::MAX.wrapping_shl(shift.saturating_add(7));
                }
                return Ok(value.cast_signed());
            }
            before = byte;
        }
        Err(Refusal::NumberNotCanonical)
    }

    /// A length or a count: an unsigned number that is at most `max`.
    pub(super) fn count(&mut self, max: usize, beyond: Refusal) -> Result<usize, Refusal> {
        match usize::try_from(self.unsigned()?) {
            Ok(count) if count <= max => Ok(count),
            Ok(_) | Err(_) => Err(beyond),
        }
    }

    pub(super) fn text(&mut self, bytes: usize) -> Result<&'a str, Refusal> {
        std::str::from_utf8(self.take(bytes)?).map_err(|_| Refusal::TextNotUtf8)
    }
}
