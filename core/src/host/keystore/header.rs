//! The bytes of `profile.kiez`. It holds no secret, only how to get from the passphrase to the key.
//!
//! ```text
//!   0  magic       8 bytes  "KIEZPROF"
//!   8  version     u16, big-endian, as all numbers here
//!  10  memory      u32, KiB            \
//!  14  passes      u32                  | Argon2id
//!  18  lanes       u32                 /
//!  22  salt       32 bytes
//!  54  key check  32 bytes  derived from the root key: tells a wrong passphrase from a damaged database
//!  86  checksum   32 bytes  BLAKE3 of all before: tells a damaged header from a wrong passphrase
//! 118
//! ```
//! Version 2, of a profile whose passphrase was changed. The database keeps its key, and that no longer follows from the
//! passphrase, so the header holds it, sealed:
//! ```text
//!  86  nonce      24 bytes
//! 110  sealed key 48 bytes  XChaCha20-Poly1305 of the database key; all before the nonce is associated data
//! 158  checksum   32 bytes
//! 190
//! ```
//! For all versions to come the magic, the place of the version and the checksum as the last 32 bytes stay: a damaged
//! header is never taken for one of a newer Kiez.

use super::derivation::Cost;

const MAGIC: [u8; 8] = *b"KIEZPROF";
const VERSION: u16 = 1;
const WITH_KEY: u16 = 2;
const NONCE: usize = 24;
const SEALED: usize = 48;
const CHECKSUM: usize = 32;

/// What `profile.kiez` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) cost: Cost,
    pub(super) salt: [u8; 32],
    pub(super) key_check: [u8; 32],
    /// The database's key, where it does not follow from the passphrase: nonce and ciphertext.
    pub(super) sealed_key: Option<SealedKey>,
}

/// A sealed key: nonce and ciphertext.
pub(super) type SealedKey = ([u8; NONCE], [u8; SEALED]);

/// Why bytes are not a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderFault {
    Damaged(&'static str),
    Newer(u16),
}

impl Header {
    /// More is not read: no header of any version is longer.
    pub(super) const SIZE_MOST: u64 = 4096;

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let version = if self.sealed_key.is_some() {
            WITH_KEY
        } else {
            VERSION
        };
        let mut bytes = self.beginning(version);
        if let Some((nonce, sealed)) = &self.sealed_key {
            bytes.extend(nonce);
            bytes.extend(sealed);
        }
        let checksum = blake3::hash(&bytes);
        bytes.extend(checksum.as_bytes());
        bytes
    }

    /// What a sealed key is bound to.
    pub(super) fn bound(&self) -> Vec<u8> {
        self.beginning(WITH_KEY)
    }

    fn beginning(&self, version: u16) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(MAGIC);
        bytes.extend(version.to_be_bytes());
        bytes.extend(self.cost.to_bytes());
        bytes.extend(self.salt);
        bytes.extend(self.key_check);
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, HeaderFault> {
        let Some((said, checksum)) = bytes.split_last_chunk::<CHECKSUM>() else {
            return Err(HeaderFault::Damaged("it is cut short"));
        };
        let Some(rest) = said.strip_prefix(&MAGIC) else {
            return Err(HeaderFault::Damaged("it is not a Kiez profile"));
        };
        if blake3::hash(said) != *checksum {
            return Err(HeaderFault::Damaged("its checksum does not fit"));
        }
        let cut = HeaderFault::Damaged("it is cut short");
        let (version, rest) = rest.split_first_chunk().ok_or(cut)?;
        let version = u16::from_be_bytes(*version);
        if version != VERSION && version != WITH_KEY {
            return Err(HeaderFault::Newer(version));
        }
        let (cost, rest) = rest.split_first_chunk().ok_or(cut)?;
        let (salt, rest) = rest.split_first_chunk().ok_or(cut)?;
        let (key_check, rest) = rest.split_first_chunk().ok_or(cut)?;
        let wrong_length = HeaderFault::Damaged("it has the wrong length");
        let sealed_key = match (version, rest) {
            (VERSION, []) => None,
            (WITH_KEY, rest) => {
                let (nonce, sealed) = rest.split_first_chunk().ok_or(cut)?;
                Some((*nonce, sealed.try_into().map_err(|_| wrong_length)?))
            }
            _ => return Err(wrong_length),
        };
        let cost =
            Cost::from_bytes(cost).ok_or(HeaderFault::Damaged("it asks for absurd amounts of work"))?;
        Ok(Self {
            cost,
            salt: *salt,
            key_check: *key_check,
            sealed_key,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::to_hex;

    fn example() -> Header {
        Header {
            cost: Cost::STANDARD,
            salt: [0x5a; 32],
            key_check: [0xc4; 32],
            sealed_key: None,
        }
    }

    fn with_key() -> Header {
        Header {
            sealed_key: Some(([0x1c; NONCE], [0x77; SEALED])),
            ..example()
        }
    }

    fn with_checksum(mut said: Vec<u8>) -> Vec<u8> {
        let checksum = blake3::hash(&said);
        said.extend(checksum.as_bytes());
        said
    }

    #[test]
    fn the_format_stays() {
        insta::assert_snapshot!(to_hex(&example().to_bytes()));
        let (short, long) = (example().to_bytes(), with_key().to_bytes());
        assert_eq!((short.len(), long.len()), (118, 190));
        assert_eq!(&long[..10], b"KIEZPROF\0\x02");
        assert_eq!(long[10..86], short[10..86]);
        assert_eq!(long[86..158], [[0x1c; 24].as_slice(), &[0x77; 48]].concat());
    }

    #[test]
    fn a_header_reads_back() {
        assert_eq!(Header::from_bytes(&example().to_bytes()), Ok(example()));
        assert_eq!(Header::from_bytes(&with_key().to_bytes()), Ok(with_key()));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        for whole in [example().to_bytes(), with_key().to_bytes()] {
            every_fault_is_noticed(&whole);
        }
    }

    fn every_fault_is_noticed(whole: &[u8]) {
        for (at, bit) in (0..whole.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut bytes = whole.to_vec();
            bytes[at] ^= 1 << bit;
            assert!(
                matches!(Header::from_bytes(&bytes), Err(HeaderFault::Damaged(_))),
                "byte {at}, bit {bit}"
            );
        }
        for length in 0..whole.len() {
            assert!(
                matches!(Header::from_bytes(&whole[..length]), Err(HeaderFault::Damaged(_))),
                "{length} bytes"
            );
        }
        let longer = [whole, &[0]].concat();
        assert!(matches!(
            Header::from_bytes(&longer),
            Err(HeaderFault::Damaged(_))
        ));
    }

    #[test]
    fn a_newer_version_is_told_from_damage() {
        let mut said = example().to_bytes();
        said.truncate(said.len() - CHECKSUM);
        said[9] = 3;
        said.extend(b"what a newer Kiez adds");
        assert_eq!(
            Header::from_bytes(&with_checksum(said)),
            Err(HeaderFault::Newer(3))
        );
    }

    #[test]
    fn a_hostile_header_with_a_fitting_checksum_cannot_ask_for_much() {
        for at in [10, 14, 18] {
            let mut said = example().to_bytes();
            said.truncate(said.len() - CHECKSUM);
            said[at] = 0xff;
            assert!(matches!(
                Header::from_bytes(&with_checksum(said)),
                Err(HeaderFault::Damaged(_))
            ));
        }
        assert!(matches!(
            Header::from_bytes(&with_checksum(MAGIC.to_vec())),
            Err(HeaderFault::Damaged(_))
        ));
        let short = with_checksum(example().to_bytes()[..60].to_vec());
        assert!(matches!(Header::from_bytes(&short), Err(HeaderFault::Damaged(_))));
    }
}
