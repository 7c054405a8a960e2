//! The profile directory: making one, unlocking one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::derivation::{self, Cost, Passphrase};
use super::error::io_error;
use super::header::{Header, HeaderFault, SealedKey};
use super::{KeystoreError, ProfileLock, database};
use crate::host::random;

const HEADER: &str = "profile.kiez";
/// The header of a profile that is being made. Where it is left behind, nobody was told that the profile exists.
const UNFINISHED: &str = "profile.kiez.new";
/// The header under a new passphrase, before it takes the old one's place. Where it is left behind it says nothing.
const CHANGED: &str = "profile.kiez.changed";
const DATABASE: &str = "store.db";
const LOCK: &str = "lock";
const PAGE: &str = "page";

const DATABASE_KEY: &str = "kiez 2026-11 root key to database key";
const SEALING_KEY: &str = "kiez 2026-11 root key to sealing key";
const KEY_CHECK: &str = "kiez 2026-11 root key to key check";

/// Where a profile is, or is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    directory: PathBuf,
}

impl Home {
    /// The profile in this directory. Nothing is read or made yet.
    #[must_use]
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
        }
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The encrypted database. Beside it lie SQLite's own `-wal` and `-shm`; a copy of the file alone is no backup.
    #[must_use]
    pub fn database_file(&self) -> PathBuf {
        self.directory.join(DATABASE)
    }

    /// Whether a profile is here. Says nothing about whether it is sound.
    #[must_use]
    pub fn holds_profile(&self) -> bool {
        self.header_file().exists()
    }

    /// Makes a new profile with an empty database, and the directory where it is missing.
    ///
    /// Takes 250 ms to 1 s: not for a thread that must stay awake.
    ///
    /// # Errors
    /// [`KeystoreError::ProfileExists`], [`KeystoreError::HeaderMissing`], [`KeystoreError::EmptyPassphrase`],
    /// [`KeystoreError::InUse`], [`KeystoreError::DiskFull`], [`KeystoreError::Io`], [`KeystoreError::Database`],
    /// [`KeystoreError::OutOfMemory`]. What was made until then is swept away by the next attempt.
    pub fn create(&self, passphrase: &Passphrase) -> Result<Unlocked, KeystoreError> {
        self.create_at(passphrase, Cost::STANDARD)
    }

    /// [`Home::create`] with another cost of the derivation.
    ///
    /// # Errors
    /// As [`Home::create`].
    pub fn create_at(&self, passphrase: &Passphrase, cost: Cost) -> Result<Unlocked, KeystoreError> {
        self.create_filled(passphrase, cost, |_| Ok(()))
    }

    /// [`Home::create_at`], with something done in the new database before the profile counts as there: all of it is there
    /// then, or nothing.
    ///
    /// # Errors
    /// As [`Home::create`], and what `fill` fails with.
    pub fn create_filled<E: From<KeystoreError>>(
        &self,
        passphrase: &Passphrase,
        cost: Cost,
        fill: impl FnOnce(&Unlocked) -> Result<(), E>,
    ) -> Result<Unlocked, E> {
        let unlocked = self.begin(passphrase, cost)?;
        if let Err(error) = fill(&unlocked) {
            // Best at once; where not, the next attempt does it.
            if let Err(left) = self.sweep() {
                tracing::warn!("what was begun stays until the next attempt: {left}");
            }
            return Err(error);
        }
        // From here on the profile exists.
        let unfinished = self.directory.join(UNFINISHED);
        fs::rename(&unfinished, self.header_file()).map_err(io_error(&unfinished))?;
        self.sync_directory()?;
        Ok(unlocked)
    }

    /// Everything but the header in its place.
    fn begin(&self, passphrase: &Passphrase, cost: Cost) -> Result<Unlocked, KeystoreError> {
        if passphrase.is_empty() {
            return Err(KeystoreError::EmptyPassphrase);
        }
        self.refuse_if_taken()?;
        private_directory(&self.directory).map_err(io_error(&self.directory))?;
        let lock = self.lock()?;
        // Again, now that nobody else can be making one.
        self.refuse_if_taken()?;
        self.sweep()?;

        let salt = random::bytes();
        let root = derivation::derive(passphrase, &salt, cost)?;
        let header = Header {
            cost,
            salt,
            key_check: key_check(&root),
            sealed_key: None,
        };
        let unfinished = self.directory.join(UNFINISHED);
        write_durably(&unfinished, &header.to_bytes()).map_err(io_error(&unfinished))?;
        self.sync_directory()?;

        let unlocked = Unlocked {
            home: self.clone(),
            database_key: database_key(&root),
            _lock: lock,
        };
        let database = self.database_file();
        write_durably(&database, &[]).map_err(io_error(&database))?;
        database::create(&unlocked)?;
        self.sync_directory()?;
        Ok(unlocked)
    }

    /// Opens the profile with its passphrase.
    ///
    /// Takes 250 ms to 1 s: not for a thread that must stay awake.
    ///
    /// # Errors
    /// [`KeystoreError::NoProfile`], [`KeystoreError::InUse`], [`KeystoreError::HeaderMissing`],
    /// [`KeystoreError::HeaderDamaged`], [`KeystoreError::Newer`], [`KeystoreError::WrongPassphrase`],
    /// [`KeystoreError::OutOfMemory`], [`KeystoreError::Io`].
    pub fn unlock(&self, passphrase: &Passphrase) -> Result<Unlocked, KeystoreError> {
        // Before the lock: a look at a folder without a profile leaves no file there.
        let header = self.read_header()?;
        let lock = self.lock()?;
        let root = root_of(&header, passphrase)?;
        let key = match header.sealed_key {
            None => Some(database_key(&root)),
            Some(_) => open_key(&header, &root),
        };
        let damaged = || KeystoreError::HeaderDamaged {
            path: self.header_file(),
            what: "the key in it does not open",
        };
        Ok(Unlocked {
            home: self.clone(),
            database_key: key.ok_or_else(damaged)?,
            _lock: lock,
        })
    }

    /// Makes away with the profile, also without its passphrase: overwrites the header, without which nothing opens the
    /// database, then removes both. Cut off in the middle, it is done again. A disk may keep old blocks where nobody sees them:
    /// without the passphrase they say nothing.
    ///
    /// # Errors
    /// [`KeystoreError::NoProfile`], [`KeystoreError::InUse`], [`KeystoreError::Io`].
    pub fn erase(&self) -> Result<(), KeystoreError> {
        let headers = [HEADER, CHANGED, UNFINISHED].map(|name| self.directory.join(name));
        if !self.holds_profile() && !self.holds_data_without_header() {
            return Err(KeystoreError::NoProfile(self.directory.clone()));
        }
        let _lock = self.lock()?;
        for header in headers.iter().filter(|header| header.exists()) {
            overwrite(header).map_err(io_error(header))?;
        }
        self.sync_directory()?;
        let data = [DATABASE, "store.db-wal", "store.db-shm", "store.db-journal"];
        let data = data.map(|name| self.directory.join(name));
        for path in data.iter().rev().chain(headers.iter().rev()) {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error(path)(error)),
                Ok(()) | Err(_) => {}
            }
        }
        // What the window's page keeps: how it looks, and which group was shown.
        fs::remove_dir_all(self.directory.join(PAGE)).ok();
        fs::remove_file(self.directory.join(LOCK)).ok();
        self.sync_directory()?;
        // Where nothing else is in it.
        fs::remove_dir(&self.directory).ok();
        Ok(())
    }

    /// Takes the lock without opening anything: for a copy of the whole directory, or a move.
    ///
    /// # Errors
    /// [`KeystoreError::InUse`], [`KeystoreError::Io`].
    pub fn lock(&self) -> Result<ProfileLock, KeystoreError> {
        ProfileLock::take(&self.directory.join(LOCK))
    }

    fn header_file(&self) -> PathBuf {
        self.directory.join(HEADER)
    }

    /// Is there no profile here, and nothing of one?
    ///
    /// # Errors
    /// [`KeystoreError::ProfileExists`], [`KeystoreError::HeaderMissing`].
    pub(crate) fn refuse_if_taken(&self) -> Result<(), KeystoreError> {
        if self.holds_profile() {
            return Err(KeystoreError::ProfileExists(self.directory.clone()));
        }
        if self.holds_data_without_header() {
            return Err(KeystoreError::HeaderMissing(self.header_file()));
        }
        Ok(())
    }

    /// Asked where the header is missing: whether it got lost, and not merely was never finished.
    fn holds_data_without_header(&self) -> bool {
        self.database_file().exists() && !self.directory.join(UNFINISHED).exists()
    }

    /// Removes what an unfinished attempt left. The mark of it goes last.
    fn sweep(&self) -> Result<(), KeystoreError> {
        let database = [DATABASE, "store.db-wal", "store.db-shm", "store.db-journal"];
        for name in database.into_iter().chain([UNFINISHED]) {
            let path = self.directory.join(name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error(&path)(error)),
                Ok(()) | Err(_) => {}
            }
            if name != UNFINISHED {
                self.sync_directory()?;
            }
        }
        Ok(())
    }

    fn read_header(&self) -> Result<Header, KeystoreError> {
        let path = self.header_file();
        let file = File::open(&path).map_err(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                io_error(&path)(error)
            } else if self.holds_data_without_header() {
                KeystoreError::HeaderMissing(path.clone())
            } else {
                KeystoreError::NoProfile(self.directory.clone())
            }
        })?;
        let mut bytes = Vec::new();
        file.take(Header::SIZE_MOST)
            .read_to_end(&mut bytes)
            .map_err(io_error(&path))?;
        Header::from_bytes(&bytes).map_err(|fault| match fault {
            HeaderFault::Damaged(what) => KeystoreError::HeaderDamaged { path, what },
            HeaderFault::Newer(version) => KeystoreError::Newer {
                what: path.display().to_string(),
                version,
            },
        })
    }

    fn sync_directory(&self) -> Result<(), KeystoreError> {
        sync_directory(&self.directory).map_err(io_error(&self.directory))
    }
}

/// A profile that is open: the lock on it, and the key of its database, which is wiped when this is dropped.
///
/// Keep it as long as a connection to the database is open: it keeps other processes out.
pub struct Unlocked {
    home: Home,
    database_key: Zeroizing<[u8; 32]>,
    _lock: ProfileLock,
}

impl Unlocked {
    /// Which profile it is.
    #[must_use]
    pub const fn home(&self) -> &Home {
        &self.home
    }

    pub(super) fn database_key(&self) -> &[u8; 32] {
        &self.database_key
    }

    /// Has the profile open with another passphrase from now on. The database keeps its key: what changes is one small file,
    /// replaced whole, so that after a crash either the old passphrase is valid or the new one. Whoever has a copy of the
    /// old file and the old passphrase can still open the database.
    ///
    /// Takes twice as long as unlocking.
    ///
    /// # Errors
    /// [`KeystoreError::WrongPassphrase`] where the old one is wrong, [`KeystoreError::EmptyPassphrase`], and those of
    /// [`Home::unlock`]. The old one is valid then.
    pub fn change_passphrase(&self, old: &Passphrase, new: &Passphrase) -> Result<(), KeystoreError> {
        let standing = self.home.read_header()?;
        root_of(&standing, old)?;
        if new.is_empty() {
            return Err(KeystoreError::EmptyPassphrase);
        }
        let salt = random::bytes();
        let root = derivation::derive(new, &salt, standing.cost)?;
        let mut header = Header {
            cost: standing.cost,
            salt,
            key_check: key_check(&root),
            sealed_key: None,
        };
        let sealed = seal_key(&header, &root, &self.database_key);
        // The cipher seals whatever is so short. If it did not, there must be no header that opens nothing.
        header.sealed_key = Some(sealed.ok_or(KeystoreError::SeedDamaged)?);
        let changed = self.home.directory.join(CHANGED);
        write_durably(&changed, &header.to_bytes()).map_err(io_error(&changed))?;
        // From here on the new one is valid.
        fs::rename(&changed, self.home.header_file()).map_err(io_error(&changed))?;
        self.home.sync_directory()
    }
}

/// The root key, where the passphrase is the right one.
fn root_of(header: &Header, passphrase: &Passphrase) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
    let root = derivation::derive(passphrase, &header.salt, header.cost)?;
    // Both are hashes, so how long the comparison takes tells nothing about the passphrase.
    if key_check(&root) == header.key_check {
        Ok(root)
    } else {
        Err(KeystoreError::WrongPassphrase)
    }
}

fn sealing(root: &[u8; 32]) -> XChaCha20Poly1305 {
    let key = Zeroizing::new(blake3::derive_key(SEALING_KEY, root));
    XChaCha20Poly1305::new(&Key::from(*key))
}

/// The database key for a header, sealed under a fresh nonce.
fn seal_key(header: &Header, root: &[u8; 32], key: &[u8; 32]) -> Option<SealedKey> {
    let nonce: [u8; 24] = random::bytes();
    let aad = header.bound();
    let payload = Payload { msg: key, aad: &aad };
    let sealed = sealing(root).encrypt(&XNonce::from(nonce), payload).ok()?;
    Some((nonce, sealed.try_into().ok()?))
}

fn open_key(header: &Header, root: &[u8; 32]) -> Option<Zeroizing<[u8; 32]>> {
    let (nonce, sealed) = header.sealed_key.as_ref()?;
    let aad = header.bound();
    let payload = Payload {
        msg: sealed,
        aad: &aad,
    };
    let key = Zeroizing::new(sealing(root).decrypt(&XNonce::from(*nonce), payload).ok()?);
    let key: [u8; 32] = key.as_slice().try_into().ok()?;
    Some(Zeroizing::new(key))
}

impl std::fmt::Debug for Unlocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unlocked")
            .field("home", &self.home)
            .finish_non_exhaustive()
    }
}

fn database_key(root: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(blake3::derive_key(DATABASE_KEY, root))
}

fn key_check(root: &[u8; 32]) -> [u8; 32] {
    blake3::derive_key(KEY_CHECK, root)
}

/// Options that make a file only its owner can read, where the system has such modes.
pub(crate) fn private_file() -> OpenOptions {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the directory, for its owner only. One that is there keeps its mode: it is not ours to change.
fn private_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other?,
    }
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent),
        Some(_) | None => Ok(()),
    }
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = private_file()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Puts zeros in the place of what a file holds.
fn overwrite(path: &Path) -> io::Result<()> {
    let mut file = private_file().write(true).open(path)?;
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    // No header is longer.
    file.write_all(&vec![0; length.min(4096)])?;
    file.sync_all()
}

/// Makes names in a directory durable: a new file's name is safe only once its directory is synced, too.
#[cfg(unix)]
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Elsewhere (Windows) a directory cannot be opened as a file, and names are journalled by the system.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same shape as where it can fail")]
pub(crate) fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[path = "profile_tests.rs"]
mod tests;
