//! How far everybody's journals count, and whether what was judged by an earlier reckoning has to be judged anew.

use std::collections::BTreeMap;

use crate::domain::id::{EntryNumber, JournalId};
use crate::domain::roster::{Roster, Tenure};

use super::hold::Replica;
use super::storage::Storage;

/// Where each journal, and each role of its author, ends: not named, nothing ends it.
#[derive(Debug, Clone, Default)]
pub(super) struct Reckoning {
    /// How many ends there were: while they are the same, so is everything.
    kills: usize,
    /// How many erasures there were.
    pub(super) erasures: usize,
    ends: BTreeMap<JournalId, BTreeMap<Tenure, EntryNumber>>,
}

impl Reckoning {
    pub(super) fn of(roster: &Roster) -> Self {
        let kills = roster.kills();
        Self {
            kills,
            erasures: roster.erasures(),
            ends: if kills == 0 {
                BTreeMap::new()
            } else {
                roster.reckoning()
            },
        }
    }

    /// The first entry of a journal that may stand otherwise by the other reckoning.
    fn first_difference(&self, other: &Self, journal: JournalId) -> Option<EntryNumber> {
        let ends = |of: &Self| of.ends.get(&journal).cloned().unwrap_or_default();
        let (mine, theirs) = (ends(self), ends(other));
        let differing = mine
            .keys()
            .chain(theirs.keys())
            .filter(|tenure| mine.get(tenure) != theirs.get(tenure));
        // The nearer of both ends; where one has none, the other.
        let nearer =
            differing.filter_map(|tenure| mine.get(tenure).into_iter().chain(theirs.get(tenure)).min());
        nearer.min().map(|end| end.next())
    }
}

impl<S: Storage> Replica<S> {
    /// Whether, since it was last asked, the end of a journal or of a role moved over entries that are held, or something
    /// was erased.
    pub(super) fn reckons_otherwise(&mut self) -> bool {
        let erased = self.roster.erasures() != self.reckoning.erasures;
        if self.roster.kills() == self.reckoning.kills && !erased {
            return false;
        }
        let now = Reckoning::of(&self.roster);
        let before = std::mem::replace(&mut self.reckoning, now);
        erased
            || self.journals.values().any(|row| {
                before
                    .first_difference(&self.reckoning, row.id)
                    .is_some_and(|first| row.head.0 >= first)
            })
    }
}
