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
    file: File,
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
        Ok(Self { file })
    }
}

impl Drop for ProfileLock {
    fn drop(&mut self) {
        // Closing is not enough: a program that is being started at this moment still has the file open, too.
        if let Err(error) = self.file.unlock() {
            tracing::debug!(%error, "the lock is only let go of when the file is closed everywhere");
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_free_again_also_where_a_program_being_started_still_has_the_file_open() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let lock = ProfileLock::take(&path).unwrap();
        assert!(matches!(
            ProfileLock::take(&path),
            Err(KeystoreError::InUse(Some(holder))) if holder == std::process::id()
        ));
        // As a fork has it until it runs its own program.
        let inherited = lock.file.try_clone().unwrap();
        drop(lock);
        drop(ProfileLock::take(&path).unwrap());
        drop(inherited);
    }
}
