//! The bundle: a group, or what is missing after a frontier, in one sealed, verifiable file.
//! The bytes are laid down in `docs/format-bundle.md`.
//!
//! A member who reads it recomputes from the plain payloads what was sealed, and the chain of ids up to each journal's
//! one signature authenticates all of it. So nothing travels that can be computed.
//!
//! `seal` is the file, `pack` the compression inside it, `write` and `read` what is compressed: `lanes` of like fields,
//! for which `change` takes Automerge changes apart and `past` foretells what stands in them.

mod chains;
mod change;
mod error;
mod form;
mod lanes;
mod pack;
mod past;
mod read;
mod seal;
#[cfg(test)]
mod tests;
mod write;

use crate::domain::id::{GroupId, KeyId};

use super::entry::Entry;
use super::keys::{GroupKey, KeyRing};

pub use self::error::BundleError;
use self::seal::{VERSION, VERSION_ERASED};

/// An entry on its way into or out of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleEntry {
    /// The entry. From a bundle, the last of each journal carries its signature, the others none.
    pub entry: Entry,
    /// The plain payload, where it is known.
    pub payload: Option<Vec<u8>>,
}

/// What is in a bundle, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Of which group.
    pub group: GroupId,
    /// In the order written: each after its `prev` and its `seen`, as far as they are in the bundle.
    pub entries: Vec<BundleEntry>,
}

/// How hard to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// For a session: a sixth larger and done at once.
    Fast,
    /// For a file that is kept or carried: takes seconds.
    Small,
}

impl Compression {
    const fn zstd_level(self) -> i32 {
        match self {
            Self::Fast => 3,
            Self::Small => 19,
        }
    }
}

/// The longest head of a file that [`find_key`] and [`file_bytes`] look at.
pub const HEAD_BYTES: usize = seal::HEAD_BYTES;

/// Writes a bundle, sealed under the newest key. Each entry comes after its `prev` and its `seen`; each journal's
/// entries have no gap, and the last one is signed. Signatures of earlier entries are left out: the last vouches for
/// them. The same entries in the same order give the same bytes.
///
/// # Errors
/// Where an entry is of another group, not in order, or a journal does not end with a signature; where no key is held;
/// where it would be larger than a reader takes.
pub fn write(
    group: GroupId,
    entries: impl IntoIterator<Item = BundleEntry>,
    keys: &KeyRing,
    level: Compression,
) -> Result<Vec<u8>, BundleError> {
    let key = keys.newest().ok_or(BundleError::NoKeyToSeal)?;
    let mut writer = write::Writer::new(group, keys);
    for entry in entries {
        writer.push(&entry)?;
    }
    let version = writer.version();
    let (plain, unpacked) = writer.finish()?;
    let container = pack::pack(&plain, unpacked, level)?;
    seal::seal(&container, key, version)
}

/// Reads a bundle and checks everything: limits, seal, every chain and every signature. What the payloads say is for
/// the roster and the change gate.
///
/// # Errors
/// Where anything is wrong; nothing of such a file is to be believed.
pub fn read(bytes: &[u8], keys: &KeyRing) -> Result<Bundle, BundleError> {
    let head = seal::Head::read(bytes)?;
    seal::check_length(bytes, &head)?;
    let (_, key) = seal::find(&head, keys.iter()).ok_or(BundleError::NoKey)?;
    let container = seal::open(bytes, key)?;
    let mut budget = pack::Budget::of(container.len());
    let plain = pack::unpack(&container, &mut budget)?;
    read::read(&plain, head.version(), keys, budget)
}

/// Which of these keys opens it. The first [`HEAD_BYTES`] of the file are enough; a stranger learns nothing from them.
///
/// # Errors
/// Where it is no bundle, or one that this software does not read.
pub fn find_key<'a>(
    bytes: &[u8],
    keys: impl Iterator<Item = &'a GroupKey>,
) -> Result<Option<KeyId>, BundleError> {
    let head = seal::Head::read(bytes)?;
    Ok(seal::find(&head, keys).map(|(id, _)| id))
}

/// How long the whole file is, from its first [`HEAD_BYTES`]: for who collects the parts of one.
///
/// # Errors
/// Where it is no bundle, or one that this software does not read.
pub fn file_bytes(bytes: &[u8]) -> Result<usize, BundleError> {
    seal::Head::read(bytes).map(|head| head.file_bytes())
}
