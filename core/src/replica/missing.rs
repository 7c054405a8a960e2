//! What somebody else lacks: as entries, or, where it is much, as a bundle.

use std::collections::{BTreeSet, VecDeque};

use crate::domain::id::{EntryId, EntryNumber, JournalId};

use super::bundle::{self, BundleEntry};
use super::entry::Entry;
use super::frontier::Frontier;
use super::hold::{Replica, ReplicaError};
use super::keys::KeyRing;
use super::limits::{FRAME_FILL_BYTES, TAIL_ENTRIES_MAX};
use super::storage::Storage;

/// What to send to somebody.
#[derive(Debug)]
pub enum Missing {
    /// They have everything.
    Nothing,
    /// So much that fits into one frame; each journal's last entry is signed.
    Entries(Vec<Entry>),
    /// More: the entries for a bundle.
    Many(Vec<Entry>),
}

impl<S: Storage> Replica<S> {
    /// What lies beyond a frontier, and these leaves of branches that do not count.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn missing(
        &self,
        theirs: &Frontier,
        leaves: &BTreeSet<(JournalId, EntryId)>,
    ) -> Result<Missing, ReplicaError> {
        if self.beyond(theirs).next().is_none() && leaves.is_empty() {
            return Ok(Missing::Nothing);
        }
        let entries = self.entries_beyond(theirs, leaves)?;
        let bytes: usize = entries
            .iter()
            .map(|entry| {
                let seen = entry.header.seen.len().saturating_mul(EntryId::SIZE);
                entry.sealed.len().saturating_add(seen)
            })
            .fold(0, usize::saturating_add);
        // What is left of an erased entry travels in bundles only: so it comes together with the act that erased it.
        let erased = entries.iter().any(|entry| entry.sealed.is_empty());
        if erased || entries.len() > TAIL_ENTRIES_MAX || bytes > FRAME_FILL_BYTES.saturating_mul(8) {
            return Ok(Missing::Many(entries));
        }
        Ok(Missing::Entries(entries))
    }

    /// The bundle of what lies beyond a frontier (an empty one: of everything).
    ///
    /// # Errors
    /// Where the storage fails or it grows too large.
    pub fn bundle(&self, theirs: &Frontier, level: bundle::Compression) -> Result<Vec<u8>, BundlingError> {
        self.bundle_of(self.entries_beyond(theirs, &self.leaves())?, &self.keys, level)
    }

    /// The bundle of these entries for who has these keys: what is sealed under another one travels as it is.
    ///
    /// # Errors
    /// Where it grows too large.
    pub fn bundle_of(
        &self,
        entries: Vec<Entry>,
        keys: &KeyRing,
        level: bundle::Compression,
    ) -> Result<Vec<u8>, BundlingError> {
        let with_payload = entries.into_iter().map(|entry| {
            let payload = keys.get(entry.header.key).and_then(|key| entry.open(key).ok());
            BundleEntry { entry, payload }
        });
        Ok(bundle::write(self.group, with_payload, keys, level)?)
    }

    /// The entries beyond a frontier and those of these branches, in an order in which `prev` and `seen` come first;
    /// journals ascending otherwise. What counts may have seen what does not, and the other way round: so they are one
    /// order.
    pub(super) fn entries_beyond(
        &self,
        theirs: &Frontier,
        leaves: &BTreeSet<(JournalId, EntryId)>,
    ) -> Result<Vec<Entry>, ReplicaError> {
        let mut queues: Vec<VecDeque<Entry>> = Vec::new();
        for (journal, has) in self.beyond(theirs) {
            let held = self.storage.entries(journal, has, usize::MAX)?;
            queues.push(held.into_iter().map(|held| held.entry).collect());
        }
        let mut queued: BTreeSet<EntryId> = BTreeSet::new();
        for (journal, leaf) in leaves {
            // Two branches that share something: it stands with the first of them.
            let mut branch = VecDeque::new();
            let mut at = *leaf;
            while let Some(entry) = self.aside.get(journal).and_then(|entries| entries.get(&at)) {
                if !queued.insert(entry.id) {
                    break;
                }
                at = entry.header.prev;
                branch.push_front(entry.clone());
            }
            queues.push(branch);
        }
        Ok(in_causal_order(queues))
    }

    /// The journals that go beyond a frontier: for each the last number they have (zero: none).
    pub fn beyond<'a>(&'a self, theirs: &'a Frontier) -> impl Iterator<Item = (JournalId, EntryNumber)> + 'a {
        self.journals.iter().filter_map(|(journal, row)| {
            let has = theirs.get(journal).map_or(EntryNumber(0), |(number, _)| *number);
            (has < row.head.0).then_some((*journal, has))
        })
    }

    /// The last entries of all branches that do not count.
    pub(super) fn leaves(&self) -> BTreeSet<(JournalId, EntryId)> {
        let branches = self.branches().into_iter();
        branches
            .flat_map(|(journal, leaves)| leaves.into_iter().map(move |(_, leaf)| (journal, leaf)))
            .collect()
    }

    /// The id of an entry held, by its place.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn entry_id(&self, journal: JournalId, number: EntryNumber) -> Result<Option<EntryId>, ReplicaError> {
        Ok(self.storage.entry(journal, number)?.map(|held| held.entry.id))
    }
}

/// Why no bundle could be made.
#[derive(Debug, thiserror::Error)]
pub enum BundlingError {
    /// The entries could not be read.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
    /// The bundle could not be written.
    #[error(transparent)]
    Bundle(#[from] bundle::BundleError),
}

/// Merges journals and branches so that what an entry follows, and what it names in `seen`, comes before it, where it is
/// among them.
fn in_causal_order(mut queues: Vec<VecDeque<Entry>>) -> Vec<Entry> {
    let mut to_come: BTreeSet<EntryId> = queues.iter().flatten().map(|entry| entry.id).collect();
    let mut ordered = Vec::new();
    loop {
        let before = ordered.len();
        for queue in &mut queues {
            while let Some(entry) = queue.front() {
                let header = &entry.header;
                if to_come.contains(&header.prev) || header.seen.iter().any(|seen| to_come.contains(seen)) {
                    break;
                }
                to_come.remove(&entry.id);
                ordered.extend(queue.pop_front());
            }
        }
        // What is held is held in such an order, so a round without progress is the end.
        if ordered.len() == before {
            return ordered;
        }
    }
}
