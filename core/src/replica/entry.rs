//! The entry: a header, a sealed payload, and the signature that vouches for it and for everything before it.
//! The bytes are laid down in `docs/format.md`.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};

use crate::domain::id::{EntryId, EntryNumber, GroupId, JournalId, KeyId, Signature};

use super::keys::GroupKey;
use super::limits::{PAYLOAD_BYTES_MAX, SEEN_MAX};
use super::sealed::Sealed;

/// The version this software writes and the only one it reads.
pub const ENTRY_VERSION: u8 = 1;

/// What a sealed payload is longer than the plain one.
pub const SEAL_BYTES: usize = 16;

const SIGNATURE_DOMAIN: &[u8] = b"kiez entry 1";

/// What an entry holds. The discriminant is the wire format's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A control act.
    Control = 0,
    /// Changes to one document.
    Content = 1,
}

impl EntryKind {
    /// From its number.
    ///
    /// # Errors
    /// Where there is no such kind.
    pub const fn from_number(number: u8) -> Result<Self, EntryError> {
        match number {
            0 => Ok(Self::Control),
            1 => Ok(Self::Content),
            _ => Err(EntryError::Kind),
        }
    }
}

/// What is said of an entry in clear. H0 of the design.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The group; zero in the founding entry.
    pub group: GroupId,
    /// Who signs.
    pub journal: JournalId,
    /// The place in that journal.
    pub number: EntryNumber,
    /// The entry before; zero in the first.
    pub prev: EntryId,
    /// Control entries the author had applied and no earlier entry of the journal has in its past. Ascending.
    pub seen: Vec<EntryId>,
    /// What is in it.
    pub kind: EntryKind,
    /// What it is sealed under.
    pub key: KeyId,
    /// How long the plain payload is.
    pub payload_bytes: u32,
}

/// An entry as it is held and carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What is said of it in clear.
    pub header: Header,
    /// Made from header and payload.
    pub nonce: [u8; 24],
    /// The sealed payload, or what is left of it.
    pub sealed: Sealed,
    /// The author's signature, where it is held: one vouches for all entries before it.
    pub signature: Option<Signature>,
    /// The hash of all that.
    pub id: EntryId,
}

/// What is wrong with an entry, and with whom it lies: see [`EntryError::is_authors`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum EntryError {
    /// A kind that does not exist.
    #[error("an entry of a kind that does not exist")]
    Kind,
    /// Number zero, `prev` that does not fit it, `seen` too long or not ascending.
    #[error("an entry's header contradicts itself")]
    Header,
    /// Longer than an entry may be, or not as long as it says.
    #[error("an entry is not as long as it says, or longer than allowed")]
    Length,
    /// The signature is not of this journal.
    #[error("an entry is not signed by its author")]
    Signature,
    /// It is sealed under a key that is not held.
    #[error("an entry is sealed under a key that is not held here")]
    KeyMissing,
    /// It does not open under the key it names.
    #[error("an entry's payload does not open")]
    Seal,
    /// Its payload was erased.
    #[error("an entry's payload was erased")]
    Erased,
    /// The nonce is not the one that header and payload make.
    #[error("an entry's nonce is not the one its payload makes")]
    Nonce,
}

impl EntryError {
    /// Is it the author's fault? Only who opens the payload can see those; the others are the carrier's.
    #[must_use]
    pub const fn is_authors(self) -> bool {
        matches!(self, Self::Seal | Self::Nonce)
    }
}

impl Header {
    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(160_usize.saturating_add(self.seen.len().saturating_mul(32)));
        bytes.push(ENTRY_VERSION);
        bytes.extend_from_slice(&self.group.0);
        bytes.extend_from_slice(&self.journal.0);
        bytes.extend_from_slice(&self.number.0.to_le_bytes());
        bytes.extend_from_slice(&self.prev.0);
        let count = u16::try_from(self.seen.len()).unwrap_or(u16::MAX);
        bytes.extend_from_slice(&count.to_le_bytes());
        for seen in &self.seen {
            bytes.extend_from_slice(&seen.0);
        }
        bytes.push(self.kind as u8);
        bytes.extend_from_slice(&self.key.0);
        bytes.extend_from_slice(&self.payload_bytes.to_le_bytes());
        bytes
    }

    /// What can be said of a header alone.
    ///
    /// # Errors
    /// The carrier's fault, where it contradicts itself.
    pub fn check(&self) -> Result<(), EntryError> {
        let first = self.number == EntryNumber::FIRST;
        let founding = self.group == GroupId::ZERO;
        let sound = self.number.0 > 0
            && self.number.0 < u64::MAX
            && (self.prev == EntryId::ZERO) == first
            && (!founding || (first && self.seen.is_empty()))
            && self.seen.len() <= SEEN_MAX
            && self.seen.is_sorted_by(|a, b| a < b);
        if !sound {
            return Err(EntryError::Header);
        }
        if usize::try_from(self.payload_bytes).is_ok_and(|bytes| bytes <= PAYLOAD_BYTES_MAX) {
            Ok(())
        } else {
            Err(EntryError::Length)
        }
    }
}

impl Entry {
    /// Puts an entry together from its parts, as a carrier brings them; computes its id.
    ///
    /// # Errors
    /// The carrier's fault, where header or length are wrong.
    pub fn assemble(
        header: Header,
        nonce: [u8; 24],
        sealed: Vec<u8>,
        signature: Option<Signature>,
    ) -> Result<Self, EntryError> {
        header.check()?;
        let plain = sealed.len().checked_sub(SEAL_BYTES);
        if plain != usize::try_from(header.payload_bytes).ok() {
            return Err(EntryError::Length);
        }
        Ok(Self::made(header, nonce, Sealed::Held(sealed), signature))
    }

    /// Puts together what is left of an entry that was erased: all but its payload.
    ///
    /// # Errors
    /// The carrier's fault, where the header is wrong, or of an entry that is never erased.
    pub fn assemble_erased(
        header: Header,
        nonce: [u8; 24],
        hash: [u8; 32],
        signature: Option<Signature>,
    ) -> Result<Self, EntryError> {
        header.check()?;
        if header.kind != EntryKind::Content {
            return Err(EntryError::Kind);
        }
        Ok(Self::made(header, nonce, Sealed::Erased(hash), signature))
    }

    fn made(header: Header, nonce: [u8; 24], sealed: Sealed, signature: Option<Signature>) -> Self {
        let id = id_of(&header.to_bytes(), &nonce, &sealed);
        Self {
            header,
            nonce,
            sealed,
            signature,
            id,
        }
    }

    /// The entry without its payload: its id and its signature stay what they are.
    #[must_use]
    pub fn without_payload(mut self) -> Self {
        self.sealed = Sealed::Erased(self.sealed.hash());
        self
    }

    /// Seals a payload under a header. The nonce follows from both, so the same entry sealed again is the same bytes.
    ///
    /// # Errors
    /// Where the payload is not as long as the header says.
    pub fn seal(header: Header, payload: &[u8], key: &GroupKey) -> Result<Self, EntryError> {
        header.check()?;
        if usize::try_from(header.payload_bytes) != Ok(payload.len()) {
            return Err(EntryError::Length);
        }
        let h0 = header.to_bytes();
        let nonce = nonce_of(&h0, payload, key);
        let cipher = XChaCha20Poly1305::new(&key.payload_key().into());
        let sealed = cipher
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: payload,
                    aad: &h0,
                },
            )
            .map_err(|_| EntryError::Length)?;
        Ok(Self::made(header, nonce, Sealed::Held(sealed), None))
    }

    /// Signs it.
    #[must_use]
    pub fn signed(mut self, journal: &SigningKey) -> Self {
        self.signature = Some(Signature(journal.sign(&signed_bytes(self.id)).to_bytes()));
        self
    }

    /// Does this signature vouch for it?
    ///
    /// # Errors
    /// The carrier's fault, where it does not.
    pub fn verify(&self, signature: &Signature) -> Result<(), EntryError> {
        verify(&self.header.journal.0, &signed_bytes(self.id), signature)
            .then_some(())
            .ok_or(EntryError::Signature)
    }

    /// Opens the payload.
    ///
    /// # Errors
    /// The author's fault, where it does not open or its nonce is another.
    pub fn open(&self, key: &GroupKey) -> Result<Vec<u8>, EntryError> {
        let sealed = self.sealed.held().ok_or(EntryError::Erased)?;
        let h0 = self.header.to_bytes();
        let cipher = XChaCha20Poly1305::new(&key.payload_key().into());
        let payload = cipher
            .decrypt(
                &XNonce::from(self.nonce),
                Payload {
                    msg: sealed,
                    aad: &h0,
                },
            )
            .map_err(|_| EntryError::Seal)?;
        if nonce_of(&h0, &payload, key) == self.nonce {
            Ok(payload)
        } else {
            Err(EntryError::Nonce)
        }
    }

    /// The group it is of: for the founding entry its own id.
    #[must_use]
    pub fn group(&self) -> GroupId {
        if self.header.group == GroupId::ZERO {
            GroupId::from(self.id)
        } else {
            self.header.group
        }
    }
}

/// An entry as one value, for where it is kept by itself.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KeptEntry {
    group: GroupId,
    journal: JournalId,
    number: EntryNumber,
    prev: EntryId,
    seen: Vec<EntryId>,
    kind: u8,
    key: KeyId,
    nonce: [u8; 24],
    sealed: super::codec::Blob,
    signature: Option<Signature>,
}

impl Entry {
    /// As one value.
    #[must_use]
    pub fn to_kept(&self) -> KeptEntry {
        let (kind, sealed) = self.sealed.to_kept(self.header.kind, self.header.payload_bytes);
        KeptEntry {
            group: self.header.group,
            journal: self.header.journal,
            number: self.header.number,
            prev: self.header.prev,
            seen: self.header.seen.clone(),
            kind,
            key: self.header.key,
            nonce: self.nonce,
            sealed: super::codec::Blob(sealed),
            signature: self.signature,
        }
    }
}

impl KeptEntry {
    /// The entry again.
    ///
    /// # Errors
    /// Where it contradicts itself.
    pub fn into_entry(self) -> Result<Entry, EntryError> {
        let (kind, payload_bytes, sealed) = Sealed::from_kept(self.kind, self.sealed.0)?;
        let header = Header {
            group: self.group,
            journal: self.journal,
            number: self.number,
            prev: self.prev,
            seen: self.seen,
            kind,
            key: self.key,
            payload_bytes,
        };
        header.check()?;
        Ok(Entry::made(header, self.nonce, sealed, self.signature))
    }
}

/// Is this an Ed25519 signature of that key over that message? Strict: no weak keys, no malleable signatures.
#[must_use]
pub fn verify(key: &[u8; 32], message: &[u8], signature: &Signature) -> bool {
    VerifyingKey::from_bytes(key)
        .and_then(|key| key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0)))
        .is_ok()
}

fn signed_bytes(id: EntryId) -> Vec<u8> {
    [SIGNATURE_DOMAIN, &id.0].concat()
}

fn nonce_of(h0: &[u8], payload: &[u8], key: &GroupKey) -> [u8; 24] {
    let mut hasher = blake3::Hasher::new_keyed(&key.nonce_key());
    hasher.update(h0).update(payload);
    let mut nonce = [0; 24];
    hasher.finalize_xof().fill(&mut nonce);
    nonce
}

fn id_of(h0: &[u8], nonce: &[u8; 24], sealed: &Sealed) -> EntryId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(h0).update(nonce).update(&sealed.hash());
    EntryId(*hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::to_hex;

    fn header(payload: &[u8]) -> Header {
        Header {
            group: GroupId([1; 32]),
            journal: JournalId(SigningKey::from_bytes(&[2; 32]).verifying_key().to_bytes()),
            number: EntryNumber(7),
            prev: EntryId([3; 32]),
            seen: vec![EntryId([4; 32]), EntryId([5; 32])],
            kind: EntryKind::Content,
            key: GroupKey::from_bytes([6; 32]).id(),
            payload_bytes: u32::try_from(payload.len()).unwrap(),
        }
    }

    #[test]
    fn the_bytes_of_an_entry_stay() {
        let entry = Entry::seal(header(b"hello"), b"hello", &GroupKey::from_bytes([6; 32]))
            .unwrap()
            .signed(&SigningKey::from_bytes(&[2; 32]));
        insta::assert_snapshot!(format!(
            "H0 {}\nnonce {}\nsealed {}\nid {}\nsignature {}",
            to_hex(&entry.header.to_bytes()),
            to_hex(&entry.nonce),
            to_hex(entry.sealed.held().unwrap()),
            entry.id,
            entry.signature.unwrap()
        ));
    }

    #[test]
    fn an_entry_opens_and_every_flipped_bit_is_seen() {
        let key = GroupKey::from_bytes([6; 32]);
        let entry = Entry::seal(header(b"hello"), b"hello", &key)
            .unwrap()
            .signed(&SigningKey::from_bytes(&[2; 32]));
        let signature = entry.signature.unwrap();
        assert_eq!(entry.open(&key).unwrap(), b"hello");
        assert_eq!(entry.verify(&signature), Ok(()));
        let other = entry.clone();
        let mut sealed = other.sealed.held().unwrap().to_vec();
        sealed[0] ^= 1;
        let other = Entry::assemble(other.header, other.nonce, sealed, None).unwrap();
        assert_eq!(other.verify(&signature), Err(EntryError::Signature));
        assert_eq!(other.open(&key), Err(EntryError::Seal));
        assert_eq!(entry.open(&GroupKey::from_bytes([9; 32])), Err(EntryError::Seal));
    }

    #[test]
    fn a_nonce_of_the_authors_choice_is_refused() {
        let key = GroupKey::from_bytes([6; 32]);
        let header = header(b"hello");
        let nonce = [8; 24];
        let cipher = XChaCha20Poly1305::new(&key.payload_key().into());
        let h0 = header.to_bytes();
        let sealed = cipher
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: b"hello",
                    aad: &h0,
                },
            )
            .unwrap();
        let entry = Entry::assemble(header, nonce, sealed, None).unwrap();
        assert_eq!(entry.open(&key), Err(EntryError::Nonce));
    }

    #[test]
    fn a_header_that_contradicts_itself_is_refused() {
        let good = header(b"");
        let wrong = [
            Header {
                number: EntryNumber(0),
                ..good.clone()
            },
            Header {
                number: EntryNumber(1),
                ..good.clone()
            },
            Header {
                prev: EntryId::ZERO,
                ..good.clone()
            },
            Header {
                group: GroupId::ZERO,
                ..good.clone()
            },
            Header {
                seen: vec![EntryId([5; 32]), EntryId([4; 32])],
                ..good.clone()
            },
            Header {
                seen: vec![EntryId([5; 32]); 2],
                ..good.clone()
            },
            Header {
                seen: (0..=256_u16)
                    .map(|n| EntryId([u8::try_from(n % 256).unwrap(); 32]))
                    .collect(),
                ..good.clone()
            },
        ];
        for header in wrong {
            assert_eq!(header.check(), Err(EntryError::Header), "{header:?}");
        }
        assert_eq!(
            Header {
                payload_bytes: u32::MAX,
                ..good
            }
            .check(),
            Err(EntryError::Length)
        );
    }
}
