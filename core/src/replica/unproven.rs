//! What comes without payload while something that may say that it was erased cannot be read: it is left out, and with it
//! what follows it. Its carrier may have done nothing wrong, and who takes in the rest shows that a key is lacking.

use std::collections::BTreeSet;

use crate::domain::id::{EntryId, JournalId};

use super::entry::{Entry, EntryKind};
use super::hold::{Replica, ReplicaError};
use super::receive::{CarrierFault, ReceiveError, Received};
use super::storage::{Storage, Write};

impl<S: Storage> Replica<S> {
    /// Takes in what it can: all of it, or what does not hang on entries of which nobody here can say whether they were erased.
    pub(super) fn receive_proven(
        &mut self,
        entries: Vec<(Entry, Option<Vec<u8>>)>,
    ) -> Result<Received, ReceiveError> {
        let has_bare = entries.iter().any(|(entry, _)| entry.sealed.is_empty());
        let offered = has_bare.then(|| entries.clone());
        self.unproven.clear();
        let received = self.receive_all(vec![], entries);
        let unproven = std::mem::take(&mut self.unproven);
        match (received, offered) {
            (Err(ReceiveError::Carrier(CarrierFault::PayloadMissing { .. })), Some(mut offered))
                if !unproven.is_empty() =>
            {
                self.reload()?;
                let left_out = left_out(&offered, unproven);
                let mut journals: BTreeSet<JournalId> = BTreeSet::new();
                offered.retain(|(entry, _)| {
                    let is_out = left_out.contains(&entry.id);
                    if is_out {
                        journals.insert(entry.header.journal);
                        let through = self.left_out.entry(entry.header.journal);
                        let through = through.or_insert(entry.header.number);
                        *through = entry.header.number.max(*through);
                    }
                    !is_out
                });
                let mut received = self.receive_all(vec![], offered)?;
                received.put_off.extend(journals);
                Ok(received)
            }
            (received, _) => received,
        }
    }

    /// Is there an act, here or coming, that cannot be read for want of a key?
    pub(super) fn has_unread_act(&self, coming: &[Write]) -> Result<bool, ReplicaError> {
        let is_unread = |entry: &Entry| {
            entry.header.kind == EntryKind::Control && self.keys.get(entry.header.key).is_none()
        };
        let mut coming = coming.iter();
        let comes = coming.any(|write| matches!(write, Write::Entry(held) if is_unread(&held.entry)));
        Ok(comes || self.storage.control()?.iter().any(|held| is_unread(&held.entry)))
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
