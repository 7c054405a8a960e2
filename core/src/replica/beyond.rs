//! What lies beyond the end of an author's place in the group. It is kept and does not count; but where somebody who is in
//! the group built on it before they knew, what they built on is lifted, and nothing else of it. And what a poll's close counted stays
//! counted there, for ever: whether it lies beyond is asked there as the counters knew.

use std::collections::{BTreeMap, BTreeSet};

use automerge::Change;

use crate::domain::document::DocumentId;
use crate::domain::id::{ChangeId, EntryNumber, JournalId, PersonId};
use crate::domain::poll::Close;
use crate::planted::{Bug, is_on};

use super::codec::Blob;
use super::document::Document;
use super::gate::{Checked, DocumentPast, change_deps, change_id};
use super::hold::{Replica, ReplicaError, WaitingEntry};
use super::receive::Batch;
use super::storage::{Standing, Storage, Write};

type Place = (JournalId, EntryNumber);

/// How many changes of each journal.
type Counts = BTreeMap<JournalId, u64>;

/// The entries beyond, by place and by the changes in them.
#[derive(Debug, Default)]
pub(super) struct Beyond {
    entries: BTreeMap<Place, (DocumentId, Vec<Blob>)>,
    changes: BTreeMap<ChangeId, Place>,
}

impl Beyond {
    pub(super) fn insert(&mut self, place: Place, document: DocumentId, changes: Vec<Blob>) {
        for id in changes.iter().filter_map(|raw| change_id(&raw.0).ok()) {
            self.changes.insert(id, place);
        }
        self.entries.insert(place, (document, changes));
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.changes.clear();
    }

    /// Takes out the entry of a change in this document.
    fn take(&mut self, change: ChangeId, document: DocumentId) -> Option<(Place, Vec<Blob>)> {
        let place = *self.changes.get(&change)?;
        let (stands_in, _) = self.entries.get(&place)?;
        if *stands_in != document {
            return None;
        }
        let (_, changes) = self.entries.remove(&place)?;
        Some((place, changes))
    }

    /// The entries in a document.
    fn within(&self, document: DocumentId) -> impl Iterator<Item = (Place, &[Blob])> {
        let all = self.entries.iter();
        all.filter(move |(_, (of, _))| *of == document)
            .map(|(place, (_, changes))| (*place, changes.as_slice()))
    }
}

impl<S: Storage> Replica<S> {
    /// Whose journal each entry is that lies beyond its author's end and was not lifted.
    pub fn authors_beyond(&self) -> impl Iterator<Item = JournalId> + '_ {
        self.beyond.entries.keys().map(|(journal, _)| *journal)
    }

    /// A person's vote document together with what lies beyond their end and did not for those who closed a poll, and how many
    /// changes of each journal that is. None where there is no such thing.
    pub(super) fn vote_when_closed(
        &mut self,
        person: PersonId,
        close: &Close,
    ) -> Result<Option<(Document, Counts)>, ReplicaError> {
        let document = DocumentId::Vote(person);
        let counted = |(journal, number): Place| {
            let within = close.cut.get(&journal).is_some_and(|(to, _)| number <= *to);
            within && self.roster.counted_at(&close.roster, journal, number)
        };
        let beyond = self.beyond.within(document);
        let mut left: Vec<(Place, Vec<Blob>)> = beyond
            .filter(|(place, _)| counted(*place))
            .map(|(place, changes)| (place, changes.to_vec()))
            .collect();
        if left.is_empty() {
            return Ok(None);
        }
        let mut with = self.document(document)?.clone();
        let mut more = Counts::new();
        // What depends on another entry comes after it, in whatever order of journals.
        loop {
            let before = left.len();
            let mut later = Vec::new();
            for (place, changes) in left {
                if let Some(passed) = passed(&with, place.0, &changes) {
                    let count = more.entry(place.0).or_default();
                    *count = count.saturating_add(u64::try_from(passed.len()).unwrap_or(u64::MAX));
                    with.apply(passed)?;
                } else {
                    later.push((place, changes));
                }
            }
            if later.len() == before || later.is_empty() {
                return Ok(Some((with, more)));
            }
            left = later;
        }
    }

    /// Lifts what entries that wait in a document depend on, and what that depends on. True where there was something.
    pub(super) fn lift_what_is_needed(&mut self, batch: &mut Batch, document: DocumentId) -> bool {
        if self.beyond.entries.is_empty() || is_on(Bug::LiftsNothing) {
            return false;
        }
        let waiting = self.waiting.get(&document).into_iter().flat_map(BTreeMap::values);
        let mut needed: Vec<ChangeId> = waiting.flat_map(|entry| entry.missing.iter().copied()).collect();
        if is_on(Bug::LiftsEverything) {
            needed.extend(self.beyond.changes.keys());
        }
        let mut seen: BTreeSet<ChangeId> = BTreeSet::new();
        let mut lifted = false;
        while let Some(change) = needed.pop() {
            if !seen.insert(change) {
                continue;
            }
            let Some((place, changes)) = self.beyond.take(change, document) else {
                continue;
            };
            let deps = changes
                .iter()
                .flat_map(|raw| change_deps(&raw.0).unwrap_or_default());
            needed.extend(deps);
            let entry = WaitingEntry {
                changes,
                missing: BTreeSet::new(),
            };
            self.waiting.entry(document).or_default().insert(place, entry);
            batch
                .writes
                .push(Write::Standing(place.0, place.1, Standing::Waiting, None));
            lifted = true;
        }
        lifted
    }
}

/// The changes of one entry, where the gate lets them all into this document.
fn passed(document: &Document, author: JournalId, changes: &[Blob]) -> Option<Vec<Change>> {
    let mut past = DocumentPast::from_changes(&document.changes());
    let mut passed = Vec::new();
    for Blob(raw) in changes {
        let Ok(Checked::Ready(change)) = past.check(author, raw) else {
            return None;
        };
        past.admit(&change);
        passed.push(change.into_change());
    }
    Some(passed)
}
