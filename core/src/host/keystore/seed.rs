//! The person key's seed, sealed under the passphrase a second time: a stolen unlocked laptop cannot enrol another device.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::derivation::{self, Cost, Passphrase};
use super::{KeystoreError, RecoveryWords};

const VERSION: u8 = 1;
const SALT: usize = 32;
const NONCE: usize = 24;
const TAG: usize = 16;

/// Domain of the key, so that the same passphrase and salt would still not give the database key.
const SEED_KEY: &str = "kiez 2026-11 root key to person seed key";

/// The recovery words' entropy, sealed. Its key comes from the passphrase by a derivation with its own salt, so a process
/// that holds the open database cannot open it.
///
/// Bytes, to be stored as they are: version (1), cost (12), salt (32), nonce (24), XChaCha20-Poly1305 of the entropy
/// (32 + 16) with everything before the nonce as associated data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSeed {
    cost: Cost,
    salt: [u8; SALT],
    nonce: [u8; NONCE],
    sealed: [u8; 32 + TAG],
}

impl SealedSeed {
    /// Its size in bytes.
    pub const SIZE: usize = 1 + Cost::SIZE + SALT + NONCE + 32 + TAG;

    /// Seals the words under the passphrase. `salt` and `nonce` must be fresh from [`crate::host::random`].
    ///
    /// Takes as long as unlocking a profile.
    ///
    /// # Errors
    /// [`KeystoreError::EmptyPassphrase`], [`KeystoreError::OutOfMemory`].
    pub fn seal(
        words: &RecoveryWords,
        passphrase: &Passphrase,
        cost: Cost,
        salt: [u8; SALT],
        nonce: [u8; NONCE],
    ) -> Result<Self, KeystoreError> {
        if passphrase.is_empty() {
            return Err(KeystoreError::EmptyPassphrase);
        }
        let head = head(cost, &salt);
        let sealed = cipher(passphrase, &salt, cost)?
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: words.entropy(),
                    aad: &head,
                },
            )
            .ok()
            .and_then(|sealed| sealed.try_into().ok())
            .ok_or(KeystoreError::SeedDamaged)?;
        Ok(Self {
            cost,
            salt,
            nonce,
            sealed,
        })
    }

    /// Opens it: to enrol a device, to recover, or to show the words again.
    ///
    /// Takes as long as unlocking a profile.
    ///
    /// # Errors
    /// [`KeystoreError::WrongPassphrase`] (damage inside the sealed part cannot be told from it),
    /// [`KeystoreError::OutOfMemory`].
    pub fn open(&self, passphrase: &Passphrase) -> Result<RecoveryWords, KeystoreError> {
        let aad = head(self.cost, &self.salt);
        let entropy = cipher(passphrase, &self.salt, self.cost)?
            .decrypt(
                &XNonce::from(self.nonce),
                Payload {
                    msg: &self.sealed,
                    aad: &aad,
                },
            )
            .map(Zeroizing::new)
            .map_err(|_| KeystoreError::WrongPassphrase)?;
        let entropy = entropy
            .as_slice()
            .try_into()
            .map_err(|_| KeystoreError::SeedDamaged)?;
        Ok(RecoveryWords::from_entropy(entropy))
    }

    /// What opening it costs.
    #[must_use]
    pub const fn cost(&self) -> Cost {
        self.cost
    }

    /// The bytes to store.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = head(self.cost, &self.salt);
        bytes.extend(self.nonce);
        bytes.extend(self.sealed);
        bytes
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    /// [`KeystoreError::Newer`], [`KeystoreError::SeedDamaged`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeystoreError> {
        let damaged = || KeystoreError::SeedDamaged;
        let (version, rest) = bytes.split_first().ok_or_else(damaged)?;
        if *version != VERSION {
            let what = "Your sealed person key".to_owned();
            return Err(KeystoreError::Newer {
                what,
                version: u16::from(*version),
            });
        }
        let (cost, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
        let (salt, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
        let (nonce, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
        let sealed = rest.try_into().map_err(|_| damaged())?;
        let cost = Cost::from_bytes(cost).ok_or_else(damaged)?;
        Ok(Self {
            cost,
            salt: *salt,
            nonce: *nonce,
            sealed,
        })
    }
}

fn head(cost: Cost, salt: &[u8; SALT]) -> Vec<u8> {
    let mut head = vec![VERSION];
    head.extend(cost.to_bytes());
    head.extend(salt);
    head
}

fn cipher(
    passphrase: &Passphrase,
    salt: &[u8; SALT],
    cost: Cost,
) -> Result<XChaCha20Poly1305, KeystoreError> {
    let root = derivation::derive(passphrase, salt, cost)?;
    let key = Zeroizing::new(blake3::derive_key(SEED_KEY, root.as_slice()));
    Ok(XChaCha20Poly1305::new(&Key::from(*key)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::to_hex;

    fn sealed() -> (RecoveryWords, SealedSeed) {
        let words = RecoveryWords::from_entropy([3; 32]);
        let seed = SealedSeed::seal(
            &words,
            &Passphrase::new("quartier"),
            Cost::LEAST,
            [1; 32],
            [2; 24],
        )
        .unwrap();
        (words, seed)
    }

    #[test]
    fn only_the_passphrase_opens_it() {
        let (words, seed) = sealed();
        let read = SealedSeed::from_bytes(&seed.to_bytes()).unwrap();
        assert_eq!(read.open(&Passphrase::new("quartier")).unwrap(), words);
        assert!(matches!(
            read.open(&Passphrase::new("Quartier")),
            Err(KeystoreError::WrongPassphrase)
        ));
        assert!(matches!(
            SealedSeed::seal(&words, &Passphrase::new(""), Cost::LEAST, [1; 32], [2; 24]),
            Err(KeystoreError::EmptyPassphrase)
        ));
    }

    #[test]
    fn the_format_stays() {
        let (_, seed) = sealed();
        assert_eq!(seed.to_bytes().len(), SealedSeed::SIZE);
        insta::assert_snapshot!(to_hex(&seed.to_bytes()));
    }

    #[test]
    fn damage_is_noticed_wherever_it_is() {
        let (_, seed) = sealed();
        let whole = seed.to_bytes();
        // One byte of each field; each attempt costs a derivation.
        for at in [0, 1, 7, 20, 50, 100] {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x80;
            let opened =
                SealedSeed::from_bytes(&bytes).and_then(|seed| seed.open(&Passphrase::new("quartier")));
            assert!(opened.is_err(), "byte {at}");
        }
        for length in 0..whole.len() {
            assert!(SealedSeed::from_bytes(&whole[..length]).is_err());
        }
        assert!(matches!(
            SealedSeed::from_bytes(&[9]),
            Err(KeystoreError::Newer { version: 9, .. })
        ));
    }
}
