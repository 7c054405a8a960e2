//! Group keys: random, named by a derived hash, and the source of the keys that seal payloads, make nonces and prove
//! membership. And the boxes in which they reach a device: HPKE (RFC 9180), X25519, HKDF-SHA256, ChaCha20-Poly1305.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::domain::control::BoxedKey;
use crate::domain::id::{BoxKey, EntryId, EntryNumber, GroupId, JournalId, KeyId, SealedKey};
use crate::planted::{Guard, is_off};

use super::codec::{Blob, encode};

/// A group key. Wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct GroupKey([u8; 32]);

impl fmt::Debug for GroupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GroupKey({:?})", self.id())
    }
}

impl GroupKey {
    /// A fresh one.
    #[must_use]
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// From its bytes, as they were kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, to keep them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> KeyId {
        KeyId(blake3::derive_key("kiez 1 group key id", &self.0))
    }

    /// What payloads are sealed with.
    #[must_use]
    pub fn payload_key(&self) -> [u8; 32] {
        blake3::derive_key("kiez 1 payload key", &self.0)
    }

    /// What nonces are made with.
    #[must_use]
    pub fn nonce_key(&self) -> [u8; 32] {
        blake3::derive_key("kiez 1 nonce key", &self.0)
    }

    /// What membership is proven with in a session.
    #[must_use]
    pub fn session_key(&self) -> [u8; 32] {
        blake3::derive_key("kiez 1 session key", &self.0)
    }

    /// What bundles are sealed with.
    #[must_use]
    pub fn bundle_key(&self) -> [u8; 32] {
        blake3::derive_key("kiez 1 bundle key", &self.0)
    }
}

/// The keys a device holds in one group.
#[derive(Debug, Clone, Default)]
pub struct KeyRing {
    keys: BTreeMap<KeyId, GroupKey>,
    /// As they came.
    order: Vec<KeyId>,
    /// The key to seal under.
    sealing: Option<KeyId>,
}

impl KeyRing {
    /// Adds a key; its name is computed from it.
    pub fn insert(&mut self, key: GroupKey) {
        let id = key.id();
        if self.keys.insert(id, key).is_none() {
            self.order.push(id);
        }
    }

    /// The key of this name.
    #[must_use]
    pub fn get(&self, id: KeyId) -> Option<&GroupKey> {
        self.keys.get(&id)
    }

    /// The key to seal under: one that nobody has who is known to have gone. None where there is to be a new one first.
    #[must_use]
    pub fn current(&self) -> Option<&GroupKey> {
        self.keys.get(&self.sealing?)
    }

    /// Seals under this one from now on.
    pub(super) fn seal_under(&mut self, key: Option<KeyId>) {
        self.sealing = key;
    }

    /// The key that came first.
    pub(super) fn oldest(&self) -> Option<KeyId> {
        self.order.first().copied()
    }

    /// The key that came last.
    #[must_use]
    pub fn newest(&self) -> Option<&GroupKey> {
        self.keys.get(self.order.last()?)
    }

    /// All of them, the newest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &GroupKey> {
        self.order.iter().rev().filter_map(|id| self.keys.get(id))
    }

    /// All of them, those first by which others are likeliest to know this device: the one to seal under, the first one,
    /// then the newest.
    pub fn best_known_first(&self) -> impl Iterator<Item = &GroupKey> {
        let best = [self.sealing, self.oldest()];
        let first = best.into_iter().flatten().filter_map(|id| self.keys.get(&id));
        let rest = self.iter().filter(move |key| !best.contains(&Some(key.id())));
        first.chain(rest)
    }

    /// Just these, as far as they are held.
    #[must_use]
    pub fn only(&self, ids: &BTreeSet<KeyId>) -> Self {
        let mut ring = Self::default();
        for key in self.iter().rev().filter(|key| ids.contains(&key.id())) {
            ring.insert(key.clone());
        }
        ring
    }
}

/// The secret with which a device opens its boxes.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct BoxSecret([u8; 32]);

impl fmt::Debug for BoxSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxSecret(..)")
    }
}

/// Why a box does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a box with group keys does not open: it is damaged or was sealed for somebody else")]
pub struct BoxError;

/// A group key sealed for one device.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KeyBox {
    /// Which key.
    pub key: KeyId,
    /// The encapsulated key.
    pub encapsulated: [u8; 32],
    /// The sealed key.
    pub sealed: Blob,
}

impl BoxSecret {
    /// A fresh one.
    #[must_use]
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        Self(seed)
    }

    /// From its bytes, as they were kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, to keep them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What others seal for it with.
    #[must_use]
    pub fn public(&self) -> BoxKey {
        let (_, public) = X25519HkdfSha256::derive_keypair(&self.0);
        BoxKey(public.to_bytes().into())
    }

    /// Opens a box that was sealed in this group, for this device. A key counts only if it hashes to its name.
    ///
    /// # Errors
    /// Where it does not open or holds another key than it says.
    pub fn open(&self, group: GroupId, sealed: &KeyBox) -> Result<GroupKey, BoxError> {
        let info = info(group, sealed.key, self.public());
        self.open_with(&info, sealed.key, &sealed.encapsulated, &sealed.sealed.0)
    }

    /// Opens a box that stands in a control entry.
    ///
    /// # Errors
    /// As [`BoxSecret::open`].
    pub fn open_boxed(&self, place: &BoxPlace, boxed: &BoxedKey) -> Result<GroupKey, BoxError> {
        let info = place.info(boxed.key, self.public());
        self.open_with(&info, boxed.key, &boxed.encapsulated, &boxed.sealed.0)
    }

    fn open_with(
        &self,
        info: &[u8],
        key: KeyId,
        encapsulated: &[u8; 32],
        sealed: &[u8],
    ) -> Result<GroupKey, BoxError> {
        let (private, _) = X25519HkdfSha256::derive_keypair(&self.0);
        let encapsulated =
            <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapsulated).map_err(|_| BoxError)?;
        let mut plain = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &private,
            &encapsulated,
            info,
            sealed,
            &[],
        )
        .map_err(|_| BoxError)?;
        let bytes: Result<[u8; 32], _> = plain.as_slice().try_into();
        plain.zeroize();
        let opened = GroupKey::from_bytes(bytes.map_err(|_| BoxError)?);
        if opened.id() == key || is_off(Guard::KeyHash) {
            Ok(opened)
        } else {
            Err(BoxError)
        }
    }
}

/// Seals a group key for a device.
///
/// # Errors
/// Where the recipient's key is none.
pub fn seal_box(
    group: GroupId,
    key: &GroupKey,
    recipient: BoxKey,
    rng: &mut impl CryptoRng,
) -> Result<KeyBox, BoxError> {
    let info = info(group, key.id(), recipient);
    let (encapsulated, sealed) = seal_with(&info, key, recipient, rng)?;
    Ok(KeyBox {
        key: key.id(),
        encapsulated,
        sealed: Blob(sealed),
    })
}

/// Where a box in a control entry stands: it opens nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct BoxPlace {
    /// The group.
    pub group: GroupId,
    /// The journal of the entry.
    pub journal: JournalId,
    /// The entry's number.
    pub number: EntryNumber,
}

impl BoxPlace {
    /// What such a box is bound to: purpose, group, key, place and recipient.
    fn info(&self, key: KeyId, recipient: BoxKey) -> Vec<u8> {
        let place = if is_off(Guard::BoxPlace) {
            Self {
                group: GroupId::ZERO,
                journal: JournalId([0; 32]),
                number: EntryNumber(0),
            }
        } else {
            *self
        };
        encode(&(
            "kiez 1 entry box",
            place.group,
            key,
            place.journal,
            place.number,
            recipient,
        ))
    }
}

/// Seals a group key for a device, in a control entry.
///
/// # Errors
/// Where the recipient's key is none.
pub fn seal_boxed(
    place: &BoxPlace,
    key: &GroupKey,
    enrolment: EntryId,
    recipient: BoxKey,
    rng: &mut impl CryptoRng,
) -> Result<BoxedKey, BoxError> {
    let info = place.info(key.id(), recipient);
    let (encapsulated, sealed) = seal_with(&info, key, recipient, rng)?;
    Ok(BoxedKey {
        enrolment,
        key: key.id(),
        encapsulated,
        sealed: SealedKey(sealed.try_into().map_err(|_| BoxError)?),
    })
}

fn seal_with(
    info: &[u8],
    key: &GroupKey,
    recipient: BoxKey,
    rng: &mut impl CryptoRng,
) -> Result<([u8; 32], Vec<u8>), BoxError> {
    let public = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&recipient.0).map_err(|_| BoxError)?;
    let (encapsulated, sealed) = hpke::single_shot_seal_with_rng::<
        ChaCha20Poly1305,
        HkdfSha256,
        X25519HkdfSha256,
    >(&OpModeS::Base, &public, info, key.as_bytes(), &[], rng)
    .map_err(|_| BoxError)?;
    Ok((encapsulated.to_bytes().into(), sealed.to_vec()))
}

/// What a box is bound to: purpose, group, key and recipient.
fn info(group: GroupId, key: KeyId, recipient: BoxKey) -> Vec<u8> {
    encode(&("kiez 1 join box", group, key, recipient))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn a_box_opens_for_its_device_in_its_group_only() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        let key = GroupKey::generate(&mut rng);
        let secret = BoxSecret::generate(&mut rng);
        let group = GroupId([1; 32]);
        let sealed = seal_box(group, &key, secret.public(), &mut rng).unwrap();
        assert_eq!(secret.open(group, &sealed).unwrap(), key);
        assert_eq!(secret.open(GroupId([2; 32]), &sealed), Err(BoxError));
        assert_eq!(BoxSecret::generate(&mut rng).open(group, &sealed), Err(BoxError));
        let renamed = KeyBox {
            key: KeyId([0; 32]),
            ..sealed.clone()
        };
        assert_eq!(secret.open(group, &renamed), Err(BoxError));
        let mut damaged = sealed;
        damaged.sealed.0[3] ^= 1;
        assert_eq!(secret.open(group, &damaged), Err(BoxError));
    }

    #[test]
    fn the_derived_keys_differ_and_stay() {
        let key = GroupKey::from_bytes([7; 32]);
        insta::assert_snapshot!(crate::domain::id::to_hex(
            &[
                key.id().0,
                key.payload_key(),
                key.nonce_key(),
                key.session_key(),
                key.bundle_key()
            ]
            .concat()
        ));
    }
}
