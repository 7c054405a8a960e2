//! Group keys: random, named by a derived hash, and the source of the keys that seal payloads, make nonces and prove
//! membership. And the boxes in which they reach a device: HPKE (RFC 9180), X25519, HKDF-SHA256, ChaCha20-Poly1305.

use std::collections::BTreeMap;
use std::fmt;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::domain::id::{BoxKey, GroupId, KeyId};

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
}

impl KeyRing {
    /// Adds a key; its name is computed from it.
    pub fn insert(&mut self, key: GroupKey) {
        self.keys.insert(key.id(), key);
    }

    /// The key of this name.
    #[must_use]
    pub fn get(&self, id: KeyId) -> Option<&GroupKey> {
        self.keys.get(&id)
    }

    /// The key to seal under. Until `rekey` comes there is one.
    #[must_use]
    pub fn current(&self) -> Option<&GroupKey> {
        self.keys.values().next()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &GroupKey> {
        self.keys.values()
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
        let (private, _) = X25519HkdfSha256::derive_keypair(&self.0);
        let encapsulated =
            <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(&sealed.encapsulated).map_err(|_| BoxError)?;
        let mut plain = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &private,
            &encapsulated,
            &info(group, sealed.key, self.public()),
            &sealed.sealed.0,
            &[],
        )
        .map_err(|_| BoxError)?;
        let bytes: Result<[u8; 32], _> = plain.as_slice().try_into();
        plain.zeroize();
        let key = GroupKey::from_bytes(bytes.map_err(|_| BoxError)?);
        if key.id() == sealed.key {
            Ok(key)
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
    let public = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&recipient.0).map_err(|_| BoxError)?;
    let (encapsulated, sealed) =
        hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &public,
            &info(group, key.id(), recipient),
            key.as_bytes(),
            &[],
            rng,
        )
        .map_err(|_| BoxError)?;
    Ok(KeyBox {
        key: key.id(),
        encapsulated: encapsulated.to_bytes().into(),
        sealed: Blob(sealed.to_vec()),
    })
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
