//! What can go wrong with a profile, said so that the person in front of it knows what to do.

use std::io;
use std::path::{Path, PathBuf};

/// Why a profile could not be made, opened, read or written, or why recovery words do not fit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeystoreError {
    /// The directory holds no profile.
    #[error("There is no Kiez profile in {}. Create one, or choose another folder.", .0.display())]
    NoProfile(PathBuf),
    /// The directory holds a profile already.
    #[error("There is a Kiez profile in {} already. Open it, or choose another folder for a new one.", .0.display())]
    ProfileExists(PathBuf),
    /// `store.db` is there without `profile.kiez`: without the salt in it no passphrase opens the data.
    #[error(
        "{} is missing, but the data next to it is there. Put the file back from a backup, \
         or choose another folder for a new profile.", .0.display()
    )]
    HeaderMissing(PathBuf),
    /// `profile.kiez` is there without `store.db`.
    #[error(
        "The profile's data, {}, is missing. Put it back from a backup, or make a new profile \
         in another folder and enter your recovery words.", .0.display()
    )]
    DatabaseMissing(PathBuf),
    /// A new profile was asked for with an empty passphrase.
    #[error("The passphrase is empty. Choose one: it protects everything in this profile.")]
    EmptyPassphrase,
    /// The passphrase is not the one the profile, or the seed, was sealed with.
    #[error("The passphrase is wrong. Try again; mind capital letters and the keyboard layout.")]
    WrongPassphrase,
    /// `profile.kiez` is not what Kiez wrote.
    #[error(
        "The file {} is damaged ({what}). Put it back from a backup; your data is untouched, \
         but without this file no passphrase opens it.", path.display()
    )]
    HeaderDamaged {
        /// The header file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The file was written by a newer Kiez.
    #[error("{what} was made by a newer Kiez (format {version}). Update Kiez, then open it again.")]
    Newer {
        /// Which file or record.
        what: String,
        /// The format version found there.
        version: u16,
    },
    /// Another process has the profile open.
    #[error(
        "Kiez already runs with this profile{}. Use that window, or close it and try again.",
        .0.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    InUse(Option<u32>),
    /// The database cannot be read as SQLCipher wrote it. The passphrase was right.
    #[error(
        "The data in {} is damaged ({detail}). Your passphrase was right. Copy the folder to a safe place, \
         then restore a backup, or make a new profile and fetch everything from another member.", path.display()
    )]
    DatabaseDamaged {
        /// The database file.
        path: PathBuf,
        /// What SQLite or the check said.
        detail: String,
    },
    /// There is no room left to write.
    #[error("The disk that holds {} is full. Nothing was lost. Make room, then try again.", .0.display())]
    DiskFull(PathBuf),
    /// Some other fault of the database.
    #[error("The data in {} cannot be used just now: {source}.", path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A file could not be read or written.
    #[error("{} cannot be read or written: {source}.", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Deriving a key needs more memory than the system gives.
    #[error("There is not enough free memory to check the passphrase ({} MiB are needed). Close something, then try again.", kib / 1024)]
    OutOfMemory {
        /// How much is needed, in KiB.
        kib: u32,
    },
    /// The sealed person key is not what Kiez wrote.
    #[error("Your sealed person key is damaged. Enter your recovery words to make it anew.")]
    SeedDamaged,
    /// Not 24 words.
    #[error("Recovery words are 24 words; these are {0}.")]
    WordCount(usize),
    /// A word that is not in the list.
    #[error("Word {place}, \"{word}\", is not one of the recovery words. Check its spelling.")]
    WordUnknown {
        /// Which of the 24, from 1.
        place: usize,
        /// What was entered there.
        word: String,
    },
    /// Each word is in the list, but together they are not what was written down.
    #[error(
        "Each word is a recovery word, but together they do not fit. Check for two words in the wrong order, or one taken for another."
    )]
    WordsChecksum,
}

/// Gives an I/O error the path that it is about.
pub(super) fn io_error(path: &Path) -> impl FnOnce(io::Error) -> KeystoreError + '_ {
    move |source| {
        if source.kind() == io::ErrorKind::StorageFull {
            KeystoreError::DiskFull(path.to_path_buf())
        } else {
            KeystoreError::Io {
                path: path.to_path_buf(),
                source,
            }
        }
    }
}
