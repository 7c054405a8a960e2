//! Entries on branches of journals that do not count. Others may have them in their past, and what is erased there is erased.
//!
//! Whether an act erases is judged in its own past alone, so that it never changes with the branch that counts: in that past the
//! branch counts which its author knew. Where they knew several, it is the one that counts now.

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
        let act = if self.is_about_erasing(&entry.act) {
            entry.act.clone()
        } else {
            ControlAct::Void
        };
        let here = ControlEntry {
            journal: alone,
            act,
            ..entry.clone()
        };
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

    /// The act about erasing that an entry puts into effect, as its own past says. `reach` is that past with itself.
    pub(super) fn erases(&self, judged: &Judged, reach: &Reach) -> Option<EntryId> {
        let knows_branch = || {
            let mut branches = self.beside.keys();
            branches.any(|alone| self.last_number(*alone, reach) > 0)
        };
        if self.is_about_erasing(&judged.entry.act) && knows_branch() {
            return self.erases_in_own_past(judged, reach);
        }
        self.takes_effect(judged)
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

    fn erases_in_own_past(&self, judged: &Judged, reach: &Reach) -> Option<EntryId> {
        let branches = self.branches_known(judged, reach);
        let mut past = Self {
            is_of_one_past: true,
            ..Self::default()
        };
        for before in self.within(reach) {
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

    /// Of the journals with a branch in a past that does not count now, those of which nothing else is in it.
    fn branches_known<'a>(&'a self, judged: &'a Judged, reach: &'a Reach) -> Branches<'a> {
        let mut last: BTreeMap<JournalId, &ControlEntry> = BTreeMap::new();
        let known = |alone: &JournalId| self.last_number(*alone, reach) > 0;
        let all = || self.beside.iter().filter(|(alone, _)| known(alone));
        for (_, entry) in all() {
            let known = last.entry(entry.journal).or_insert(entry);
            if (known.number, known.id) < (entry.number, entry.id) {
                *known = entry;
            }
        }
        let mut branches: Branches<'a> = BTreeMap::new();
        for (journal, entry) in last {
            let Some(of) = self.entries.get(&entry.id) else {
                continue;
            };
            let its = &of.moment.reach;
            let mut others = all().filter(|(_, other)| other.journal == journal && other.id != entry.id);
            let is_one = others.all(|(alone, _)| self.last_number(*alone, its) > 0)
                && self.last_number(journal, reach) <= self.last_number(journal, its);
            if is_one {
                branches.insert(journal, (entry.id, its));
            }
        }
        if let Some(own) = self.beside.get(&judged.entry.journal) {
            branches.insert(own.journal, (own.id, reach));
        }
        branches
    }
}
