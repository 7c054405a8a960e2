//! What can be wrong with a bundle, in plain words, and what to do about it.

use crate::domain::id::{GroupId, JournalId, KeyId};
use crate::replica::entry::EntryError;

/// Why a bundle is not written or not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The file begins otherwise.
    #[error("this is not a Kiez file. Choose the file that was exported from Kiez")]
    NotABundle,
    /// A version this software does not know.
    #[error("this file was made by a newer Kiez (format {version}). Update Kiez, then open it again")]
    Newer {
        /// The format's version.
        version: u8,
    },
    /// No key held here made this file.
    #[error(
        "none of the keys on this device opens this file: it is of another group, or its first bytes are \
         damaged. Open it on a device of that group, or join the group first"
    )]
    NoKey,
    /// It ends too early.
    #[error("this file is cut off: {missing} bytes are missing. Copy it again from where it came from")]
    Truncated {
        /// How many bytes are missing.
        missing: u64,
    },
    /// A seal does not open, or something stands behind the end.
    #[error("this file was damaged on its way. Copy it again from where it came from")]
    Damaged,
    /// More than this software takes in at once.
    #[error("this file is larger than allowed ({what}). Export a smaller part of the group")]
    TooLarge {
        /// Which limit.
        what: &'static str,
    },
    /// The seal is right, what it holds is not: whoever wrote it used broken or hostile software.
    #[error("this file was written wrongly ({what}). Ask its sender to update Kiez and to export it again")]
    Malformed {
        /// What is wrong.
        what: &'static str,
    },
    /// An entry of another group.
    #[error(
        "an entry of journal {journal} is of another group than {group}. Ask another member for the file"
    )]
    OtherGroup {
        /// Whose journal.
        journal: JournalId,
        /// The bundle's group.
        group: GroupId,
    },
    /// An entry that does not follow the one before it in its journal.
    #[error(
        "entry {number} of journal {journal} does not follow the one before it. Ask another member for the file"
    )]
    Chain {
        /// Whose journal.
        journal: JournalId,
        /// Which entry.
        number: u64,
    },
    /// An entry that stands before one it has seen.
    #[error(
        "entry {number} of journal {journal} stands before an entry it builds on. Ask another member for the file"
    )]
    Order {
        /// Whose journal.
        journal: JournalId,
        /// Which entry.
        number: u64,
    },
    /// A journal whose last entry is not signed by it.
    #[error(
        "the signature over journal {journal}, up to entry {number}, is wrong. Ask another member for the file"
    )]
    Signature {
        /// Whose journal.
        journal: JournalId,
        /// The last entry.
        number: u64,
    },
    /// For writing: the last entry of a journal carries no signature.
    #[error(
        "the last entry given of journal {journal} carries no signature; a bundle ends at signed entries"
    )]
    Unsigned {
        /// Whose journal.
        journal: JournalId,
    },
    /// An entry's payload is sealed under a key that is not held.
    #[error(
        "this file holds entries sealed under a key that this device does not have yet ({key}). Sync first"
    )]
    KeyMissing {
        /// Which key.
        key: KeyId,
    },
    /// For writing: no key to seal under.
    #[error("this device holds no key of the group, so it cannot write a file for it")]
    NoKeyToSeal,
    /// An entry that contradicts itself.
    #[error("entry {number} of journal {journal} is wrong: {error}. Ask another member for the file")]
    Entry {
        /// Whose journal.
        journal: JournalId,
        /// Which entry.
        number: u64,
        /// What is wrong.
        error: EntryError,
    },
    /// The compressor failed.
    #[error("the file could not be compressed; free some memory and try again")]
    Compress,
}

/// What is inside does not fit together.
pub(super) const fn malformed(what: &'static str) -> BundleError {
    BundleError::Malformed { what }
}

impl BundleError {
    /// Is the file itself broken, so that another copy of it would help?
    #[must_use]
    pub const fn is_damage(&self) -> bool {
        match self {
            Self::NotABundle
            | Self::Newer { .. }
            | Self::NoKey
            | Self::TooLarge { .. }
            | Self::KeyMissing { .. }
            | Self::NoKeyToSeal
            | Self::Compress => false,
            Self::Truncated { .. }
            | Self::Damaged
            | Self::Malformed { .. }
            | Self::OtherGroup { .. }
            | Self::Chain { .. }
            | Self::Order { .. }
            | Self::Signature { .. }
            | Self::Unsigned { .. }
            | Self::Entry { .. } => true,
        }
    }
}
