//! A backup file: a head in the clear that says how its key follows from the passphrase, then sealed chunks.
//!
//! ```text
//!   0  magic       8 bytes  "KIEZBACK"
//!   8  version     u16, big-endian, as in `profile.kiez`
//!  10  memory      u32, KiB            \
//!  14  passes      u32                  | Argon2id
//!  18  lanes       u32                 /
//!  22  salt       32 bytes             fresh for each file, so each file has a key of its own
//!  54  key check  32 bytes             tells a wrong passphrase from a damaged file
//!  86  checksum   32 bytes             BLAKE3 of all before
//! 118  chunks                          65,536 bytes each, the last may be shorter; XChaCha20-Poly1305, the tag behind each
//! ```
//! A chunk's nonce is its number (u64, little-endian), then 1 for the last one, else 0, then zeros; what it is bound to is the head.
//! So no chunk can be changed, left out or put elsewhere, and a file that is cut off is noticed. What is in the chunks is up to
//! `host::node`.

use std::fmt;
use std::io::{self, Read, Write};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::KeystoreError;
use super::derivation::{self, Cost, Passphrase};
use crate::host::random;

const MAGIC: [u8; 8] = *b"KIEZBACK";
const VERSION: u16 = 1;
const HEAD_BYTES: usize = 118;
const CHUNK_BYTES: usize = 64 * 1024;
const TAG_BYTES: usize = 16;
const SEALED_BYTES: usize = CHUNK_BYTES + TAG_BYTES;

const BACKUP_KEY: &str = "kiez 2026-11 root key to backup key";
const BACKUP_CHECK: &str = "kiez 2026-11 root key to backup check";

/// Why a backup could not be written or read. Nothing that was there before is lost.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It begins otherwise.
    #[error("This is no Kiez backup. Choose the file that `kiez backup`, or the settings, wrote.")]
    NotABackup,
    /// Newer software made it.
    #[error("This backup was made by a newer Kiez (format {0}). Update Kiez, then try again.")]
    Newer(u16),
    /// Some of it is missing.
    #[error("This backup is cut off: its end is missing. Copy it again from where it came from, whole.")]
    CutOff,
    /// Not what was written.
    #[error(
        "This backup is damaged. Copy it again from where it came from, or take an older one; your recovery words work, too."
    )]
    Damaged,
    /// It would lie in the profile's own folder, and be lost with it.
    #[error(
        "A backup in the profile's own folder would be lost with it. Choose another place, best a stick."
    )]
    InProfile,
    /// The person stopped it.
    #[error("It was stopped. Nothing was changed.")]
    Stopped,
    /// The passphrase is wrong, or memory is short.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// The file cannot be read or written.
    #[error("The backup cannot be read or written: {0}.")]
    Io(#[source] io::Error),
}

impl From<io::Error> for BackupError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A backup that is being written.
pub struct BackupWriter<W> {
    to: W,
    seal: Seal,
    /// What is not sealed yet: at most one chunk, and never none once something was written.
    plain: Zeroizing<Vec<u8>>,
}

impl<W: Write> BackupWriter<W> {
    /// Begins one: writes the head. Takes as long as unlocking a profile.
    ///
    /// # Errors
    /// [`BackupError::Keystore`], [`BackupError::Io`].
    pub fn begin(mut to: W, passphrase: &Passphrase, cost: Cost) -> Result<Self, BackupError> {
        let (seal, head) = Seal::fresh(passphrase, cost, random::bytes())?;
        to.write_all(&head)?;
        Ok(Self {
            to,
            seal,
            plain: Zeroizing::new(Vec::with_capacity(CHUNK_BYTES)),
        })
    }

    /// Writes on.
    ///
    /// # Errors
    /// [`BackupError::Io`].
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), BackupError> {
        while !bytes.is_empty() {
            if self.plain.len() == CHUNK_BYTES {
                self.put(false)?;
            }
            let room = CHUNK_BYTES.saturating_sub(self.plain.len());
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.plain.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// Ends it, and gives back what it was written to.
    ///
    /// # Errors
    /// [`BackupError::Io`].
    pub fn finish(mut self) -> Result<W, BackupError> {
        self.put(true)?;
        Ok(self.to)
    }

    fn put(&mut self, last: bool) -> Result<(), BackupError> {
        let nonce = self.seal.nonce(last);
        let payload = Payload {
            msg: &self.plain,
            aad: &self.seal.head,
        };
        let sealed = self.seal.cipher.encrypt(&nonce, payload);
        // The cipher seals whatever is so short.
        self.to.write_all(&sealed.map_err(|_| BackupError::Damaged)?)?;
        self.seal.next();
        self.plain.clear();
        Ok(())
    }
}

/// A backup that is being read. What it gives was written by who knew the passphrase, and nothing is missing before it.
pub struct BackupReader<R> {
    from: R,
    seal: Seal,
    /// Read ahead, to know which chunk is the last.
    ahead: Vec<u8>,
    plain: Zeroizing<Vec<u8>>,
    /// How much of `plain` was given.
    given: usize,
    ended: bool,
}

impl<R: Read> BackupReader<R> {
    /// Begins to read one. Takes as long as unlocking a profile.
    ///
    /// # Errors
    /// All of [`BackupError`] but those of writing.
    pub fn begin(mut from: R, passphrase: &Passphrase) -> Result<Self, BackupError> {
        let head = read_up_to(&mut from, HEAD_BYTES)?;
        let seal = Seal::of_head(&head, passphrase)?;
        let ahead = read_up_to(&mut from, SEALED_BYTES)?;
        if ahead.is_empty() {
            return Err(BackupError::CutOff);
        }
        Ok(Self {
            from,
            seal,
            ahead,
            plain: Zeroizing::default(),
            given: 0,
            ended: false,
        })
    }

    /// So many bytes.
    ///
    /// # Errors
    /// [`BackupError::CutOff`], [`BackupError::Damaged`], [`BackupError::Io`].
    pub fn read(&mut self, count: usize) -> Result<Zeroizing<Vec<u8>>, BackupError> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(count.min(SEALED_BYTES)));
        while bytes.len() < count {
            let wanted = count.saturating_sub(bytes.len());
            let left = self.plain.get(self.given..).unwrap_or_default();
            if left.is_empty() {
                self.open_next()?;
                continue;
            }
            let now = left.get(..wanted.min(left.len())).unwrap_or_default();
            bytes.extend_from_slice(now);
            self.given = self.given.saturating_add(now.len());
        }
        Ok(bytes)
    }

    /// Reads all that is left of it, so that all of it is known to be sound.
    ///
    /// # Errors
    /// As [`BackupReader::read`].
    pub fn check(&mut self) -> Result<(), BackupError> {
        while !self.ended {
            self.open_next()?;
        }
        Ok(())
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// [`BackupError::Damaged`].
    pub fn end(&self) -> Result<(), BackupError> {
        if self.ended && self.given == self.plain.len() {
            Ok(())
        } else {
            Err(BackupError::Damaged)
        }
    }

    fn open_next(&mut self) -> Result<(), BackupError> {
        if self.ended {
            return Err(BackupError::Damaged);
        }
        let sealed = std::mem::take(&mut self.ahead);
        if sealed.len() == SEALED_BYTES {
            self.ahead = read_up_to(&mut self.from, SEALED_BYTES)?;
        }
        let last = self.ahead.is_empty();
        let open = |last| {
            let payload = Payload {
                msg: &sealed,
                aad: &self.seal.head,
            };
            self.seal.cipher.decrypt(&self.seal.nonce(last), payload)
        };
        let plain = match open(last) {
            Ok(plain) => plain,
            Err(_) if last && open(false).is_ok() => return Err(BackupError::CutOff),
            Err(_) => return Err(BackupError::Damaged),
        };
        self.plain = Zeroizing::new(plain);
        self.given = 0;
        self.ended = last;
        self.seal.next();
        Ok(())
    }
}

impl<W> fmt::Debug for BackupWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BackupWriter(..)")
    }
}

impl<R> fmt::Debug for BackupReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BackupReader(..)")
    }
}

/// The key of one file, and how far it is.
struct Seal {
    cipher: XChaCha20Poly1305,
    head: [u8; HEAD_BYTES],
    number: u64,
}

impl Seal {
    fn fresh(
        passphrase: &Passphrase,
        cost: Cost,
        salt: [u8; 32],
    ) -> Result<(Self, [u8; HEAD_BYTES]), BackupError> {
        if passphrase.is_empty() {
            return Err(KeystoreError::EmptyPassphrase.into());
        }
        let root = derivation::derive(passphrase, &salt, cost)?;
        let mut bytes = Vec::with_capacity(HEAD_BYTES);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_be_bytes());
        bytes.extend(cost.to_bytes());
        bytes.extend(salt);
        bytes.extend(blake3::derive_key(BACKUP_CHECK, root.as_slice()));
        let checksum = blake3::hash(&bytes);
        bytes.extend(checksum.as_bytes());
        // Of this length by what was put in.
        let head: [u8; HEAD_BYTES] = bytes.try_into().map_err(|_| BackupError::Damaged)?;
        Ok((Self::with(&root, head), head))
    }

    fn of_head(bytes: &[u8], passphrase: &Passphrase) -> Result<Self, BackupError> {
        let start = bytes.get(..MAGIC.len()).unwrap_or(bytes);
        if start.is_empty() || !MAGIC.starts_with(start) {
            return Err(BackupError::NotABackup);
        }
        let head: &[u8; HEAD_BYTES] = bytes.try_into().map_err(|_| BackupError::CutOff)?;
        let damaged = || BackupError::Damaged;
        let (said, checksum) = head.split_last_chunk::<32>().ok_or_else(damaged)?;
        let rest = said.get(MAGIC.len()..).ok_or_else(damaged)?;
        let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(damaged)?;
        // Before the checksum: another version's may stand elsewhere.
        let version = u16::from_be_bytes(*version);
        if version > VERSION {
            return Err(BackupError::Newer(version));
        }
        if version != VERSION || blake3::hash(said) != *checksum {
            return Err(damaged());
        }
        let (cost, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
        let (salt, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
        let check: &[u8; 32] = rest.try_into().map_err(|_| damaged())?;
        let cost = Cost::from_bytes(cost).ok_or_else(damaged)?;
        let root = derivation::derive(passphrase, salt, cost)?;
        // Both are hashes, so how long the comparison takes tells nothing about the passphrase.
        if blake3::derive_key(BACKUP_CHECK, root.as_slice()) != *check {
            return Err(KeystoreError::WrongPassphrase.into());
        }
        Ok(Self::with(&root, *head))
    }

    fn with(root: &[u8; 32], head: [u8; HEAD_BYTES]) -> Self {
        let key = Zeroizing::new(blake3::derive_key(BACKUP_KEY, root));
        Self {
            cipher: XChaCha20Poly1305::new(&Key::from(*key)),
            head,
            number: 0,
        }
    }

    fn nonce(&self, last: bool) -> XNonce {
        let mut nonce = [0; 24];
        let bytes = self.number.to_le_bytes().into_iter().chain([u8::from(last)]);
        for (place, byte) in nonce.iter_mut().zip(bytes) {
            *place = byte;
        }
        XNonce::from(nonce)
    }

    const fn next(&mut self) {
        self.number = self.number.saturating_add(1);
    }
}

fn read_up_to(from: &mut impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(u64::try_from(most).unwrap_or(u64::MAX))
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
#[path = "backup_tests.rs"]
mod tests;
