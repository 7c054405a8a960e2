//! What journals offered that was more than a device may write: for people to see, also when it is not offered just now.

use std::collections::BTreeMap;

use rusqlite::params;

use crate::domain::id::{EntryNumber, JournalId, Timestamp};
use crate::replica::allowance::PutOff;
use crate::replica::storage::StorageError;

use super::entries::GroupStore;
use super::failed;

/// Of a row `p` in group `?1`: is that here by now?
const TAKEN_IN: &str = "EXISTS (SELECT 1 FROM journals j WHERE j.group_row = ?1 AND j.id = p.journal AND j.head_number >= p.through)";

impl GroupStore {
    /// Remembers what was put off. When it was first put off stays.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn set_put_off(&self, all: &BTreeMap<JournalId, PutOff>) -> Result<(), StorageError> {
        let group = self.begun()?;
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let connection = self.store().lock();
        let transaction = connection.unchecked_transaction().map_err(failed)?;
        transaction
            .execute(
                &format!("DELETE FROM put_off AS p WHERE group_row = ?1 AND {TAKEN_IN}"),
                [group],
            )
            .map_err(failed)?;
        for (journal, put_off) in all {
            transaction
                .execute(
                    "INSERT INTO put_off VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET \
                     through = max(through, excluded.through), until = excluded.until",
                    params![
                        group,
                        journal.0,
                        number(put_off.through.0),
                        number(put_off.since.0),
                        number(put_off.until.0)
                    ],
                )
                .map_err(failed)?;
        }
        transaction.commit().map_err(failed)
    }

    /// What was put off and has not been taken in since.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn put_off(&self) -> Result<BTreeMap<JournalId, PutOff>, StorageError> {
        let group = self.begun()?;
        let connection = self.store().lock();
        let mut statement = connection
            .prepare(&format!(
                "SELECT p.journal, p.through, p.since, p.until FROM put_off p WHERE p.group_row = ?1 AND NOT {TAKEN_IN}"
            ))
            .map_err(failed)?;
        let number = |number: i64| u64::try_from(number).unwrap_or(0);
        let rows = statement
            .query_map([group], |row| {
                let put_off = PutOff {
                    through: EntryNumber(number(row.get(1)?)),
                    since: Timestamp(number(row.get(2)?)),
                    until: Timestamp(number(row.get(3)?)),
                };
                Ok((JournalId(row.get(0)?), put_off))
            })
            .map_err(failed)?;
        rows.map(|row| row.map_err(failed)).collect()
    }
}
