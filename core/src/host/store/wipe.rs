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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::{Arc, Mutex};

    use ed25519_dalek::SigningKey;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;
    use rusqlite::Connection;

    use super::super::{Store, schema};
    use crate::domain::charter::Charter;
    use crate::domain::document::DocumentId;
    use crate::domain::id::{EntryNumber, PersonId, Timestamp};
    use crate::domain::proposal::Draft;
    use crate::replica::hold::{Me, Replica};
    use crate::replica::keys::BoxSecret;
    use crate::replica::storage::Storage;

    const SECRET: &str = "Frieda Musterfrau, 0201 555 777";

    fn holds(directory: &Path, what: &[u8]) -> bool {
        let files = std::fs::read_dir(directory).unwrap();
        files
            .map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .any(|bytes| bytes.windows(what.len()).any(|part| part == what))
    }

    /// The pages as SQLite writes them; the encryption around them, which a thief of the disk would meet, is left away.
    #[test]
    fn what_was_erased_is_in_no_file_any_more_for_who_can_read_them() {
        let directory = tempfile::tempdir().unwrap();
        let mut connection = Connection::open(directory.path().join("store.db")).unwrap();
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON;")
            .unwrap();
        schema::migrate(&mut connection).unwrap();
        let store = Store {
            connection: Arc::new(Mutex::new(connection)),
        };
        let rng = &mut ChaCha20Rng::seed_from_u64(3);
        let person = SigningKey::generate(rng);
        let me = Me {
            person: PersonId(person.verifying_key().to_bytes()),
            device: SigningKey::generate(rng),
            box_key: BoxSecret::generate(rng).public(),
        };
        let at = Timestamp(5);
        let mut replica = Replica::found(store.group(None), &me, &person, Charter::circle(), rng).unwrap();
        let draft = Draft {
            title: format!("Ask {SECRET}"),
            body: format!("She is {SECRET}"),
            ..Draft::default()
        };
        let idea = replica.add_idea(&draft, at, rng).unwrap();
        let comment = format!("I know {SECRET}");
        replica.comment(idea, &comment, at, rng).unwrap();
        replica.refresh_views().unwrap();
        // So many that a cached save is written, too.
        for number in 0..70 {
            replica
                .edit_idea(idea, &format!("{SECRET} {number}"), at)
                .unwrap();
        }
        let journal = replica.own_journal().unwrap();
        let first = replica.storage().entry(journal, EntryNumber(2)).unwrap().unwrap();
        let first = first.entry.sealed.held().unwrap().to_vec();
        let document = DocumentId::Proposal(idea);
        let digest = |replica: &mut Replica<_>| replica.digest().unwrap();
        replica.rebuild().unwrap();
        assert!(holds(directory.path(), SECRET.as_bytes()) && holds(directory.path(), &first));
        replica.set_title(idea, "Ask somebody", at).unwrap();
        replica.edit_idea(idea, "She is somebody", at).unwrap();
        replica.propose_erasure(document, "", at).unwrap();
        replica
            .erase_own(&person, crate::replica::document::Leave::Everything, at)
            .unwrap();
        assert!(replica.wipe_erased().unwrap());
        assert!(!holds(directory.path(), SECRET.as_bytes()));
        assert!(!holds(directory.path(), &first), "not even sealed");
        assert!(!replica.wipe_erased().unwrap(), "once is enough");
        assert_eq!(replica.idea(idea).unwrap().title, "Ask somebody");
        let before = digest(&mut replica);
        let mut again = Replica::open(replica.into_storage()).unwrap();
        assert_eq!(digest(&mut again), before);
    }
}
