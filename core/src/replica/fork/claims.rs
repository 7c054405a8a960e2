//! Who built on a branch, by what control entries say and not by what counts. Else two forks could decide each other one way
//! here and the other way there: a membership or a device that was granted on a branch makes somebody a builder whether
//! that branch counts or not. Nobody can claim for another: a grant bears the signature of whom it is for, and the first entry
//! of a journal that of the device which the grant names.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::control::{ControlAct, Device};
use crate::domain::id::{EntryId, EntryNumber, JournalId, PersonId};

use super::super::entry::{Entry, EntryKind};
use super::super::hold::{Replica, ReplicaError};
use super::super::storage::{Storage, Write};
use super::Tree;

/// What lies in the past of an entry, and of that the control entry before it in its journal.
type Known = (BTreeSet<EntryId>, Option<EntryId>);

/// Whose a journal is, by its own word and that of the grant it names.
#[derive(Debug, Clone, Copy)]
pub(in crate::replica) struct Claim {
    pub(in crate::replica) grant: EntryId,
    pub(in crate::replica) person: PersonId,
}

impl<S: Storage> Replica<S> {
    /// By virtue of which grant a journal began, and whose it is, by its first entry. None where another device than that of
    /// the grant began it: then it is nobody's. Where the journal forked at its first entry, by the one with the smallest id
    /// that says it rightly, whichever branch counts: else two such journals could decide each other in a circle.
    pub(in crate::replica) fn claimed_author(
        &self,
        journal: JournalId,
    ) -> Result<Option<Claim>, ReplicaError> {
        let aside = self.aside.get(&journal).into_iter().flat_map(BTreeMap::values);
        let aside = aside.filter(|entry| entry.header.number == EntryNumber::FIRST);
        let mut firsts: BTreeSet<EntryId> = aside.map(|entry| entry.id).collect();
        firsts.extend(self.entry_id(journal, EntryNumber::FIRST)?);
        for first in firsts {
            let claim = self.claim_of(first)?;
            if claim.is_some() {
                return Ok(claim);
            }
        }
        Ok(None)
    }

    /// What the first entry of a journal says of whose it is.
    fn claim_of(&self, first: EntryId) -> Result<Option<Claim>, ReplicaError> {
        let claim = match self.claimed_act(first)? {
            Some(ControlAct::Open(open)) => {
                let device = self.claimed_device(open.grant)?;
                let device = device.filter(|device| device.device == open.device);
                device.map(|device| Claim {
                    grant: open.grant,
                    person: device.person,
                })
            }
            // There is one founding entry, and its id is the group's.
            Some(ControlAct::Found(found)) if first.0 == self.group.0 => Some(Claim {
                grant: first,
                person: found.founder.person,
            }),
            _ => None,
        };
        Ok(claim)
    }

    /// Who was in the group, as the journal's author knew before the fork.
    pub(super) fn persons_at_fork(
        &self,
        journal: JournalId,
        tree: &Tree,
    ) -> Result<BTreeSet<PersonId>, ReplicaError> {
        let (known, _) = self.known_before(journal, tree.base.0.next(), &[])?;
        let known: Vec<EntryId> = known.into_iter().filter(|id| self.roster.contains(*id)).collect();
        let mut persons = BTreeSet::new();
        for id in self.roster.past(&known).unwrap_or_default() {
            persons.extend(self.claimed_device(id)?.map(|device| device.person));
        }
        Ok(persons)
    }

    /// The device that an entry grants something, whether it counts or not.
    fn claimed_device(&self, grant: EntryId) -> Result<Option<Device>, ReplicaError> {
        Ok(self.claimed_act(grant)?.and_then(|act| act.device()))
    }

    /// What a control entry says, whether it counts or not.
    pub(in crate::replica) fn claimed_act(&self, id: EntryId) -> Result<Option<ControlAct>, ReplicaError> {
        match self.roster.act(id) {
            Some(ControlAct::Void) => {}
            other => return Ok(other.cloned()),
        }
        let aside = self.aside.values().find_map(|entries| entries.get(&id).cloned());
        let entry = match (aside, self.roster.place_of(id)) {
            (Some(entry), _) => Some(entry),
            // Its journal ended before it.
            (None, Some((journal, number))) => self.storage.entry(journal, number)?.map(|held| held.entry),
            (None, None) => None,
        };
        let entry = entry.filter(|entry| entry.id == id);
        Ok(entry.and_then(|entry| self.signed_act(&entry)))
    }

    /// The control entries that lie in the past of an entry on a branch that does not count: what it names, what the entries
    /// before it name, back to the last control entry of its branch; and that one. `writes` are those that the storage does not
    /// have yet.
    pub(super) fn past_on_branch(&self, entry: &Entry, writes: &[Write]) -> Result<Known, ReplicaError> {
        let mut seen: BTreeSet<EntryId> = entry.header.seen.iter().copied().collect();
        let branch = self.aside.get(&entry.header.journal);
        let mut before = &entry.header;
        while let Some(previous) = branch.and_then(|entries| entries.get(&before.prev)) {
            seen.extend(previous.header.seen.iter().copied());
            if previous.header.kind == EntryKind::Control {
                seen.insert(previous.id);
                return Ok((seen, Some(previous.id)));
            }
            before = &previous.header;
        }
        // From here back the journal is the same on all branches.
        let (known, previous) = self.known_before(before.journal, before.number, writes)?;
        seen.extend(known);
        Ok((seen, previous))
    }

    /// What the author of a journal had seen before an entry of the branch that counts, with their own last control entry
    /// before it, and that one. `writes` are those that the storage does not have yet.
    fn known_before(
        &self,
        journal: JournalId,
        number: EntryNumber,
        writes: &[Write],
    ) -> Result<Known, ReplicaError> {
        let held = self.storage.entries(journal, EntryNumber(0), usize::MAX)?;
        let coming = writes.iter().filter_map(|write| {
            if let Write::Entry(held) = write {
                (held.entry.header.journal == journal).then_some(&**held)
            } else {
                None
            }
        });
        let entries = held.iter().chain(coming).map(|held| &held.entry);
        let mut known = BTreeSet::new();
        let mut last = None;
        for entry in entries.take_while(|entry| entry.header.number < number) {
            known.extend(entry.header.seen.iter().copied());
            if entry.header.kind == EntryKind::Control {
                last = Some(entry.id);
            }
        }
        known.extend(last);
        Ok((known, last))
    }
}
