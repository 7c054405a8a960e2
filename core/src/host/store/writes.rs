//! One commit of a replica: its writes as SQL, all or none.

use std::collections::BTreeMap;

use rusqlite::{CachedStatement, OptionalExtension, Transaction, params};

use crate::domain::document::DocumentId;
use crate::domain::id::{EntryNumber, GroupId, JournalId, KeyId};
use crate::replica::codec::encode;
use crate::replica::entry::EntryKind;
use crate::replica::storage::{Held, OwnState, StorageError, Write};

use super::entries::{group_row, sql, standing_to_sql};
use super::failed;

pub(super) fn commit_all(
    transaction: &Transaction<'_>,
    known: Option<i64>,
    group: GroupId,
    writes: Vec<Write>,
) -> Result<i64, StorageError> {
    let row = match known.map_or_else(|| group_row(transaction, group), |row| Ok(Some(row)))? {
        Some(row) => row,
        None => {
            transaction
                .execute("INSERT INTO groups (id) VALUES (?1)", [group.0])
                .map_err(failed)?;
            transaction.last_insert_rowid()
        }
    };
    // Journals first: entries name their rows.
    let (journals, others): (Vec<Write>, Vec<Write>) = writes
        .into_iter()
        .partition(|write| matches!(write, Write::Journal(_)));
    let mut places = Places::default();
    for write in journals.into_iter().chain(others) {
        write_one(transaction, row, write, &mut places).map_err(failed)?;
    }
    Ok(row)
}

/// Rows looked up once a commit.
#[derive(Default)]
struct Places {
    journals: BTreeMap<JournalId, i64>,
    keys: BTreeMap<KeyId, i64>,
    documents: BTreeMap<DocumentId, i64>,
}

impl Places {
    fn journal(&mut self, t: &Transaction<'_>, group: i64, id: JournalId) -> rusqlite::Result<i64> {
        if let Some(row) = self.journals.get(&id) {
            return Ok(*row);
        }
        let row = t
            .prepare_cached("SELECT row FROM journals WHERE group_row = ?1 AND id = ?2")?
            .query_row(params![group, id.0], |row| row.get(0))?;
        self.journals.insert(id, row);
        Ok(row)
    }

    fn key(&mut self, t: &Transaction<'_>, id: KeyId) -> rusqlite::Result<i64> {
        if let Some(row) = self.keys.get(&id) {
            return Ok(*row);
        }
        let found = t
            .prepare_cached("SELECT row FROM key_ids WHERE id = ?1")?
            .query_row([id.0], |row| row.get(0))
            .optional()?;
        let row = match found {
            Some(row) => row,
            None => t
                .prepare_cached("INSERT INTO key_ids (id) VALUES (?1)")?
                .insert([id.0])?,
        };
        self.keys.insert(id, row);
        Ok(row)
    }

    fn document(&mut self, t: &Transaction<'_>, group: i64, id: DocumentId) -> rusqlite::Result<i64> {
        if let Some(row) = self.documents.get(&id) {
            return Ok(*row);
        }
        let name = encode(&id);
        let found = t
            .prepare_cached("SELECT row FROM documents WHERE group_row = ?1 AND id = ?2")?
            .query_row(params![group, name], |row| row.get(0))
            .optional()?;
        let row = match found {
            Some(row) => row,
            None => t
                .prepare_cached("INSERT INTO documents (group_row, id) VALUES (?1, ?2)")?
                .insert(params![group, name])?,
        };
        self.documents.insert(id, row);
        Ok(row)
    }
}

fn write_one(t: &Transaction<'_>, group: i64, write: Write, places: &mut Places) -> rusqlite::Result<()> {
    match write {
        Write::Entry(held) => insert_entry(t, group, &held, places),
        Write::Standing(journal, number, standing, seen) => {
            let journal = places.journal(t, group, journal)?;
            let (standing, applied) = standing_to_sql(standing);
            t.prepare_cached(
                "UPDATE entries SET standing = ?3, applied = ?4 WHERE journal = ?1 AND number = ?2",
            )?
            .execute(params![journal, sql(number.0), standing, applied])?;
            if let Some(seen) = seen {
                t.prepare_cached("UPDATE entries SET seen_since = ?3 WHERE journal = ?1 AND number = ?2")?
                    .execute(params![journal, sql(number.0), encode(&seen)])?;
            }
            t.prepare_cached(
                "UPDATE documents SET dirty = 1 WHERE row = \
                 (SELECT document FROM entries WHERE journal = ?1 AND number = ?2)",
            )?
            .execute(params![journal, sql(number.0)])?;
            Ok(())
        }
        Write::Payload(entry) => {
            let header = &entry.header;
            let (kind, sealed) = entry.sealed.to_kept(header.kind, header.payload_bytes);
            let journal = places.journal(t, group, header.journal)?;
            t.prepare_cached("UPDATE entries SET kind = ?3, sealed = ?4 WHERE journal = ?1 AND number = ?2")?
                .execute(params![journal, sql(header.number.0), kind, sealed])?;
            t.execute("UPDATE groups SET to_wipe = 1 WHERE row = ?1", [group])?;
            Ok(())
        }
        Write::Read(journal, number, document, changes) => {
            let journal = places.journal(t, group, journal)?;
            let document = places.document(t, group, document)?;
            t.prepare_cached(
                "UPDATE entries SET document = ?3, changes = ?4 WHERE journal = ?1 AND number = ?2",
            )?
            .execute(params![journal, sql(number.0), document, changes])?;
            Ok(())
        }
        Write::Journal(row) => {
            let ended = row.ended.map(|number| sql(number.0));
            t.prepare_cached(
                "INSERT INTO journals (group_row, id, head_number, head_id, ended, seen) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                 ON CONFLICT (group_row, id) DO UPDATE SET head_number = ?3, head_id = ?4, ended = ?5, seen = ?6",
            )?
            .execute(params![group, row.id.0, sql(row.head.0.0), row.head.1.0, ended, encode(&row.seen)])?;
            Ok(())
        }
        Write::Save(document, save) => {
            let document = places.document(t, group, document)?;
            t.prepare_cached("UPDATE documents SET save = ?2, through = ?3 WHERE row = ?1")?
                .execute(params![document, save.bytes, sql(save.through)])?;
            Ok(())
        }
        Write::DropSaves => {
            t.execute(
                "UPDATE documents SET save = NULL, through = 0, dirty = 1 WHERE group_row = ?1",
                [group],
            )?;
            Ok(())
        }
        Write::Truncate(journal, after) => {
            let journal = places.journal(t, group, journal)?;
            t.execute(
                "DELETE FROM entries WHERE journal = ?1 AND number > ?2",
                params![journal, sql(after.0)],
            )?;
            Ok(())
        }
        Write::Aside(entry) => {
            t.execute(
                "INSERT OR REPLACE INTO aside VALUES (?1, ?2, ?3, ?4)",
                params![
                    group,
                    entry.header.journal.0,
                    entry.id.0,
                    encode(&entry.to_kept())
                ],
            )?;
            Ok(())
        }
        Write::NotAside(journal, id) => {
            t.execute(
                "DELETE FROM aside WHERE group_row = ?1 AND journal = ?2 AND id = ?3",
                params![group, journal.0, id.0],
            )?;
            Ok(())
        }
        Write::Stale(stale) => {
            t.execute(
                "UPDATE groups SET stale = ?2 WHERE row = ?1",
                params![group, stale],
            )?;
            Ok(())
        }
        Write::Key(key) => {
            t.execute(
                "INSERT OR IGNORE INTO keys SELECT ?1, ?2, count(*) FROM keys WHERE group_row = ?1",
                params![group, key.as_bytes()],
            )?;
            Ok(())
        }
        Write::Own(own) => {
            let state = match own.state {
                OwnState::Writing => 0,
                OwnState::Left => 1,
            };
            t.execute(
                "UPDATE groups SET own_seed = ?2, own_state = ?3 WHERE row = ?1",
                params![group, own.seed, state],
            )?;
            Ok(())
        }
    }
}

fn insert_entry(t: &Transaction<'_>, group: i64, held: &Held, places: &mut Places) -> rusqlite::Result<()> {
    let header = &held.entry.header;
    let journal = places.journal(t, group, header.journal)?;
    let key = places.key(t, header.key)?;
    let document = held
        .document
        .map(|id| places.document(t, group, id))
        .transpose()?;
    let (standing, applied) = standing_to_sql(held.standing);
    let (kind, sealed) = held.entry.sealed.to_kept(header.kind, header.payload_bytes);
    let seen = (!header.seen.is_empty()).then(|| encode(&header.seen));
    let seen_since = (header.kind == EntryKind::Control).then(|| encode(&held.seen));
    let prev = (header.number > EntryNumber::FIRST).then_some(header.prev.0);
    let mut statement: CachedStatement<'_> = t.prepare_cached(
        "INSERT INTO entries (journal, number, id, prev, kind, key, seen, nonce, sealed, signature, standing, applied, \
         document, changes, seen_since) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?;
    statement.execute(params![
        journal,
        sql(header.number.0),
        held.entry.id.0,
        prev,
        kind,
        key,
        seen,
        held.entry.nonce,
        sealed,
        held.entry.signature.map(|signature| signature.0),
        standing,
        applied,
        document,
        held.changes,
        seen_since,
    ])?;
    if let (Some(document), true) = (document, applied.is_some()) {
        t.prepare_cached("UPDATE documents SET dirty = 1 WHERE row = ?1 AND NOT dirty")?
            .execute([document])?;
    }
    Ok(())
}
