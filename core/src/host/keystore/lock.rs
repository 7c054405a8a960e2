//! One process at a time: the lock on a profile.

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use super::KeystoreError;
use super::error::io_error;

/// While it lives, no other process can open the profile. The system lets go of it when the process ends, however it
/// ends; the file `lock` itself stays.
#[derive(Debug)]
pub struct ProfileLock {
    // Never read: the lock is held as long as the file is open.
    _file: File,
}

impl ProfileLock {
    /// Takes the lock, or says which process holds it.
    pub(super) fn take(path: &Path) -> Result<Self, KeystoreError> {
        let mut file = open(path).map_err(io_error(path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(KeystoreError::InUse(holder(&mut file))),
            Err(TryLockError::Error(source)) => return Err(io_error(path)(source)),
        }
        // Only for the message: a full disk must not keep anybody from reading their data.
        let noted = file
            .set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        if let Err(error) = noted {
            tracing::debug!(%error, "the process number could not be written into the lock file");
        }
        Ok(Self { _file: file })
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    super::profile::private_file()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

/// The process number in the lock file; none where it cannot be read (Windows) or is not written yet.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(20).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
