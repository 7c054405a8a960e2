//! A storage that counts how often whole journals are read.

use std::cell::Cell;
use std::collections::BTreeSet;

use kiez_core::domain::document::DocumentId;
use kiez_core::domain::id::{EntryId, EntryNumber, GroupId, JournalId};
use kiez_core::replica::entry::Entry;
use kiez_core::replica::keys::GroupKey;
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::storage::{Census, Held, JournalRow, OwnJournal, Save, Storage, StorageError, Write};

#[derive(Debug, Default)]
pub struct Counting {
    pub inner: MemoryStorage,
    reads: Cell<usize>,
}

impl Counting {
    pub fn new(inner: MemoryStorage) -> Self {
        Self {
            inner,
            reads: Cell::new(0),
        }
    }

    /// How many journals were read since the last time.
    pub fn take_reads(&self) -> usize {
        self.reads.take()
    }
}

type Result<T> = std::result::Result<T, StorageError>;

impl Storage for Counting {
    fn group(&self) -> Result<Option<GroupId>> {
        self.inner.group()
    }

    fn keys(&self) -> Result<Vec<GroupKey>> {
        self.inner.keys()
    }

    fn own(&self) -> Result<Option<OwnJournal>> {
        self.inner.own()
    }

    fn journals(&self) -> Result<Vec<JournalRow>> {
        self.inner.journals()
    }

    fn control(&self) -> Result<Vec<Held>> {
        self.inner.control()
    }

    fn waiting(&self) -> Result<Vec<Held>> {
        self.inner.waiting()
    }

    fn beyond(&self) -> Result<Vec<Held>> {
        self.inner.beyond()
    }

    fn superseded(&self) -> Result<Vec<Held>> {
        self.inner.superseded()
    }

    fn entries_about(&self, document: DocumentId) -> Result<BTreeSet<EntryId>> {
        self.inner.entries_about(document)
    }

    fn entries(&self, journal: JournalId, after: EntryNumber, most: usize) -> Result<Vec<Held>> {
        self.reads.set(self.reads.get() + 1);
        self.inner.entries(journal, after, most)
    }

    fn entry(&self, journal: JournalId, number: EntryNumber) -> Result<Option<Held>> {
        self.inner.entry(journal, number)
    }

    fn aside(&self) -> Result<Vec<Entry>> {
        self.inner.aside()
    }

    fn is_stale(&self) -> Result<bool> {
        self.inner.is_stale()
    }

    fn applied(&self, document: DocumentId, after: u64) -> Result<Vec<Held>> {
        self.inner.applied(document, after)
    }

    fn change_count(&self, document: DocumentId, journal: JournalId, through: EntryNumber) -> Result<u64> {
        self.inner.change_count(document, journal, through)
    }

    fn weight(&self, journal: JournalId, after: EntryNumber) -> Result<(u64, u64)> {
        self.inner.weight(journal, after)
    }

    fn census(&self) -> Result<Census> {
        self.inner.census()
    }

    fn documents(&self) -> Result<Vec<DocumentId>> {
        self.inner.documents()
    }

    fn save(&self, document: DocumentId) -> Result<Option<Save>> {
        self.inner.save(document)
    }

    fn last_order(&self) -> Result<u64> {
        self.inner.last_order()
    }

    fn commit(&mut self, group: GroupId, writes: Vec<Write>) -> Result<()> {
        self.inner.commit(group, writes)
    }
}
