//! The states that an idea's texts went through, one after the other, in an order that all devices share.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::deed::Deed;
use crate::domain::id::{ChangeId, JournalId, Timestamp};

use super::trace::traces;
use super::{Document, journal_of};

/// An idea as it was after one more change to its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// In whose journal the change is.
    pub journal: JournalId,
    /// When, by its author's clock.
    pub at: Timestamp,
    /// The heads of the document as it was.
    pub heads: Vec<ChangeId>,
}

/// The states in the order in which one came from the other; of changes that did not know of each other the one comes first
/// that says it is older, and of equal times the one whose id is smaller.
#[must_use]
pub fn states(document: &Document) -> Vec<State> {
    let is_text = |deed| matches!(deed, Deed::Written | Deed::Title | Deed::Text);
    let of_texts: BTreeSet<ChangeId> = traces(document, &BTreeMap::new())
        .into_iter()
        .filter(|trace| is_text(trace.deed))
        .map(|trace| trace.change)
        .collect();
    let metas = document.doc.get_changes_meta(&[]);
    let mut waits_for: BTreeMap<ChangeId, usize> = BTreeMap::new();
    let mut followers: BTreeMap<ChangeId, Vec<ChangeId>> = BTreeMap::new();
    let mut all = BTreeMap::new();
    let mut ready = BTreeSet::new();
    for meta in &metas {
        let id = ChangeId(meta.hash.0);
        for dep in &meta.deps {
            followers.entry(ChangeId(dep.0)).or_default().push(id);
        }
        waits_for.insert(id, meta.deps.len());
        if meta.deps.is_empty() {
            ready.insert((meta.timestamp, id));
        }
        all.insert(id, meta);
    }
    let mut heads: BTreeSet<ChangeId> = BTreeSet::new();
    let mut states = Vec::new();
    while let Some((seconds, id)) = ready.pop_first() {
        let Some(meta) = all.get(&id) else { continue };
        for dep in &meta.deps {
            heads.remove(&ChangeId(dep.0));
        }
        heads.insert(id);
        if let Some(journal) = journal_of(&meta.actor).filter(|_| of_texts.contains(&id)) {
            let seconds = u64::try_from(seconds).unwrap_or(0);
            states.push(State {
                journal,
                at: Timestamp(seconds.saturating_mul(1000)),
                heads: heads.iter().copied().collect(),
            });
        }
        for follower in followers.remove(&id).unwrap_or_default() {
            let Some(left) = waits_for.get_mut(&follower) else {
                continue;
            };
            *left = left.saturating_sub(1);
            if let (0, Some(meta)) = (*left, all.get(&follower)) {
                ready.insert((meta.timestamp, follower));
            }
        }
    }
    states
}
