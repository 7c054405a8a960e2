//! What a replica asks of whoever keeps its entries. The host keeps them in SQLite, the simulation in memory.
//!
//! One commit is all or nothing, and durable when it returns.

use std::collections::BTreeSet;

use crate::domain::admission::Quarantine;
use crate::domain::document::DocumentId;
use crate::domain::id::{EntryId, EntryNumber, GroupId, JournalId};

use super::entry::Entry;
use super::keys::GroupKey;

/// Why storage did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// No room.
    #[error("the disk is full: nothing was lost; free some space and try again")]
    Full,
    /// What is stored is damaged.
    #[error(
        "the stored data are damaged ({0}): restore a backup, or join again on another member's invitation"
    )]
    Damaged(String),
    /// Anything else.
    #[error("the store failed: {0}")]
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It counts. The number orders what was applied here; it means nothing elsewhere.
    Applied(u64),
    /// It counts once what it depends on is here.
    Waiting,
    /// It was not allowed; it is kept and never applied.
    Quarantined(Quarantine),
    /// Its journal ended at it or before it: it is kept, so that others' `seen` and `prev` lead somewhere.
    Void,
    /// It was erased: its header is kept.
    Erased,
}

/// An entry with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The entry.
    pub entry: Entry,
    /// What became of it.
    pub standing: Standing,
    /// The document, for content that could be read.
    pub document: Option<DocumentId>,
    /// How many changes are in it.
    pub changes: u32,
    /// For a control entry: what it and the entries since the journal's last control entry named in `seen`.
    pub seen: BTreeSet<EntryId>,
}

/// A journal as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// Which.
    pub id: JournalId,
    /// Its last entry here.
    pub head: (EntryNumber, EntryId),
    /// The entry before which it ended, where its author was at fault.
    pub ended: Option<EntryNumber>,
    /// What its entries named in `seen` since its last control entry.
    pub seen: BTreeSet<EntryId>,
}

/// The journal this device writes.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnJournal {
    /// Its signing key's seed.
    pub seed: [u8; 32],
    /// Whether it may still be written: no more, once a signed entry of it turned up that this device did not know.
    pub state: OwnState,
}

impl std::fmt::Debug for OwnJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OwnJournal({:?})", self.state)
    }
}

/// Whether the own journal may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnState {
    /// Yes.
    Writing,
    /// No: this profile was restored from an older state. It needs a fresh journal.
    Left,
}

/// A cached save of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Save {
    /// The Automerge save.
    pub bytes: Vec<u8>,
    /// It holds everything applied to the document up to this order.
    pub through: u64,
}

/// One thing to write.
#[derive(Debug, Clone)]
pub enum Write {
    /// A new entry.
    Entry(Box<Held>),
    /// An entry's new standing; for a control entry that was judged anew, [`Held::seen`] as well.
    Standing(JournalId, EntryNumber, Standing, Option<BTreeSet<EntryId>>),
    /// An entry's payload goes, or comes: all else of it is as before.
    Payload(Box<Entry>),
    /// What an entry is about that could not be read when it came: its document and how many changes.
    Read(JournalId, EntryNumber, DocumentId, u32),
    /// A journal's new state.
    Journal(JournalRow),
    /// A document's new cached save.
    Save(DocumentId, Save),
    /// All cached saves are void.
    DropSaves,
    /// Entries of a journal after a number are taken out: another branch comes in their place.
    Truncate(JournalId, EntryNumber),
    /// An entry of a branch that does not count.
    Aside(Box<Entry>),
    /// An entry that is on no such branch any more.
    NotAside(JournalId, EntryId),
    /// Whether everything is to be judged anew before it is used.
    Stale(bool),
    /// A group key.
    Key(GroupKey),
    /// The own journal.
    Own(OwnJournal),
}

/// Where one group's entries are kept.
pub trait Storage {
    /// The group, where it has begun.
    ///
    /// # Errors
    /// As for every function here: where the store fails or what it holds is damaged.
    fn group(&self) -> Result<Option<GroupId>, StorageError>;

    /// The group keys.
    ///
    /// # Errors
    /// See [`Storage::group`].
    fn keys(&self) -> Result<Vec<GroupKey>, StorageError>;

    /// The own journal, once it has begun.
    ///
    /// # Errors
    /// See [`Storage::group`].
    fn own(&self) -> Result<Option<OwnJournal>, StorageError>;

    /// All journals.
    ///
    /// # Errors
    /// See [`Storage::group`].
    fn journals(&self) -> Result<Vec<JournalRow>, StorageError>;

    /// All control entries, in the order in which they were committed.
    ///
    /// # Errors
    /// See [`Storage::group`].
    fn control(&self) -> Result<Vec<Held>, StorageError>;

    /// All waiting content entries.
    ///
    /// # Errors
    /// See [`Storage::group`].
    fn waiting(&self) -> Result<Vec<Held>, StorageError>;

    /// All content entries beyond what counts of their author ([`Quarantine::Beyond`]).
    ///
    /// # Errors
    /// See [`Storage::group`].
    fn beyond(&self) -> Result<Vec<Held>, StorageError>;

    /// All entries that were written for an earlier generation of their document ([`Quarantine::Erased`]).
    ///
    /// # Errors
    /// See [`Storage::group`].
    fn superseded(&self) -> Result<Vec<Held>, StorageError>;

    /// All content entries about a document whose payload is held, whatever became of them.
    ///
    /// # Errors
    /// See [`Storage::group`].
    fn entries_about(&self, document: DocumentId) -> Result<BTreeSet<EntryId>, StorageError>;

    /// Entries of a journal after a number, ascending, at most so many.
    ///
    /// # Errors
    /// See [`Storage::group`].
    fn entries(&self, journal: JournalId, after: EntryNumber, most: usize)
    -> Result<Vec<Held>, StorageError>;

    /// One entry.
    ///
    /// # Errors
    /// See [`Storage::group`].
    fn entry(&self, journal: JournalId, number: EntryNumber) -> Result<Option<Held>, StorageError>;

    /// All entries of branches that do not count.
    ///
    /// # Errors
    /// See [`Storage::group`].
    fn aside(&self) -> Result<Vec<Entry>, StorageError>;

    /// Is everything to be judged anew before it is used?
    ///
    /// # Errors
    /// See [`Storage::group`].
    fn is_stale(&self) -> Result<bool, StorageError>;

    /// The entries applied to a document after an order, in that order.
    ///
    /// # Errors
    /// See [`Storage::group`].
    fn applied(&self, document: DocumentId, after: u64) -> Result<Vec<Held>, StorageError>;

    /// How many changes each journal has made in a document with its applied entries up to the numbers given.
    ///
    /// # Errors
    /// See [`Storage::group`].
    fn change_count(
        &self,
        document: DocumentId,
        journal: JournalId,
        through: EntryNumber,
    ) -> Result<u64, StorageError>;

    /// How many entries of a journal are held, with their sealed payloads' bytes: on the branch that counts after a number, and on
    /// others.
    ///
    /// # Errors
    /// See [`Storage::group`].
    fn weight(&self, journal: JournalId, after: EntryNumber) -> Result<(u64, u64), StorageError>;

    /// All applied entries' ids, ascending, and how many entries are held, waiting and quarantined.
    ///
    /// # Errors
    /// See [`Storage::group`].
    fn census(&self) -> Result<Census, StorageError>;

    /// All documents with an applied entry.
    ///
    /// # Errors
    /// See [`Storage::group`].
    fn documents(&self) -> Result<Vec<DocumentId>, StorageError>;

    /// A document's cached save.
    ///
    /// # Errors
    /// See [`Storage::group`].
    fn save(&self, document: DocumentId) -> Result<Option<Save>, StorageError>;

    /// The highest order of an applied entry.
    ///
    /// # Errors
    /// See [`Storage::group`].
    fn last_order(&self) -> Result<u64, StorageError>;

    /// Writes all of it durably, or nothing.
    ///
    /// # Errors
    /// See [`Storage::group`]; nothing was written then.
    fn commit(&mut self, group: GroupId, writes: Vec<Write>) -> Result<(), StorageError>;
}

/// A count of what is held.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Census {
    /// The ids of the applied entries.
    pub applied: BTreeSet<EntryId>,
    /// How many entries are held.
    pub entries: u64,
    /// How many of them wait.
    pub waiting: u64,
    /// How many of them are quarantined or void.
    pub quarantined: u64,
}
