//! Compression with an end: how far a container may unpack, held while unpacking and not believed before.

use std::io::Read;

use crate::planted::{Guard, is_off};
use crate::replica::limits::BUNDLE_PLAIN_BYTES_MAX;

use super::Compression;
use super::error::{BundleError, malformed};

/// What even the smallest container may unpack to.
const FREE_BYTES: usize = 1024 * 1024;

/// What each byte of a container may unpack to. Zstandard could do more than thirty thousand; a group's texts do ten.
const FACTOR: usize = 256;

/// zstd's own limit for a decoder that was not told otherwise.
const WINDOW_LOG_MAX: u32 = 27;

/// How much may still be unpacked from a container: the plain bytes, then H0 and payload of every entry.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
}

impl Budget {
    /// For a container of this length.
    pub(super) const fn of(container_bytes: usize) -> Self {
        let most = container_bytes.saturating_mul(FACTOR).saturating_add(FREE_BYTES);
        let left = if most < BUNDLE_PLAIN_BYTES_MAX {
            most
        } else {
            BUNDLE_PLAIN_BYTES_MAX
        };
        Self { left }
    }

    /// Takes from it.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), BundleError> {
        if is_off(Guard::Budget) {
            return Ok(());
        }
        self.left = self.left.checked_sub(bytes).ok_or(TOO_LARGE)?;
        Ok(())
    }
}

/// Compresses. `unpacked` is all that a reader will take from its [`Budget`]: where the data is so regular that the
/// container would be too short for it, zeros follow.
pub(super) fn pack(plain: &[u8], unpacked: usize, level: Compression) -> Result<Vec<u8>, BundleError> {
    if unpacked > BUNDLE_PLAIN_BYTES_MAX {
        return Err(TOO_LARGE);
    }
    let mut container = compress(plain, level).map_err(|_| BundleError::Compress)?;
    let least = unpacked.saturating_sub(FREE_BYTES).div_ceil(FACTOR);
    if container.len() < least && !is_off(Guard::Budget) {
        container.resize(least, 0);
    }
    Ok(container)
}

/// Unpacks. Memory grows with what really comes out, never with what is claimed.
pub(super) fn unpack(container: &[u8], budget: &mut Budget) -> Result<Vec<u8>, BundleError> {
    const WRONG: BundleError = malformed("its compressed part does not unpack");
    let mut decoder = zstd::stream::read::Decoder::with_buffer(container)
        .map_err(|_| WRONG)?
        .single_frame();
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(|_| WRONG)?;
    let mut plain = Vec::new();
    let cap = if is_off(Guard::Budget) {
        u64::MAX
    } else {
        (budget.left as u64).saturating_add(1)
    };
    decoder
        .by_ref()
        .take(cap)
        .read_to_end(&mut plain)
        .map_err(|_| WRONG)?;
    budget.take(plain.len())?;
    if decoder.finish().iter().any(|byte| *byte != 0) {
        return Err(malformed("something stands behind its compressed part"));
    }
    Ok(plain)
}

const TOO_LARGE: BundleError = BundleError::TooLarge {
    what: "bytes once unpacked",
};

fn compress(plain: &[u8], level: Compression) -> std::io::Result<Vec<u8>> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), level.zstd_level())?;
    encoder.set_pledged_src_size(Some(plain.len() as u64))?;
    encoder.include_contentsize(true)?;
    if level == Compression::Small {
        // Texts return years later: look back further than the level's own eight megabytes.
        encoder.long_distance_matching(true)?;
        encoder.window_log(WINDOW_LOG_MAX)?;
    }
    std::io::Write::write_all(&mut encoder, plain)?;
    encoder.finish()
}
