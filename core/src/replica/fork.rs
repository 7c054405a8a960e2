//! Forks: two signed entries of one journal with one number. The journal's author ran a copy of their profile; nobody else
//! can make one.
//!
//! Every branch is kept. One counts: the one on which more persons built who were in the group at the fork, else the one
//! on which more devices built at all (counted by the grants that let their journals begin), else the one that begins with
//! the smaller id; the same rule again where a branch forks. Who built on several counts for the one on which they built
//! first: what is erased counts on every branch and is named wherever it lies, and naming it exchanges nothing. Devices decide where persons cannot: whoever founds a group, or
//! restores a copy from before they admitted people, forks where nobody else was in the group yet, and everybody since then
//! hangs on one branch. (Who admits themselves again and again has more of them; who may admit people is the group's to
//! decide.) What was built on a branch that does not count itself is counted too, and who somebody is does not hang on what
//! counts either (`claims`), else two forks could hold each other up, one way here and the other way there. (That a cut
//! signed by others pins a branch comes before that, once there are such cuts.) Where the branch that counts changes,
//! everything is judged anew. What the others hold is kept aside, for the author to see and say again.

mod aside;
mod built;
mod claims;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::control::{ControlAct, ControlEntry};
use crate::domain::id::{EntryId, EntryNumber, JournalId, PersonId};
use crate::planted::{Guard, is_off};

use super::entry::{Entry, EntryKind};
use super::frontier::{Frontier, Holdings};
use super::hold::{Replica, ReplicaError};
use super::storage::{Held, Standing, Storage, Write};

use built::Built;
pub(super) use built::Fork;

/// For each forked journal the last entry of every branch but the one that counts.
pub type Branches = BTreeMap<JournalId, BTreeSet<(EntryNumber, EntryId)>>;

/// The entries of the branches that do not count, by journal.
pub(super) type Aside = BTreeMap<JournalId, BTreeMap<EntryId, Entry>>;

/// What lies where a journal forked: every entry from the first fork on, by what it follows.
struct Tree {
    /// The last entry that all branches share.
    base: (EntryNumber, EntryId),
    children: BTreeMap<EntryId, BTreeMap<EntryId, Entry>>,
}

impl<S: Storage> Replica<S> {
    /// What is held: heads and branches.
    #[must_use]
    pub fn holdings(&self) -> Holdings {
        Holdings {
            heads: self.frontier(),
            branches: self.branches(),
        }
    }

    /// The last entry of every branch that does not count.
    #[must_use]
    pub fn branches(&self) -> Branches {
        let journals = self.aside.keys();
        journals
            .map(|journal| (*journal, self.leaves_of(*journal)))
            .collect()
    }

    /// The same for one journal.
    pub(super) fn leaves_of(&self, journal: JournalId) -> BTreeSet<(EntryNumber, EntryId)> {
        let entries = self.aside.get(&journal);
        let entries = || entries.into_iter().flat_map(BTreeMap::values);
        let followed: BTreeSet<EntryId> = entries().map(|entry| entry.header.prev).collect();
        entries()
            .filter(|entry| !followed.contains(&entry.id))
            .map(|entry| (entry.header.number, entry.id))
            .collect()
    }

    /// The journals that forked, and which entry each is taken to end with.
    #[must_use]
    pub fn chosen(&self) -> Frontier {
        let forked = self.aside.keys();
        forked
            .filter_map(|journal| Some((*journal, self.journals.get(journal)?.head)))
            .collect()
    }

    /// The entries of this device's own journals that do not count, oldest first: what their author may say again.
    #[must_use]
    pub fn set_aside(&self, person: PersonId) -> Vec<&Entry> {
        let theirs = self.aside.iter().filter(|(journal, _)| {
            self.roster
                .author(**journal)
                .is_some_and(|author| author.person == person)
        });
        let mut entries: Vec<&Entry> = theirs.flat_map(|(_, entries)| entries.values()).collect();
        entries.sort_by_key(|entry| (entry.header.journal, entry.header.number, entry.id));
        entries
    }

    /// A journal from its first entry to a leaf, in order.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn branch(&self, journal: JournalId, leaf: EntryId) -> Result<Vec<Entry>, ReplicaError> {
        let mut backwards = Vec::new();
        let mut at = leaf;
        let aside = self.aside.get(&journal);
        while let Some(entry) = aside.and_then(|entries| entries.get(&at)) {
            backwards.push(entry.clone());
            at = entry.header.prev;
        }
        let first = backwards
            .last()
            .map_or(EntryNumber(u64::MAX), |entry| entry.header.number);
        let shared = self.storage.entries(journal, EntryNumber(0), usize::MAX)?;
        let mut entries: Vec<Entry> = shared
            .into_iter()
            .map(|held| held.entry)
            .take_while(|entry| entry.header.number < first)
            .collect();
        entries.extend(backwards.into_iter().rev());
        Ok(entries)
    }

    /// Did this journal fork?
    #[must_use]
    pub fn is_forked(&self, journal: JournalId) -> bool {
        self.aside
            .get(&journal)
            .is_some_and(|entries| !entries.is_empty())
    }

    /// The journals that forked.
    pub fn forked(&self) -> impl Iterator<Item = JournalId> + '_ {
        self.aside.keys().copied()
    }

    /// A journal's last entry on the branch that counts.
    #[must_use]
    pub fn head(&self, journal: JournalId) -> Option<(EntryNumber, EntryId)> {
        self.journals.get(&journal).map(|row| row.head)
    }

    /// Is this what is held, on the branches that count?
    #[must_use]
    pub fn is_at(&self, frontier: &Frontier) -> bool {
        let mine = self.journals.iter().map(|(journal, row)| (journal, &row.head));
        mine.eq(frontier)
    }

    /// Is this entry on a branch that is kept aside?
    pub(super) fn is_aside(&self, journal: JournalId, id: EntryId) -> bool {
        self.aside
            .get(&journal)
            .is_some_and(|entries| entries.contains_key(&id))
    }

    /// Decides which branches count, where something came that can change it. True where another one does than before: then
    /// everything is to be judged anew, and the writes that exchange the branches are in `writes`.
    fn settle_forks(&mut self, writes: &mut Vec<Write>) -> Result<bool, ReplicaError> {
        if is_off(Guard::OneBranch) {
            return Ok(false);
        }
        let mut changed = false;
        let mut unsettled: Vec<JournalId> = self.forked().collect();
        unsettled.retain(|journal| !self.is_settled(*journal));
        // Before any branches are exchanged: until that is written, the storage and memory do not fit each other.
        for journal in &unsettled {
            self.look_for_builders(*journal)?;
        }
        let mut forks = Vec::new();
        for journal in unsettled {
            let tree = self.tree(journal)?;
            let built = self.built_on(journal, &tree)?;
            forks.push((journal, tree, built));
        }
        for (journal, tree, built) in forks {
            let winner = tree.winner(&built);
            let counts = self.journals.get(&journal).map(|row| row.head.1);
            let leaf = winner.last().map(|entry| entry.id);
            if leaf != counts {
                self.exchange(journal, &tree, winner, writes);
                changed = true;
            }
        }
        Ok(changed)
    }

    /// Decides which branches of forked journals count. True where another one does now: everything is to be judged anew.
    pub(super) fn resettle(&mut self) -> Result<bool, ReplicaError> {
        if self.aside.is_empty() {
            return Ok(false);
        }
        let mut writes = Vec::new();
        if !self.settle_forks(&mut writes)? {
            return Ok(false);
        }
        writes.push(Write::Stale(true));
        let rows = self.aside.keys().filter_map(|journal| self.journals.get(journal));
        writes.extend(rows.cloned().map(Write::Journal));
        self.storage.commit(self.group, writes)?;
        Ok(true)
    }

    /// Settles the forks until no branch is exchanged any more, and judges everything anew each time. Which branch counts at
    /// one fork may decide who was in the group at a later one, so there are no more rounds than forks.
    pub(super) fn settle_all(&mut self) -> Result<(), ReplicaError> {
        for _ in 0..=self.aside.len() {
            if !self.resettle()? {
                break;
            }
            self.rebuild()?;
        }
        Ok(())
    }

    /// All entries of a journal from its first fork on.
    fn tree(&self, journal: JournalId) -> Result<Tree, ReplicaError> {
        let aside: Vec<Entry> = self
            .aside
            .get(&journal)
            .into_iter()
            .flat_map(BTreeMap::values)
            .cloned()
            .collect();
        let lowest = aside
            .iter()
            .map(|entry| entry.header.number)
            .min()
            .unwrap_or(EntryNumber::FIRST);
        let before = EntryNumber(lowest.0.saturating_sub(1));
        let base = self.entry_id(journal, before)?.unwrap_or(EntryId::ZERO);
        let counting = self.storage.entries(journal, before, usize::MAX)?;
        let mut children: BTreeMap<EntryId, BTreeMap<EntryId, Entry>> = BTreeMap::new();
        for entry in aside
            .into_iter()
            .chain(counting.into_iter().map(|held| held.entry))
        {
            children
                .entry(entry.header.prev)
                .or_default()
                .insert(entry.id, entry);
        }
        Ok(Tree {
            base: (before, base),
            children,
        })
    }

    fn changes_in(&self, entry: &Entry) -> Vec<Vec<u8>> {
        if entry.header.kind != EntryKind::Content {
            return Vec::new();
        }
        self.content(entry)
            .into_iter()
            .flat_map(|content| content.changes)
            .map(|blob| blob.0)
            .collect()
    }

    /// Puts the winner in the place of the branch that counted.
    fn exchange(&mut self, journal: JournalId, tree: &Tree, winner: Vec<Entry>, writes: &mut Vec<Write>) {
        let wins: BTreeSet<EntryId> = winner.iter().map(|entry| entry.id).collect();
        writes.push(Write::Truncate(journal, tree.base.0));
        let mut aside: BTreeMap<EntryId, Entry> = BTreeMap::new();
        for entry in tree.entries().filter(|entry| !wins.contains(&entry.id)) {
            writes.push(Write::Aside(Box::new(entry.clone())));
            aside.insert(entry.id, entry.clone());
        }
        self.aside.insert(journal, aside);
        for entry in winner {
            writes.push(Write::NotAside(journal, entry.id));
            if let Some(row) = self.journals.get_mut(&journal) {
                row.head = (entry.header.number, entry.id);
                row.ended = None;
            }
            // How it stands is judged when everything is judged anew.
            let content = self.content(&entry);
            let can_be_read = entry.header.kind == EntryKind::Content && !entry.sealed.is_empty();
            if content.is_none() && can_be_read {
                // Its key may come with this branch: then it is written down what it is about.
                self.unread.insert(entry.header.key);
            }
            writes.push(Write::Entry(Box::new(Held {
                document: content.as_ref().map(|content| content.document),
                changes: content.map_or(0, |content| {
                    u32::try_from(content.changes.len()).unwrap_or(u32::MAX)
                }),
                standing: Standing::Waiting,
                seen: BTreeSet::new(),
                entry,
            })));
        }
    }

    /// Tells the roster of a control entry. Where its past lies on a branch that does not count, of that first.
    pub(super) fn insert_control(&mut self, entry: &ControlEntry) -> Result<bool, ReplicaError> {
        if !entry.seen.iter().all(|seen| self.roster.contains(*seen)) {
            self.restore_aside_control()?;
        }
        let mut entry = entry.clone();
        if self.is_nobodys(&entry)? {
            entry.act = ControlAct::Void;
        }
        Ok(self.roster.insert(entry).is_ok())
    }
}

impl Tree {
    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.children.values().flat_map(BTreeMap::values)
    }

    /// The branch that counts, from the first entry after the base.
    fn winner(&self, built: &Built) -> Vec<Entry> {
        let mut branch = Vec::new();
        let mut at = self.base.1;
        while let Some(children) = self.children.get(&at) {
            let alone = children.len() == 1 || is_off(Guard::BranchBuilders);
            let weights = if alone {
                Vec::new()
            } else {
                let branches: Vec<BTreeSet<EntryId>> = children.keys().map(|id| self.from(*id)).collect();
                built.weights(&branches)
            };
            let weights = weights.into_iter().chain(std::iter::repeat((0, 0)));
            // The map is in rising order of ids: the first of the heaviest wins.
            let heaviest = children
                .values()
                .zip(weights)
                .min_by_key(|(_, weight)| std::cmp::Reverse(*weight));
            let Some((entry, _)) = heaviest else { break };
            at = entry.id;
            branch.push(entry.clone());
        }
        branch
    }

    /// An entry and all after it.
    fn from(&self, first: EntryId) -> BTreeSet<EntryId> {
        let mut all = BTreeSet::new();
        let mut to_visit = vec![first];
        while let Some(id) = to_visit.pop() {
            all.insert(id);
            let next = self.children.get(&id).into_iter().flat_map(BTreeMap::keys);
            to_visit.extend(next.copied());
        }
        all
    }
}
