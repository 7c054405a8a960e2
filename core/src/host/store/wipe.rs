//! What was erased goes from the file, too: the views say it no more, the index of the search forgets its words, and the log
//! that still holds the old pages is folded in and cut off. Free pages are overwritten anyway (`secure_delete`).

use crate::replica::hold::{Replica, ReplicaError};
use crate::replica::storage::StorageError;

use super::entries::GroupStore;
use super::failed;

impl Replica<GroupStore> {
    /// Wipes what was erased since this was last done. False where there was nothing.
    ///
    /// # Errors
    /// Where the store fails, or somebody reads from it just now: it is to be tried again.
    pub fn wipe_erased(&mut self) -> Result<bool, ReplicaError> {
        if !self.storage().is_to_wipe()? {
            return Ok(false);
        }
        self.refresh_views()?;
        self.storage().wipe()?;
        Ok(true)
    }
}

impl GroupStore {
    fn is_to_wipe(&self) -> Result<bool, StorageError> {
        let row = self.begun()?;
        self.store()
            .lock()
            .prepare_cached("SELECT to_wipe FROM groups WHERE row = ?1")
            .and_then(|mut statement| statement.query_row([row], |row| row.get(0)))
            .map_err(failed)
    }

    fn wipe(&self) -> Result<(), StorageError> {
        let row = self.begun()?;
        let connection = self.store().lock();
        let fold = || -> rusqlite::Result<bool> {
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        };
        // One segment holds only words of what is there.
        connection
            .execute("INSERT INTO search (search) VALUES ('optimize')", [])
            .map_err(failed)?;
        if fold().map_err(failed)? {
            // Somebody reads: the log is kept for them, and cut off the next time.
            return Ok(());
        }
        connection
            .execute("UPDATE groups SET to_wipe = 0 WHERE row = ?1", [row])
            .map_err(failed)?;
        Ok(())
    }
}
