//! How a replica is read back from its storage.

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;

use crate::domain::control::ControlAct;
use crate::domain::id::JournalId;
use crate::domain::roster::Roster;

use super::control::act_from_own_store;
use super::hold::{Own, Replica, ReplicaError, WaitingEntry};
use super::keys::KeyRing;
use super::reckoning::Reckoning;
use super::storage::{Held, OwnJournal, Standing, Storage, StorageError, Write};

impl<S: Storage> Replica<S> {
    pub(super) fn read_storage(&mut self) -> Result<(), ReplicaError> {
        self.open.clear();
        self.waiting.clear();
        self.beyond.clear();
        self.known.clear();
        self.unread.clear();
        self.keys = KeyRing::default();
        for key in self.storage.keys()? {
            self.keys.insert(key);
        }
        self.journals = self
            .storage
            .journals()?
            .into_iter()
            .map(|row| (row.id, row))
            .collect();
        self.own = self.storage.own()?.map(|own: OwnJournal| {
            let key = SigningKey::from_bytes(&own.seed);
            Own {
                id: JournalId(key.verifying_key().to_bytes()),
                key,
                state: own.state,
            }
        });
        self.last_order = self.storage.last_order()?;
        self.forks.clear();
        self.aside.clear();
        for entry in self.storage.aside()? {
            self.aside
                .entry(entry.header.journal)
                .or_default()
                .insert(entry.id, entry);
        }
        self.roster = Roster::default();
        self.restore_all_control()?;
        self.reckoning = Reckoning::of(&self.roster);
        self.choose_key();
        for held in self.storage.beyond()? {
            if let Some(content) = self.content(&held.entry) {
                let place = (held.entry.header.journal, held.entry.header.number);
                self.beyond.insert(place, content.document, content.changes);
            }
        }
        for held in self.storage.waiting()? {
            if held.document.is_none() {
                self.unread.insert(held.entry.header.key);
            }
            if let (Some(content), Some(document)) = (self.content(&held.entry), held.document) {
                let place = (held.entry.header.journal, held.entry.header.number);
                let entry = WaitingEntry {
                    changes: content.changes,
                    missing: BTreeSet::new(),
                };
                self.waiting.entry(document).or_default().insert(place, entry);
            }
        }
        Ok(())
    }

    /// Tells the roster of all control entries. They were committed in an order in which `prev` and `seen` come first, but
    /// where a fork exchanged branches, the winner's were committed once more, after those that had seen them.
    fn restore_all_control(&mut self) -> Result<(), ReplicaError> {
        let mut left = self.storage.control()?;
        loop {
            let before = left.len();
            let mut behind: BTreeSet<JournalId> = BTreeSet::new();
            let mut later = Vec::new();
            for held in left {
                let journal = held.entry.header.journal;
                // A journal's entries are judged in their order.
                if behind.contains(&journal) || !self.restore_control(&held)? {
                    behind.insert(journal);
                    later.push(held);
                }
            }
            if later.is_empty() {
                self.restore_aside_control()?;
                return Ok(());
            }
            if later.len() == before {
                return Err(StorageError::Damaged("a control entry cannot be read back".to_owned()).into());
            }
            left = later;
        }
    }

    /// False where its past is not here yet.
    fn restore_control(&mut self, held: &Held) -> Result<bool, ReplicaError> {
        let header = &held.entry.header;
        let act = if self.keys.get(header.key).is_none() {
            // What is sealed under a key that is not held says nothing here, as it did when it came.
            self.unread.insert(header.key);
            ControlAct::Void
        } else if held.standing == Standing::Void {
            self.act_behind_end(&held.entry)
        } else {
            let damaged = || StorageError::Damaged("a control entry cannot be read back".to_owned());
            let payload = self.payload(&held.entry).ok_or_else(damaged)?;
            let Ok(act) = act_from_own_store(&payload) else {
                // Kept by older software as an act it does not know, and to be judged by this one.
                self.storage.commit(self.group, vec![Write::Stale(true)])?;
                return self.insert_control(&held.entry.as_control(held.seen.clone(), ControlAct::Void));
            };
            act
        };
        self.insert_control(&held.entry.as_control(held.seen.clone(), act))
    }
}
