//! A bundle on its way through a session.

use crate::planted::{Guard, is_off};

use super::super::codec::Blob;
use super::super::keys::KeyRing;
use super::super::limits::BUNDLE_PART_BYTES;
use super::super::wire::Frame;
use super::Session;

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

impl Session {
    /// Is a bundle on its way here?
    #[must_use]
    pub const fn is_receiving(&self) -> bool {
        !self.incoming.is_empty()
    }

    /// The keys under which a bundle for the peer may show what is sealed.
    pub(super) fn keys_for_bundle(&self, keys: &KeyRing) -> KeyRing {
        let mut shown = keys.only(&self.common);
        if is_off(Guard::BundleKeys) {
            shown = keys.iter().cloned().fold(KeyRing::default(), |mut all, key| {
                all.insert(key);
                all
            });
        }
        shown
    }
}
