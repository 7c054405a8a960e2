//! What a peer holds of forked journals, and what it lacks of them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::domain::id::{EntryId, JournalId};

use super::super::frontier::{Frontier, Holdings, advance};
use super::super::hold::{Replica, ReplicaError};
use super::super::storage::Storage;
use super::super::wire::Frame;
use super::{Effect, Session};

/// Leaves of branches, and journals to be sent from their beginning.
type BranchesToSend = (BTreeSet<(JournalId, EntryId)>, BTreeSet<JournalId>);

impl Session {
    /// Remembers what the peer says it holds. In a forked journal its head may move to a branch with fewer entries.
    pub(super) fn note<S: Storage>(
        &mut self,
        theirs: &Holdings,
        replica: &Replica<S>,
    ) -> Result<(), ReplicaError> {
        for (journal, (number, id)) in &theirs.heads {
            let Some((head, head_id)) = replica.head(*journal) else {
                continue;
            };
            self.has.insert(*journal, (*number, *id));
            if *number > head {
                continue;
            }
            let same = head_id == *id || replica.entry_id(*journal, *number)? == Some(*id);
            if same {
                self.diverged.remove(journal);
            } else {
                self.diverged.insert(*journal);
            }
        }
        advance(&mut self.sent, &theirs.heads);
        self.branches.clone_from(&theirs.branches);
        Ok(())
    }

    /// Says what is held, where the branches kept aside have changed since the peer was last told.
    pub(super) fn tell_branches<S: Storage>(&mut self, replica: &Replica<S>) -> Vec<Effect> {
        let branches = replica.branches();
        if branches == self.told_branches {
            return Vec::new();
        }
        self.told_branches = branches;
        vec![Effect::Send(Frame::Frontier(replica.holdings()))]
    }

    /// The branches of forked journals that the peer does not hold, each once a session: the leaves of those that do not
    /// count here, and the journals whose counting branch it lacks from the fork on.
    pub(super) fn branches_to_send<S: Storage>(
        &mut self,
        replica: &Replica<S>,
    ) -> Result<BranchesToSend, ReplicaError> {
        let mine = replica.branches();
        let mut journals: BTreeSet<JournalId> = self.diverged.clone();
        journals.extend(
            mine.keys()
                .filter(|journal| mine.get(*journal) != self.branches.get(*journal)),
        );
        let mut leaves = BTreeSet::new();
        let mut whole = BTreeSet::new();
        for journal in journals {
            let theirs = self.branches.get(&journal);
            let has = self.has.get(&journal).copied();
            let is_held = |leaf| has == Some(leaf) || theirs.is_some_and(|theirs| theirs.contains(&leaf));
            for leaf in mine.get(&journal).into_iter().flatten() {
                if !is_held(*leaf) && self.sent_leaves.insert(leaf.1) {
                    leaves.insert((journal, leaf.1));
                }
            }
            let elsewhere = match has {
                Some((number, id)) => replica.entry_id(journal, number)? != Some(id),
                None => false,
            };
            let head = replica.head(journal).filter(|head| !is_held(*head));
            if elsewhere && head.is_some_and(|head| self.sent_leaves.insert(head.1)) {
                whole.insert(journal);
            }
        }
        Ok((leaves, whole))
    }

    /// What the peer has or will have, as far as it can be told by numbers: a forked journal only where its head lies on
    /// the branch that counts here, and one that diverged not at all.
    /// Of the journals to be sent whole it has nothing.
    pub(super) fn known_to_peer<S: Storage>(
        &self,
        replica: &Replica<S>,
        whole: &BTreeSet<JournalId>,
    ) -> Cow<'_, Frontier> {
        // After each change, with everybody: most groups have no forks, and theirs is not copied.
        if whole.is_empty() && self.diverged.is_empty() && replica.forked().next().is_none() {
            return Cow::Borrowed(&self.sent);
        }
        let mut known = self.sent.clone();
        for journal in replica.forked() {
            known.remove(&journal);
            known.extend(self.has.get(&journal).map(|head| (journal, *head)));
        }
        for journal in &self.diverged {
            known.extend(replica.head(*journal).map(|head| (*journal, head)));
        }
        known.retain(|journal, _| !whole.contains(journal));
        Cow::Owned(known)
    }
}
