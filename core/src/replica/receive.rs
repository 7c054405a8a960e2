//! Taking in what others bring: header, order and chain first (the carrier's part), then payload, roster, admission and
//! gate (the author's part). Everything of one call is committed at once.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::document::DocumentId;
use crate::domain::id::{EntryId, EntryNumber, GroupId, JournalId, KeyId};
use crate::domain::roster::Roster;
use crate::planted::{Bug, Guard, is_off, is_on};

use super::allowance::{Amount, Road};
use super::entry::{Entry, EntryError, EntryKind};
use super::hold::{Replica, ReplicaError};
use super::judge::AuthorFault;
use super::limits::ERASURE_ENTRIES;
use super::reckoning::Reckoning;
use super::storage::{JournalRow, Save, Storage, Write};

/// After so many applied entries a document's cached save is written anew.
const SAVE_AFTER_ENTRIES: usize = 64;

/// What is wrong with what a carrier brought. The session ends and says why; nothing was stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CarrierFault {
    /// An entry of another group.
    #[error("entries of another group were sent")]
    OtherGroup,
    /// Header, length or signature.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// An entry came before the one it follows.
    #[error("entries of a journal were left out")]
    Gap {
        /// Which journal.
        journal: JournalId,
    },
    /// An entry came before a control entry its author had seen.
    #[error("entries came before others that they build on")]
    SeenMissing {
        /// What is missing.
        seen: EntryId,
    },
    /// The last entry of a journal came without a signature.
    #[error("entries came without a signature")]
    Unsigned {
        /// Which journal.
        journal: JournalId,
    },
    /// An entry came without its payload, and nothing says that it was erased.
    #[error("an entry came without what is in it, and nobody has erased that")]
    PayloadMissing {
        /// Which entry.
        entry: EntryId,
    },
}

/// Why received entries were not stored.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// The carrier's fault.
    #[error(transparent)]
    Carrier(#[from] CarrierFault),
    /// Ours.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
}

impl From<super::storage::StorageError> for ReceiveError {
    fn from(error: super::storage::StorageError) -> Self {
        Self::Replica(error.into())
    }
}

/// What came of receiving.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Received {
    /// How many entries are new.
    pub new: usize,
    /// Which documents changed.
    pub documents: BTreeSet<DocumentId>,
    /// Whether the roster changed.
    pub control: bool,
    /// Journals that ended, and why.
    pub ended: Vec<(JournalId, AuthorFault)>,
    /// Journals of which two entries with one number turned up.
    pub forked: BTreeSet<JournalId>,
    /// How much of each journal was stored.
    pub stored: BTreeMap<JournalId, Amount>,
    /// Journals of which something was put off: more than a device may write, or what builds on that.
    pub put_off: BTreeSet<JournalId>,
    /// Journals that nobody's grant lets begin, and of which something builds on those: they are not taken in.
    pub nobodys: BTreeSet<JournalId>,
    /// The own journal turned out to be longer than this device knew: it may not be written any more.
    pub own_journal_left: bool,
}

/// How entries get their place in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// They are new.
    Store,
    /// They are stored already and judged again.
    Rejudge,
}

#[derive(Debug)]
pub(super) struct Batch {
    pub(super) mode: Mode,
    pub(super) writes: Vec<Write>,
    pub(super) journals: BTreeSet<JournalId>,
    pub(super) received: Received,
    /// What this batch brought, by place.
    pub(super) taken: BTreeMap<(JournalId, EntryNumber), EntryId>,
    /// A journal ended of which later entries had been applied before.
    pub(super) undo: bool,
    /// What came without its payload.
    pub(super) without_payload: Vec<(EntryId, JournalId)>,
    /// The keys of what could not be read before.
    pub(super) reread: BTreeSet<KeyId>,
}

/// Where an entry belongs.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// It is here.
    Held,
    /// It follows the journal's head.
    Next,
    /// It follows an earlier entry, beside another one.
    Branch,
}

impl<S: Storage> Replica<S> {
    /// Takes in entries in an order in which `prev` and `seen` come first. Those held already are passed over, and what is more
    /// than a device may write is put off ([`super::allowance`]).
    ///
    /// # Errors
    /// The carrier's fault or a failing storage; nothing is stored then.
    pub fn receive(&mut self, entries: Vec<(Entry, Option<Vec<u8>>)>) -> Result<Received, ReceiveError> {
        self.receive_by(Road::File, entries)
    }

    /// Takes in what came by a road.
    ///
    /// # Errors
    /// As [`Replica::receive`].
    pub fn receive_by(
        &mut self,
        road: Road,
        entries: Vec<(Entry, Option<Vec<u8>>)>,
    ) -> Result<Received, ReceiveError> {
        check_signatures(&entries)?;
        let (entries, within) = self.within_limits(road, entries)?;
        match self.receive_proven(entries) {
            Ok(received) => {
                self.spend(&received.stored, &within)?;
                Ok(within.left_out_of(received))
            }
            Err(error) => {
                // Memory may be ahead of the storage now.
                if !is_on(Bug::StoreMemoryAhead) {
                    self.reload()?;
                }
                Err(error)
            }
        }
    }

    /// Takes in the first entries of a group that has not begun here, in one commit with these writes. If it fails, the
    /// replica is good for nothing.
    pub(super) fn receive_first(
        &mut self,
        writes: Vec<Write>,
        entries: Vec<(Entry, Option<Vec<u8>>)>,
    ) -> Result<Received, ReceiveError> {
        check_signatures(&entries)?;
        let (entries, within) = self.within_limits(Road::File, entries)?;
        Ok(within.left_out_of(self.receive_all(writes, entries)?))
    }

    /// Judges every entry again, from the raw entries alone.
    ///
    /// # Errors
    /// Where the storage fails; what was stored before stays then.
    pub fn rebuild(&mut self) -> Result<(), ReplicaError> {
        // While several branches are exchanged, what a journal claims cannot always be read; and who built on which is read
        // from what is held.
        self.forks.clear();
        // Where a journal ends may hang on a branch that does not count any more.
        for row in self.journals.values_mut() {
            row.ended = None;
        }
        let judged = self.judge_until_settled();
        self.rebuilding = false;
        if judged.is_err() {
            self.reload()?;
        } else {
            self.stale = false;
            self.choose_key();
        }
        self.close_unused();
        judged
    }

    /// Each further round ends a journal earlier than the one before, so there are not many.
    fn judge_until_settled(&mut self) -> Result<(), ReplicaError> {
        loop {
            let entries = self.all_entries()?;
            self.roster = Roster::default();
            self.nobodys.clear();
            self.open.clear();
            self.waiting.clear();
            self.beyond.clear();
            self.known.clear();
            let reread = std::mem::take(&mut self.unread);
            self.last_order = 0;
            for row in self.journals.values_mut() {
                row.seen.clear();
            }
            self.rebuilding = true;
            let again = self.judge_again(entries, reread)?;
            self.rebuilding = false;
            if !again {
                return Ok(());
            }
        }
    }

    fn judge_again(&mut self, entries: Vec<Entry>, reread: BTreeSet<KeyId>) -> Result<bool, ReplicaError> {
        let mut batch = Batch::new(Mode::Rejudge);
        batch.reread = reread;
        batch.writes.push(Write::DropSaves);
        // First everything about the group: what somebody has written hangs on who has gone since.
        let mut content = Vec::new();
        for entry in entries {
            let is_control = entry.header.kind == EntryKind::Control;
            if self.is_aside(entry.header.journal, entry.id) {
                if is_control {
                    self.insert_aside(&entry, &[])?;
                }
                continue;
            }
            batch.journals.insert(entry.header.journal);
            self.note_seen(&entry);
            if is_control {
                self.take_control(&mut batch, entry, None)?;
            } else {
                let known = self.known_at(&entry);
                content.push((entry, known));
            }
        }
        self.restore_aside_control()?;
        self.wipe_aside(&mut batch);
        for (entry, known) in content {
            self.take_content(&mut batch, entry, None, &known)?;
        }
        self.reckoning = Reckoning::of(&self.roster);
        self.learn_what_is_unread(&mut batch);
        // A journal ended of which later entries had been applied before it was known: once more, now that it is.
        batch.writes.push(Write::Stale(batch.undo));
        self.finish(&mut batch)?;
        Ok(batch.undo)
    }

    pub(super) fn receive_all(
        &mut self,
        writes: Vec<Write>,
        entries: Vec<(Entry, Option<Vec<u8>>)>,
    ) -> Result<Received, ReceiveError> {
        let mut batch = Batch::new(Mode::Store);
        batch.writes = writes;
        for (entry, payload) in entries {
            let place = self.place_of(&batch, &entry)?;
            // What is here already loses nothing, whatever is brought of it.
            if entry.sealed.is_empty() && place != Place::Held {
                batch.without_payload.push((entry.id, entry.header.journal));
            }
            match place {
                Place::Held => {
                    self.fill(&mut batch, &entry)?;
                    continue;
                }
                Place::Branch => {
                    self.take_aside(&mut batch, &entry)?;
                    continue;
                }
                Place::Next => {}
            }
            self.check_seen(&entry)?;
            let id = entry.header.journal;
            let head = (entry.header.number, entry.id);
            let row = self.journals.entry(id).or_insert_with(|| JournalRow {
                id,
                head,
                ended: None,
                seen: BTreeSet::new(),
            });
            row.head = head;
            batch.journals.insert(id);
            batch.taken.insert((id, head.0), head.1);
            batch.received.new = batch.received.new.saturating_add(1);
            batch.note_stored(&entry);
            self.note_built(&entry);
            self.take_in(&mut batch, entry, payload)?;
        }
        self.notice_own(&mut batch);
        batch.undo |= self.reckons_otherwise();
        self.learn_what_is_unread(&mut batch);
        self.check_erased(&batch)?;
        if batch.undo {
            batch.writes.push(Write::Stale(true));
        }
        self.finish(&mut batch)?;
        if batch.received.control {
            self.choose_key();
        }
        let otherwise = batch.undo || self.resettle()?;
        if otherwise {
            self.rebuild()?;
            self.settle_all()?;
            // Every document may have changed.
            batch.received.documents = self.storage.documents()?.into_iter().collect();
            batch.received.control = true;
        }
        if otherwise || (batch.received.control && self.may_come_back()) {
            batch.received.own_journal_left |= self.leave_stuck_journal()?;
        }
        self.close_unused();
        Ok(batch.received)
    }

    /// Writes the batch, applies what passed the gate.
    fn finish(&mut self, batch: &mut Batch) -> Result<(), ReplicaError> {
        for document in &batch.received.documents {
            if let Some(open) = self.open.get_mut(document) {
                open.apply_passed()?;
                if open.unsaved >= SAVE_AFTER_ENTRIES {
                    let save = Save {
                        bytes: open.document.save(),
                        through: self
                            .last_order
                            .saturating_add(u64::from(is_on(Bug::StoreSaveAhead))),
                    };
                    batch.writes.push(Write::Save(*document, save));
                    open.unsaved = 0;
                }
            }
        }
        let rows = batch
            .journals
            .iter()
            .filter_map(|journal| self.journals.get(journal));
        batch.writes.extend(rows.cloned().map(Write::Journal));
        let writes = std::mem::take(&mut batch.writes);
        if !writes.is_empty() {
            self.storage.commit(self.group, writes)?;
        }
        Ok(())
    }

    /// The carrier's part: group, order, chain; and whether it is held, comes next, or lies on another branch.
    fn place_of(&self, batch: &Batch, entry: &Entry) -> Result<Place, ReceiveError> {
        let header = &entry.header;
        let journal = header.journal;
        let founding = header.group == GroupId::ZERO;
        let foreign = entry.group() != self.group || (founding && header.kind != EntryKind::Control);
        if foreign && !is_off(Guard::OwnGroup) {
            return Err(CarrierFault::OtherGroup.into());
        }
        let (head, head_id) = self
            .journals
            .get(&journal)
            .map_or((EntryNumber(0), EntryId::ZERO), |row| row.head);
        if header.number == head.next() && header.prev == head_id {
            return Ok(Place::Next);
        }
        if self.is_aside(journal, entry.id) {
            return Ok(Place::Held);
        }
        let counts =
            header.number <= head && self.counting_id(batch, journal, header.number)? == Some(entry.id);
        if counts && !is_off(Guard::Replay) {
            return Ok(Place::Held);
        }
        let before = EntryNumber(header.number.0.saturating_sub(1));
        let follows = self.is_aside(journal, header.prev)
            || (before < head && self.counting_id(batch, journal, before)? == Some(header.prev))
            || (before.0 == 0 && head.0 > 0);
        if follows {
            Ok(Place::Branch)
        } else if is_off(Guard::Gap) {
            Ok(Place::Next)
        } else {
            Err(CarrierFault::Gap { journal }.into())
        }
    }

    /// The entry with a number on the branch that counts, also where this very batch brought it.
    fn counting_id(
        &self,
        batch: &Batch,
        journal: JournalId,
        number: EntryNumber,
    ) -> Result<Option<EntryId>, ReplicaError> {
        match batch.taken.get(&(journal, number)) {
            Some(id) => Ok(Some(*id)),
            None => self.entry_id(journal, number),
        }
    }

    pub(super) fn check_seen(&self, entry: &Entry) -> Result<(), CarrierFault> {
        let on = !is_on(Bug::JournalSeenLater) && !is_off(Guard::Seen);
        let is_missing = |seen: &&EntryId| on && !self.roster.contains(**seen);
        let missing = entry.header.seen.iter().find(is_missing);
        missing.map_or(Ok(()), |seen| Err(CarrierFault::SeenMissing { seen: *seen }))
    }

    /// All entries held, also those that do not count, in an order in which `prev` and `seen` come first.
    pub(super) fn all_entries(&self) -> Result<Vec<Entry>, ReplicaError> {
        self.entries_beyond(&super::frontier::Frontier::new(), &self.leaves())
    }
}

impl Batch {
    pub(super) fn note_stored(&mut self, entry: &Entry) {
        let stored = self.received.stored.entry(entry.header.journal).or_default();
        *stored = stored.plus(Amount::of(entry));
    }

    pub(super) fn note_erasure(&mut self, journal: JournalId) {
        if let Some(stored) = self.received.stored.get_mut(&journal) {
            stored.entries = stored.entries.saturating_add(ERASURE_ENTRIES.saturating_sub(1));
        }
    }

    fn new(mode: Mode) -> Self {
        Self {
            mode,
            writes: Vec::new(),
            journals: BTreeSet::new(),
            received: Received::default(),
            taken: BTreeMap::new(),
            undo: false,
            without_payload: Vec::new(),
            reread: BTreeSet::new(),
        }
    }
}

/// Every journal's last entry is signed, and the signature is its own.
fn check_signatures(entries: &[(Entry, Option<Vec<u8>>)]) -> Result<(), CarrierFault> {
    let mut checked: BTreeSet<JournalId> = BTreeSet::new();
    for (entry, _) in entries.iter().rev() {
        let last = checked.insert(entry.header.journal);
        match &entry.signature {
            Some(_) if is_on(Bug::JournalUnsigned) || is_off(Guard::Signature) => {}
            Some(signature) => entry.verify(signature)?,
            None if last => {
                return Err(CarrierFault::Unsigned {
                    journal: entry.header.journal,
                });
            }
            None => {}
        }
    }
    Ok(())
}
