//! A storage in memory: for the simulation and for tests. It forgets what was never committed, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::admission::Quarantine;
use crate::domain::document::DocumentId;
use crate::domain::id::{EntryId, EntryNumber, GroupId, JournalId};

use super::entry::{Entry, EntryKind};
use super::keys::GroupKey;
use super::storage::{Census, Held, JournalRow, OwnJournal, Save, Standing, Storage, StorageError, Write};

type Place = (JournalId, EntryNumber);

/// One group's entries in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryStorage {
    group: Option<GroupId>,
    keys: Vec<GroupKey>,
    own: Option<OwnJournal>,
    journals: BTreeMap<JournalId, JournalRow>,
    entries: BTreeMap<Place, Held>,
    control: Vec<Place>,
    by_document: BTreeMap<DocumentId, BTreeMap<u64, Place>>,
    saves: BTreeMap<DocumentId, Save>,
    aside: BTreeMap<(JournalId, EntryId), Entry>,
    stale: bool,
    /// For how many commits there is room, where that is known.
    room: Option<usize>,
}

impl MemoryStorage {
    /// From now on there is no room for anything, or there is again.
    pub fn set_full(&mut self, is_full: bool) {
        self.room = is_full.then_some(0);
    }

    /// From now on there is room for so many commits.
    pub const fn set_room(&mut self, commits: usize) {
        self.room = Some(commits);
    }

    fn write(&mut self, write: Write) {
        match write {
            Write::Entry(held) => {
                let place = (held.entry.header.journal, held.entry.header.number);
                let standing = held.standing;
                if held.entry.header.kind == EntryKind::Control {
                    self.control.push(place);
                }
                self.entries.insert(place, *held);
                self.set_standing(place, standing);
            }
            Write::Read(journal, number, document, changes) => {
                if let Some(held) = self.entries.get_mut(&(journal, number)) {
                    held.document = Some(document);
                    held.changes = changes;
                }
            }
            Write::Standing(journal, number, standing, seen) => {
                self.set_standing((journal, number), standing);
                if let (Some(seen), Some(held)) = (seen, self.entries.get_mut(&(journal, number))) {
                    held.seen = seen;
                }
            }
            Write::Payload(entry) => {
                let place = (entry.header.journal, entry.header.number);
                if let Some(held) = self.entries.get_mut(&place) {
                    held.entry = *entry;
                }
            }
            Write::Journal(row) => {
                self.journals.insert(row.id, row);
            }
            Write::Save(document, save) => {
                self.saves.insert(document, save);
            }
            Write::DropSaves => self.saves.clear(),
            Write::Truncate(journal, after) => self.truncate(journal, after),
            Write::Aside(entry) => {
                self.aside.insert((entry.header.journal, entry.id), *entry);
            }
            Write::NotAside(journal, id) => {
                self.aside.remove(&(journal, id));
            }
            Write::Stale(stale) => self.stale = stale,
            Write::Key(key) => {
                if !self.keys.contains(&key) {
                    self.keys.push(key);
                }
            }
            Write::Own(own) => self.own = Some(own),
        }
    }

    fn truncate(&mut self, journal: JournalId, after: EntryNumber) {
        let out: Vec<Place> = self
            .entries
            .range((journal, after.next())..=(journal, EntryNumber(u64::MAX)))
            .map(|(p, _)| *p)
            .collect();
        for place in out {
            self.set_standing(place, Standing::Waiting);
            self.entries.remove(&place);
        }
        self.control
            .retain(|(of, number)| *of != journal || *number <= after);
    }

    fn set_standing(&mut self, place: Place, standing: Standing) {
        let Some(held) = self.entries.get_mut(&place) else {
            return;
        };
        let before = std::mem::replace(&mut held.standing, standing);
        let Some(document) = held.document else { return };
        let orders = self.by_document.entry(document).or_default();
        // While everything is judged again, another entry may have taken its order already.
        if let Standing::Applied(order) = before
            && orders.get(&order) == Some(&place)
        {
            orders.remove(&order);
        }
        if let Standing::Applied(order) = standing {
            orders.insert(order, place);
        }
    }
}

impl Storage for MemoryStorage {
    fn group(&self) -> Result<Option<GroupId>, StorageError> {
        Ok(self.group)
    }

    fn keys(&self) -> Result<Vec<GroupKey>, StorageError> {
        Ok(self.keys.clone())
    }

    fn own(&self) -> Result<Option<OwnJournal>, StorageError> {
        Ok(self.own.clone())
    }

    fn journals(&self) -> Result<Vec<JournalRow>, StorageError> {
        Ok(self.journals.values().cloned().collect())
    }

    fn control(&self) -> Result<Vec<Held>, StorageError> {
        Ok(self
            .control
            .iter()
            .filter_map(|place| self.entries.get(place))
            .cloned()
            .collect())
    }

    fn waiting(&self) -> Result<Vec<Held>, StorageError> {
        Ok(self
            .entries
            .values()
            .filter(|held| held.standing == Standing::Waiting)
            .cloned()
            .collect())
    }

    fn beyond(&self) -> Result<Vec<Held>, StorageError> {
        let held = self.entries.values();
        let beyond = held.filter(|held| held.standing == Standing::Quarantined(Quarantine::Beyond));
        Ok(beyond.cloned().collect())
    }

    fn superseded(&self) -> Result<Vec<Held>, StorageError> {
        let held = self.entries.values();
        let late = held.filter(|held| held.standing == Standing::Quarantined(Quarantine::Erased));
        Ok(late.cloned().collect())
    }

    fn entries_about(&self, document: DocumentId) -> Result<BTreeSet<EntryId>, StorageError> {
        let held = self.entries.values();
        let about = held.filter(|held| held.document == Some(document) && !held.entry.sealed.is_empty());
        Ok(about.map(|held| held.entry.id).collect())
    }

    fn entries(
        &self,
        journal: JournalId,
        after: EntryNumber,
        most: usize,
    ) -> Result<Vec<Held>, StorageError> {
        let from = (journal, after.next());
        let to = (journal, EntryNumber(u64::MAX));
        Ok(self
            .entries
            .range(from..=to)
            .take(most)
            .map(|(_, held)| held.clone())
            .collect())
    }

    fn entry(&self, journal: JournalId, number: EntryNumber) -> Result<Option<Held>, StorageError> {
        Ok(self.entries.get(&(journal, number)).cloned())
    }

    fn aside(&self) -> Result<Vec<Entry>, StorageError> {
        Ok(self.aside.values().cloned().collect())
    }

    fn is_stale(&self) -> Result<bool, StorageError> {
        Ok(self.stale)
    }

    fn applied(&self, document: DocumentId, after: u64) -> Result<Vec<Held>, StorageError> {
        let orders = self.by_document.get(&document);
        let later = orders
            .into_iter()
            .flat_map(|orders| orders.range(after.saturating_add(1)..));
        Ok(later
            .filter_map(|(_, place)| self.entries.get(place))
            .cloned()
            .collect())
    }

    fn change_count(
        &self,
        document: DocumentId,
        journal: JournalId,
        through: EntryNumber,
    ) -> Result<u64, StorageError> {
        let theirs = self
            .entries
            .range((journal, EntryNumber(0))..=(journal, through))
            .map(|(_, held)| held);
        let counted = theirs
            .filter(|held| held.document == Some(document) && matches!(held.standing, Standing::Applied(_)));
        Ok(counted.map(|held| u64::from(held.changes)).sum())
    }

    fn weight(&self, journal: JournalId, after: EntryNumber) -> Result<(u64, u64), StorageError> {
        let first = (journal, after.next());
        let last = (journal, EntryNumber(u64::MAX));
        let counted = self.entries.range(first..=last).map(|(_, held)| &held.entry);
        let aside = self
            .aside
            .values()
            .filter(|entry| entry.header.journal == journal);
        let bytes = counted.chain(aside).map(|entry| entry.sealed.len() as u64);
        Ok(bytes.fold((0, 0), |(entries, all), bytes| {
            (entries.saturating_add(1), all.saturating_add(bytes))
        }))
    }

    fn census(&self) -> Result<Census, StorageError> {
        let mut census = Census {
            entries: self.entries.len() as u64,
            ..Census::default()
        };
        for held in self.entries.values() {
            match held.standing {
                Standing::Applied(_) => {
                    census.applied.insert(held.entry.id);
                }
                Standing::Waiting => census.waiting = census.waiting.saturating_add(1),
                Standing::Quarantined(_) | Standing::Void | Standing::Erased => {
                    census.quarantined = census.quarantined.saturating_add(1);
                }
            }
        }
        Ok(census)
    }

    fn documents(&self) -> Result<Vec<DocumentId>, StorageError> {
        let with_entries = self.by_document.iter().filter(|(_, orders)| !orders.is_empty());
        Ok(with_entries
            .map(|(document, _)| *document)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect())
    }

    fn save(&self, document: DocumentId) -> Result<Option<Save>, StorageError> {
        Ok(self.saves.get(&document).cloned())
    }

    fn last_order(&self) -> Result<u64, StorageError> {
        let orders = self.entries.values().filter_map(|held| match held.standing {
            Standing::Applied(order) => Some(order),
            Standing::Waiting | Standing::Quarantined(_) | Standing::Void | Standing::Erased => None,
        });
        Ok(orders.max().unwrap_or(0))
    }

    fn commit(&mut self, group: GroupId, writes: Vec<Write>) -> Result<(), StorageError> {
        if let Some(room) = &mut self.room {
            *room = room.checked_sub(1).ok_or(StorageError::Full)?;
        }
        self.group = Some(group);
        for write in writes {
            self.write(write);
        }
        Ok(())
    }
}
