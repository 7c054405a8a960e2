//! The store: one encrypted SQLite database a profile, with all its groups. `entries` keeps what replicas ask for,
//! `views` derives lists and search from the documents, `activity` what the list of ideas tells
//! beside them, `contacts` what is known of other devices, `visits` when this person
//! last looked.

mod activity;
mod contacts;
mod entries;
mod put_off;
mod refresh;
mod schema;
mod views;
mod visits;
mod votes;
mod wipe;
mod writes;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::id::GroupId;
use crate::host::keystore::{DatabaseFault, KeystoreError, Unlocked, classify, open_database};
use crate::replica::storage::StorageError;

pub use contacts::PeerRow;
pub use entries::GroupStore;
pub use views::{CommentRow, IdeaRow, PollRow, SearchHit, TaskRow};
pub use visits::Visit;

/// The profile's database. Cheap to clone: all clones are the same connection.
#[derive(Debug, Clone)]
pub struct Store {
    connection: Arc<Mutex<Connection>>,
}

/// What the profile itself keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileValue {
    /// The person's name.
    Name,
    /// The endpoint key's seed.
    DeviceSeed,
    /// The secret that boxes are opened with.
    BoxSecret,
    /// The person key's public half.
    Person,
    /// The recovery words' entropy, sealed under the passphrase a second time.
    SealedSeed,
    /// The same under the passphrase that is to be valid next; empty where none is.
    NextSealedSeed,
    /// Not empty once the person has said that the recovery words are written down.
    WordsNoted,
    /// When a backup was last written, as a time in 8 bytes; empty or missing where none was.
    BackedUp,
    /// After how many minutes without the person the profile is locked, in 2 bytes; zero: never.
    LockAfter,
}

impl ProfileValue {
    const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::DeviceSeed => "device seed",
            Self::BoxSecret => "box secret",
            Self::Person => "person",
            Self::SealedSeed => "sealed seed",
            Self::NextSealedSeed => "next sealed seed",
            Self::WordsNoted => "words noted",
            Self::BackedUp => "backed up",
            Self::LockAfter => "lock after",
        }
    }
}

impl Store {
    /// Opens the profile's database and brings it to the present schema.
    ///
    /// # Errors
    /// Where it cannot be opened or is damaged.
    pub fn open(unlocked: &Unlocked) -> Result<Self, KeystoreError> {
        let mut connection = open_database(unlocked)?;
        let migrated = schema::migrate(&mut connection);
        let version = schema::version(&connection);
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "whatever else the library finds wrong, the file is"
        )]
        let migrated = migrated.map_err(|error| {
            let path = unlocked.home().database_file();
            match error {
                rusqlite_migration::Error::RusqliteError { err, .. } => match classify(&err) {
                    DatabaseFault::DiskFull => KeystoreError::DiskFull(path),
                    DatabaseFault::Damaged | DatabaseFault::OutOfMemory => KeystoreError::DatabaseDamaged {
                        path,
                        detail: err.to_string(),
                    },
                    DatabaseFault::Busy
                    | DatabaseFault::ReadOnly
                    | DatabaseFault::Io
                    | DatabaseFault::Other => KeystoreError::Database { path, source: err },
                },
                rusqlite_migration::Error::MigrationDefinition(_) => KeystoreError::Newer {
                    what: "This profile".to_owned(),
                    version,
                },
                other => KeystoreError::DatabaseDamaged {
                    path,
                    detail: other.to_string(),
                },
            }
        });
        migrated?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
        })
    }

    /// A store in memory, without encryption: for views that cannot be kept on the disk, and for tests and benchmarks of
    /// what lies above it.
    ///
    /// # Errors
    /// Where SQLite fails.
    pub fn in_memory() -> Result<Self, StorageError> {
        let mut connection = Connection::open_in_memory().map_err(failed)?;
        // Nothing unencrypted in /tmp.
        connection
            .pragma_update(None, "temp_store", "MEMORY")
            .map_err(failed)?;
        schema::migrate(&mut connection).map_err(|error| StorageError::Failed(Box::new(error)))?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
        })
    }

    /// One of the profile's own values.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn profile_value(&self, value: ProfileValue) -> Result<Option<Vec<u8>>, StorageError> {
        self.lock()
            .query_row(
                "SELECT value FROM profile WHERE name = ?1",
                [value.name()],
                |row| row.get(0),
            )
            .optional()
            .map_err(failed)
    }

    /// Keeps several of the profile's own values, all or none.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn set_profile_values(&self, values: &[(ProfileValue, &[u8])]) -> Result<(), StorageError> {
        let mut connection = self.lock();
        let transaction = connection.transaction().map_err(failed)?;
        for (value, bytes) in values {
            transaction
                .execute(
                    "INSERT OR REPLACE INTO profile VALUES (?1, ?2)",
                    params![value.name(), bytes],
                )
                .map_err(failed)?;
        }
        transaction.commit().map_err(failed)
    }

    /// The groups that have begun here.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn groups(&self) -> Result<Vec<GroupId>, StorageError> {
        let connection = self.lock();
        let mut statement = connection
            .prepare("SELECT id FROM groups ORDER BY row")
            .map_err(failed)?;
        let rows = statement.query_map([], |row| row.get(0)).map_err(failed)?;
        rows.map(|row| row.map(GroupId).map_err(failed)).collect()
    }

    /// Where a group's entries are kept; for a new group an empty place.
    #[must_use]
    pub fn group(&self, id: Option<GroupId>) -> GroupStore {
        GroupStore::new(self.clone(), id)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic while it was held rolled its transaction back: the connection is sound.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a replica is told of a database error.
pub(super) fn failed(error: rusqlite::Error) -> StorageError {
    match classify(&error) {
        DatabaseFault::DiskFull => StorageError::Full,
        DatabaseFault::Damaged | DatabaseFault::OutOfMemory => StorageError::Damaged(error.to_string()),
        DatabaseFault::Busy | DatabaseFault::ReadOnly | DatabaseFault::Io | DatabaseFault::Other => {
            StorageError::Failed(Box::new(error))
        }
    }
}

/// What a value that cannot be read back means.
pub(super) fn unreadable(what: &str) -> StorageError {
    StorageError::Damaged(format!("{what} cannot be read back"))
}
