//! What comes without payload while something that may say that it was erased cannot be read: it is left out, and with it
//! what follows it. Its carrier may have done nothing wrong, and who takes in the rest shows that a key is lacking.

use std::collections::BTreeSet;

use crate::domain::id::{EntryId, JournalId};

use super::entry::{Entry, EntryKind};
use super::hold::{Replica, ReplicaError};
use super::receive::{CarrierFault, ReceiveError, Received};
use super::storage::{Storage, Write};

/// So often something is left out; then all that comes without payload is: each round reads everything again, and who carries it
/// can have each reveal one more.
const ROUNDS_MAX: usize = 8;

impl<S: Storage> Replica<S> {
    /// Takes in what it can: all of it, or what does not hang on entries of which nobody here can say whether they were erased.
    pub(super) fn receive_proven(
        &mut self,
        entries: Vec<(Entry, Option<Vec<u8>>)>,
    ) -> Result<Received, ReceiveError> {
        let mut offered = entries;
        let mut put_off: BTreeSet<JournalId> = BTreeSet::new();
        let mut rounds = 0_usize;
        // What is left out may be the act that names something else: then that is left out, too.
        loop {
            let bare = || offered.iter().filter(|(entry, _)| entry.sealed.is_empty());
            let has_bare = bare().next().is_some();
            self.unproven.clear();
            self.leaves_out = !put_off.is_empty();
            if !has_bare {
                let received = self.receive_all(vec![], offered)?;
                return Ok(received.with_put_off(put_off));
            }
            let outcome = self.receive_all(vec![], offered.clone());
            let unproven = std::mem::take(&mut self.unproven);
            match outcome {
                Err(ReceiveError::Carrier(CarrierFault::PayloadMissing { .. })) if !unproven.is_empty() => {
                    self.reload()?;
                    rounds = rounds.saturating_add(1);
                    let unproven = if rounds < ROUNDS_MAX {
                        unproven
                    } else {
                        bare().map(|(entry, _)| entry.id).collect()
                    };
                    put_off.extend(self.leave_unproven(&mut offered, unproven));
                }
                outcome => return Ok(outcome?.with_put_off(put_off)),
            }
        }
    }

    /// Takes these out of what was offered, with what hangs on them. The journals of which something is left out.
    fn leave_unproven(
        &mut self,
        offered: &mut Vec<(Entry, Option<Vec<u8>>)>,
        unproven: BTreeSet<EntryId>,
    ) -> BTreeSet<JournalId> {
        self.allowance.has_left_out = true;
        let left_out = left_out(offered, unproven);
        let mut journals = BTreeSet::new();
        offered.retain(|(entry, _)| {
            let is_out = left_out.contains(&entry.id);
            if is_out {
                journals.insert(entry.header.journal);
            }
            !is_out
        });
        journals
    }

    /// Is there an act, here or coming, that cannot be read for want of a key?
    pub(super) fn has_unread_act(&self, coming: &[Write]) -> Result<bool, ReplicaError> {
        let is_unread = |entry: &Entry| {
            entry.header.kind == EntryKind::Control && self.keys.get(entry.header.key).is_none()
        };
        // An act that erases does so wherever it stands, also on a branch.
        let comes = coming.iter().any(|write| {
            matches!(write, Write::Entry(held) if is_unread(&held.entry))
                || matches!(write, Write::Aside(entry) if is_unread(entry))
        });
        let mut aside = self.aside.values().flat_map(std::collections::BTreeMap::values);
        Ok(
            comes
                || aside.any(is_unread)
                || self.storage.control()?.iter().any(|held| is_unread(&held.entry)),
        )
    }
}

impl Received {
    fn with_put_off(mut self, journals: BTreeSet<JournalId>) -> Self {
        self.put_off.extend(journals);
        self
    }
}

/// These, what follows them or has seen them, and what is then the end of a journal and not signed.
fn left_out(offered: &[(Entry, Option<Vec<u8>>)], unproven: BTreeSet<EntryId>) -> BTreeSet<EntryId> {
    let mut out = unproven;
    loop {
        let before = out.len();
        for (entry, _) in offered {
            let header = &entry.header;
            if out.contains(&header.prev) || header.seen.iter().any(|seen| out.contains(seen)) {
                out.insert(entry.id);
            }
        }
        let mut ends = BTreeSet::new();
        for (entry, _) in offered.iter().rev() {
            if out.contains(&entry.id) || ends.contains(&entry.header.journal) {
                continue;
            }
            if entry.signature.is_some() {
                ends.insert(entry.header.journal);
            } else {
                out.insert(entry.id);
            }
        }
        if out.len() == before {
            return out;
        }
    }
}
