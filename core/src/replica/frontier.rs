//! What a replica holds without gaps: for each journal the last entry.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::id::{EntryId, EntryNumber, JournalId};

use super::codec::encode;
use super::fork::Branches;

/// Journal to number and id of its last entry.
pub type Frontier = BTreeMap<JournalId, (EntryNumber, EntryId)>;

/// Everything that a replica holds: the frontier, and the branches that do not count.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Holdings {
    /// For each journal the last entry of the branch that counts.
    pub heads: Frontier,
    /// For each forked journal the last entry of every other branch.
    pub branches: Branches,
}

impl Holdings {
    /// The fingerprint: equal digests, equal holdings.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        blake3::derive_key("kiez 1 frontier", &encode(self))
    }
}

/// Moves a frontier forward to what another one holds beyond it.
pub fn advance(frontier: &mut Frontier, other: &Frontier) {
    for (journal, head) in other {
        let held = frontier.entry(*journal).or_insert(*head);
        if held.0 < head.0 {
            *held = *head;
        }
    }
}
