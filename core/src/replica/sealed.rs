//! The sealed payload of an entry, or what is left of it once it was erased: its hash, so that the entry's id, its chain
//! and its signature can be checked for ever.

use super::entry::{EntryError, EntryKind, SEAL_BYTES};

/// [`EntryKind::Content`] of which only the header is left, where entries are kept. Nothing that is sent has this number.
const KEPT_ERASED: u8 = 2;

/// A sealed payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sealed {
    /// As it was sealed.
    Held(Vec<u8>),
    /// It was erased; this is its hash.
    Erased([u8; 32]),
}

impl Sealed {
    /// The bytes, where they are held.
    #[must_use]
    pub fn held(&self) -> Option<&[u8]> {
        if let Self::Held(bytes) = self {
            Some(bytes)
        } else {
            None
        }
    }

    /// How long what is held is.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held().map_or(0, <[u8]>::len)
    }

    /// Is nothing of it held?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        matches!(self, Self::Erased(_))
    }

    /// What the entry's id is made with.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        match self {
            Self::Held(bytes) => *blake3::hash(bytes).as_bytes(),
            Self::Erased(hash) => *hash,
        }
    }

    /// As it is kept: a number in place of the kind, and bytes.
    #[must_use]
    pub fn to_kept(&self, kind: EntryKind, payload_bytes: u32) -> (u8, Vec<u8>) {
        match self {
            Self::Held(bytes) => (kind as u8, bytes.clone()),
            Self::Erased(hash) => (KEPT_ERASED, [&hash[..], &payload_bytes.to_le_bytes()].concat()),
        }
    }

    /// From what is kept: with the kind and the length of the plain payload.
    ///
    /// # Errors
    /// Where it is neither a sealed payload nor what is left of one.
    pub fn from_kept(kind: u8, bytes: Vec<u8>) -> Result<(EntryKind, u32, Self), EntryError> {
        if kind == KEPT_ERASED {
            let (hash, length) = bytes.split_first_chunk::<32>().ok_or(EntryError::Length)?;
            let length: [u8; 4] = length.try_into().map_err(|_| EntryError::Length)?;
            return Ok((
                EntryKind::Content,
                u32::from_le_bytes(length),
                Self::Erased(*hash),
            ));
        }
        let plain = bytes.len().checked_sub(SEAL_BYTES).ok_or(EntryError::Length)?;
        let plain = u32::try_from(plain).map_err(|_| EntryError::Length)?;
        Ok((EntryKind::from_number(kind)?, plain, Self::Held(bytes)))
    }
}
