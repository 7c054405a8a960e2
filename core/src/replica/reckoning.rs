//! How far everybody's journals count, and whether what was judged by an earlier reckoning has to be judged anew.

use std::collections::BTreeMap;

use crate::domain::id::{EntryNumber, JournalId};
use crate::domain::roster::{Roster, Tenure};

use super::hold::Replica;
use super::storage::Storage;

type Ends = Vec<(Tenure, Option<EntryNumber>)>;

/// Where each journal, and each role of its author, ends.
#[derive(Debug, Clone, Default)]
pub(super) struct Reckoning {
    /// How many ends there were: while they are the same, so is everything.
    kills: usize,
    ends: BTreeMap<JournalId, Ends>,
}

impl Reckoning {
    pub(super) fn of(roster: &Roster) -> Self {
        let kills = roster.kills();
        Self {
            kills,
            ends: if kills == 0 {
                BTreeMap::new()
            } else {
                roster.reckoning()
            },
        }
    }

    /// The first entry of a journal that may stand otherwise by the other reckoning.
    fn first_difference(&self, other: &Self, journal: JournalId) -> Option<EntryNumber> {
        let mine: BTreeMap<Tenure, Option<EntryNumber>> = self.ends_of(journal);
        let theirs = other.ends_of(journal);
        let all = mine.keys().chain(theirs.keys());
        let differing = all.filter_map(|tenure| {
            // Not named: nothing ends there.
            let (one, two) = (
                mine.get(tenure).copied().flatten(),
                theirs.get(tenure).copied().flatten(),
            );
            (one != two).then(|| match (one, two) {
                (Some(one), Some(two)) => one.min(two),
                (one, two) => one.or(two).unwrap_or(EntryNumber(0)),
            })
        });
        differing.min().map(EntryNumber::next)
    }

    fn ends_of(&self, journal: JournalId) -> BTreeMap<Tenure, Option<EntryNumber>> {
        self.ends.get(&journal).into_iter().flatten().copied().collect()
    }
}

impl<S: Storage> Replica<S> {
    /// Whether, since it was last asked, the end of a journal or of a role moved over entries that are held.
    pub(super) fn reckons_otherwise(&mut self) -> bool {
        if self.roster.kills() == self.reckoning.kills {
            return false;
        }
        let now = Reckoning::of(&self.roster);
        let before = std::mem::replace(&mut self.reckoning, now);
        self.journals.values().any(|row| {
            before
                .first_difference(&self.reckoning, row.id)
                .is_some_and(|first| row.head.0 >= first)
        })
    }
}
