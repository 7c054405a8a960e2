//! Entries on branches of journals that do not count. Others may have them in their past, and what is erased there is erased.
//!
//! Whether an act erases is judged in its own past alone, so that it does not change with the branch that counts now. There, of
//! each journal one branch counts: of the act's own journal that on which it lies; of another that which its author knew, and where
//! they knew several, at each fork the one that goes on with the smaller id.

use std::collections::{BTreeMap, BTreeSet};

use super::super::control::{ControlAct, ControlEntry, CouncilAct, Erase, Erasure, Motion};
use super::super::id::{EntryId, EntryNumber, JournalId, PersonId};
use super::past::Reach;
use super::{Judged, NotOk, PastMissing, Roster};

/// Pasts that are kept, each with other branches.
const PASTS_MAX: usize = 4;

/// An entry on a branch that does not count.
#[derive(Debug, Clone)]
pub(super) struct Beside {
    /// As it was written.
    pub(super) entry: ControlEntry,
    /// The control entry before it on its branch.
    previous: Option<EntryId>,
}

/// Of each forked journal in a past the control entries of the branch that counts there.
type Branches = BTreeMap<JournalId, BTreeMap<EntryNumber, EntryId>>;

/// Of one journal the control entries after each.
type After = BTreeMap<Option<EntryId>, BTreeSet<(EntryId, EntryNumber)>>;

impl Roster {
    /// Takes in an entry on such a branch, as [`Roster::insert`] does others. It has a place for itself, so that it is in nobody's
    /// past who did not name it, and there says nothing but what is erased ([`Roster::is_about_erasing`]). `previous` is the control
    /// entry before it on its branch, and in its `seen`.
    ///
    /// # Errors
    /// As [`Roster::insert`].
    pub fn insert_beside(
        &mut self,
        entry: ControlEntry,
        previous: Option<EntryId>,
    ) -> Result<Result<(), NotOk>, PastMissing> {
        let alone = JournalId(entry.id.0);
        let mut here = ControlEntry {
            journal: alone,
            ..entry.clone()
        };
        if !self.is_about_erasing(&here.act) {
            here.act = ControlAct::Void;
        }
        self.beside.insert(alone, Beside { entry, previous });
        let taken = self.insert(here);
        if taken.is_err() {
            self.beside.remove(&alone);
        }
        taken
    }

    /// The journal in which an entry lies, given where it has its place here.
    pub(super) fn written_in(&self, place: JournalId) -> JournalId {
        self.beside
            .get(&place)
            .map_or(place, |written| written.entry.journal)
    }

    /// What an entry says, also where it lies on a branch that does not count.
    pub(super) fn act_as_written(&self, id: EntryId) -> Option<&ControlAct> {
        let beside = self.beside.get(&JournalId(id.0));
        beside.map(|written| &written.entry.act).or_else(|| self.act(id))
    }

    /// Does an entry lie on a branch that does not count? No end moves over it: nobody names it in a cut.
    pub(super) fn is_beside(&self, judged: &Judged) -> bool {
        self.beside.contains_key(&judged.entry.journal)
    }

    /// The first entries of a journal: one on each branch of a journal that forks there.
    pub(super) fn firsts(&self, journal: JournalId) -> impl Iterator<Item = &ControlEntry> {
        let counts = self
            .journals
            .get(&journal)
            .and_then(|numbers| self.entries.get(numbers.get(&EntryNumber::FIRST)?))
            .map(|judged| &judged.entry);
        let beside = self.beside.values().map(|written| &written.entry);
        let others =
            beside.filter(move |entry| entry.journal == journal && entry.number == EntryNumber::FIRST);
        counts.into_iter().chain(others)
    }

    /// The act about erasing that an entry puts into effect, and who brought that about, as its own past says.
    pub(super) fn erases(&mut self, judged: &Judged) -> Option<(EntryId, BTreeSet<PersonId>)> {
        if !self.is_about_erasing(&judged.entry.act) {
            return None;
        }
        if self.beside_in(&judged.moment.reach).next().is_some() {
            return self.erases_in_own_past(judged);
        }
        self.takes_effect(judged)
    }

    /// The entries in a past on branches that do not count.
    fn beside_in<'a>(&'a self, reach: &'a Reach) -> impl Iterator<Item = &'a Beside> {
        let known = self
            .beside
            .iter()
            .filter(|(alone, _)| self.last_number(**alone, reach) > 0);
        known.map(|(_, written)| written)
    }

    /// As it was judged.
    fn takes_effect(&self, judged: &Judged) -> Option<(EntryId, BTreeSet<PersonId>)> {
        judged.verdict.ok()?;
        let act = if matches!(judged.entry.act, ControlAct::Erase(_)) {
            judged.entry.id
        } else {
            judged.basis.carries?
        };
        let by = judged.basis.chain.map(|chain| chain.person);
        Some((act, self.signers(act).chain(by).collect()))
    }

    fn erases_in_own_past(&mut self, judged: &Judged) -> Option<(EntryId, BTreeSet<PersonId>)> {
        let journal = self.written_in(judged.entry.journal);
        if let ControlAct::Erase(erase) = &judged.entry.act
            && !self.can_be_in(journal, erase.erasure.document)
        {
            return None;
        }
        let branches = self.branches_known(judged);
        let mut past = self.take_past(&branches);
        let counts = |entry: &ControlEntry| {
            let branch = branches.get(&self.written_in(entry.journal));
            branch.is_none_or(|branch| branch.get(&entry.number) == Some(&entry.id))
        };
        for Judged { entry, .. } in self.within(&judged.moment.reach).chain([judged]) {
            if !past.contains(entry.id) {
                self.tell(&mut past, entry, counts(entry)).ok()?;
            }
        }
        let erases = past.takes_effect(past.entries.get(&judged.entry.id)?);
        self.pasts.push_front(past);
        self.pasts.truncate(PASTS_MAX);
        erases
    }

    /// A roster in which these branches count, or nothing: what more is in it changes no answer, since each act is judged in its past.
    fn take_past(&mut self, branches: &Branches) -> Self {
        let kept = self.pasts.iter().position(|past| past.goes_with(branches));
        let kept = kept.and_then(|at| self.pasts.remove(at));
        kept.unwrap_or_else(|| Self {
            is_of_one_past: true,
            ..Self::default()
        })
    }

    /// Can these branches count here, too?
    fn goes_with(&self, branches: &Branches) -> bool {
        branches.iter().all(|(journal, branch)| {
            let here = self.journals.get(journal).into_iter().flatten();
            let is_beside = |id: &EntryId| self.beside.contains_key(&JournalId(id.0));
            here.zip(branch).all(|(here, there)| here == there) && !branch.values().any(is_beside)
        })
    }

    /// Takes an entry into the roster of a past.
    fn tell(&self, past: &mut Self, entry: &ControlEntry, counts: bool) -> Result<(), PastMissing> {
        let written = self.beside.get(&entry.journal).map(|written| &written.entry);
        let written = written.unwrap_or(entry);
        let mut told = ControlEntry {
            act: said_briefly(&written.act),
            seen: written.seen.clone(),
            ..*written
        };
        let taken = if counts {
            past.insert(told)
        } else {
            let previous = self.previous(entry);
            told.seen.extend(previous);
            past.insert_beside(told, previous)
        };
        taken.map(|_| ())
    }

    /// The control entry before another on its branch.
    fn previous(&self, entry: &ControlEntry) -> Option<EntryId> {
        let beside = self.beside.get(&entry.journal);
        beside.map_or_else(
            || self.last_in(entry.journal, entry.number),
            |written| written.previous,
        )
    }

    /// Of the journals that forked, what counts in an act's past.
    fn branches_known(&self, judged: &Judged) -> Branches {
        let reach = &judged.moment.reach;
        let mut after: BTreeMap<JournalId, After> = BTreeMap::new();
        for Beside { entry, previous } in self.beside_in(reach) {
            let after = after.entry(entry.journal).or_default();
            after
                .entry(*previous)
                .or_default()
                .insert((entry.id, entry.number));
        }
        for forked in self.beside.values().map(|written| written.entry.journal) {
            after.entry(forked).or_default();
        }
        let own = self.written_in(judged.entry.journal);
        let mut branches = Branches::new();
        for (journal, mut after) in after {
            let mut previous = None;
            let known = EntryNumber(self.last_number(journal, reach));
            for (number, id) in self.journals.get(&journal).into_iter().flatten() {
                if *number <= known {
                    after.entry(previous).or_default().insert((*id, *number));
                    previous = Some(*id);
                }
            }
            let branch = if journal == own {
                self.branch_to(&judged.entry)
            } else {
                first_branch(&after)
            };
            branches.insert(journal, branch);
        }
        branches
    }

    /// The control entries of the branch that an entry ends.
    fn branch_to(&self, entry: &ControlEntry) -> BTreeMap<EntryNumber, EntryId> {
        let mut branch = BTreeMap::from([(entry.number, entry.id)]);
        let mut before = self.previous(entry);
        while let Some(judged) = before.and_then(|id| self.entries.get(&id)) {
            branch.insert(judged.entry.number, judged.entry.id);
            before = self.previous(&judged.entry);
        }
        branch
    }
}

/// The branch that goes on with the smaller id at each fork.
fn first_branch(after: &After) -> BTreeMap<EntryNumber, EntryId> {
    let mut branch = BTreeMap::new();
    let mut last = None;
    while let Some((id, number)) = after.get(&last).and_then(BTreeSet::first) {
        branch.insert(*number, *id);
        last = Some(*id);
    }
    branch
}

/// An act without what it erases: that decides about nothing.
fn said_briefly(act: &ControlAct) -> ControlAct {
    let briefly = |erasure: &Erasure| Erasure {
        entries: BTreeSet::new(),
        ..*erasure
    };
    if let ControlAct::Erase(erase) = act {
        return ControlAct::Erase(Erase {
            erasure: briefly(&erase.erasure),
            ..*erase
        });
    }
    if let ControlAct::Motion(motion) = act
        && let CouncilAct::Erase(erasure) = &motion.act
    {
        return ControlAct::Motion(Motion {
            act: CouncilAct::Erase(briefly(erasure)),
            cut: motion.cut.clone(),
            reason: motion.reason.clone(),
            ..*motion
        });
    }
    act.clone()
}
