//! Who built on which branch: found once by reading everything, then kept up to date entry by entry. A fork stays for ever,
//! and reading everything after each entry would make its group slower with every day.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::control::ControlAct;
use crate::domain::id::{ChangeId, EntryId, EntryNumber, JournalId, PersonId};

use super::super::entry::{Entry, EntryKind, Header};
use super::super::gate::{change_deps, change_id};
use super::super::hold::{Replica, ReplicaError};
use super::super::storage::Storage;
use super::Tree;

/// When somebody built on an entry first: with which of their entries, and whether for more than that something was erased
/// there. That has to be named on whatever branch it lies, so it says less than anything else they name beside it.
type First = (EntryNumber, Reason);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    Any,
    Erasure,
}

/// What is known of one forked journal.
#[derive(Debug, Default)]
pub(in crate::replica) struct Fork {
    /// Its entries from the first fork on, on all branches.
    entries: BTreeSet<EntryId>,
    /// Those that say what is erased.
    erasures: BTreeSet<EntryId>,
    /// The changes in them.
    changes: BTreeMap<ChangeId, EntryId>,
    /// The other journals that built on each.
    builders: BTreeMap<EntryId, BTreeMap<JournalId, First>>,
    /// Nothing has come since it was decided which branch counts.
    settled: bool,
}

impl Fork {
    /// An entry of another journal named these entries in `seen` and depends on these changes.
    fn note(&mut self, by: &Header, deps: &[ChangeId]) {
        let seen = by.seen.iter().filter(|seen| self.entries.contains(seen));
        let deps = deps.iter().filter_map(|dep| self.changes.get(dep));
        for entry in seen.chain(deps) {
            let reason = if self.erasures.contains(entry) {
                Reason::Erasure
            } else {
                Reason::Any
            };
            let first = (by.number, reason);
            let firsts = self.builders.entry(*entry).or_default();
            let known = firsts.get(&by.journal).is_some_and(|known| *known <= first);
            if !known {
                firsts.insert(by.journal, first);
                self.settled = false;
            }
        }
    }
}

/// Who built on the entries of one forked journal.
#[derive(Debug, Default)]
pub(super) struct Built {
    firsts: BTreeMap<EntryId, BTreeMap<JournalId, First>>,
    /// Whose the journals are that did.
    claims: BTreeMap<JournalId, Builder>,
}

#[derive(Debug, Clone, Copy)]
struct Builder {
    /// Where they were in the group at the fork.
    person: Option<PersonId>,
    grant: EntryId,
}

/// How much was built on a branch: by how many persons who were in the group at the fork, and by how many devices.
pub(super) type Weight = (usize, usize);

impl Built {
    /// How much was built on each of several branches, by the entries of each: everybody counts for the one on which they
    /// built first.
    pub(super) fn weights(&self, branches: &[BTreeSet<EntryId>]) -> Vec<Weight> {
        let firsts: Vec<BTreeMap<JournalId, First>> =
            branches.iter().map(|entries| self.firsts_on(entries)).collect();
        let is_first_here = |here: usize, journal: &JournalId, first: &First| {
            let mut others = firsts.iter().enumerate().filter(|(at, _)| *at != here);
            others.all(|(_, other)| other.get(journal).is_none_or(|other| first < other))
        };
        let weight = |(here, on): (usize, &BTreeMap<JournalId, First>)| {
            let journals = on
                .iter()
                .filter(|(journal, first)| is_first_here(here, journal, first));
            let builders: Vec<&Builder> = journals
                .filter_map(|(journal, _)| self.claims.get(journal))
                .collect();
            let persons: BTreeSet<PersonId> = builders.iter().filter_map(|builder| builder.person).collect();
            let grants: BTreeSet<EntryId> = builders.iter().map(|builder| builder.grant).collect();
            (persons.len(), grants.len())
        };
        firsts.iter().enumerate().map(weight).collect()
    }

    fn firsts_on(&self, entries: &BTreeSet<EntryId>) -> BTreeMap<JournalId, First> {
        let mut all: BTreeMap<JournalId, First> = BTreeMap::new();
        for (journal, first) in entries
            .iter()
            .filter_map(|entry| self.firsts.get(entry))
            .flatten()
        {
            let held = all.entry(*journal).or_insert(*first);
            *held = (*held).min(*first);
        }
        all
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
        if entry.header.number == EntryNumber::FIRST && self.is_forked(journal) {
            // It may say otherwise whose the journal is, for every branch that it was built on.
            for fork in self.forks.values_mut() {
                fork.settled = false;
            }
        }
        let deps = self.deps_of(entry);
        for fork in self.forks.values_mut() {
            fork.note(&entry.header, &deps);
        }
    }

    pub(super) fn is_settled(&self, journal: JournalId) -> bool {
        self.forks.get(&journal).is_some_and(|fork| fork.settled)
    }

    /// Who built on which entry of the tree: named it in `seen`, or made a change that depends on one in it. Whoever asks
    /// decides which branch counts.
    pub(super) fn built_on(&mut self, journal: JournalId, tree: &Tree) -> Result<Built, ReplicaError> {
        let there = self.persons_at_fork(journal, tree)?;
        let author = self.claimed_author(journal)?.map(|claim| claim.person);
        let Some(mut fork) = self.forks.remove(&journal) else {
            return Ok(Built::default());
        };
        fork.settled = true;
        let mut built = Built {
            firsts: fork.builders.clone(),
            claims: BTreeMap::new(),
        };
        for other in fork.builders.values().flat_map(BTreeMap::keys) {
            if let Some(claim) = self.claimed_author(*other)? {
                let counts = Some(claim.person) != author && there.contains(&claim.person);
                let builder = Builder {
                    person: counts.then_some(claim.person),
                    grant: claim.grant,
                };
                built.claims.insert(*other, builder);
            }
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
            if self.is_about_erasing(entry)? {
                fork.erasures.insert(entry.id);
            }
            for raw in self.changes_in(entry) {
                fork.changes.extend(change_id(&raw).ok().map(|id| (id, entry.id)));
            }
        }
        for other in self.journals.keys().filter(|other| **other != journal) {
            let counting = self.storage.entries(*other, EntryNumber(0), usize::MAX)?;
            let aside = self.aside.get(other).into_iter().flat_map(BTreeMap::values);
            for entry in counting.iter().map(|held| &held.entry).chain(aside) {
                fork.note(&entry.header, &self.deps_of(entry));
            }
        }
        self.forks.insert(journal, fork);
        Ok(())
    }

    /// Does an entry say what is erased, or sign that, whether it counts or not?
    fn is_about_erasing(&self, entry: &Entry) -> Result<bool, ReplicaError> {
        let act = (entry.header.kind == EntryKind::Control)
            .then(|| self.signed_act(entry))
            .flatten();
        let said = match act {
            Some(ControlAct::Sign(sign)) => self.claimed_act(sign.motion)?,
            act => act,
        };
        Ok(said.is_some_and(|act| act.erasure().is_some()))
    }

    fn deps_of(&self, entry: &Entry) -> Vec<ChangeId> {
        let changes = self.changes_in(entry);
        changes
            .iter()
            .flat_map(|raw| change_deps(raw).unwrap_or_default())
            .collect()
    }
}
