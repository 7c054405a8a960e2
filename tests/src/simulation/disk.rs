//! A disk that can be full, can fail, and whose computer can lose power at any write.

use std::cell::{Ref, RefCell, RefMut};
use std::collections::BTreeSet;
use std::rc::Rc;

use kiez_core::domain::document::DocumentId;
use kiez_core::domain::id::{EntryId, EntryNumber, GroupId, JournalId};
use kiez_core::replica::entry::Entry;
use kiez_core::replica::keys::GroupKey;
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::storage::{Census, Held, JournalRow, OwnJournal, Save, Storage, StorageError, Write};

/// What goes wrong at a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// There is no room: nothing is written, the program goes on.
    Full,
    /// The disk fails once: nothing is written, the program goes on.
    Failed,
    /// The power goes before anything is written.
    PowerBefore,
    /// The power goes when all is written and before anybody is told.
    PowerAfter,
}

impl Fault {
    /// All of them.
    pub(super) const ALL: [Self; 4] = [Self::Full, Self::Failed, Self::PowerBefore, Self::PowerAfter];
}

#[derive(Debug, Default)]
struct Inside {
    memory: MemoryStorage,
    /// After so many commits, this.
    plan: Option<(usize, Fault)>,
    fired: bool,
    off: bool,
}

/// A handle to a disk. A clone is another handle to the same one, as after a restart.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk(Rc<RefCell<Inside>>);

impl Disk {
    /// A disk with this on it.
    pub(super) fn with(memory: MemoryStorage) -> Self {
        let disk = Self::default();
        disk.inside().memory = memory;
        disk
    }

    /// Lets something go wrong after so many further commits.
    pub(super) fn plan(&self, after: usize, fault: Fault) {
        self.inside().plan = Some((after, fault));
    }

    /// Nothing is planned any more. Says whether something went wrong since the last time, and whether the power is off.
    pub(super) fn settle(&self) -> (bool, bool) {
        let mut inside = self.inside();
        inside.plan = None;
        (std::mem::take(&mut inside.fired), inside.off)
    }

    /// Has the power gone?
    pub(super) fn is_off(&self) -> bool {
        self.0.borrow().off
    }

    /// The power comes back.
    pub(super) fn wake(&self) {
        let mut inside = self.inside();
        inside.off = false;
        inside.plan = None;
    }

    /// What is on it now.
    pub(super) fn memory(&self) -> Ref<'_, MemoryStorage> {
        Ref::map(self.0.borrow(), |inside| &inside.memory)
    }

    fn inside(&self) -> RefMut<'_, Inside> {
        self.0.borrow_mut()
    }
}

/// The ids of all entries kept here, also on branches that do not count.
pub(super) fn ids(memory: &MemoryStorage) -> BTreeSet<EntryId> {
    let aside = memory.aside().unwrap_or_default();
    let journals = memory.journals().unwrap_or_default();
    let entries = journals.iter().flat_map(|row| {
        memory
            .entries(row.id, EntryNumber(0), usize::MAX)
            .unwrap_or_default()
    });
    entries
        .map(|held| held.entry.id)
        .chain(aside.iter().map(|entry| entry.id))
        .collect()
}

impl Storage for Disk {
    fn group(&self) -> Result<Option<GroupId>, StorageError> {
        self.memory().group()
    }

    fn keys(&self) -> Result<Vec<GroupKey>, StorageError> {
        self.memory().keys()
    }

    fn own(&self) -> Result<Option<OwnJournal>, StorageError> {
        self.memory().own()
    }

    fn journals(&self) -> Result<Vec<JournalRow>, StorageError> {
        self.memory().journals()
    }

    fn control(&self) -> Result<Vec<Held>, StorageError> {
        self.memory().control()
    }

    fn waiting(&self) -> Result<Vec<Held>, StorageError> {
        self.memory().waiting()
    }

    fn beyond(&self) -> Result<Vec<Held>, StorageError> {
        self.memory().beyond()
    }

    fn superseded(&self) -> Result<Vec<Held>, StorageError> {
        self.memory().superseded()
    }

    fn entries_about(&self, document: DocumentId) -> Result<BTreeSet<EntryId>, StorageError> {
        self.memory().entries_about(document)
    }

    fn entries(
        &self,
        journal: JournalId,
        after: EntryNumber,
        most: usize,
    ) -> Result<Vec<Held>, StorageError> {
        self.memory().entries(journal, after, most)
    }

    fn entry(&self, journal: JournalId, number: EntryNumber) -> Result<Option<Held>, StorageError> {
        self.memory().entry(journal, number)
    }

    fn aside(&self) -> Result<Vec<Entry>, StorageError> {
        self.memory().aside()
    }

    fn is_stale(&self) -> Result<bool, StorageError> {
        self.memory().is_stale()
    }

    fn applied(&self, document: DocumentId, after: u64) -> Result<Vec<Held>, StorageError> {
        self.memory().applied(document, after)
    }

    fn change_count(
        &self,
        document: DocumentId,
        journal: JournalId,
        through: EntryNumber,
    ) -> Result<u64, StorageError> {
        self.memory().change_count(document, journal, through)
    }

    fn weight(&self, journal: JournalId, after: EntryNumber) -> Result<(u64, u64), StorageError> {
        self.memory().weight(journal, after)
    }

    fn census(&self) -> Result<Census, StorageError> {
        self.memory().census()
    }

    fn documents(&self) -> Result<Vec<DocumentId>, StorageError> {
        self.memory().documents()
    }

    fn save(&self, document: DocumentId) -> Result<Option<Save>, StorageError> {
        self.memory().save(document)
    }

    fn last_order(&self) -> Result<u64, StorageError> {
        self.memory().last_order()
    }

    fn commit(&mut self, group: GroupId, writes: Vec<Write>) -> Result<(), StorageError> {
        let mut inside = self.inside();
        if inside.off {
            return Err(StorageError::Failed("the power is off".into()));
        }
        let due = match &mut inside.plan {
            Some((0, fault)) => Some(*fault),
            Some((after, _)) => {
                *after -= 1;
                None
            }
            None => None,
        };
        if let Some(fault) = due {
            inside.plan = None;
            inside.fired = true;
            inside.off = matches!(fault, Fault::PowerBefore | Fault::PowerAfter);
            if fault == Fault::PowerAfter {
                inside.memory.commit(group, writes)?;
            }
            return Err(match fault {
                Fault::Full => StorageError::Full,
                Fault::Failed | Fault::PowerBefore | Fault::PowerAfter => {
                    StorageError::Failed("the disk failed".into())
                }
            });
        }
        inside.memory.commit(group, writes)
    }
}
