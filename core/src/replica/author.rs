//! What this device says: control acts and changes to documents, sealed, signed and durable before they are told.

use std::collections::BTreeSet;

use automerge::transaction::Transaction;
use ed25519_dalek::SigningKey;
use rand::CryptoRng;

use crate::domain::admission::{Admission, Quarantine, admission};
use crate::domain::charter::Charter;
use crate::domain::control::{ControlAct, Found, Open};
use crate::domain::document::DocumentId;
use crate::domain::id::{EntryId, EntryNumber, GroupId, JournalId, Timestamp};
use crate::planted::{Bug, is_on};

use super::codec::Blob;
use super::content::Content;
use super::control::{act_from_bytes, act_to_bytes, found_bytes, open_bytes, sign};
use super::document::WriteError;
use super::entry::{Entry, EntryKind, Header};
use super::gate::Checked;
use super::hold::{Me, Own, Replica, ReplicaError};
use super::keys::GroupKey;
use super::limits::SEEN_MAX;
use super::storage::{Held, JournalRow, OwnJournal, OwnState, Standing, Storage, Write};

/// Why something was not written. Nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum AuthorError {
    /// The replica could not.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
    /// What was to be written does not fit the document.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl<S: Storage> Replica<S> {
    /// Founds a group in an empty storage: its founding entry begins this device's journal.
    ///
    /// # Errors
    /// Where the storage fails; nothing is stored then.
    pub fn found(
        storage: S,
        me: &Me,
        person: &SigningKey,
        charter: Charter,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, ReplicaError> {
        Self::found_with(storage, me, person, charter, rng, |_| Ok(()))
    }

    /// A group that is founded in memory; what is to be stored is held back.
    fn founded(
        storage: S,
        me: &Me,
        person: &SigningKey,
        charter: Charter,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, ReplicaError> {
        let key = GroupKey::generate(rng);
        let signing = SigningKey::generate(rng);
        let journal = JournalId(signing.verifying_key().to_bytes());
        let founder = me.named();
        let person_signature = sign(person, &found_bytes(journal, key.id(), &founder, &charter));
        let act = ControlAct::Found(Found {
            founder,
            charter,
            person_signature,
        });
        let entry = seal_first(GroupId::ZERO, &signing, vec![], &act, &key)?;
        let group = GroupId::from(entry.id);
        let mut replica = Self::empty(storage, group);
        replica.keys.insert(key.clone());
        replica.held_back = Some(Vec::new());
        replica.begin_journal(signing, entry, act, vec![Write::Key(key)])?;
        Ok(replica)
    }

    /// Founds a group and has its first entries written in the same commit: it is there with them, or not at all.
    ///
    /// # Errors
    /// Where the storage or what is to be written fails; nothing is stored then.
    pub fn found_with<E: From<ReplicaError>>(
        storage: S,
        me: &Me,
        person: &SigningKey,
        charter: Charter,
        rng: &mut impl CryptoRng,
        first: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut replica = Self::founded(storage, me, person, charter, rng)?;
        first(&mut replica)?;
        replica.commit_held_back()?;
        Ok(replica)
    }

    /// Does an action of several entries in one commit: all of them are stored, or none.
    ///
    /// # Errors
    /// Where the action or the storage fails; nothing is stored then.
    pub fn at_once<T, E: From<ReplicaError>>(
        &mut self,
        action: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.held_back = Some(Vec::new());
        let done = action(self).and_then(|value| {
            self.commit_held_back()?;
            Ok(value)
        });
        if done.is_err() {
            self.held_back = None;
            self.reload()?;
        }
        self.close_unused();
        done
    }

    /// Opens a fresh journal on a grant that names this device.
    ///
    /// # Errors
    /// Where no such grant is held, or the storage fails; nothing is stored then.
    pub fn open_journal(&mut self, me: &Me, rng: &mut impl CryptoRng) -> Result<JournalId, ReplicaError> {
        let grant = self.grant_for(me).ok_or(ReplicaError::NotWriting)?;
        let signing = SigningKey::generate(rng);
        let journal = JournalId(signing.verifying_key().to_bytes());
        let device_signature = sign(&me.device, &open_bytes(self.group, grant, journal));
        let act = ControlAct::Open(Open {
            grant,
            device: me.device_id(),
            device_signature,
        });
        let mut seen: BTreeSet<EntryId> = self
            .roster
            .unseen(journal, &BTreeSet::new())
            .into_iter()
            .take(SEEN_MAX.saturating_sub(1))
            .collect();
        seen.insert(grant);
        // Who has no journal cannot make a new key first; that a journal begins is no secret.
        let key = self.keys.current().or(self.keys.newest());
        let key = key.ok_or(ReplicaError::NotWriting)?.clone();
        let entry = seal_first(self.group, &signing, seen.into_iter().collect(), &act, &key)?;
        let stored = self.begin_journal(signing, entry, act, vec![]);
        if stored.is_err() {
            // Memory has a journal that the storage has not.
            self.reload()?;
        }
        stored.map(|()| journal)
    }

    /// A grant that names this device and on which it has not opened a journal yet.
    #[must_use]
    pub fn grant_for(&self, me: &Me) -> Option<EntryId> {
        self.roster.unopened_grant(&me.named())
    }

    /// Writes a control act.
    ///
    /// # Errors
    /// Where the group's rules do not allow it, this device may not write, or the storage fails; nothing is stored then.
    pub fn write_act(&mut self, act: ControlAct) -> Result<EntryId, ReplicaError> {
        let entry = self.seal_next(EntryKind::Control, &act_to_bytes(&act))?;
        self.write_sealed(entry, act, vec![])
    }

    /// Writes a control act under a key of its own choice.
    pub(super) fn write_act_under(
        &mut self,
        key: &GroupKey,
        act: ControlAct,
        writes: Vec<Write>,
    ) -> Result<EntryId, ReplicaError> {
        let entry = self.seal_next_under(key, EntryKind::Control, &act_to_bytes(&act))?;
        self.write_sealed(entry, act, writes)
    }

    fn write_sealed(
        &mut self,
        entry: Entry,
        act: ControlAct,
        writes: Vec<Write>,
    ) -> Result<EntryId, ReplicaError> {
        act_from_bytes(self.group, &entry.header, &act_to_bytes(&act))
            .map_err(|fault| ReplicaError::OwnWorkRefused(fault.to_string()))?;
        let id = entry.id;
        let stored = self.store_act(entry, act, writes);
        if stored.is_err() {
            self.reload()?;
        }
        // What ends somebody's place may take away what has been applied already.
        if stored? {
            self.rebuild()?;
        }
        Ok(id)
    }

    /// Runs a writer on a document and makes the change it comes to an entry. None where nothing changed.
    ///
    /// # Errors
    /// Where this person may not write there, the writer refuses, or the storage fails; nothing is stored then.
    pub fn write_document<T>(
        &mut self,
        id: DocumentId,
        at: Timestamp,
        writer: impl FnOnce(&mut Transaction<'_>) -> Result<T, WriteError>,
    ) -> Result<(T, Option<EntryId>), AuthorError> {
        let journal = self.own_journal().ok_or(ReplicaError::NotWriting)?;
        if let Admission::Quarantine(reason) = admission(self.roster.living_author(journal).as_ref(), &id) {
            return Err(ReplicaError::MayNotWrite(reason).into());
        }
        let open = self.opened(id)?;
        open.past();
        let (value, raw) = open.document.write(journal, at, writer)?;
        let Some(raw) = raw else { return Ok((value, None)) };
        let stored = self.store_change(id, journal, raw);
        if stored.is_err() {
            // The open document is ahead of the storage.
            self.reload()?;
        }
        self.close_unused();
        Ok((value, Some(stored?)))
    }

    fn store_change(
        &mut self,
        id: DocumentId,
        journal: JournalId,
        raw: Vec<u8>,
    ) -> Result<EntryId, ReplicaError> {
        let open = self.opened(id)?;
        open.unsaved = open.unsaved.saturating_add(1);
        // The same gate that others will put it through.
        match open.past().check(journal, &raw) {
            Ok(Checked::Ready(change)) => open.past().admit(&change),
            Ok(Checked::Waits { .. }) => {
                return Err(ReplicaError::OwnWorkRefused(
                    "its dependencies are not here".to_owned(),
                ));
            }
            Err(refusal) => return Err(ReplicaError::OwnWorkRefused(refusal.to_string())),
        }
        let content = Content {
            document: id,
            changes: vec![Blob(raw)],
        };
        self.last_order = self.last_order.saturating_add(1);
        self.store_content(&content, Standing::Applied(self.last_order))
    }

    /// Stores what an erasure leaves of a document: it counts once that takes effect.
    pub(super) fn store_rest(&mut self, rest: &Content) -> Result<EntryId, ReplicaError> {
        self.store_content(rest, Standing::Quarantined(Quarantine::Erased))
    }

    fn store_content(&mut self, content: &Content, standing: Standing) -> Result<EntryId, ReplicaError> {
        let entry = self.seal_next(EntryKind::Content, &content.to_bytes())?;
        self.note_built(&entry);
        let entry_id = entry.id;
        let seen: BTreeSet<EntryId> = entry.header.seen.iter().copied().collect();
        let row = self.advance_own(&entry, &seen)?;
        let held = Held {
            entry,
            standing,
            document: Some(content.document),
            changes: 1,
            seen: BTreeSet::new(),
        };
        let mut writes = vec![Write::Entry(Box::new(held)), Write::Journal(row)];
        if is_on(Bug::StoreTwoCommits) {
            self.store(writes.drain(..1).collect())?;
        }
        self.store(writes)?;
        Ok(entry_id)
    }

    fn begin_journal(
        &mut self,
        signing: SigningKey,
        entry: Entry,
        act: ControlAct,
        mut writes: Vec<Write>,
    ) -> Result<(), ReplicaError> {
        let id = entry.header.journal;
        let seed = signing.to_bytes();
        writes.push(Write::Own(OwnJournal {
            seed,
            state: OwnState::Writing,
        }));
        self.own = Some(Own {
            id,
            key: signing,
            state: OwnState::Writing,
        });
        let head = (EntryNumber(0), EntryId::ZERO);
        self.journals.insert(
            id,
            JournalRow {
                id,
                head,
                ended: None,
                seen: BTreeSet::new(),
            },
        );
        // A journal that begins ends nothing.
        self.store_act(entry, act, writes).map(|_| ())
    }

    /// True where everything is to be judged anew.
    fn store_act(
        &mut self,
        entry: Entry,
        act: ControlAct,
        mut writes: Vec<Write>,
    ) -> Result<bool, ReplicaError> {
        self.note_built(&entry);
        let mut row = self.advance_own(&entry, &entry.header.seen.iter().copied().collect())?;
        let seen = std::mem::take(&mut row.seen);
        if let Some(kept) = self.journals.get_mut(&row.id) {
            kept.seen.clear();
        }
        let judged = self.roster.insert(entry.as_control(seen.clone(), act));
        match judged {
            Ok(Ok(())) => {}
            Ok(Err(reason)) => return Err(ReplicaError::NotAllowed(reason)),
            Err(missing) => return Err(ReplicaError::OwnWorkRefused(missing.to_string())),
        }
        self.last_order = self.last_order.saturating_add(1);
        let standing = Standing::Applied(self.last_order);
        writes.push(Write::Entry(Box::new(Held {
            entry,
            standing,
            document: None,
            changes: 0,
            seen,
        })));
        writes.push(Write::Journal(row));
        // Where an action of several entries is under way, its end judges anew.
        let is_part = self.held_back.is_some();
        let otherwise = if is_part {
            self.roster.erasures() != self.reckoning.erasures
        } else {
            self.reckons_otherwise()
        };
        if otherwise {
            // In the same commit: the power may go before everything is judged anew.
            writes.push(Write::Stale(true));
        }
        self.store(writes)?;
        self.choose_key();
        Ok(otherwise && !is_part)
    }

    /// Commits, or holds back until the whole action is done.
    fn store(&mut self, writes: Vec<Write>) -> Result<(), ReplicaError> {
        match &mut self.held_back {
            Some(held_back) => held_back.extend(writes),
            None => self.storage.commit(self.group, writes)?,
        }
        Ok(())
    }

    fn commit_held_back(&mut self) -> Result<(), ReplicaError> {
        let writes = self.held_back.take().unwrap_or_default();
        if !writes.is_empty() {
            self.storage.commit(self.group, writes)?;
        }
        Ok(())
    }

    /// Moves the own journal's head to this entry.
    fn advance_own(&mut self, entry: &Entry, seen: &BTreeSet<EntryId>) -> Result<JournalRow, ReplicaError> {
        let row = self
            .journals
            .get_mut(&entry.header.journal)
            .ok_or(ReplicaError::NotWriting)?;
        row.head = (entry.header.number, entry.id);
        row.seen.extend(seen);
        let row = row.clone();
        if !self.has_room_for(entry)? {
            self.leave_journal()?;
            return Err(ReplicaError::JournalFull);
        }
        Ok(row)
    }

    fn seal_next(&self, kind: EntryKind, payload: &[u8]) -> Result<Entry, ReplicaError> {
        let key = self.keys.current().ok_or(ReplicaError::RekeyDue)?;
        self.seal_next_under(key, kind, payload)
    }

    fn seal_next_under(
        &self,
        key: &GroupKey,
        kind: EntryKind,
        payload: &[u8],
    ) -> Result<Entry, ReplicaError> {
        let own = self
            .own
            .as_ref()
            .filter(|own| own.state == OwnState::Writing)
            .ok_or(ReplicaError::NotWriting)?;
        let row = self.journals.get(&own.id).ok_or(ReplicaError::NotWriting)?;
        let mut seen = self.roster.unseen(own.id, &row.seen);
        seen.truncate(SEEN_MAX);
        let header = Header {
            group: self.group,
            journal: own.id,
            number: row.head.0.next(),
            prev: row.head.1,
            seen,
            kind,
            key: key.id(),
            payload_bytes: u32::try_from(payload.len()).unwrap_or(u32::MAX),
        };
        let entry =
            Entry::seal(header, payload, key).map_err(|e| ReplicaError::OwnWorkRefused(e.to_string()))?;
        Ok(entry.signed(&own.key))
    }
}

fn seal_first(
    group: GroupId,
    signing: &SigningKey,
    seen: Vec<EntryId>,
    act: &ControlAct,
    key: &GroupKey,
) -> Result<Entry, ReplicaError> {
    let payload = act_to_bytes(act);
    let header = Header {
        group,
        journal: JournalId(signing.verifying_key().to_bytes()),
        number: EntryNumber::FIRST,
        prev: EntryId::ZERO,
        seen,
        kind: EntryKind::Control,
        key: key.id(),
        payload_bytes: u32::try_from(payload.len()).unwrap_or(u32::MAX),
    };
    let entry =
        Entry::seal(header, &payload, key).map_err(|e| ReplicaError::OwnWorkRefused(e.to_string()))?;
    Ok(entry.signed(signing))
}
