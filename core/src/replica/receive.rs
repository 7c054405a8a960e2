//! Taking in what others bring: header, order and chain first (the carrier's part), then payload, roster, admission and
//! gate (the author's part). Everything of one call is committed at once.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::admission::{Admission, admission};
use crate::domain::control::{ControlAct, ControlEntry};
use crate::domain::document::DocumentId;
use crate::domain::id::{ChangeId, EntryId, EntryNumber, GroupId, JournalId};
use crate::planted::{Bug, is_on};

use super::codec::Blob;
use super::content::Content;
use super::control::act_from_bytes;
use super::entry::{Entry, EntryError, EntryKind};
use super::gate::{Checked, ReadyChange, Refusal};
use super::hold::{Replica, ReplicaError, WaitingEntry};
use super::storage::{Held, JournalRow, OwnJournal, OwnState, Save, Standing, Storage, Write};

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

/// An entry's author at fault: the journal ends before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthorFault {
    /// The payload does not open, or its nonce is another.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// It is no control act, or a signature inside it is wrong.
    #[error(transparent)]
    Act(#[from] super::control::ActError),
    /// It is not a document id and changes.
    #[error("the payload is not of the expected shape")]
    Content(#[from] super::content::ContentError),
    /// A change that the gate refuses.
    #[error("the change gate refuses it: {0}")]
    Gate(Refusal),
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
    /// The own journal turned out to be longer than this device knew: it may not be written any more.
    pub own_journal_left: bool,
}

/// How entries get their place in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// They are new.
    Store,
    /// They are stored already and judged again.
    Rejudge,
}

#[derive(Debug)]
struct Batch {
    mode: Mode,
    writes: Vec<Write>,
    journals: BTreeSet<JournalId>,
    received: Received,
    /// What this batch brought, by place.
    taken: BTreeMap<(JournalId, EntryNumber), EntryId>,
    /// A journal ended of which later entries had been applied before.
    undo: bool,
}

/// Where an entry belongs.
enum Place {
    /// It is here.
    Held,
    /// It follows the journal's head.
    Next,
    /// It follows an earlier entry, beside another one.
    Branch,
}

enum Verdict {
    Stands(Standing),
    Fault(AuthorFault),
}

impl<S: Storage> Replica<S> {
    /// Takes in entries in an order in which `prev` and `seen` come first. Those held already are passed over.
    ///
    /// # Errors
    /// The carrier's fault or a failing storage; nothing is stored then.
    pub fn receive(&mut self, entries: Vec<(Entry, Option<Vec<u8>>)>) -> Result<Received, ReceiveError> {
        check_signatures(&entries)?;
        match self.receive_all(entries) {
            Ok(received) => Ok(received),
            Err(error) => {
                // Memory may be ahead of the storage now.
                if !is_on(Bug::StoreMemoryAhead) {
                    self.reload()?;
                }
                Err(error)
            }
        }
    }

    /// Judges every entry again, from the raw entries alone.
    ///
    /// # Errors
    /// Where the storage fails; what was stored before stays then.
    pub fn rebuild(&mut self) -> Result<(), ReplicaError> {
        let entries = self.all_entries()?;
        self.roster = crate::domain::roster::Roster::default();
        self.open.clear();
        self.waiting.clear();
        self.last_order = 0;
        for row in self.journals.values_mut() {
            row.seen.clear();
        }
        self.rebuilding = true;
        let judged = self.judge_again(entries);
        self.rebuilding = false;
        if judged.is_err() {
            self.reload()?;
        }
        self.close_unused();
        judged
    }

    fn judge_again(&mut self, entries: Vec<Entry>) -> Result<(), ReplicaError> {
        let mut batch = Batch::new(Mode::Rejudge);
        batch.writes.push(Write::DropSaves);
        for entry in entries {
            batch.journals.insert(entry.header.journal);
            self.take_in(&mut batch, entry, None)?;
        }
        self.restore_aside_control();
        batch.writes.push(Write::Stale(false));
        self.finish(&mut batch)
    }

    fn receive_all(&mut self, entries: Vec<(Entry, Option<Vec<u8>>)>) -> Result<Received, ReceiveError> {
        let mut batch = Batch::new(Mode::Store);
        for (entry, payload) in entries {
            match self.place_of(&batch, &entry)? {
                Place::Held => continue,
                Place::Branch => {
                    self.take_aside(&mut batch, entry)?;
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
            self.take_in(&mut batch, entry, payload)?;
        }
        self.notice_own(&mut batch);
        if batch.undo {
            batch.writes.push(Write::Stale(true));
        }
        self.finish(&mut batch)?;
        if self.resettle()? || batch.undo {
            self.rebuild()?;
            // Every document may have changed.
            batch.received.documents = self.storage.documents()?.into_iter().collect();
            batch.received.control = true;
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

    /// Decides which branches of forked journals count. True where another one does now: everything is to be judged anew.
    pub(super) fn resettle(&mut self) -> Result<bool, ReplicaError> {
        if self.aside.is_empty() {
            return Ok(false);
        }
        let mut writes = Vec::new();
        if !self.settle_forks(&mut writes)? {
            return Ok(false);
        }
        writes.push(Write::Stale(true));
        let rows = self.aside.keys().filter_map(|journal| self.journals.get(journal));
        writes.extend(rows.cloned().map(Write::Journal));
        self.storage.commit(self.group, writes)?;
        Ok(true)
    }

    /// The carrier's part: group, order, chain; and whether it is held, comes next, or lies on another branch.
    fn place_of(&self, batch: &Batch, entry: &Entry) -> Result<Place, ReceiveError> {
        let header = &entry.header;
        let journal = header.journal;
        let founding = header.group == GroupId::ZERO;
        if entry.group() != self.group || (founding && header.kind != EntryKind::Control) {
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
        if header.number <= head && self.counting_id(batch, journal, header.number)? == Some(entry.id) {
            return Ok(Place::Held);
        }
        let before = EntryNumber(header.number.0.saturating_sub(1));
        let follows = self.is_aside(journal, header.prev)
            || (before < head && self.counting_id(batch, journal, before)? == Some(header.prev))
            || (before.0 == 0 && head.0 > 0);
        if follows {
            Ok(Place::Branch)
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

    fn check_seen(&self, entry: &Entry) -> Result<(), CarrierFault> {
        let is_missing = |seen: &&EntryId| !self.roster.contains(**seen) && !is_on(Bug::JournalSeenLater);
        let missing = entry.header.seen.iter().find(is_missing);
        missing.map_or(Ok(()), |seen| Err(CarrierFault::SeenMissing { seen: *seen }))
    }

    /// Keeps an entry of another branch than the one that counts so far.
    fn take_aside(&mut self, batch: &mut Batch, entry: Entry) -> Result<(), ReceiveError> {
        self.check_seen(&entry)?;
        let journal = entry.header.journal;
        batch.received.forked.insert(journal);
        let void = (entry.header.kind == EntryKind::Control).then(|| entry.clone());
        if self.keep_aside(entry, &mut batch.writes) {
            batch.received.new = batch.received.new.saturating_add(1);
            if let Some(void) = void {
                self.insert_void(&void);
            }
        }
        Ok(())
    }

    /// The author's part, for an entry whose journal row already has it as its head.
    fn take_in(
        &mut self,
        batch: &mut Batch,
        entry: Entry,
        payload: Option<Vec<u8>>,
    ) -> Result<(), ReplicaError> {
        let journal = entry.header.journal;
        let number = entry.header.number;
        let mut held = Held {
            entry,
            standing: Standing::Void,
            document: None,
            changes: 0,
            seen: BTreeSet::new(),
        };
        if let Some(row) = self.journals.get_mut(&journal) {
            row.seen.extend(held.entry.header.seen.iter().copied());
        }
        let ended = self
            .journals
            .get(&journal)
            .and_then(|row| row.ended)
            .is_some_and(|end| number >= end);
        let payload = if ended {
            None
        } else {
            payload
                .map_or_else(|| self.read(&held.entry), |p| Ok(Some(p)))
                .transpose()
        };
        let verdict = match (held.entry.header.kind, payload) {
            (EntryKind::Control, payload) => self.judge_control(batch, &mut held, payload),
            (EntryKind::Content, None) if ended => Verdict::Stands(Standing::Void),
            (EntryKind::Content, None) => Verdict::Stands(Standing::Waiting),
            (EntryKind::Content, Some(Err(fault))) => Verdict::Fault(fault.into()),
            (EntryKind::Content, Some(Ok(payload))) => match Content::from_bytes(&payload) {
                Err(fault) => Verdict::Fault(fault.into()),
                Ok(content) => {
                    held.document = Some(content.document);
                    held.changes = u32::try_from(content.changes.len()).unwrap_or(u32::MAX);
                    self.judge_content(batch, (journal, number), content)?
                }
            },
        };
        held.standing = match verdict {
            Verdict::Stands(standing) => standing,
            Verdict::Fault(fault) => {
                self.end_journal(batch, journal, number, fault);
                Standing::Void
            }
        };
        let (standing, document) = (held.standing, held.document);
        batch.writes.push(match batch.mode {
            Mode::Store => Write::Entry(Box::new(held)),
            Mode::Rejudge => {
                let seen = (held.entry.header.kind == EntryKind::Control).then_some(held.seen);
                Write::Standing(journal, number, standing, seen)
            }
        });
        if let (Standing::Applied(_), Some(document)) = (standing, document) {
            self.retry_waiting(batch, document)?;
        }
        Ok(())
    }

    /// Opens a payload. None where its key is not held.
    fn read(&self, entry: &Entry) -> Result<Option<Vec<u8>>, EntryError> {
        self.keys
            .get(entry.header.key)
            .map(|key| entry.open(key))
            .transpose()
    }

    fn judge_control(
        &mut self,
        batch: &mut Batch,
        held: &mut Held,
        payload: Option<Result<Vec<u8>, EntryError>>,
    ) -> Verdict {
        let header = &held.entry.header;
        let act = match payload {
            None => Ok(ControlAct::Void),
            Some(Err(fault)) => Err(AuthorFault::Entry(fault)),
            Some(Ok(payload)) => act_from_bytes(self.group, header, &payload).map_err(AuthorFault::Act),
        };
        let (act, verdict) = match act {
            Ok(act) => {
                self.last_order = self.last_order.saturating_add(1);
                (act, Verdict::Stands(Standing::Applied(self.last_order)))
            }
            Err(fault) => (ControlAct::Void, Verdict::Fault(fault)),
        };
        let seen = self
            .journals
            .get_mut(&header.journal)
            .map(|row| std::mem::take(&mut row.seen));
        held.seen = seen.unwrap_or_default();
        let entry = ControlEntry {
            id: held.entry.id,
            journal: header.journal,
            number: header.number,
            seen: held.seen.clone(),
            act,
        };
        // Its past is here: `check_seen` saw to it.
        self.insert_control(&entry);
        batch.received.control = true;
        let ended = self
            .journals
            .get(&held.entry.header.journal)
            .and_then(|row| row.ended);
        if ended.is_some_and(|end| held.entry.header.number >= end) {
            return Verdict::Stands(Standing::Void);
        }
        verdict
    }

    fn judge_content(
        &mut self,
        batch: &mut Batch,
        place: (JournalId, EntryNumber),
        content: Content,
    ) -> Result<Verdict, ReplicaError> {
        let document = content.document;
        if let Admission::Quarantine(reason) = admission(self.roster.author(place.0).as_ref(), &document) {
            return Ok(Verdict::Stands(Standing::Quarantined(reason)));
        }
        let earlier = (place.0, EntryNumber(0))..place;
        let behind = self
            .waiting
            .get(&document)
            .is_some_and(|waiting| waiting.range(earlier).next().is_some());
        let outcome = if behind {
            Gated::Waits(BTreeSet::new())
        } else {
            self.pass(document, place.0, &content.changes)?
        };
        Ok(match outcome {
            Gated::Passed => Verdict::Stands(self.applied(batch, document)),
            Gated::Refused(refusal) => Verdict::Fault(AuthorFault::Gate(refusal)),
            Gated::Waits(missing) => {
                let entry = WaitingEntry {
                    changes: content.changes,
                    missing,
                };
                self.waiting.entry(document).or_default().insert(place, entry);
                Verdict::Stands(Standing::Waiting)
            }
        })
    }

    fn applied(&mut self, batch: &mut Batch, document: DocumentId) -> Standing {
        self.last_order = self.last_order.saturating_add(1);
        batch.received.documents.insert(document);
        if let Some(open) = self.open.get_mut(&document) {
            open.unsaved = open.unsaved.saturating_add(1);
        }
        Standing::Applied(self.last_order)
    }

    /// Sends an entry's changes through the gate, all or none.
    fn pass(
        &mut self,
        document: DocumentId,
        author: JournalId,
        changes: &[Blob],
    ) -> Result<Gated, ReplicaError> {
        let open = self.opened(document)?;
        let mut ready: Vec<ReadyChange> = Vec::new();
        let mut outcome = Gated::Passed;
        for Blob(raw) in changes {
            match open.past().check(author, raw) {
                Ok(Checked::Ready(change)) => {
                    open.past().admit(&change);
                    ready.push(change);
                }
                Ok(Checked::Waits { missing }) => outcome = Gated::Waits(missing),
                Err(refusal) => outcome = Gated::Refused(refusal),
            }
            if !matches!(outcome, Gated::Passed) {
                break;
            }
        }
        if matches!(outcome, Gated::Passed) {
            open.passed
                .extend(ready.into_iter().map(ReadyChange::into_change));
        } else if !ready.is_empty() {
            open.forget_past();
        }
        Ok(outcome)
    }

    /// Looks again at what waits in a document, until nothing moves.
    fn retry_waiting(&mut self, batch: &mut Batch, document: DocumentId) -> Result<(), ReplicaError> {
        while let Some(place) = self.next_retry(document)?.filter(|_| !is_on(Bug::JournalNoRetry)) {
            let waiting = self.waiting.get_mut(&document);
            let Some(entry) = waiting.and_then(|waiting| waiting.remove(&place)) else {
                return Ok(());
            };
            match self.pass(document, place.0, &entry.changes)? {
                Gated::Passed => {
                    let standing = self.applied(batch, document);
                    batch
                        .writes
                        .push(Write::Standing(place.0, place.1, standing, None));
                }
                Gated::Refused(refusal) => {
                    batch
                        .writes
                        .push(Write::Standing(place.0, place.1, Standing::Void, None));
                    self.end_journal(batch, place.0, place.1, AuthorFault::Gate(refusal));
                }
                Gated::Waits(missing) => {
                    let entry = WaitingEntry {
                        missing,
                        changes: entry.changes,
                    };
                    self.waiting.entry(document).or_default().insert(place, entry);
                }
            }
        }
        Ok(())
    }

    /// A waiting entry, first of its journal in this document, of which nothing is known to be missing.
    fn next_retry(&mut self, document: DocumentId) -> Result<Option<(JournalId, EntryNumber)>, ReplicaError> {
        let Some(waiting) = self.waiting.get(&document) else {
            return Ok(None);
        };
        let mut first_of: BTreeSet<JournalId> = BTreeSet::new();
        let firsts: Vec<((JournalId, EntryNumber), BTreeSet<ChangeId>)> = waiting
            .iter()
            .filter(|((journal, _), _)| first_of.insert(*journal))
            .map(|(place, entry)| (*place, entry.missing.clone()))
            .collect();
        if firsts.is_empty() {
            self.waiting.remove(&document);
            return Ok(None);
        }
        let past = self.opened(document)?.past();
        let ready = firsts
            .into_iter()
            .find(|(_, missing)| missing.iter().all(|change| past.contains(*change)));
        Ok(ready.map(|(place, _)| place))
    }

    /// The journal ends before an entry, for everyone who reads it.
    fn end_journal(
        &mut self,
        batch: &mut Batch,
        journal: JournalId,
        before: EntryNumber,
        fault: AuthorFault,
    ) {
        let Some(row) = self.journals.get_mut(&journal) else {
            return;
        };
        row.ended = Some(row.ended.map_or(before, |end| end.min(before)));
        batch.undo |= row.head.0 > before;
        batch.journals.insert(journal);
        batch.received.ended.push((journal, fault));
    }

    /// A signed entry of the own journal that this device did not know: the profile was restored from an older state.
    fn notice_own(&mut self, batch: &mut Batch) {
        let Some(own) = &mut self.own else { return };
        let unknown = batch.received.forked.contains(&own.id)
            || (batch.received.new > 0 && batch.journals.contains(&own.id));
        if unknown && own.state == OwnState::Writing {
            own.state = OwnState::Left;
            let kept = OwnJournal {
                seed: own.key.to_bytes(),
                state: OwnState::Left,
            };
            batch.writes.push(Write::Own(kept));
            batch.received.own_journal_left = true;
        }
    }

    /// All entries held, in an order in which `prev` and `seen` come first; journals ascending otherwise.
    pub(super) fn all_entries(&self) -> Result<Vec<Entry>, ReplicaError> {
        self.entries_beyond(&super::frontier::Frontier::new())
    }
}

enum Gated {
    Passed,
    Waits(BTreeSet<ChangeId>),
    Refused(Refusal),
}

impl Batch {
    fn new(mode: Mode) -> Self {
        Self {
            mode,
            writes: Vec::new(),
            journals: BTreeSet::new(),
            received: Received::default(),
            taken: BTreeMap::new(),
            undo: false,
        }
    }
}

/// Every journal's last entry is signed, and the signature is its own.
fn check_signatures(entries: &[(Entry, Option<Vec<u8>>)]) -> Result<(), CarrierFault> {
    let mut checked: BTreeSet<JournalId> = BTreeSet::new();
    for (entry, _) in entries.iter().rev() {
        let last = checked.insert(entry.header.journal);
        match &entry.signature {
            Some(_) if is_on(Bug::JournalUnsigned) => {}
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
