//! How much of a group there is room for at all: so many journals and branches that what a device holds can always be told in one
//! frame, so many that cannot be read, and so much of what lies beyond the end of somebody's journals. By whatever road it
//! comes, more is put off.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::id::{EntryId, EntryNumber, JournalId, PersonId};
use crate::planted::{Guard, is_off};

use super::allowance::{Amount, Offered, TooMuch, last_of};
use super::begin::{Beginning, Begun};
use super::hold::{Replica, ReplicaError};
use super::limits::{
    ASIDE_ENTRIES_MAX, BRANCHES_MAX, JOURNAL_BRANCHES_MAX, JOURNALS_MAX, JOURNALS_RESERVE, OPENING_ENTRIES,
    QUARANTINE_BYTES, QUARANTINE_ENTRIES, UNREAD_JOURNALS_MAX,
};
use super::storage::Storage;

/// How much there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Most {
    /// Journals and branches together.
    pub journals: usize,
    /// Journals that cannot be read.
    pub unread: usize,
    /// Branches kept aside in the group.
    pub branches: usize,
    /// Branches kept aside of one journal, where nobody else builds on them.
    pub journal_branches: usize,
    /// What lies beyond the end of one person's journals.
    pub quarantine: Amount,
}

impl Default for Most {
    fn default() -> Self {
        Self {
            journals: JOURNALS_MAX.saturating_sub(JOURNALS_RESERVE),
            unread: UNREAD_JOURNALS_MAX,
            branches: BRANCHES_MAX,
            journal_branches: JOURNAL_BRANCHES_MAX,
            quarantine: Amount {
                entries: QUARANTINE_ENTRIES,
                bytes: QUARANTINE_BYTES,
            },
        }
    }
}

/// The branches of a journal that are kept aside, as they would be with an offer.
#[derive(Debug)]
pub(super) struct Branching {
    head: (EntryNumber, EntryId),
    taken: BTreeSet<EntryId>,
    leaves: BTreeSet<EntryId>,
    /// Entries aside that are new.
    aside: usize,
}

impl<S: Storage> Replica<S> {
    /// Says how much there is room for; else as the limits say.
    pub const fn set_most(&mut self, most: Most) {
        self.allowance.most = most;
    }

    /// Puts off journals with so many branches that more prove nothing: the fork is proven.
    pub(super) fn too_many_branches(
        &self,
        entries: &Offered,
        branching: &BTreeMap<JournalId, Branching>,
        too_much: &mut TooMuch,
    ) {
        let own = self.signing_journal().map(|(journal, _)| journal);
        let last = last_of(entries);
        for (journal, branching) in branching {
            let many = branching.leaves.len() > self.allowance.most.journal_branches;
            if many && own != Some(*journal) && !is_off(Guard::BranchesRoom) {
                let through = last.get(journal).copied().unwrap_or(EntryNumber::FIRST);
                too_much.insert(*journal, (through, self.in_a_day()));
            }
        }
    }

    /// Puts off what lies beyond the end of journals of whoever has enough of that here.
    pub(super) fn beyond_room(
        &self,
        entries: &Offered,
        begun: &Begun,
        too_much: &mut TooMuch,
    ) -> Result<(), ReplicaError> {
        if self.roster().kills() == 0 || is_off(Guard::QuarantineRoom) {
            return Ok(());
        }
        let mut theirs: BTreeMap<JournalId, PersonId> = BTreeMap::new();
        let last = last_of(entries);
        for journal in last.keys() {
            let granted = match begun.by.get(journal) {
                Some(Beginning::Granted(grant)) if !self.roster().is_enrolled(*grant) => {
                    self.roster().device(*grant).map(|device| device.person)
                }
                Some(_) => None,
                None => self.roster().author(*journal).map(|author| author.person),
            };
            let is_over = begun.by.contains_key(journal) || self.roster().ends(*journal).is_some();
            theirs.extend(granted.filter(|_| is_over).map(|person| (*journal, person)));
        }
        let mut offered: BTreeMap<JournalId, Amount> = BTreeMap::new();
        for (entry, _) in entries {
            let (journal, number) = (entry.header.journal, entry.header.number);
            let beyond = self.head(journal).is_none_or(|(head, _)| number > head);
            let end = self.roster().ends(journal).unwrap_or(EntryNumber(0));
            if theirs.contains_key(&journal) && beyond && number > end {
                let offered = offered.entry(journal).or_default();
                *offered = offered.plus(Amount::of(entry));
            }
        }
        let mut held: BTreeMap<PersonId, Amount> = BTreeMap::new();
        let most = self.allowance.most.quarantine;
        for (journal, amount) in offered {
            let (Some(person), Some(through)) = (theirs.get(&journal), last.get(&journal)) else {
                continue;
            };
            let so_far = match held.get(person) {
                Some(held) => *held,
                None => self.beyond_of(*person)?,
            };
            let with = so_far.plus(amount);
            if with.entries > most.entries || with.bytes > most.bytes {
                too_much.insert(journal, (*through, self.in_a_day()));
                held.insert(*person, so_far);
            } else {
                held.insert(*person, with);
            }
        }
        Ok(())
    }

    /// How much is kept of a person that lies beyond the end of their journals.
    fn beyond_of(&self, person: PersonId) -> Result<Amount, ReplicaError> {
        let mut held = Amount::default();
        for journal in self.roster().journals_by(person) {
            let Some(end) = self.roster().ends(journal) else {
                continue;
            };
            if self.head(journal).is_some_and(|(head, _)| head > end) {
                let mut beyond = self.held_beyond(journal, end)?;
                if end.0 == 0 {
                    beyond.entries = beyond.entries.saturating_add(OPENING_ENTRIES);
                }
                held = held.plus(beyond);
            }
        }
        Ok(held)
    }

    /// Puts off whatever there is no room for, also where somebody builds on it.
    pub(super) fn no_room(
        &self,
        entries: &Offered,
        begun: &Begun,
        branching: &BTreeMap<JournalId, Branching>,
        too_much: &mut TooMuch,
    ) -> Result<(), ReplicaError> {
        let most = &self.allowance.most;
        let last = last_of(entries);
        let mut put_off = |journal: JournalId| {
            let through = last.get(&journal).copied().unwrap_or(EntryNumber::FIRST);
            too_much.entry(journal).or_insert((through, self.in_a_day()));
        };
        let mut branches = 0_usize;
        if !branching.is_empty() || !begun.order.is_empty() {
            branches = self.leaves().len();
        }
        let mut journals = self.journals.len().saturating_add(branches);
        for (journal, branching) in branching {
            let new = branching
                .leaves
                .len()
                .saturating_sub(self.leaves_of(*journal).len());
            let aside = self.aside.get(journal).map_or(0, BTreeMap::len);
            let full = branches.saturating_add(new) > most.branches
                || journals.saturating_add(new) > most.journals
                || aside.saturating_add(branching.aside) > ASIDE_ENTRIES_MAX;
            if full && !is_off(Guard::BranchesRoom) {
                put_off(*journal);
            } else {
                branches = branches.saturating_add(new);
                journals = journals.saturating_add(new);
            }
        }
        let mut unread: Option<usize> = None;
        for journal in begun.order.iter().filter(|journal| last.contains_key(journal)) {
            if begun.by.get(journal) == Some(&Beginning::Unread) {
                let so_far = match unread {
                    Some(unread) => unread,
                    None => self.unread_journals()?,
                };
                if so_far >= most.unread && !is_off(Guard::UnreadRoom) {
                    unread = Some(so_far);
                    put_off(*journal);
                    continue;
                }
                unread = Some(so_far.saturating_add(1));
            }
            if journals >= most.journals && !is_off(Guard::JournalsRoom) {
                put_off(*journal);
                continue;
            }
            journals = journals.saturating_add(1);
        }
        Ok(())
    }

    /// The journals that branch anew with an offer, and what would be kept aside of them then.
    pub(super) fn branching(
        &self,
        entries: &Offered,
    ) -> Result<BTreeMap<JournalId, Branching>, ReplicaError> {
        let mut journals: BTreeMap<JournalId, Branching> = BTreeMap::new();
        for (entry, _) in entries {
            let header = &entry.header;
            let journal = header.journal;
            let branching = journals.entry(journal).or_insert_with(|| Branching {
                head: self.head(journal).unwrap_or((EntryNumber(0), EntryId::ZERO)),
                taken: BTreeSet::new(),
                leaves: self.leaves_of(journal).into_iter().map(|(_, id)| id).collect(),
                aside: 0,
            });
            if header.number == branching.head.0.next() && header.prev == branching.head.1 {
                branching.head = (header.number, entry.id);
                branching.taken.insert(entry.id);
                continue;
            }
            let held = branching.taken.contains(&entry.id)
                || self.is_aside(journal, entry.id)
                || self.entry_id(journal, header.number)? == Some(entry.id);
            if !held {
                branching.taken.insert(entry.id);
                branching.leaves.remove(&header.prev);
                branching.leaves.insert(entry.id);
                branching.aside = branching.aside.saturating_add(1);
            }
        }
        journals.retain(|_, branching| branching.aside > 0);
        Ok(journals)
    }
}
