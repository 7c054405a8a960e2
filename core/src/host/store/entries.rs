//! A group's entries, journals, keys and cached saves in SQLite: [`Storage`] for a replica.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::admission::Quarantine;
use crate::domain::document::DocumentId;
use crate::domain::id::{EntryId, EntryNumber, GroupId, JournalId, KeyId, Signature};
use crate::replica::codec::{decode, encode};
use crate::replica::entry::{Entry, Header, KeptEntry};
use crate::replica::keys::GroupKey;
use crate::replica::sealed::Sealed;
use crate::replica::storage::{
    Census, Held, JournalRow, OwnJournal, OwnState, Save, Standing, Storage, StorageError, Write,
};

use super::writes::commit_all;
use super::{Store, failed, unreadable};

/// One group's place in the store.
#[derive(Debug, Clone)]
pub struct GroupStore {
    store: Store,
    id: Option<GroupId>,
    row: OnceLock<i64>,
    /// Where the views are, while they cannot be kept beside the entries.
    views: Option<Store>,
}

const WAITING: i64 = 1;
const BEYOND: i64 = 7;
const SUPERSEDED: i64 = 8;

/// No row has this number.
const NOWHERE: i64 = 0;

const COLUMNS: &str = "e.number, e.id, e.prev, e.kind, k.id, e.seen, e.nonce, e.sealed, e.signature, e.standing, \
     e.applied, d.id, e.changes, e.seen_since, j.id";

const FROM: &str = "FROM entries e JOIN journals j ON j.row = e.journal JOIN key_ids k ON k.row = e.key \
     LEFT JOIN documents d ON d.row = e.document";

impl GroupStore {
    pub(super) const fn new(store: Store, id: Option<GroupId>) -> Self {
        Self {
            store,
            id,
            row: OnceLock::new(),
            views: None,
        }
    }

    /// The store it is part of.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Where the views are read from.
    pub(super) fn views(&self) -> &Store {
        self.views.as_ref().unwrap_or(&self.store)
    }

    /// Has the views read from another place, or (none) from beside the entries again.
    pub(super) fn set_views(&mut self, views: Option<Store>) {
        self.views = views;
    }

    /// The group's row, once it has begun.
    pub(super) fn row(&self) -> Result<Option<i64>, StorageError> {
        if let Some(row) = self.row.get() {
            return Ok(Some(*row));
        }
        let Some(id) = self.id else { return Ok(None) };
        let row = group_row(&self.store.lock(), id)?;
        Ok(row.map(|row| *self.row.get_or_init(|| row)))
    }

    pub(super) fn begun(&self) -> Result<i64, StorageError> {
        self.row()?.ok_or_else(|| unreadable("the group"))
    }

    /// The row that reading goes by: a group that has not begun has none, and holds nothing.
    fn place(&self) -> Result<i64, StorageError> {
        Ok(self.row()?.unwrap_or(NOWHERE))
    }

    fn query(&self, rest: &str, values: impl rusqlite::Params) -> Result<Vec<Held>, StorageError> {
        let group = self.id.unwrap_or(GroupId::ZERO);
        let connection = self.store.lock();
        let mut statement = connection
            .prepare_cached(&format!("SELECT {COLUMNS} {FROM} {rest}"))
            .map_err(failed)?;
        let mut rows = statement.query(values).map_err(failed)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            all.push(held(row, group)?);
        }
        Ok(all)
    }
}

impl Storage for GroupStore {
    fn group(&self) -> Result<Option<GroupId>, StorageError> {
        Ok(self.row()?.and(self.id))
    }

    fn keys(&self) -> Result<Vec<GroupKey>, StorageError> {
        let row = self.place()?;
        let connection = self.store.lock();
        let mut statement = connection
            .prepare("SELECT key FROM keys WHERE group_row = ?1 ORDER BY place")
            .map_err(failed)?;
        let keys = statement.query_map([row], |row| row.get(0)).map_err(failed)?;
        keys.map(|key| key.map(GroupKey::from_bytes).map_err(failed))
            .collect()
    }

    fn own(&self) -> Result<Option<OwnJournal>, StorageError> {
        let row = self.begun()?;
        let own: (Option<[u8; 32]>, Option<i64>) = self
            .store
            .lock()
            .query_row(
                "SELECT own_seed, own_state FROM groups WHERE row = ?1",
                [row],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .map_err(failed)?;
        let state = if own.1 == Some(0) {
            OwnState::Writing
        } else {
            OwnState::Left
        };
        Ok(own.0.map(|seed| OwnJournal { seed, state }))
    }

    fn journals(&self) -> Result<Vec<JournalRow>, StorageError> {
        let row = self.place()?;
        let connection = self.store.lock();
        let mut statement = connection
            .prepare(
                "SELECT id, head_number, head_id, ended, seen FROM journals WHERE group_row = ?1 ORDER BY id",
            )
            .map_err(failed)?;
        let mut rows = statement.query([row]).map_err(failed)?;
        let mut journals = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let ended: Option<i64> = row.get(3).map_err(failed)?;
            let seen: Vec<u8> = row.get(4).map_err(failed)?;
            journals.push(JournalRow {
                id: JournalId(row.get(0).map_err(failed)?),
                head: (
                    number(row.get(1).map_err(failed)?),
                    EntryId(row.get(2).map_err(failed)?),
                ),
                ended: ended.map(number),
                seen: decode(&seen).map_err(|_| unreadable("a journal"))?,
            });
        }
        Ok(journals)
    }

    fn control(&self) -> Result<Vec<Held>, StorageError> {
        let row = self.place()?;
        self.query("WHERE e.kind = 0 AND j.group_row = ?1 ORDER BY e.row", [row])
    }

    fn waiting(&self) -> Result<Vec<Held>, StorageError> {
        let row = self.place()?;
        self.query("WHERE e.standing = 1 AND j.group_row = ?1", [row])
    }

    fn beyond(&self) -> Result<Vec<Held>, StorageError> {
        let row = self.place()?;
        self.query("WHERE e.standing = 7 AND j.group_row = ?1", [row])
    }

    fn superseded(&self) -> Result<Vec<Held>, StorageError> {
        let row = self.place()?;
        self.query("WHERE e.standing = 8 AND j.group_row = ?1", [row])
    }

    fn entries_about(&self, document: DocumentId) -> Result<BTreeSet<EntryId>, StorageError> {
        let row = self.place()?;
        let connection = self.store.lock();
        let mut statement = connection
            .prepare(
                "SELECT id FROM entries WHERE kind = 1 AND \
                 document = (SELECT row FROM documents WHERE group_row = ?1 AND id = ?2)",
            )
            .map_err(failed)?;
        let ids = statement
            .query_map(params![row, encode(&document)], |row| row.get(0))
            .map_err(failed)?;
        ids.map(|id| id.map(EntryId).map_err(failed)).collect()
    }

    fn entries(
        &self,
        journal: JournalId,
        after: EntryNumber,
        most: usize,
    ) -> Result<Vec<Held>, StorageError> {
        let row = self.place()?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.query(
            "WHERE j.group_row = ?1 AND j.id = ?2 AND e.number > ?3 ORDER BY e.number LIMIT ?4",
            params![row, journal.0, sql(after.0), most],
        )
    }

    fn entry(&self, journal: JournalId, number: EntryNumber) -> Result<Option<Held>, StorageError> {
        let row = self.place()?;
        let found = self.query(
            "WHERE j.group_row = ?1 AND j.id = ?2 AND e.number = ?3",
            params![row, journal.0, sql(number.0)],
        )?;
        Ok(found.into_iter().next())
    }

    fn aside(&self) -> Result<Vec<Entry>, StorageError> {
        let row = self.place()?;
        let connection = self.store.lock();
        let mut statement = connection
            .prepare("SELECT entry FROM aside WHERE group_row = ?1")
            .map_err(failed)?;
        let rows = statement
            .query_map([row], |row| row.get::<_, Vec<u8>>(0))
            .map_err(failed)?;
        rows.map(|bytes| {
            let kept: KeptEntry = decode(&bytes.map_err(failed)?).map_err(|_| unreadable("an entry"))?;
            kept.into_entry().map_err(|_| unreadable("an entry"))
        })
        .collect()
    }

    fn is_stale(&self) -> Result<bool, StorageError> {
        let row = self.begun()?;
        self.store
            .lock()
            .query_row("SELECT stale FROM groups WHERE row = ?1", [row], |row| row.get(0))
            .map_err(failed)
    }

    fn applied(&self, document: DocumentId, after: u64) -> Result<Vec<Held>, StorageError> {
        let row = self.place()?;
        self.query(
            "WHERE e.document = (SELECT row FROM documents WHERE group_row = ?1 AND id = ?2) AND e.applied > ?3 \
             ORDER BY e.applied",
            params![row, encode(&document), sql(after)],
        )
    }

    fn change_count(
        &self,
        document: DocumentId,
        journal: JournalId,
        through: EntryNumber,
    ) -> Result<u64, StorageError> {
        let row = self.place()?;
        let count: i64 = self
            .store
            .lock()
            .prepare_cached(
                "SELECT coalesce(sum(e.changes), 0) FROM entries e \
                 WHERE e.document = (SELECT row FROM documents WHERE group_row = ?1 AND id = ?2) \
                 AND e.journal = (SELECT row FROM journals WHERE group_row = ?1 AND id = ?3) \
                 AND e.number <= ?4 AND e.applied IS NOT NULL",
            )
            .and_then(|mut statement| {
                statement.query_row(
                    params![row, encode(&document), journal.0, sql(through.0)],
                    |row| row.get(0),
                )
            })
            .map_err(failed)?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    fn weight(&self, journal: JournalId, after: EntryNumber) -> Result<(u64, u64), StorageError> {
        let group = self.place()?;
        let weight = self.store.lock().query_row(
            "SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM (\
               SELECT length(e.sealed) AS bytes FROM entries e JOIN journals j ON j.row = e.journal \
                 WHERE j.group_row = ?1 AND j.id = ?2 AND e.number > ?3 \
               UNION ALL SELECT length(entry) FROM aside WHERE group_row = ?1 AND journal = ?2)",
            params![group, journal.0, i64::try_from(after.0).unwrap_or(i64::MAX)],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
        );
        let (entries, bytes) = weight.map_err(failed)?;
        Ok((
            u64::try_from(entries).unwrap_or(0),
            u64::try_from(bytes).unwrap_or(0),
        ))
    }

    fn census(&self) -> Result<Census, StorageError> {
        let group = self.place()?;
        let connection = self.store.lock();
        let mut statement = connection
            .prepare("SELECT e.id, e.standing FROM entries e JOIN journals j ON j.row = e.journal WHERE j.group_row = ?1")
            .map_err(failed)?;
        let mut rows = statement.query([group]).map_err(failed)?;
        let mut census = Census::default();
        let mut applied = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            census.entries = census.entries.saturating_add(1);
            match row.get::<_, i64>(1).map_err(failed)? {
                0 => applied.push(EntryId(row.get(0).map_err(failed)?)),
                WAITING => census.waiting = census.waiting.saturating_add(1),
                _ => census.quarantined = census.quarantined.saturating_add(1),
            }
        }
        census.applied = applied.into_iter().collect();
        Ok(census)
    }

    fn documents(&self) -> Result<Vec<DocumentId>, StorageError> {
        let group = self.place()?;
        let connection = self.store.lock();
        let mut statement = connection
            .prepare(
                "SELECT d.id FROM documents d WHERE d.group_row = ?1 \
                 AND EXISTS (SELECT 1 FROM entries e WHERE e.document = d.row AND e.applied IS NOT NULL)",
            )
            .map_err(failed)?;
        let rows = statement
            .query_map([group], |row| row.get::<_, Vec<u8>>(0))
            .map_err(failed)?;
        let mut all: BTreeSet<DocumentId> = BTreeSet::new();
        for row in rows {
            all.insert(decode(&row.map_err(failed)?).map_err(|_| unreadable("a document's name"))?);
        }
        Ok(all.into_iter().collect())
    }

    fn save(&self, document: DocumentId) -> Result<Option<Save>, StorageError> {
        let row = self.place()?;
        self.store
            .lock()
            .prepare_cached(
                "SELECT save, through FROM documents WHERE group_row = ?1 AND id = ?2 AND save IS NOT NULL",
            )
            .and_then(|mut statement| {
                let save = |row: &Row<'_>| {
                    let through: i64 = row.get(1)?;
                    Ok(Save {
                        bytes: row.get(0)?,
                        through: u64::try_from(through).unwrap_or(0),
                    })
                };
                statement
                    .query_row(params![row, encode(&document)], save)
                    .optional()
            })
            .map_err(failed)
    }

    fn last_order(&self) -> Result<u64, StorageError> {
        let row = self.place()?;
        // From the ends of two indexes: looking through all entries takes as long as loading a hundred documents.
        let last: Option<i64> = self
            .store
            .lock()
            .query_row(
                "SELECT max(last) FROM ( \
                   SELECT (SELECT max(applied) FROM entries WHERE document = d.row) AS last \
                   FROM documents d WHERE d.group_row = ?1 \
                   UNION ALL \
                   SELECT max(e.applied) FROM entries e JOIN journals j ON j.row = e.journal \
                   WHERE e.kind = 0 AND j.group_row = ?1)",
                [row],
                |row| row.get(0),
            )
            .map_err(failed)?;
        Ok(last.and_then(|last| u64::try_from(last).ok()).unwrap_or(0))
    }

    fn commit(&mut self, group: GroupId, writes: Vec<Write>) -> Result<(), StorageError> {
        self.id = Some(group);
        let row = {
            let mut connection = self.store.lock();
            let transaction = connection.transaction().map_err(failed)?;
            let row = commit_all(&transaction, self.row.get().copied(), group, writes)?;
            transaction.commit().map_err(failed)?;
            row
        };
        self.row.get_or_init(|| row);
        Ok(())
    }
}

pub(super) fn group_row(connection: &Connection, id: GroupId) -> Result<Option<i64>, StorageError> {
    connection
        .query_row("SELECT row FROM groups WHERE id = ?1", [id.0], |row| row.get(0))
        .optional()
        .map_err(failed)
}

fn held(row: &Row<'_>, group: GroupId) -> Result<Held, StorageError> {
    let damaged = || unreadable("an entry");
    let id = EntryId(row.get(1).map_err(failed)?);
    let prev: Option<[u8; 32]> = row.get(2).map_err(failed)?;
    let kind: u8 = row.get(3).map_err(failed)?;
    let seen: Option<Vec<u8>> = row.get(5).map_err(failed)?;
    let sealed: Vec<u8> = row.get(7).map_err(failed)?;
    let signature: Option<[u8; 64]> = row.get(8).map_err(failed)?;
    let document: Option<Vec<u8>> = row.get(11).map_err(failed)?;
    let seen_since: Option<Vec<u8>> = row.get(13).map_err(failed)?;
    let (kind, payload_bytes, sealed) = Sealed::from_kept(kind, sealed).map_err(|_| damaged())?;
    let header = Header {
        group: if GroupId::from(id) == group {
            GroupId::ZERO
        } else {
            group
        },
        journal: JournalId(row.get(14).map_err(failed)?),
        number: number(row.get(0).map_err(failed)?),
        prev: prev.map_or(EntryId::ZERO, EntryId),
        seen: seen
            .map_or(Ok(Vec::new()), |seen| decode(&seen))
            .map_err(|_| damaged())?,
        kind,
        key: KeyId(row.get(4).map_err(failed)?),
        payload_bytes,
    };
    let entry = Entry {
        header,
        nonce: row.get(6).map_err(failed)?,
        sealed,
        signature: signature.map(Signature),
        id,
    };
    Ok(Held {
        entry,
        standing: standing_from_sql(row.get(9).map_err(failed)?, row.get(10).map_err(failed)?)
            .ok_or_else(damaged)?,
        document: document
            .map(|id| decode(&id))
            .transpose()
            .map_err(|_| damaged())?,
        changes: row.get(12).map_err(failed)?,
        seen: seen_since
            .map_or(Ok(BTreeSet::new()), |seen| decode(&seen))
            .map_err(|_| damaged())?,
    })
}

pub(super) const fn standing_to_sql(standing: Standing) -> (i64, Option<i64>) {
    match standing {
        Standing::Applied(order) => (0, Some(order.cast_signed())),
        Standing::Waiting => (WAITING, None),
        Standing::Void => (2, None),
        Standing::Quarantined(Quarantine::NotAMember) => (3, None),
        Standing::Quarantined(Quarantine::NotTheirs) => (4, None),
        Standing::Quarantined(Quarantine::ObserverMayNot) => (5, None),
        Standing::Quarantined(Quarantine::StewardsOnly) => (6, None),
        Standing::Quarantined(Quarantine::Beyond) => (BEYOND, None),
        Standing::Quarantined(Quarantine::Erased) => (SUPERSEDED, None),
        Standing::Erased => (9, None),
    }
}

fn standing_from_sql(standing: i64, applied: Option<i64>) -> Option<Standing> {
    Some(match standing {
        0 => Standing::Applied(u64::try_from(applied?).ok()?),
        WAITING => Standing::Waiting,
        2 => Standing::Void,
        3 => Standing::Quarantined(Quarantine::NotAMember),
        4 => Standing::Quarantined(Quarantine::NotTheirs),
        5 => Standing::Quarantined(Quarantine::ObserverMayNot),
        6 => Standing::Quarantined(Quarantine::StewardsOnly),
        BEYOND => Standing::Quarantined(Quarantine::Beyond),
        SUPERSEDED => Standing::Quarantined(Quarantine::Erased),
        9 => Standing::Erased,
        _ => return None,
    })
}

/// A number as SQLite keeps it. Entry numbers stay far below the sign bit: they count from 1 without gaps.
pub(super) fn sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn number(sql: i64) -> EntryNumber {
    EntryNumber(u64::try_from(sql).unwrap_or(0))
}
