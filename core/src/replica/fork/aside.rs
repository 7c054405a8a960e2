//! Entries on branches that do not count: they are kept, and told to the roster, where they say nothing but what is erased; and
//! what was erased is dropped here, too.

use std::collections::BTreeMap;

use crate::domain::control::{ControlAct, ControlEntry};
use crate::domain::document::DocumentId;
use crate::domain::id::{EntryId, KeyId};
use crate::domain::roster::Roster;

use super::super::control::act_from_bytes;
use super::super::entry::{Entry, EntryKind};
use super::super::hold::{Replica, ReplicaError};
use super::super::limits::ASIDE_ENTRIES_MAX;
use super::super::receive::{Batch, ReceiveError};
use super::super::storage::{Storage, Write};

impl<S: Storage> Replica<S> {
    /// Keeps an entry of another branch than the one that counts so far.
    pub(in crate::replica) fn take_aside(
        &mut self,
        batch: &mut Batch,
        entry: &Entry,
    ) -> Result<(), ReceiveError> {
        self.check_seen(entry)?;
        let journal = entry.header.journal;
        batch.received.forked.insert(journal);
        let (erased, is_rest) = (
            self.is_erased_aside(entry),
            self.roster.begins(entry.header.prev).is_some(),
        );
        let kept = if erased {
            entry.clone().without_payload()
        } else {
            entry.clone()
        };
        // A document may begin with it.
        batch.undo |= is_rest;
        if self.keep_aside(kept.clone(), &mut batch.writes) {
            batch.received.new = batch.received.new.saturating_add(1);
            batch.note_stored(entry);
            self.note_built(&kept);
            if entry.header.kind == EntryKind::Control {
                self.insert_aside(entry, &batch.writes)?;
                let act = self.signed_act(entry);
                if act.is_some_and(|act| self.roster.is_about_erasing(&act)) {
                    batch.note_erasure(journal);
                }
            }
        }
        Ok(())
    }

    /// Keeps an entry of another branch. False where there are too many: the fork is proven, more proves no more.
    pub(in crate::replica) fn keep_aside(&mut self, entry: Entry, writes: &mut Vec<Write>) -> bool {
        let entries = self.aside.entry(entry.header.journal).or_default();
        if entries.len() >= ASIDE_ENTRIES_MAX {
            return false;
        }
        writes.push(Write::Aside(Box::new(entry.clone())));
        entries.insert(entry.id, entry);
        true
    }

    /// Tells the roster of the control entries on branches that do not count: others may have them in their past.
    pub(in crate::replica) fn restore_aside_control(&mut self) -> Result<(), ReplicaError> {
        let keys = self
            .untold_aside(&self.roster)
            .into_iter()
            .map(|entry| entry.header.key);
        let unread: Vec<KeyId> = keys.filter(|key| self.keys.get(*key).is_none()).collect();
        self.unread.extend(unread);
        let mut left = self.control_aside(&self.roster, &[])?;
        // Several rounds: one may have seen another.
        loop {
            let before = left.len();
            let roster = &mut self.roster;
            left.retain(|(entry, previous)| roster.insert_beside(entry.clone(), *previous).is_err());
            if left.len() == before {
                return Ok(());
            }
        }
    }

    /// Makes a control entry that does not count known to the roster. False where its past is not here yet. `writes` are those
    /// that the storage does not have yet.
    pub(in crate::replica) fn insert_aside(
        &mut self,
        entry: &Entry,
        writes: &[Write],
    ) -> Result<bool, ReplicaError> {
        if self.keys.get(entry.header.key).is_none() {
            self.unread.insert(entry.header.key);
        }
        let (entry, previous) = self.as_control_aside(entry, writes)?;
        Ok(self.roster.insert_beside(entry, previous).is_ok())
    }

    /// The control entries that do not count as a roster is told of them that has not got them, each with the one before it on
    /// its branch, and after that one.
    pub(in crate::replica) fn control_aside(
        &self,
        roster: &Roster,
        writes: &[Write],
    ) -> Result<Vec<(ControlEntry, Option<EntryId>)>, ReplicaError> {
        let untold = self.untold_aside(roster).into_iter();
        untold.map(|entry| self.as_control_aside(entry, writes)).collect()
    }

    fn untold_aside(&self, roster: &Roster) -> Vec<&Entry> {
        let aside = self.aside.values().flat_map(BTreeMap::values);
        let mut untold: Vec<&Entry> = aside
            .filter(|entry| entry.header.kind == EntryKind::Control && !roster.contains(entry.id))
            .collect();
        untold.sort_by_key(|entry| (entry.header.number, entry.id));
        untold
    }

    fn as_control_aside(
        &self,
        entry: &Entry,
        writes: &[Write],
    ) -> Result<(ControlEntry, Option<EntryId>), ReplicaError> {
        let act = self.signed_act(entry).unwrap_or(ControlAct::Void);
        let (seen, previous) = self.past_on_branch(entry, writes)?;
        Ok((entry.as_control(seen, act), previous))
    }

    /// The entries about a document on branches that do not count.
    pub(in crate::replica) fn aside_about(
        &self,
        document: DocumentId,
    ) -> impl Iterator<Item = EntryId> + use<'_, S> {
        let aside = self.aside.values().flat_map(BTreeMap::values);
        let about = aside.filter(move |entry| {
            let content = (entry.header.kind == EntryKind::Content).then(|| self.content(entry));
            content
                .flatten()
                .is_some_and(|content| content.document == document)
        });
        about.map(|entry| entry.id)
    }

    /// As [`Replica::fill`], where the entry of which only the header is here lies on a branch that does not count.
    pub(in crate::replica) fn fill_aside(&mut self, batch: &mut Batch, entry: &Entry) {
        let journal = entry.header.journal;
        let held = self
            .aside
            .get(&journal)
            .and_then(|entries| entries.get(&entry.id));
        if held.is_some_and(|held| held.sealed.is_empty()) && !self.is_erased_aside(entry) {
            batch.note_stored(entry);
            batch.writes.push(Write::Aside(Box::new(entry.clone())));
            batch.undo = true;
            // On what it builds is known now.
            self.forks.clear();
            let entries = self.aside.entry(journal).or_default();
            entries.insert(entry.id, entry.clone());
        }
    }

    /// What a control entry says, whether it counts or not. None where its key is not held or it is not of the right shape.
    pub(in crate::replica) fn signed_act(&self, entry: &Entry) -> Option<ControlAct> {
        let payload = self.payload(entry)?;
        act_from_bytes(self.group, &entry.header, &payload).ok()
    }

    /// Drops what was erased on the branches that do not count.
    pub(in crate::replica) fn wipe_aside(&mut self, batch: &mut Batch) {
        let aside = self.aside.values().flat_map(BTreeMap::values);
        let erased: Vec<Entry> = aside
            .filter(|entry| !entry.sealed.is_empty() && self.is_erased_aside(entry))
            .map(|entry| entry.clone().without_payload())
            .collect();
        for entry in erased {
            self.forks.clear();
            batch.writes.push(Write::Aside(Box::new(entry.clone())));
            let branches = self.aside.entry(entry.header.journal).or_default();
            branches.insert(entry.id, entry);
        }
    }

    /// Is what is in an entry on a branch that does not count erased?
    pub(in crate::replica) fn is_erased_aside(&self, entry: &Entry) -> bool {
        let named = self.roster.erased_in(entry.id, entry.header.journal).is_some();
        named
            && self
                .content(entry)
                .is_some_and(|content| self.is_erased(entry, content.document))
    }
}
