//! What lies beyond the end of an author's place in the group. It is kept and does not count; but where somebody who is in
//! the group built on it before they knew, what they built on is lifted, and nothing else of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::document::DocumentId;
use crate::domain::id::{ChangeId, EntryNumber, JournalId};
use crate::planted::{Bug, is_on};

use super::codec::Blob;
use super::gate::{change_deps, change_id};
use super::hold::{Replica, WaitingEntry};
use super::receive::Batch;
use super::storage::{Standing, Storage, Write};

type Place = (JournalId, EntryNumber);

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
}

impl<S: Storage> Replica<S> {
    /// Whose journal each entry is that lies beyond its author's end and was not lifted.
    pub fn authors_beyond(&self) -> impl Iterator<Item = JournalId> + '_ {
        self.beyond.entries.keys().map(|(journal, _)| *journal)
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
