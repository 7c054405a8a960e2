//! The node: one profile with its groups, as the one facade for every front end. Commands change something, queries
//! read, events tell that something changed. It opens a group when it is first asked for it, and documents when they are
//! needed.

mod backup;
mod commands;
mod council;
mod erase;
mod further;
mod history;
mod import;
mod outside;
mod passphrase;
mod polls;
mod profile;
mod queries;
mod reach;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use ed25519_dalek::SigningKey;
use tokio::sync::broadcast;

use crate::domain::id::{DeviceId, EntryNumber, GroupId, PersonId, Timestamp};
use crate::host::keystore::{
    BackupError, Cost, Home, KeystoreError, Passphrase, RecoveryWords, SealedSeed, Unlocked,
};
use crate::host::random::{self, SystemRandom};
use crate::host::store::{GroupStore, PeerRow, ProfileValue, Store};
use crate::replica::actions::ActionError;
use crate::replica::author::AuthorError;
use crate::replica::document::own;
use crate::replica::hold::{Me, Replica, ReplicaError};
use crate::replica::keys::BoxSecret;
use crate::replica::storage::StorageError;

pub use backup::{BackedUp, Progress};
pub use council::{
    Asking, Council, DeviceCard, HiddenCard, MotionCard, OpenInvitation, Place as PlaceInGroup, Wish,
};
pub use erase::{ErasedCard, Late};
pub(crate) use further::FurtherError;
pub use history::News;
pub use import::{ImportError, Imported};
pub use outside::{FormerCard, PutOffCard};
pub use passphrase::HeldPassphrase;
pub use polls::PollBrief;
pub use profile::WayBack;
pub use queries::{GroupCard, IdeaPage, PeerStatus, PersonCard, Status};
pub use reach::PersonReach;

/// How many events a slow listener may lag behind before it is told that it missed some.
const EVENTS: usize = 1_024;

/// Something changed in a group, by whoever's hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// In which.
    pub group: GroupId,
}

/// Why the node did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Passphrase, profile or database.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// An action.
    #[error(transparent)]
    Action(#[from] ActionError),
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// There is no such group in this profile.
    #[error("there is no such group in this profile; `kiez group list` shows yours")]
    NoSuchGroup,
    /// A value the profile needs is missing.
    #[error("this profile is incomplete: make a new one, and join again on another member's invitation")]
    ProfileIncomplete,
    /// Something that came in could not be used.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A backup.
    #[error(transparent)]
    Backup(#[from] BackupError),
}

impl From<ReplicaError> for NodeError {
    fn from(error: ReplicaError) -> Self {
        Self::Action(error.into())
    }
}

impl From<AuthorError> for NodeError {
    fn from(error: AuthorError) -> Self {
        Self::Action(error.into())
    }
}

/// One profile, unlocked. Cheap to clone: all clones are the same node.
#[derive(Debug, Clone)]
pub struct Node {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    me: Me,
    box_secret: BoxSecret,
    groups: Mutex<BTreeMap<GroupId, Replica<GroupStore>>>,
    /// What devices said they have, since the node started; kept in the store when their session ends.
    peers: Mutex<BTreeMap<(GroupId, DeviceId), PeerRow>>,
    polls: Mutex<BTreeMap<GroupId, polls::Known>>,
    events: broadcast::Sender<Changed>,
    /// The passphrase, where something holds it.
    held: Mutex<Vec<Weak<HeldPassphrase>>>,
    /// One change of the passphrase after the other.
    changing: Mutex<()>,
    /// Last: it keeps other processes out until everything above is closed.
    unlocked: Unlocked,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner")
            .field("me", &self.me)
            .finish_non_exhaustive()
    }
}

/// Who a new profile is of, and on which device.
pub(crate) struct NewProfile<'a> {
    pub(crate) name: &'a str,
    pub(crate) words: &'a RecoveryWords,
    pub(crate) device: SigningKey,
    pub(crate) box_secret: BoxSecret,
}

impl<'a> NewProfile<'a> {
    /// On a device that nobody knows yet.
    pub(crate) fn of(name: &'a str, words: &'a RecoveryWords) -> Self {
        Self {
            name,
            words,
            device: SigningKey::generate(&mut SystemRandom),
            box_secret: BoxSecret::generate(&mut SystemRandom),
        }
    }
}

impl Node {
    /// Makes a new profile: a person with fresh recovery words, on this device.
    ///
    /// # Errors
    /// Where there is a profile already, it cannot be written, or the name does not fit.
    pub fn create(home: &Home, name: &str, passphrase: &Passphrase) -> Result<Self, NodeError> {
        Self::create_at(home, name, passphrase, Cost::STANDARD)
    }

    /// [`Node::create`] with another cost of the derivation.
    ///
    /// # Errors
    /// As [`Node::create`].
    pub fn create_at(
        home: &Home,
        name: &str,
        passphrase: &Passphrase,
        cost: Cost,
    ) -> Result<Self, NodeError> {
        let words = RecoveryWords::from_entropy(random::bytes());
        Self::create_with(home, name, passphrase, cost, &words)
    }

    /// Makes a profile for a person who has their recovery words: they are who they were, on another device. Their groups
    /// come back on an invitation.
    ///
    /// # Errors
    /// See [`Node::create`].
    pub fn restore(
        home: &Home,
        name: &str,
        passphrase: &Passphrase,
        words: &RecoveryWords,
    ) -> Result<Self, NodeError> {
        Self::create_with(home, name, passphrase, Cost::STANDARD, words)
    }

    fn create_with(
        home: &Home,
        name: &str,
        passphrase: &Passphrase,
        cost: Cost,
        words: &RecoveryWords,
    ) -> Result<Self, NodeError> {
        let who = NewProfile::of(name, words);
        Self::create_filled(home, passphrase, cost, &who, |_| Ok(()))
    }

    /// Makes a profile, and has something stored in it before it counts as there: all of it is there then, or nothing.
    fn create_filled(
        home: &Home,
        passphrase: &Passphrase,
        cost: Cost,
        who: &NewProfile<'_>,
        fill: impl FnOnce(&Store) -> Result<(), NodeError>,
    ) -> Result<Self, NodeError> {
        own::check_name(who.name).map_err(AuthorError::from)?;
        let unlocked = home.create_filled(passphrase, cost, |unlocked| -> Result<(), NodeError> {
            let store = Store::open(unlocked)?;
            let sealed = SealedSeed::seal(who.words, passphrase, cost, random::bytes(), random::bytes())?;
            let person = who.words.person_key().verifying_key().to_bytes();
            store.set_profile_values(&[
                (ProfileValue::Name, who.name.as_bytes()),
                (ProfileValue::Person, &person),
                (ProfileValue::DeviceSeed, &who.device.to_bytes()),
                (ProfileValue::BoxSecret, who.box_secret.as_bytes()),
                (ProfileValue::SealedSeed, &sealed.to_bytes()),
            ])?;
            fill(&store)
        })?;
        Self::open_unlocked(unlocked)
    }

    /// Opens a profile.
    ///
    /// # Errors
    /// A wrong passphrase, a damaged file, a profile that another process has open.
    pub fn open(home: &Home, passphrase: &Passphrase) -> Result<Self, NodeError> {
        Self::open_unlocked(home.unlock(passphrase)?)
    }

    /// Opens a profile whose key is derived already.
    ///
    /// # Errors
    /// See [`Node::open`].
    pub fn open_unlocked(unlocked: Unlocked) -> Result<Self, NodeError> {
        let store = Store::open(&unlocked)?;
        Self::with(store, unlocked)
    }

    fn with(store: Store, unlocked: Unlocked) -> Result<Self, NodeError> {
        let value = |value| -> Result<[u8; 32], NodeError> {
            let bytes = store.profile_value(value)?.ok_or(NodeError::ProfileIncomplete)?;
            bytes.try_into().map_err(|_| NodeError::ProfileIncomplete)
        };
        let device = SigningKey::from_bytes(&value(ProfileValue::DeviceSeed)?);
        let box_secret = BoxSecret::from_bytes(value(ProfileValue::BoxSecret)?);
        let me = Me {
            person: PersonId(value(ProfileValue::Person)?),
            device,
            box_key: box_secret.public(),
        };
        let (events, _) = broadcast::channel(EVENTS);
        let inner = Inner {
            store,
            me,
            box_secret,
            groups: Mutex::default(),
            peers: Mutex::default(),
            polls: Mutex::default(),
            events,
            held: Mutex::default(),
            changing: Mutex::default(),
            unlocked,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The profile's directory.
    #[must_use]
    pub fn home(&self) -> &Home {
        self.inner.unlocked.home()
    }

    /// Who this device is.
    #[must_use]
    pub fn me(&self) -> &Me {
        &self.inner.me
    }

    pub(crate) fn box_secret(&self) -> &BoxSecret {
        &self.inner.box_secret
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Tells when something changes.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Changed> {
        self.inner.events.subscribe()
    }

    /// The person's name, as it was given when the profile was made.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn profile_name(&self) -> Result<String, NodeError> {
        let name = self
            .inner
            .store
            .profile_value(ProfileValue::Name)?
            .unwrap_or_default();
        Ok(String::from_utf8_lossy(&name).into_owned())
    }

    /// The groups of this profile.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn groups(&self) -> Result<Vec<GroupId>, NodeError> {
        Ok(self.inner.store.groups()?)
    }

    /// Does something with a group's replica; whoever else wants it waits.
    ///
    /// # Errors
    /// Where there is no such group, or what is done fails.
    pub fn with_group<T, E: From<NodeError>>(
        &self,
        group: GroupId,
        action: impl FnOnce(&mut Replica<GroupStore>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut groups = self.lock_groups();
        if groups.get(&group).is_some_and(Replica::is_stale) {
            groups.remove(&group);
        }
        let replica = match groups.entry(group) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(place) => place.insert(self.open_group(group)?),
        };
        replica.set_clock(now());
        let done = action(replica);
        erase::wipe(replica);
        done
    }

    fn open_group(&self, group: GroupId) -> Result<Replica<GroupStore>, NodeError> {
        match Replica::open(self.inner.store.group(Some(group))) {
            Ok(mut replica) => {
                replica.set_box_secret(self.box_secret().clone())?;
                // A join or an enrolment that was cut off after it was granted.
                if replica.own_journal().is_none() && replica.grant_for(self.me()).is_some() {
                    replica.open_journal(self.me(), &mut SystemRandom)?;
                }
                self.say_name(&mut replica)?;
                Ok(replica)
            }
            Err(ReplicaError::NoGroup) => Err(NodeError::NoSuchGroup),
            Err(error) => Err(error.into()),
        }
    }

    /// Says the person's name, where a joining was cut off before that.
    fn say_name(&self, replica: &mut Replica<GroupStore>) -> Result<(), NodeError> {
        let own = replica.own_journal();
        let head = own.and_then(|own| replica.frontier().get(&own).copied());
        let nothing_yet = head.is_some_and(|(number, _)| number == EntryNumber::FIRST);
        if nothing_yet && replica.me().is_some() && replica.name_of(self.me().person)?.is_none() {
            replica.rekey_if_due(&mut SystemRandom)?;
            replica.set_profile_name(&self.profile_name()?, now())?;
        }
        Ok(())
    }

    pub(crate) fn adopt(&self, mut replica: Replica<GroupStore>) {
        let group = replica.group();
        if let Err(error) = replica.set_box_secret(self.box_secret().clone()) {
            // It is set when the group is opened again.
            tracing::warn!("boxes with keys stay closed for now: {error}");
            return;
        }
        self.lock_groups().insert(group, replica);
        self.tell(group);
    }

    /// Tells every listener that a group changed.
    pub(crate) fn tell(&self, group: GroupId) {
        // Nobody listening is no error.
        self.inner.events.send(Changed { group }).ok();
    }

    /// Gives ideas their numbers, where this device is a steward's and some have none: after something came from others, and
    /// for whoever keeps a group open once when it begins. Not when a group is opened: who only reads writes nothing. That
    /// it fails harms nothing: the next one who can does it. Says whether any was given.
    pub fn number_ideas(&self, group: GroupId) -> bool {
        match self.with_group(group, |replica| {
            replica.rekey_if_due(&mut SystemRandom)?;
            replica.number_ideas(now()).map_err(NodeError::from)
        }) {
            Ok(0) => false,
            Ok(_) => {
                self.tell(group);
                true
            }
            Err(error) => {
                tracing::warn!("ideas are not numbered: {error}");
                false
            }
        }
    }

    pub(crate) fn peer_has(&self, group: GroupId, row: PeerRow) {
        self.lock_peers().insert((group, row.device), row);
    }

    /// Keeps what devices said they have.
    pub(crate) fn keep_peer(&self, group: GroupId, device: DeviceId) -> Result<(), StorageError> {
        let row = self.lock_peers().get(&(group, device)).cloned();
        row.map_or(Ok(()), |row| self.inner.store.group(Some(group)).set_peer(&row))
    }

    pub(crate) fn peers_of(&self, group: GroupId) -> Result<BTreeMap<DeviceId, PeerRow>, StorageError> {
        let kept = self.inner.store.group(Some(group)).peers()?;
        let mut all: BTreeMap<DeviceId, PeerRow> = kept.into_iter().map(|row| (row.device, row)).collect();
        for ((of, device), row) in self.lock_peers().iter() {
            if *of == group {
                all.insert(*device, row.clone());
            }
        }
        Ok(all)
    }

    fn lock_groups(&self) -> MutexGuard<'_, BTreeMap<GroupId, Replica<GroupStore>>> {
        match self.inner.groups.lock() {
            Ok(groups) => groups,
            Err(poisoned) => {
                // Memory may be half changed: read everything again from the store, which is whole.
                let mut groups = PoisonError::into_inner(poisoned);
                groups.clear();
                self.inner.groups.clear_poison();
                groups
            }
        }
    }

    fn lock_peers(&self) -> MutexGuard<'_, BTreeMap<(GroupId, DeviceId), PeerRow>> {
        self.inner.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn now() -> Timestamp {
    crate::host::clock::now()
}
