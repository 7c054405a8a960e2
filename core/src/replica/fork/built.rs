//! Who built on which branch: found once by reading everything, then kept up to date entry by entry. A fork stays for ever,
//! and reading everything after each entry would make its group slower with every day.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::id::{ChangeId, EntryId, JournalId};

use super::super::entry::Entry;
use super::super::gate::{change_deps, change_id};
use super::super::hold::{Replica, ReplicaError};
use super::super::storage::Storage;
use super::{Builders, EntryNumber, Tree};

/// What is known of one forked journal.
#[derive(Debug, Default)]
pub(in crate::replica) struct Fork {
    /// Its entries from the first fork on, on all branches.
    entries: BTreeSet<EntryId>,
    /// The changes in them.
    changes: BTreeMap<ChangeId, EntryId>,
    /// The other journals that built on each.
    builders: BTreeMap<EntryId, BTreeSet<JournalId>>,
    /// Nothing has come since it was decided which branch counts.
    settled: bool,
}

impl Fork {
    /// Another journal named these entries in `seen` and depends on these changes.
    fn note(&mut self, journal: JournalId, seen: &[EntryId], deps: &[ChangeId]) {
        let seen = seen.iter().filter(|seen| self.entries.contains(seen));
        let deps = deps.iter().filter_map(|dep| self.changes.get(dep));
        for entry in seen.chain(deps) {
            let new = self.builders.entry(*entry).or_default().insert(journal);
            self.settled &= !new;
        }
    }
}

impl<S: Storage> Replica<S> {
    /// A new entry is held. Of its own journal's branches everything is read again: somebody may have built on it before it
    /// came.
    pub(in crate::replica) fn note_built(&mut self, entry: &Entry) {
        let journal = entry.header.journal;
        self.forks.remove(&journal);
        if self.forks.is_empty() {
            return;
        }
        let deps = self.deps_of(entry);
        for fork in self.forks.values_mut() {
            fork.note(journal, &entry.header.seen, &deps);
        }
    }

    /// Everything is judged anew: while several branches are exchanged, what a journal claims cannot always be read.
    pub(in crate::replica) fn unsettle_forks(&mut self) {
        for fork in self.forks.values_mut() {
            fork.settled = false;
        }
    }

    pub(super) fn is_settled(&self, journal: JournalId) -> bool {
        self.forks.get(&journal).is_some_and(|fork| fork.settled)
    }

    /// Who built on which entry of the tree: named it in `seen`, or made a change that depends on one in it. Whoever asks
    /// decides which branch counts.
    pub(super) fn built_on(
        &mut self,
        journal: JournalId,
        tree: &Tree,
    ) -> Result<BTreeMap<EntryId, Builders>, ReplicaError> {
        let there = self.persons_at_fork(journal, tree)?;
        let author = self.claimed_author(journal)?.map(|claim| claim.person);
        let mut built: BTreeMap<EntryId, Builders> = BTreeMap::new();
        let Some(mut fork) = self.forks.remove(&journal) else {
            return Ok(built);
        };
        fork.settled = true;
        for (entry, journals) in &fork.builders {
            let mut builders = Builders::default();
            for other in journals {
                let Some(claim) = self.claimed_author(*other)? else {
                    continue;
                };
                builders.grants.insert(claim.grant);
                if Some(claim.person) != author && there.contains(&claim.person) {
                    builders.persons.insert(claim.person);
                }
            }
            built.insert(*entry, builders);
        }
        self.forks.insert(journal, fork);
        Ok(built)
    }

    /// Finds out who built on the branches of a journal, where that is not known: reads everything.
    pub(super) fn look_for_builders(&mut self, journal: JournalId) -> Result<(), ReplicaError> {
        if self.forks.contains_key(&journal) {
            return Ok(());
        }
        let mut fork = Fork::default();
        for entry in self.tree(journal)?.entries() {
            fork.entries.insert(entry.id);
            for raw in self.changes_in(entry) {
                fork.changes.extend(change_id(&raw).ok().map(|id| (id, entry.id)));
            }
        }
        for other in self.journals.keys().filter(|other| **other != journal) {
            let counting = self.storage.entries(*other, EntryNumber(0), usize::MAX)?;
            let aside = self.aside.get(other).into_iter().flat_map(BTreeMap::values);
            for entry in counting.iter().map(|held| &held.entry).chain(aside) {
                fork.note(*other, &entry.header.seen, &self.deps_of(entry));
            }
        }
        self.forks.insert(journal, fork);
        Ok(())
    }

    fn deps_of(&self, entry: &Entry) -> Vec<ChangeId> {
        let changes = self.changes_in(entry);
        changes
            .iter()
            .flat_map(|raw| change_deps(raw).unwrap_or_default())
            .collect()
    }
}
