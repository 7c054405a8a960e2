//! A backup of the profile: all that is needed to be this person again and to have the groups back, in one file that the
//! passphrase opens. The bytes are laid down in `docs/format-profile.md`.
//!
//! **What is not in it: journal secrets, and this device's own keys.** Who restores a backup gets a device of their own, which
//! the group does not know: the old laptop may still run, and two with one endpoint key could not be told apart. So a restored
//! profile can read everything at once. It writes again once another device of the same person, or any member, has
//! published its enrolment, which the person key in the backup signs (`host::net::sessions`); then it begins a fresh journal.
//! What the old journal had written that nobody else has yet is in the backup and goes to the others from here.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::domain::id::{DeviceId, GroupId, Timestamp};
use crate::host::keystore::{
    BackupError, BackupReader, BackupWriter, Cost, Home, Passphrase, RecoveryWords, private_file,
    sync_directory,
};
use crate::host::random::SystemRandom;
use crate::host::store::{ProfileValue, Store};
use crate::replica::bundle::Compression;
use crate::replica::codec::{decode, encode};
use crate::replica::frontier::Frontier;
use crate::replica::hold::{Replica, ReplicaError};
use crate::replica::join::JoinError;
use crate::replica::keys::GroupKey;
use crate::replica::limits::{BACKUP_PART_BYTES_MAX, BUNDLE_BYTES_MAX};
use crate::replica::missing::BundlingError;
use crate::replica::receive::ReceiveError;
use crate::replica::storage::{OwnJournal, OwnState, Storage, StorageError, Write as StoreWrite};

use super::{ImportError, NewProfile, Node, NodeError, now};

/// How far writing or reading a backup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// So many groups are done
    pub done: usize,
    /// of so many.
    pub of: usize,
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedUp {
    /// The person's name.
    pub name: String,
    /// When it was made.
    pub made: Timestamp,
    /// The groups in it.
    pub groups: Vec<GroupId>,
    /// How long the file is.
    pub bytes: u64,
}

/// How a backup begins.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Beginning {
    entropy: [u8; 32],
    #[zeroize(skip)]
    name: String,
    #[zeroize(skip)]
    made: Timestamp,
    #[zeroize(skip)]
    groups: u32,
}

/// What stands before a group's bundle.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Part {
    #[zeroize(skip)]
    group: GroupId,
    keys: Vec<[u8; 32]>,
    /// Where its devices were reachable.
    #[zeroize(skip)]
    contacts: Vec<(DeviceId, Vec<SocketAddr>)>,
    #[zeroize(skip)]
    bundle: u64,
}

impl Node {
    /// Writes a backup, sealed under the profile's passphrase: the file is there whole, or as it was before. `on` hears how
    /// far it is before each group, and can stop it.
    ///
    /// # Errors
    /// A wrong passphrase, a disk that is full, a place in the profile's own folder; stopped.
    pub fn back_up(
        &self,
        passphrase: &Passphrase,
        file: &Path,
        on: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<BackedUp, NodeError> {
        let (part, folder) = beside(file)?;
        if is_within(&folder, self.home().directory()) {
            return Err(BackupError::InProfile.into());
        }
        let written = self.write_file(passphrase, &part, on).and_then(|backed_up| {
            fs::rename(&part, file).map_err(BackupError::from)?;
            sync_directory(&folder).map_err(BackupError::from)?;
            Ok(backed_up)
        });
        match &written {
            Ok(backed_up) => self.note_backup(backed_up.made)?,
            Err(_) => drop(fs::remove_file(&part)),
        }
        written
    }

    fn write_file(
        &self,
        passphrase: &Passphrase,
        part: &Path,
        on: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<BackedUp, NodeError> {
        let file = private_file().write(true).create(true).truncate(true).open(part);
        let file = BufWriter::new(file.map_err(BackupError::from)?);
        let (file, mut backed_up) = self.write_backup(passphrase, file, on)?;
        let file = file
            .into_inner()
            .map_err(|error| BackupError::from(error.into_error()))?;
        file.sync_all().map_err(BackupError::from)?;
        backed_up.bytes = file.metadata().map_err(BackupError::from)?.len();
        Ok(backed_up)
    }

    /// A backup as bytes, for who lays it down elsewhere: a browser. It counts as written.
    ///
    /// # Errors
    /// A wrong passphrase, or the store fails.
    pub fn back_up_bytes(&self, passphrase: &Passphrase) -> Result<(Vec<u8>, BackedUp), NodeError> {
        let (bytes, mut backed_up) =
            self.write_backup(passphrase, Vec::new(), &mut |_| ControlFlow::Continue(()))?;
        backed_up.bytes = bytes.len() as u64;
        self.note_backup(backed_up.made)?;
        Ok((bytes, backed_up))
    }

    fn write_backup<W: Write>(
        &self,
        passphrase: &Passphrase,
        to: W,
        on: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<(W, BackedUp), NodeError> {
        let words = self.recovery_words(passphrase)?;
        let (name, groups, made) = (self.profile_name()?, self.groups()?, now());
        let mut writer = BackupWriter::begin(to, passphrase, self.cost()?)?;
        write_record(
            &mut writer,
            &Beginning {
                entropy: *words.entropy(),
                name: name.clone(),
                made,
                groups: u32::try_from(groups.len()).unwrap_or(u32::MAX),
            },
        )?;
        for (done, group) in groups.iter().enumerate() {
            go_on(on, done, groups.len())?;
            let (record, bundle) = self.group_for_backup(*group)?;
            write_record(&mut writer, &record)?;
            writer.write(&bundle)?;
        }
        go_on(on, groups.len(), groups.len())?;
        let backed_up = BackedUp {
            name,
            made,
            groups,
            bytes: 0,
        };
        Ok((writer.finish()?, backed_up))
    }

    fn group_for_backup(&self, group: GroupId) -> Result<(Part, Vec<u8>), NodeError> {
        self.with_group(group, |replica| {
            let bundle = match replica.bundle(&Frontier::new(), Compression::Fast) {
                Ok(bundle) => bundle,
                Err(BundlingError::Replica(error)) => return Err(error.into()),
                Err(BundlingError::Bundle(error)) => return Err(ImportError::from(error).into()),
            };
            let part = Part {
                group,
                keys: replica.keys().iter().map(|key| *key.as_bytes()).collect(),
                contacts: replica.storage().contacts()?,
                bundle: bundle.len() as u64,
            };
            Ok((part, bundle))
        })
    }

    /// Makes a profile of a backup, on a new device of the same person, under the backup's passphrase: it is there whole, or
    /// not at all. `on` hears how far it is before each group, and can stop it.
    ///
    /// # Errors
    /// Where there is a profile already, the passphrase is wrong, or the file is no backup, damaged, cut off or from a newer
    /// Kiez; stopped.
    pub fn recover(
        home: &Home,
        passphrase: &Passphrase,
        file: &Path,
        on: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<(Self, BackedUp), NodeError> {
        // Before anything is read.
        home.refuse_if_taken()?;
        let file = BufReader::new(File::open(file).map_err(BackupError::from)?);
        Self::recover_at(home, passphrase, file, Cost::STANDARD, on)
    }

    /// [`Node::recover`] of a backup wherever it is, with another cost of the derivation.
    ///
    /// # Errors
    /// As [`Node::recover`].
    pub fn recover_at(
        home: &Home,
        passphrase: &Passphrase,
        mut backup: impl Read + Seek,
        cost: Cost,
        on: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<(Self, BackedUp), NodeError> {
        home.refuse_if_taken()?;
        // All of it is sound before anything is made of it.
        BackupReader::begin(&mut backup, passphrase)?.check()?;
        let bytes = backup.stream_position().map_err(BackupError::from)?;
        backup.rewind().map_err(BackupError::from)?;
        let mut reader = BackupReader::begin(backup, passphrase)?;
        let beginning: Beginning = read_record(&mut reader)?;
        let words = RecoveryWords::from_entropy(beginning.entropy);
        let count = usize::try_from(beginning.groups).unwrap_or(usize::MAX);
        let mut groups = Vec::new();
        let who = NewProfile::of(&beginning.name, &words);
        let node = Self::create_filled(home, passphrase, cost, &who, |store| {
            for done in 0..count {
                go_on(on, done, count)?;
                groups.push(restore_group(store, &mut reader)?);
            }
            reader.end()?;
            go_on(on, count, count)?;
            Ok(store.set_profile_values(&[(ProfileValue::BackedUp, &beginning.made.0.to_le_bytes())])?)
        })?;
        let backed_up = BackedUp {
            name: beginning.name.clone(),
            made: beginning.made,
            groups,
            bytes,
        };
        Ok((node, backed_up))
    }

    /// When a backup was last written. None where none was.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn backed_up(&self) -> Result<Option<Timestamp>, NodeError> {
        let kept = self.store().profile_value(ProfileValue::BackedUp)?;
        let bytes = kept.and_then(|bytes| bytes.try_into().ok());
        Ok(bytes.map(|bytes| Timestamp(u64::from_le_bytes(bytes))))
    }

    /// Remembers that a backup was written.
    fn note_backup(&self, made: Timestamp) -> Result<(), NodeError> {
        let made = made.0.to_le_bytes();
        Ok(self
            .store()
            .set_profile_values(&[(ProfileValue::BackedUp, &made)])?)
    }
}

/// Takes one group out of a backup: it can be read, and waits to be enrolled.
fn restore_group<R: Read>(store: &Store, reader: &mut BackupReader<R>) -> Result<GroupId, NodeError> {
    let part: Part = read_record(reader)?;
    let length = usize::try_from(part.bundle).unwrap_or(usize::MAX);
    if length > BUNDLE_BYTES_MAX {
        return Err(BackupError::Damaged.into());
    }
    let bundle = reader.read(length)?;
    let keys = part.keys.iter().copied().map(GroupKey::from_bytes).collect();
    let replica = Replica::from_bundle(store.group(None), part.group, keys, &bundle);
    let mut replica = replica.map_err(|error| match error {
        JoinError::Replica(error) | JoinError::Receive(ReceiveError::Replica(error)) => error.into(),
        JoinError::Box(_) | JoinError::Bundle(_) | JoinError::Receive(_) | JoinError::OtherGroup => {
            NodeError::from(BackupError::Damaged)
        }
    })?;
    leave_journal(&mut replica).map_err(ReplicaError::from)?;
    // What is in a backup is no news.
    replica.storage().set_visit(now())?;
    for (device, addresses) in &part.contacts {
        replica.storage().set_contact(*device, addresses)?;
    }
    Ok(part.group)
}

/// A key to say who speaks in sessions, of a journal that is never written: this device asks for its enrolment.
fn leave_journal(replica: &mut Replica<crate::host::store::GroupStore>) -> Result<(), StorageError> {
    let own = OwnJournal {
        seed: SigningKey::generate(&mut SystemRandom).to_bytes(),
        state: OwnState::Left,
    };
    let group = replica.group();
    replica.storage_mut().commit(group, vec![StoreWrite::Own(own)])
}

fn go_on(on: &mut dyn FnMut(Progress) -> ControlFlow<()>, done: usize, of: usize) -> Result<(), BackupError> {
    match on(Progress { done, of }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(BackupError::Stopped),
    }
}

fn write_record<W: Write>(writer: &mut BackupWriter<W>, record: &impl Serialize) -> Result<(), BackupError> {
    let bytes = Zeroizing::new(encode(record));
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    writer.write(&length.to_le_bytes())?;
    writer.write(&bytes)
}

fn read_record<T: Serialize + serde::de::DeserializeOwned, R: Read>(
    reader: &mut BackupReader<R>,
) -> Result<T, BackupError> {
    let length = reader.read(4)?;
    let length = length.as_slice().try_into().map_err(|_| BackupError::Damaged)?;
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if length > BACKUP_PART_BYTES_MAX {
        return Err(BackupError::Damaged);
    }
    decode(&reader.read(length)?).map_err(|_| BackupError::Damaged)
}

/// Where a file is written before it takes its place, and its folder.
fn beside(file: &Path) -> Result<(PathBuf, PathBuf), BackupError> {
    let no_name = || BackupError::Io(io::Error::new(io::ErrorKind::InvalidInput, "it is no file name"));
    let mut name = file.file_name().ok_or_else(no_name)?.to_owned();
    name.push(".part");
    let folder = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        Some(_) | None => PathBuf::from("."),
    };
    Ok((file.with_file_name(name), folder))
}

/// Does a folder lie in another one? Where that cannot be told, writing there will say why.
fn is_within(folder: &Path, other: &Path) -> bool {
    match (folder.canonicalize(), other.canonicalize()) {
        (Ok(folder), Ok(other)) => folder.starts_with(other),
        (Err(_), _) | (_, Err(_)) => false,
    }
}

#[cfg(test)]
#[path = "backup_tests.rs"]
mod tests;
