//! The author's part of an entry: its payload, the roster, admission, the change gate; and what waits for what.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::domain::admission::{Admission, Quarantine, admission_of};
use crate::domain::control::ControlAct;
use crate::domain::document::DocumentId;
use crate::domain::id::{ChangeId, EntryNumber, JournalId};
use crate::domain::roster::Moment;
use crate::planted::{Bug, Guard, is_off, is_on};

use super::codec::Blob;
use super::content::Content;
use super::control::act_from_bytes;
use super::entry::{Entry, EntryError, EntryKind, Header};
use super::erase::Generation;
use super::gate::{Checked, ReadyChange, Refusal};
use super::hold::{Replica, ReplicaError, WaitingEntry};
use super::receive::{Batch, Mode};
use super::storage::{Held, Standing, Storage, Write};

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

enum Verdict {
    Stands(Standing),
    Fault(AuthorFault),
}

fn newly_held(entry: Entry) -> Held {
    Held {
        entry,
        standing: Standing::Void,
        document: None,
        changes: 0,
        seen: BTreeSet::new(),
    }
}

enum Gated {
    Passed,
    Waits(BTreeSet<ChangeId>),
    Refused(Refusal),
}

impl<S: Storage> Replica<S> {
    /// The author's part, for an entry whose journal row already has it as its head.
    pub(super) fn take_in(
        &mut self,
        batch: &mut Batch,
        entry: Entry,
        payload: Option<Vec<u8>>,
    ) -> Result<(), ReplicaError> {
        self.note_seen(&entry);
        match entry.header.kind {
            EntryKind::Control => self.take_control(batch, entry, payload),
            EntryKind::Content => {
                let known = self.known_at(&entry);
                self.take_content(batch, entry, payload, &known)
            }
        }
    }

    /// What an entry names in `seen`, its journal's author knows from now on.
    pub(super) fn note_seen(&mut self, entry: &Entry) {
        let seen = &entry.header.seen;
        if let Some(row) = self.journals.get_mut(&entry.header.journal) {
            row.seen.extend(seen.iter().copied());
        }
        if !seen.is_empty() || entry.header.kind == EntryKind::Control {
            self.known.remove(&entry.header.journal);
        }
    }

    /// What the author of a journal knows at its next entry of content, after [`Replica::note_seen`].
    pub(super) fn known_at(&mut self, entry: &Entry) -> Moment {
        let journal = entry.header.journal;
        if let Some(known) = self.known.get(&journal) {
            return known.clone();
        }
        let seen = self.journals.get(&journal).map(|row| row.seen.clone());
        let known = self
            .roster
            .known(journal, entry.header.number, &seen.unwrap_or_default());
        self.known.insert(journal, known.clone());
        known
    }

    pub(super) fn take_control(
        &mut self,
        batch: &mut Batch,
        entry: Entry,
        payload: Option<Vec<u8>>,
    ) -> Result<(), ReplicaError> {
        let payload = self.payload_of(&entry, payload);
        let mut held = newly_held(entry);
        let verdict = self.judge_control(batch, &mut held, payload)?;
        self.settle(batch, held, verdict)
    }

    pub(super) fn take_content(
        &mut self,
        batch: &mut Batch,
        entry: Entry,
        payload: Option<Vec<u8>>,
        known: &Moment,
    ) -> Result<(), ReplicaError> {
        if entry.sealed.is_empty() {
            return self.settle_erased(batch, newly_held(entry));
        }
        // What is left of a document stays, wherever the journal of who erased ends.
        let is_rest = self.roster.begins(entry.header.prev).is_some();
        if !is_rest && self.is_ended((entry.header.journal, entry.header.number)) {
            return self.settle_behind_end(batch, newly_held(entry));
        }
        let payload = self.payload_of(&entry, payload);
        let mut held = newly_held(entry);
        let verdict = match payload {
            None => {
                self.unread.insert(held.entry.header.key);
                Verdict::Stands(Standing::Waiting)
            }
            Some(Err(fault)) => Verdict::Fault(fault.into()),
            Some(Ok(payload)) => match Content::from_bytes(&payload) {
                Err(fault) => Verdict::Fault(fault.into()),
                Ok(content) if self.is_erased(&held.entry, content.document) => {
                    held.document = Some(content.document);
                    return self.settle_erased(batch, held);
                }
                Ok(content) => {
                    held.document = Some(content.document);
                    held.changes = u32::try_from(content.changes.len()).unwrap_or(u32::MAX);
                    self.judge_content(batch, &held.entry.header, content, known)?
                }
            },
        };
        self.settle(batch, held, verdict)
    }

    /// The payload as it came or as it opens. None where its key is not held.
    fn payload_of(&self, entry: &Entry, payload: Option<Vec<u8>>) -> Option<Result<Vec<u8>, EntryError>> {
        payload.map_or_else(|| self.read(entry).transpose(), |payload| Some(Ok(payload)))
    }

    fn is_ended(&self, (journal, number): (JournalId, EntryNumber)) -> bool {
        let row = self.journals.get(&journal);
        row.and_then(|row| row.ended).is_some_and(|end| number >= end)
    }

    /// Writes down what became of an entry, and looks at what waited for it.
    fn settle(&mut self, batch: &mut Batch, mut held: Held, verdict: Verdict) -> Result<(), ReplicaError> {
        let (journal, number) = (held.entry.header.journal, held.entry.header.number);
        held.standing = match verdict {
            Verdict::Stands(standing) => standing,
            Verdict::Fault(fault) => {
                self.end_journal(batch, journal, number, fault);
                Standing::Void
            }
        };
        let (standing, document) = (held.standing, held.document);
        match batch.mode {
            Mode::Store => batch.writes.push(Write::Entry(Box::new(held))),
            Mode::Rejudge => {
                if let (Some(document), true) = (document, batch.reread.contains(&held.entry.header.key)) {
                    let read = Write::Read(journal, number, document, held.changes);
                    batch.writes.push(read);
                }
                let seen = (held.entry.header.kind == EntryKind::Control).then_some(held.seen);
                batch
                    .writes
                    .push(Write::Standing(journal, number, standing, seen));
            }
        }
        let Some(document) = document else { return Ok(()) };
        let lifted = self.lift_what_is_needed(batch, document);
        if lifted || matches!(standing, Standing::Applied(_)) {
            self.retry_waiting(batch, document)?;
        }
        Ok(())
    }

    /// Writes down what is left of an erased entry.
    fn settle_erased(&mut self, batch: &mut Batch, held: Held) -> Result<(), ReplicaError> {
        let was_held = !held.entry.sealed.is_empty();
        let held = self.left_of(held);
        if was_held {
            // Who built on which branch is read from what is held.
            self.forks.clear();
        }
        if batch.mode == Mode::Rejudge && was_held {
            batch.writes.push(Write::Payload(Box::new(held.entry.clone())));
        }
        self.settle(batch, held, Verdict::Stands(Standing::Erased))
    }

    /// Opens a payload. None where its key is not held.
    fn read(&self, entry: &Entry) -> Result<Option<Vec<u8>>, EntryError> {
        self.keys
            .get(entry.header.key)
            .map(|key| entry.open(key))
            .transpose()
    }

    /// Writes down an entry of content after the end of its journal, and what it is about: it may count one day, should the journal
    /// not end there after all.
    fn settle_behind_end(&mut self, batch: &mut Batch, mut held: Held) -> Result<(), ReplicaError> {
        if let Some(content) = self.content(&held.entry) {
            held.document = Some(content.document);
            held.changes = u32::try_from(content.changes.len()).unwrap_or(u32::MAX);
            if self.is_erased(&held.entry, content.document) {
                return self.settle_erased(batch, held);
            }
        } else if self.keys.get(held.entry.header.key).is_none() {
            self.unread.insert(held.entry.header.key);
        }
        self.settle(batch, held, Verdict::Stands(Standing::Void))
    }

    /// What an act after the end of its journal says: what is erased, and nothing else.
    pub(super) fn act_behind_end(&self, entry: &Entry) -> ControlAct {
        let act = self.signed_act(entry);
        let act = act.filter(|act| self.roster.is_about_erasing(act));
        act.unwrap_or(ControlAct::Void)
    }

    fn judge_control(
        &mut self,
        batch: &mut Batch,
        held: &mut Held,
        payload: Option<Result<Vec<u8>, EntryError>>,
    ) -> Result<Verdict, ReplicaError> {
        let header = &held.entry.header;
        let ended = self.is_ended((header.journal, header.number));
        let act = match payload {
            None => {
                self.unread.insert(header.key);
                Ok(ControlAct::Void)
            }
            Some(_) if ended => Ok(self.act_behind_end(&held.entry)),
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
        let entry = held.entry.as_control(held.seen.clone(), act);
        // Its past is here: `check_seen` saw to it.
        self.insert_control(&entry)?;
        batch.received.control = true;
        self.learn_keys(batch, &entry);
        if self.roster.is_about_erasing(&entry.act) && !is_off(Guard::ErasureWeight) {
            batch.note_erasure(entry.journal);
        }
        Ok(if ended {
            Verdict::Stands(Standing::Void)
        } else {
            verdict
        })
    }

    fn judge_content(
        &mut self,
        batch: &mut Batch,
        header: &Header,
        content: Content,
        known: &Moment,
    ) -> Result<Verdict, ReplicaError> {
        let document = content.document;
        let place = (header.journal, header.number);
        let of = self.generation_of(document, header, known);
        let admission = match of {
            Generation::Other => {
                return Ok(Verdict::Stands(Standing::Quarantined(Quarantine::Erased)));
            }
            // Whoever erased was allowed to write there, else nothing were erased.
            Generation::Begins => Admission::Admit,
            Generation::Present => self.admission_at(document, place, known),
        };
        if let Admission::Quarantine(reason) = admission {
            if reason == Quarantine::Beyond || is_off(Guard::LiftOnlyBeyond) {
                self.beyond.insert(place, document, content.changes);
            }
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

    fn admission_at(
        &self,
        document: DocumentId,
        place: (JournalId, EntryNumber),
        known: &Moment,
    ) -> Admission {
        let standing = self.roster.standing(place.0, place.1, known);
        let ignored = Admission::Quarantine(Quarantine::Beyond);
        match admission_of(&standing, &document) {
            beyond if beyond == ignored && is_on(Bug::BeyondCounts) => Admission::Admit,
            admission => admission,
        }
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
        // From one journal's first to the next one's, however many wait behind it.
        let mut firsts: Vec<((JournalId, EntryNumber), BTreeSet<ChangeId>)> = Vec::new();
        let mut next = waiting.iter().next();
        while let Some((place, entry)) = next {
            firsts.push((*place, entry.missing.clone()));
            let behind = (
                Bound::Excluded((place.0, EntryNumber(u64::MAX))),
                Bound::Unbounded,
            );
            next = waiting.range(behind).next();
        }
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
        if row.ended.is_some_and(|end| end <= before) {
            return;
        }
        row.ended = Some(before);
        // What was lifted for it may not be needed any more.
        batch.undo |= row.head.0 > before || self.roster.kills() > 0;
        batch.journals.insert(journal);
        batch.received.ended.push((journal, fault));
    }
}
