//! Entries on branches of journals that do not count. Others may have them in their past, and what is erased there is erased.
//!
//! Whether an act erases is judged in its own past alone: in that past the branch counts which its author knew, so that it does not
//! change with the one that counts now. Only where they knew several, that one decides.

use std::collections::BTreeMap;

use super::super::control::{ControlAct, ControlEntry};
use super::super::id::{EntryId, JournalId};
use super::past::Reach;
use super::{Judged, NotOk, PastMissing, Roster};

/// Of forked journals the last entry of the branch that counts in a past, with what that one reaches.
type Branches<'a> = BTreeMap<JournalId, (EntryId, &'a Reach)>;

impl Roster {
    /// Takes in an entry on such a branch, as [`Roster::insert`] does others. It has a place for itself, so that it is in nobody's
    /// past who did not name it, and there says nothing but what is erased ([`Roster::is_about_erasing`]).
    ///
    /// # Errors
    /// As [`Roster::insert`].
    pub fn insert_beside(&mut self, entry: ControlEntry) -> Result<Result<(), NotOk>, PastMissing> {
        let alone = JournalId(entry.id.0);
        let mut here = ControlEntry {
            journal: alone,
            ..entry.clone()
        };
        if !self.is_about_erasing(&here.act) {
            here.act = ControlAct::Void;
        }
        self.beside.insert(alone, entry);
        let taken = self.insert(here);
        if taken.is_err() {
            self.beside.remove(&alone);
        }
        taken
    }

    /// The journal in which an entry lies, given where it has its place here.
    pub(super) fn written_in(&self, place: JournalId) -> JournalId {
        self.beside.get(&place).map_or(place, |written| written.journal)
    }

    /// What an entry says, also where it lies on a branch that does not count.
    pub(super) fn act_as_written(&self, id: EntryId) -> Option<&ControlAct> {
        let beside = self.beside.get(&JournalId(id.0));
        beside.map(|entry| &entry.act).or_else(|| self.act(id))
    }

    /// Does an entry lie on a branch that does not count? No end moves over it: nobody names it in a cut.
    pub(super) fn is_beside(&self, judged: &Judged) -> bool {
        self.beside.contains_key(&judged.entry.journal)
    }

    /// The act about erasing that an entry puts into effect, as its own past says.
    pub(super) fn erases(&self, judged: &Judged) -> Option<EntryId> {
        let knows_branch = || self.beside_in(&judged.moment.reach).next().is_some();
        if self.is_about_erasing(&judged.entry.act) && knows_branch() {
            return self.erases_in_own_past(judged);
        }
        self.takes_effect(judged)
    }

    /// The entries in a past on branches that do not count, as they were written.
    fn beside_in<'a>(&'a self, reach: &'a Reach) -> impl Iterator<Item = &'a ControlEntry> {
        let known = self
            .beside
            .iter()
            .filter(|(alone, _)| self.last_number(**alone, reach) > 0);
        known.map(|(_, entry)| entry)
    }

    /// As it was judged.
    fn takes_effect(&self, judged: &Judged) -> Option<EntryId> {
        judged.verdict.ok()?;
        let act = &judged.entry.act;
        if matches!(act, ControlAct::Erase(_)) {
            Some(judged.entry.id)
        } else {
            judged.basis.carries.filter(|_| self.is_about_erasing(act))
        }
    }

    fn erases_in_own_past(&self, judged: &Judged) -> Option<EntryId> {
        let branches = self.branches_known(judged);
        let mut past = Self {
            is_of_one_past: true,
            ..Self::default()
        };
        for before in self.within(&judged.moment.reach) {
            self.tell(&mut past, before, &branches).ok()?;
        }
        self.tell(&mut past, judged, &branches).ok()?;
        past.takes_effect(past.entries.get(&judged.entry.id)?)
    }

    /// Takes an entry into the roster of one past, in which these branches count.
    fn tell(&self, past: &mut Self, judged: &Judged, branches: &Branches<'_>) -> Result<(), PastMissing> {
        let entry = &judged.entry;
        let written = self.beside.get(&entry.journal);
        let journal = written.map_or(entry.journal, |written| written.journal);
        let branch = branches.get(&journal);
        let counts = match branch {
            Some((last, reach)) => *last == entry.id || self.reaches(reach, judged),
            None => written.is_none(),
        };
        let mut told = written.unwrap_or(entry).clone();
        let taken = if counts {
            past.insert(told)
        } else {
            told.seen.extend(self.last_in(entry.journal, entry.number));
            past.insert_beside(told)
        };
        taken.map(|_| ())
    }

    /// Of the journals with a branch in an act's past that does not count now, those of which nothing else is in it; and the branch on
    /// which the act itself lies.
    fn branches_known<'a>(&'a self, judged: &'a Judged) -> Branches<'a> {
        let reach = &judged.moment.reach;
        let mut known: BTreeMap<JournalId, Vec<&ControlEntry>> = BTreeMap::new();
        for entry in self.beside_in(reach) {
            known.entry(entry.journal).or_default().push(entry);
        }
        let mut branches: Branches<'a> = BTreeMap::new();
        for (journal, entries) in known {
            let last = entries.iter().max_by_key(|entry| (entry.number, entry.id));
            let Some(last) = last.and_then(|last| self.entries.get(&last.id)) else {
                continue;
            };
            let its = &last.moment.reach;
            let reached = |entry: &&ControlEntry| self.last_number(JournalId(entry.id.0), its) > 0;
            if entries.iter().all(reached)
                && self.last_number(journal, reach) <= self.last_number(journal, its)
            {
                branches.insert(journal, (last.entry.id, its));
            }
        }
        if let Some(own) = self.beside.get(&judged.entry.journal) {
            branches.insert(own.journal, (own.id, reach));
        }
        branches
    }
}
