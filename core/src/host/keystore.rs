//! Keys at rest: the profile directory, its header file, the passphrase, the encrypted database and the recovery words.
//!
//! A profile directory ([`Home`]) holds:
//!
//! | file           | holds |
//! |----------------|-------|
//! | `profile.kiez` | how the key is derived from the passphrase, and a value to check it by; after a change of the passphrase the key itself, sealed |
//! | `store.db`     | everything else, encrypted (SQLCipher); beside it SQLite's `-wal` and `-shm` while it is open |
//! | `lock`         | held while a process has the profile open |
//!
//! A backup of a profile is one file somewhere else: `backup`.
//!
//! The directory is made with mode 0700 and its files with 0600, where the system has such modes.

mod backup;
mod database;
mod derivation;
mod error;
mod header;
mod lock;
mod profile;
mod seed;
mod words;

pub use backup::{BackupError, BackupReader, BackupWriter};
pub use database::{DatabaseFault, check, classify, open_database, open_reader};
pub use derivation::{Cost, Passphrase};
pub use error::KeystoreError;
pub use lock::ProfileLock;
pub use profile::{Home, Unlocked};
pub(crate) use profile::{private_file, sync_directory};
pub use seed::SealedSeed;
pub use words::RecoveryWords;
