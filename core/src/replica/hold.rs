//! The replica: one group as this device holds it, over a [`Storage`]. This file owns its state and how it is read
//! back; `receive.rs` takes in what others bring, `author.rs` writes what this device says.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;

use crate::domain::control::Device;
use crate::domain::document::DocumentId;
use crate::domain::id::{
    BoxKey, DeviceId, EntryId, EntryNumber, GroupId, JournalId, KeyId, PersonId, PollId,
};
use crate::domain::roster::{Author, Moment, NotOk, Roster};

use super::allowance::Allowance;
use super::beyond::Beyond;
use super::codec::{Blob, encode};
use super::content::Content;
use super::document::{Document, DocumentError};
use super::entry::Entry;
use super::fork::{Aside, Fork};
use super::frontier::Frontier;
use super::gate::DocumentPast;
use super::keys::{BoxSecret, KeyRing};
use super::reckoning::Reckoning;
use super::storage::{Census, JournalRow, OwnState, Storage, StorageError, Write};

/// How many documents stay open. The others are loaded again when they are needed.
const OPEN_DOCUMENTS_MAX: usize = 64;

/// Who this device is: the same in all its groups.
#[derive(Clone)]
pub struct Me {
    /// Whose it is.
    pub person: PersonId,
    /// The endpoint key.
    pub device: SigningKey,
    /// What boxes for it are sealed to.
    pub box_key: BoxKey,
}

impl std::fmt::Debug for Me {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Me({:?} on {:?})", self.person, self.device_id())
    }
}

impl Me {
    /// The endpoint key's public half.
    #[must_use]
    pub fn device_id(&self) -> DeviceId {
        DeviceId(self.device.verifying_key().to_bytes())
    }

    /// As a grant names it.
    #[must_use]
    pub fn named(&self) -> Device {
        Device {
            person: self.person,
            device: self.device_id(),
            box_key: self.box_key,
        }
    }
}

/// Why a replica could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ReplicaError {
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A document.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// There is no group here.
    #[error("there is no group in this place yet")]
    NoGroup,
    /// This device has no journal it may write.
    #[error(
        "this device may not write in this group yet: it waits to be admitted, or was restored from an older state and waits to be enrolled again; meet another member's device"
    )]
    NotWriting,
    /// Somebody has gone who has every key that is held here: a new one comes first.
    #[error("the group needs a new key first, since somebody has gone; please report this")]
    RekeyDue,
    /// The own journal is as long as others take in.
    #[error(
        "this device has written as much as one device may in this group; it goes on once it has met another member's device, which lets it begin anew"
    )]
    JournalFull,
    /// What was asked is not allowed by the group's rules, as far as this device knows.
    #[error("the group's rules do not allow that: {0}")]
    NotAllowed(NotOk),
    /// What was asked is not allowed in that document.
    #[error("you may not change that here: {0}")]
    MayNotWrite(crate::domain::admission::Quarantine),
    /// What this device wrote would be refused by everybody. A bug; nothing was stored.
    #[error("what was written would be refused by others, so it was not stored; please report this: {0}")]
    OwnWorkRefused(String),
}

/// An open document with what the gate knows of it.
#[derive(Debug)]
pub(super) struct OpenDocument {
    pub(super) document: Document,
    /// Made when the first change is to be checked.
    pub(super) past: Option<DocumentPast>,
    /// Passed the gate, not applied yet: applied all at once.
    pub(super) passed: Vec<automerge::Change>,
    /// How many entries were applied since the last cached save.
    pub(super) unsaved: usize,
    used: u64,
}

/// A waiting entry's changes, and what it is known to wait for (empty: for an earlier entry of its journal).
#[derive(Debug)]
pub(super) struct WaitingEntry {
    pub(super) changes: Vec<Blob>,
    pub(super) missing: BTreeSet<crate::domain::id::ChangeId>,
}

#[derive(Debug)]
pub(super) struct Own {
    pub(super) id: JournalId,
    pub(super) key: SigningKey,
    pub(super) state: OwnState,
}

pub(super) type Waiting = BTreeMap<DocumentId, BTreeMap<(JournalId, EntryNumber), WaitingEntry>>;

/// One group as this device holds it.
#[derive(Debug)]
pub struct Replica<S> {
    pub(super) storage: S,
    pub(super) group: GroupId,
    pub(super) keys: KeyRing,
    pub(super) journals: BTreeMap<JournalId, JournalRow>,
    pub(super) roster: Roster,
    pub(super) own: Option<Own>,
    pub(super) open: BTreeMap<DocumentId, OpenDocument>,
    pub(super) waiting: Waiting,
    /// What does not count because its author has gone.
    pub(super) beyond: Beyond,
    /// What the authors of journals knew at their last entries, as far as it was asked.
    pub(super) known: BTreeMap<JournalId, Moment>,
    /// Keys that are not held and under which something here is sealed.
    pub(super) unread: BTreeSet<KeyId>,
    /// What opens the boxes for this device, where that is known.
    pub(super) box_secret: Option<BoxSecret>,
    /// How far everybody counts, when that was last acted on.
    pub(super) reckoning: Reckoning,
    pub(super) aside: Aside,
    /// Who built on the branches of forked journals, as far as it was read.
    pub(super) forks: BTreeMap<JournalId, Fork>,
    pub(super) last_order: u64,
    /// In whose vote document a poll stands, as far as it was looked for.
    pub(super) poll_openers: BTreeMap<PollId, PersonId>,
    /// Everything is being judged again: what the storage says was applied does not count.
    pub(super) rebuilding: bool,
    /// See [`Replica::is_stale`].
    pub(super) stale: bool,
    /// What came without payload, and an act that cannot be read may say that it was erased.
    pub(super) unproven: BTreeSet<EntryId>,
    /// Something is being left out for that.
    pub(super) leaves_out: bool,
    /// What is to be committed at once, while an action of several entries is under way.
    pub(super) held_back: Option<Vec<Write>>,
    /// How much of whose writing is taken in.
    pub(super) allowance: Allowance,
    /// Journals here that nobody's grant lets begin: older software took them in.
    pub(super) nobodys: BTreeSet<JournalId>,
    uses: u64,
}

impl<S: Storage> Replica<S> {
    /// Reads a group back from its storage.
    ///
    /// # Errors
    /// Where there is none, or the storage fails.
    pub fn open(storage: S) -> Result<Self, ReplicaError> {
        let group = storage.group()?.ok_or(ReplicaError::NoGroup)?;
        let mut replica = Self::empty(storage, group);
        replica.reload()?;
        // A crash may have come between learning of a fork and settling it.
        if replica.stale {
            replica.rebuild()?;
        }
        replica.settle_all()?;
        replica.leave_stuck_journal()?;
        Ok(replica)
    }

    pub(super) fn empty(storage: S, group: GroupId) -> Self {
        Self {
            storage,
            group,
            keys: KeyRing::default(),
            journals: BTreeMap::new(),
            roster: Roster::default(),
            own: None,
            open: BTreeMap::new(),
            waiting: BTreeMap::new(),
            beyond: Beyond::default(),
            known: BTreeMap::new(),
            unread: BTreeSet::new(),
            box_secret: None,
            reckoning: Reckoning::default(),
            aside: Aside::new(),
            forks: BTreeMap::new(),
            last_order: 0,
            poll_openers: BTreeMap::new(),
            rebuilding: false,
            stale: false,
            unproven: BTreeSet::new(),
            leaves_out: false,
            held_back: None,
            allowance: Allowance::default(),
            nobodys: BTreeSet::new(),
            uses: 0,
        }
    }

    /// Forgets what is in memory and reads it again: after a commit that failed, memory may be ahead of the disk.
    pub(super) fn reload(&mut self) -> Result<(), ReplicaError> {
        self.stale = true;
        self.allowance.forget();
        self.read_storage()?;
        self.stale = self.storage.is_stale()?;
        Ok(())
    }

    /// Did judging everything anew, or reading it again, fail? What is in memory says nothing then: open it again.
    #[must_use]
    pub const fn is_stale(&self) -> bool {
        self.stale
    }

    /// The group's id.
    #[must_use]
    pub const fn group(&self) -> GroupId {
        self.group
    }

    /// Who is in it.
    #[must_use]
    pub const fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The group keys held.
    #[must_use]
    pub const fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// Where it is kept.
    #[must_use]
    pub const fn storage(&self) -> &S {
        &self.storage
    }

    /// Where it is kept, for what the host keeps beside the entries.
    pub const fn storage_mut(&mut self) -> &mut S {
        &mut self.storage
    }

    /// Gives the storage back.
    #[must_use]
    pub fn into_storage(self) -> S {
        self.storage
    }

    /// The journal this device writes, where it may write.
    #[must_use]
    pub fn own_journal(&self) -> Option<JournalId> {
        self.own
            .as_ref()
            .filter(|own| own.state == OwnState::Writing)
            .map(|own| own.id)
    }

    /// The key that signs for this device in a session: its journal's, also of one it writes no more.
    #[must_use]
    pub fn signing_journal(&self) -> Option<(JournalId, &SigningKey)> {
        self.own.as_ref().map(|own| (own.id, &own.key))
    }

    /// What this device is in the group.
    #[must_use]
    pub fn me(&self) -> Option<Author> {
        self.roster.living_author(self.own_journal()?)
    }

    /// What is held, without gaps.
    #[must_use]
    pub fn frontier(&self) -> Frontier {
        self.journals
            .iter()
            .map(|(journal, row)| (*journal, row.head))
            .collect()
    }

    /// A count of what is held.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn census(&self) -> Result<Census, ReplicaError> {
        Ok(self.storage.census()?)
    }

    /// The fingerprint of all that counts: the ids of the admitted entries and every document's heads.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn digest(&mut self) -> Result<[u8; 32], ReplicaError> {
        let mut hasher = blake3::Hasher::new_derive_key("kiez 1 state");
        hasher.update(&encode(&self.storage.census()?.applied));
        for document in self.storage.documents()? {
            let heads = self.document(document)?.heads();
            hasher.update(&encode(&(document, heads)));
        }
        Ok(*hasher.finalize().as_bytes())
    }

    /// A document as it stands; empty where nobody has written it.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn document(&mut self, id: DocumentId) -> Result<&Document, ReplicaError> {
        Ok(&self.opened(id)?.document)
    }

    /// The content entries that wait in a document.
    pub(super) fn waiting_in(&self, id: DocumentId) -> impl Iterator<Item = (JournalId, EntryNumber)> + '_ {
        self.waiting
            .get(&id)
            .into_iter()
            .flat_map(|waiting| waiting.keys().copied())
    }

    /// The content of an entry, where it can be read.
    pub(super) fn content(&self, entry: &Entry) -> Option<Content> {
        let payload = self.payload(entry)?;
        Content::from_bytes(&payload).ok()
    }

    /// The plain payload of an entry, where its key is held and it opens.
    pub(super) fn payload(&self, entry: &Entry) -> Option<Vec<u8>> {
        entry.open(self.keys.get(entry.header.key)?).ok()
    }

    /// A document, opened where it was not.
    pub(super) fn opened(&mut self, id: DocumentId) -> Result<&mut OpenDocument, ReplicaError> {
        self.uses = self.uses.saturating_add(1);
        if !self.open.contains_key(&id) {
            let opened = self.load(id)?;
            self.open.insert(id, opened);
        }
        let uses = self.uses;
        let opened = self.open.get_mut(&id).ok_or(ReplicaError::NoGroup)?;
        opened.used = uses;
        Ok(opened)
    }

    fn load(&self, id: DocumentId) -> Result<OpenDocument, ReplicaError> {
        let fresh = self.fresh(id)?;
        let opened = |document| OpenDocument {
            document,
            past: None,
            passed: Vec::new(),
            unsaved: 0,
            used: self.uses,
        };
        // Where something was erased this very moment, what is stored stands as before, for another generation; no matter, since
        // everything is judged anew at the end of the batch.
        if self.rebuilding || self.roster.erasures() != self.reckoning.erasures {
            return Ok(opened(fresh));
        }
        let (mut document, through) = match self.storage.save(id)? {
            Some(save) => (fresh.load_later(&save.bytes)?, save.through),
            None => (fresh, 0),
        };
        let later = self.storage.applied(id, through)?;
        let mut changes = Vec::new();
        for held in &later {
            let content = self.content(&held.entry);
            for Blob(raw) in content.into_iter().flat_map(|content| content.changes) {
                let damaged = |_| StorageError::Damaged("an applied change cannot be read back".to_owned());
                changes.push(automerge::Change::from_bytes(raw).map_err(damaged)?);
            }
        }
        document.apply(changes)?;
        Ok(OpenDocument {
            unsaved: later.len(),
            ..opened(document)
        })
    }

    /// Closes the documents that have not been used for longest, down to the limit. Not while what was written in them is
    /// held back: the storage does not have it yet.
    pub(crate) fn close_unused(&mut self) {
        if self.held_back.is_some() {
            return;
        }
        while self.open.len() > OPEN_DOCUMENTS_MAX {
            let oldest = self
                .open
                .iter()
                .min_by_key(|(_, open)| open.used)
                .map(|(id, _)| *id);
            let Some(oldest) = oldest else { return };
            self.open.remove(&oldest);
        }
    }
}

impl OpenDocument {
    /// What the gate knows of the document, made where it was not.
    pub(super) fn past(&mut self) -> &mut DocumentPast {
        let document = &self.document;
        self.past
            .get_or_insert_with(|| DocumentPast::from_changes(&document.changes()))
    }

    /// Applies what passed the gate, all at once.
    pub(super) fn apply_passed(&mut self) -> Result<(), DocumentError> {
        let passed = std::mem::take(&mut self.passed);
        if passed.is_empty() {
            Ok(())
        } else {
            self.document.apply(passed)
        }
    }

    /// Forgets what the gate learned from changes that are not to count after all.
    pub(super) fn forget_past(&mut self) {
        let mut changes = self.document.changes();
        changes.extend(self.passed.iter().cloned());
        self.past = Some(DocumentPast::from_changes(&changes));
    }
}
