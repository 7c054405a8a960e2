//! From a passphrase to a key: Argon2id, and the limits of what a header may ask for.

use std::borrow::Cow;
use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use bip39::Mnemonic;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::KeystoreError;

/// What a person types to open a profile. Wiped when dropped, never shown.
///
/// The same letters give the same key however the keyboard composes them: the text is normalised (NFKD), as BIP39
/// does with its passphrases.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Passphrase(String);

impl Passphrase {
    /// Takes what was typed, as it is: spaces and case count.
    #[must_use]
    pub fn new(typed: &str) -> Self {
        let mut text = Cow::Borrowed(typed);
        Mnemonic::normalize_utf8_cow(&mut text);
        Self(text.into_owned())
    }

    /// A value to compare it by, within this computer and for one purpose. Fast to compute, so never to be kept.
    #[must_use]
    pub fn fingerprint(&self, purpose: &'static str) -> [u8; 32] {
        blake3::derive_key(purpose, self.0.as_bytes())
    }

    /// Whether nothing was typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// How dear it is to derive a key: the parameters of Argon2id, version 1.3. Stored beside each salt, so that
/// [`Cost::STANDARD`] can be raised without locking anybody out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// What new profiles get: 64 MiB, 8 passes, one lane. Measured: 0.32 s of processor time on the machine it was built on.
    pub const STANDARD: Self = Self {
        memory_kib: 64 * 1024,
        passes: 8,
        lanes: 1,
    };

    /// The least that is written or accepted: 64 MiB, one pass. For tests that make many profiles.
    pub const LEAST: Self = Self {
        memory_kib: 64 * 1024,
        passes: 1,
        lanes: 1,
    };

    /// Bytes of a stored cost.
    pub(super) const SIZE: usize = 12;

    /// A header is not trusted: more than this would only make the computer stall.
    const MEMORY_MOST_KIB: u32 = 1024 * 1024;
    const PASSES_MOST: u32 = 64;
    const LANES_MOST: u32 = 16;

    /// The memory it takes, in KiB.
    #[must_use]
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    pub(super) fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let fields = [self.memory_kib, self.passes, self.lanes];
        for (place, field) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(fields) {
            *place = field.to_be_bytes();
        }
        bytes
    }

    /// Reads a stored cost; `None` where no Kiez wrote it: below the least or absurdly high.
    pub(super) fn from_bytes(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let mut fields = bytes
            .as_chunks::<4>()
            .0
            .iter()
            .map(|field| u32::from_be_bytes(*field));
        let cost = Self {
            memory_kib: fields.next()?,
            passes: fields.next()?,
            lanes: fields.next()?,
        };
        let sane = (Self::LEAST.memory_kib..=Self::MEMORY_MOST_KIB).contains(&cost.memory_kib)
            && (1..=Self::PASSES_MOST).contains(&cost.passes)
            && (1..=Self::LANES_MOST).contains(&cost.lanes);
        sane.then_some(cost)
    }
}

/// Derives a root key. Takes 250 ms to 1 s at [`Cost::STANDARD`]: not for a thread that must stay awake.
pub(super) fn derive(
    passphrase: &Passphrase,
    salt: &[u8; 32],
    cost: Cost,
) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
    let out_of_memory = |_| KeystoreError::OutOfMemory { kib: cost.memory_kib };
    let mut root = Zeroizing::new([0; 32]);
    // The parameters and lengths are in range, so nothing but a lack of memory can fail.
    let params =
        Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(root.len())).map_err(out_of_memory)?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.0.as_bytes(), salt, root.as_mut_slice())
        .map_err(out_of_memory)?;
    Ok(root)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::clock;

    #[test]
    fn the_standard_cost_is_at_least_64_mib_and_takes_its_time() {
        const { assert!(Cost::STANDARD.memory_kib >= 64 * 1024) };
        let started = clock::instant();
        derive(&Passphrase::new("quartier"), &[7; 32], Cost::STANDARD).unwrap();
        let took = started.elapsed();
        println!("derivation: {took:?}");
        assert!(took.as_millis() > 100, "far too cheap: {took:?}");
    }

    #[test]
    fn a_cost_reads_back_and_an_absurd_one_is_refused() {
        let read = |memory_kib, passes, lanes| {
            Cost::from_bytes(
                &Cost {
                    memory_kib,
                    passes,
                    lanes,
                }
                .to_bytes(),
            )
        };
        assert_eq!(Cost::from_bytes(&Cost::STANDARD.to_bytes()), Some(Cost::STANDARD));
        assert_eq!(read(64 * 1024 - 1, 3, 1), None);
        assert_eq!(read(u32::MAX, 3, 1), None);
        assert_eq!(read(64 * 1024, 0, 1), None);
        assert_eq!(read(64 * 1024, u32::MAX, 1), None);
        assert_eq!(read(64 * 1024, 3, 0), None);
        assert_eq!(read(64 * 1024, 3, 17), None);
    }

    #[test]
    fn an_umlaut_is_one_letter_however_it_is_typed() {
        assert_eq!(
            Passphrase::new("Gr\u{fc}ne Stra\u{df}e").0,
            Passphrase::new("Gru\u{308}ne Stra\u{df}e").0
        );
        assert_ne!(Passphrase::new("Haus").0, Passphrase::new("haus").0);
    }

    #[test]
    fn a_passphrase_never_shows() {
        assert!(!format!("{:?}", Passphrase::new("geheim")).contains("geheim"));
    }
}
