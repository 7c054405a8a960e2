//! The encrypted database: how it is opened, and what its errors mean.
//!
//! **Write-ahead log, `synchronous = FULL`.** A commit is one append to `store.db-wal` and one fsync; a rollback journal
//! needs several and a directory sync, and blocks readers meanwhile (measured on one disk: 4 ms against 20 ms a commit). Each frame of the log carries a checksum chained
//! to those before it, so pages that a power cut lost, tore or reordered end the log there and never mix old with new.
//! The `-shm` file is only an index of the log, rebuilt when the first connection opens: its loss is harmless. What this
//! survives is tested with a disk that loses unsynced writes (`tests/src/lossy_disk.rs`).

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::ffi::{self, ErrorCode};
use rusqlite::{Connection, OpenFlags};
use zeroize::Zeroizing;

use super::{KeystoreError, Unlocked};
use crate::domain::id::to_hex;

/// "Kiez", so that tools can tell the decrypted file.
const APPLICATION_ID: i32 = 0x4b69_657a;

/// How long a statement waits for another connection of this process.
const BUSY: Duration = Duration::from_secs(5);

/// What a fault of the database means for who called, and for the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseFault {
    /// No room. The transaction was rolled back; what was committed before stays readable.
    DiskFull,
    /// A page cannot be decrypted, or the pages do not fit together. Close the connection: SQLCipher refuses to go on
    /// with it.
    Damaged,
    /// Another connection of this process held the database for too long. Try again.
    Busy,
    /// The file, or its disk, cannot be written to.
    ReadOnly,
    /// No memory; the transaction was rolled back. SQLCipher says the same on a connection that has met a damaged page
    /// before: close it and [`check`].
    OutOfMemory,
    /// The disk failed to read or write.
    Io,
    /// Anything else: a wrong statement or value, so a fault of ours.
    Other,
}

/// Opens the profile's database for reading and writing. The schema is the store's affair; a new database is empty. On a
/// disk that is full already, it is the only connection: further ones are refused.
///
/// # Errors
/// [`KeystoreError::DatabaseMissing`], [`KeystoreError::DatabaseDamaged`], [`KeystoreError::DiskFull`],
/// [`KeystoreError::Database`].
pub fn open_database(unlocked: &Unlocked) -> Result<Connection, KeystoreError> {
    let path = unlocked.home().database_file();
    match std::fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(KeystoreError::DatabaseMissing(path));
        }
        // SQLite would take an empty file for a new database, and a person's data would seem to be gone.
        Ok(file) if file.len() == 0 => {
            return Err(KeystoreError::DatabaseDamaged {
                path,
                detail: "the file is empty".to_owned(),
            });
        }
        Ok(_) | Err(_) => {}
    }
    let opened = match open(unlocked, &path, false) {
        // The log's index is a file, too, and a full disk has no room for it: then it is kept in memory, where no other
        // connection can read it. The profile's lock keeps other processes out anyway.
        Err(error) if classify(&error) == DatabaseFault::DiskFull => open(unlocked, &path, true),
        opened => opened,
    };
    opened.map_err(|error| database_error(&path, error))
}

/// Opens a further connection that only reads, so that a long query does not wait for a long write.
///
/// # Errors
/// As [`open_database`].
pub fn open_reader(unlocked: &Unlocked) -> Result<Connection, KeystoreError> {
    let connection = open_database(unlocked)?;
    connection
        .pragma_update(None, "query_only", true)
        .map_err(|error| database_error(&unlocked.home().database_file(), error))?;
    Ok(connection)
}

/// Reads every page and says whether the database is sound. Takes about as long as reading the file twice.
///
/// Each page is compared with its authentication code, unless a long write or read on another connection keeps the log
/// busy for more than 5 s, and then the structure is walked through.
///
/// It has a connection of its own: where a page is damaged, SQLCipher refuses to go on with the one that met it.
///
/// # Errors
/// As [`open_database`].
pub fn check(unlocked: &Unlocked) -> Result<(), KeystoreError> {
    let connection = open_reader(unlocked)?;
    let path = unlocked.home().database_file();
    let faults = |pragma| -> Result<Vec<String>, KeystoreError> {
        let read = || {
            connection
                .prepare(pragma)?
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()
        };
        read().map_err(|error| database_error(&path, error))
    };
    // The codes are compared in the file, past the log. So the log is folded in first: a page that a power cut tore
    // while it was folded in is not damaged, the log still holds it.
    let folded = connection.query_row("PRAGMA wal_checkpoint(FULL)", [], |row| row.get(0));
    let busy: bool = folded.map_err(|error| database_error(&path, error))?;
    let mut found = Vec::new();
    if !busy {
        found = faults("PRAGMA cipher_integrity_check")?;
    }
    if found.is_empty() {
        found = faults("PRAGMA quick_check(10)")?;
        found.retain(|fault| fault != "ok");
    }
    match found.first() {
        None => Ok(()),
        Some(first) => {
            let detail = match found.len() {
                1 => first.clone(),
                many => format!("{first}; {many} faults in all"),
            };
            Err(KeystoreError::DatabaseDamaged {
                path: path.to_path_buf(),
                detail,
            })
        }
    }
}

/// What an error of SQLite means. Only for a connection that [`open_database`] made: the key was right.
#[must_use]
pub fn classify(error: &rusqlite::Error) -> DatabaseFault {
    let Some(failure) = error.sqlite_error() else {
        return DatabaseFault::Other;
    };
    if failure.extended_code == ffi::SQLITE_IOERR_SHMSIZE {
        return DatabaseFault::DiskFull;
    }
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other codes are faults of ours, as are those to come"
    )]
    match failure.code {
        ErrorCode::DiskFull => DatabaseFault::DiskFull,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => DatabaseFault::Damaged,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => DatabaseFault::Busy,
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => DatabaseFault::ReadOnly,
        ErrorCode::OutOfMemory => DatabaseFault::OutOfMemory,
        ErrorCode::SystemIoFailure | ErrorCode::CannotOpen => DatabaseFault::Io,
        _ => DatabaseFault::Other,
    }
}

/// Makes the first page, in the file that is there and empty, and leaves nothing in the log.
pub(super) fn create(unlocked: &Unlocked) -> Result<(), KeystoreError> {
    let path = unlocked.home().database_file();
    let make = || -> rusqlite::Result<()> {
        let connection = open(unlocked, &path, false)?;
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        connection.close().map_err(|(_, error)| error)
    };
    make().map_err(|error| database_error(&path, error))
}

fn open(unlocked: &Unlocked, path: &Path, alone: bool) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    // Statements are planned once, not anew for each value: that took longer than to run them.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // SQLCipher prints to stderr otherwise; its errors come back to us anyway.
    connection.execute_batch("PRAGMA cipher_log_level = NONE")?;
    let hex = Zeroizing::new(to_hex(unlocked.database_key()));
    let key = Zeroizing::new(format!("PRAGMA key = \"x'{}'\"", *hex));
    connection.execute_batch(&key)?;
    // Formats by name, not by the default of whatever SQLCipher is linked some day.
    connection.execute_batch("PRAGMA cipher_compatibility = 4")?;
    if alone {
        connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE")?;
    }
    // The first read: a damaged first page shows here.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;             -- macOS: a plain fsync leaves the data in the drive's cache
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA wal_autocheckpoint = 1000;  -- pages: the log is folded in from 4 MiB on
         PRAGMA journal_size_limit = 4194304;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA secure_delete = ON;         -- what was erased does not stay on free pages
         PRAGMA temp_store = MEMORY;        -- nothing unencrypted in /tmp
         PRAGMA mmap_size = 0;
         PRAGMA cache_size = -4096;         -- KiB",
    )?;
    Ok(connection)
}

fn database_error(path: &Path, source: rusqlite::Error) -> KeystoreError {
    let path = path.to_path_buf();
    match classify(&source) {
        DatabaseFault::Damaged => KeystoreError::DatabaseDamaged {
            path,
            detail: source.to_string(),
        },
        DatabaseFault::DiskFull => KeystoreError::DiskFull(path),
        DatabaseFault::Busy
        | DatabaseFault::ReadOnly
        | DatabaseFault::OutOfMemory
        | DatabaseFault::Io
        | DatabaseFault::Other => KeystoreError::Database { path, source },
    }
}

#[cfg(test)]
#[path = "database_tests.rs"]
mod tests;
