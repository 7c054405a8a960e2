//! Who built on a branch, by what control entries say and not by what counts. Else two forks could decide each other one way
//! here and the other way there: a membership or a device that was granted on a branch makes somebody a builder whether
//! that branch counts or not. Nobody can claim for another: a grant bears the signature of whom it is for.

use std::collections::BTreeSet;

use crate::domain::control::{ControlAct, Device};
use crate::domain::id::{EntryId, EntryNumber, JournalId, PersonId};

use super::super::control::act_from_bytes;
use super::super::entry::{Entry, EntryKind};
use super::super::hold::{Replica, ReplicaError};
use super::super::storage::{Storage, Write};
use super::Tree;

impl<S: Storage> Replica<S> {
    /// Whose journal it is, by its first entry.
    pub(super) fn claimed_author(&self, journal: JournalId) -> Result<Option<PersonId>, ReplicaError> {
        let first = self.entry_id(journal, EntryNumber::FIRST)?;
        let person = match first.and_then(|first| self.roster.act(first)) {
            Some(ControlAct::Open(open)) => self.claimed_device(open.grant).map(|device| device.person),
            Some(act) => act.device().map(|device| device.person),
            None => None,
        };
        Ok(person)
    }

    /// Who was in the group, as the journal's author knew before the fork.
    pub(super) fn persons_at_fork(
        &self,
        journal: JournalId,
        tree: &Tree,
    ) -> Result<BTreeSet<PersonId>, ReplicaError> {
        let mut known: BTreeSet<EntryId> = BTreeSet::new();
        for held in self.storage.entries(journal, EntryNumber(0), usize::MAX)? {
            if held.entry.header.number > tree.base.0 {
                break;
            }
            known.extend(held.entry.header.seen.iter().copied());
            if held.entry.header.kind == EntryKind::Control {
                known.insert(held.entry.id);
            }
        }
        let known: Vec<EntryId> = known.into_iter().filter(|id| self.roster.contains(*id)).collect();
        let past = self.roster.past(&known).unwrap_or_default();
        let devices = past.into_iter().filter_map(|id| self.claimed_device(id));
        Ok(devices.map(|device| device.person).collect())
    }

    /// The device that an entry grants something, whether it counts or not.
    fn claimed_device(&self, grant: EntryId) -> Option<Device> {
        let act = self.roster.act(grant)?;
        if *act != ControlAct::Void {
            return act.device();
        }
        let entry = self.aside.values().find_map(|entries| entries.get(&grant))?;
        let payload = self.payload(entry)?;
        act_from_bytes(self.group, &entry.header, &payload).ok()?.device()
    }

    /// The control entries that lie in the past of an entry on a branch that does not count: what it names, what the entries
    /// before it name, back to the last control entry of its branch. `writes` are those that the storage does not have yet.
    pub(super) fn past_on_branch(
        &self,
        entry: &Entry,
        writes: &[Write],
    ) -> Result<BTreeSet<EntryId>, ReplicaError> {
        let mut seen: BTreeSet<EntryId> = entry.header.seen.iter().copied().collect();
        let branch = self.aside.get(&entry.header.journal);
        let mut before = &entry.header;
        while let Some(previous) = branch.and_then(|entries| entries.get(&before.prev)) {
            seen.extend(previous.header.seen.iter().copied());
            if previous.header.kind == EntryKind::Control {
                seen.insert(previous.id);
                return Ok(seen);
            }
            before = &previous.header;
        }
        // From here back the journal is the same on all branches.
        let held = self.storage.entries(before.journal, EntryNumber(0), usize::MAX)?;
        let coming = writes.iter().filter_map(|write| {
            if let Write::Entry(held) = write {
                (held.entry.header.journal == before.journal).then_some(&**held)
            } else {
                None
            }
        });
        let mut last = None;
        for held in held.iter().chain(coming) {
            let header = &held.entry.header;
            if header.number >= before.number {
                break;
            }
            seen.extend(header.seen.iter().copied());
            if header.kind == EntryKind::Control {
                last = Some(held.entry.id);
            }
        }
        seen.extend(last);
        Ok(seen)
    }
}
