//! A bundle on its way through a session.

use super::super::codec::Blob;
use super::super::limits::BUNDLE_PART_BYTES;
use super::super::wire::Frame;

/// A bundle in pieces that fit into frames.
#[must_use]
pub fn bundle_parts(bundle: &[u8]) -> Vec<Frame> {
    let total = bundle.len() as u64;
    bundle
        .chunks(BUNDLE_PART_BYTES)
        .map(|part| Frame::BundlePart {
            total,
            bytes: Blob(part.to_vec()),
        })
        .collect()
}
