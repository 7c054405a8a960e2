//! Who may talk: the proofs of membership in a greeting, and the message by which a journal identifies itself.

use std::collections::BTreeSet;

use rand::CryptoRng;

use crate::domain::id::{DeviceId, GroupId, JournalId, KeyId};
use crate::planted::{Guard, is_off};

use super::super::codec::encode;
use super::super::keys::{GroupKey, KeyRing};
use super::super::limits::PROOFS;
use super::super::wire::{Frame, PROTOCOL_VERSION};
use super::{Channel, Session, Side};

impl Session {
    /// The device on the other end.
    #[must_use]
    pub const fn device(&self) -> DeviceId {
        self.channel.peer
    }

    /// The keys that the peer lacks although it has the entries which brought them: known once it has said what it has
    /// ([`super::super::hold::Replica::give_keys_to`]). Asked again, there are none.
    #[must_use]
    pub fn take_lacks(&mut self) -> BTreeSet<KeyId> {
        std::mem::take(&mut self.lacks)
    }
}

/// The proof that somebody on this side of this session holds a group key.
fn proof(key: &GroupKey, channel: &Channel, side: Side) -> [u8; 32] {
    let exporter = if is_off(Guard::ProofExporter) {
        [0; 32]
    } else {
        channel.exporter
    };
    let message = encode(&("kiez 1 proof", exporter, side.number()));
    *blake3::keyed_hash(&key.session_key(), &message).as_bytes()
}

/// A greeting from this side, padded with randomness so that it tells a stranger nothing.
#[must_use]
pub fn hello(keys: &KeyRing, channel: &Channel, side: Side, rng: &mut impl CryptoRng) -> Frame {
    let mut proofs = Box::new([[0; 32]; PROOFS]);
    for tag in proofs.iter_mut() {
        rng.fill_bytes(tag);
    }
    for (tag, key) in proofs.iter_mut().zip(keys.best_known_first()) {
        *tag = proof(key, channel, side);
    }
    Frame::Hello {
        version: PROTOCOL_VERSION,
        proofs,
    }
}

/// Does the other side's greeting prove membership to who holds these keys?
#[must_use]
pub fn is_member(frame: &Frame, keys: &KeyRing, channel: &Channel, their_side: Side) -> bool {
    !keys_in_common(frame, keys, channel, their_side).is_empty()
}

/// The keys that the other side's greeting proves to be held there, too.
pub(super) fn keys_in_common(
    frame: &Frame,
    keys: &KeyRing,
    channel: &Channel,
    their_side: Side,
) -> BTreeSet<KeyId> {
    let Frame::Hello { proofs, .. } = frame else {
        return BTreeSet::new();
    };
    let proven = keys.iter().filter(|key| {
        let expected = blake3::Hash::from(proof(key, channel, their_side));
        // Compared in constant time.
        proofs.iter().any(|tag| expected == blake3::Hash::from(*tag)) || is_off(Guard::Proof)
    });
    proven.map(GroupKey::id).collect()
}

pub(super) fn identify_bytes(group: GroupId, channel: &Channel, side: Side, journal: JournalId) -> Vec<u8> {
    encode(&("kiez 1 identify", group, channel.exporter, side.number(), journal))
}
