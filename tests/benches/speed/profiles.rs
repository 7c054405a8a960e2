//! Profiles with the year in them, on the disk that holds `target`.

use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use kiez_core::domain::id::GroupId;
use kiez_core::host::keystore::{Cost, Home, Passphrase, RecoveryWords, SealedSeed, Unlocked};
use kiez_core::host::node::Node;
use kiez_core::host::store::{GroupStore, ProfileValue, Store};
use kiez_core::replica::hold::Replica;
use kiez_core::replica::keys::{BoxSecret, GroupKey};
use kiez_core::replica::storage::{OwnJournal, OwnState, Storage, Write};
use kiez_tests::year::{Member, Year};
use tempfile::TempDir;

/// Where everything lies. Goes away at the end, but for the fixtures.
pub struct Place {
    target: PathBuf,
    directory: TempDir,
}

/// The founder's profile and the quiet one's. Both have everything.
pub struct Profiles {
    pub group: GroupId,
    pub founder: Home,
    pub quiet: Home,
}

impl Place {
    pub fn new() -> Self {
        let exe = std::env::current_exe().unwrap();
        // target/release/deps/speed-…
        let target = exe.ancestors().nth(3).unwrap().to_path_buf();
        let directory = tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(&target)
            .unwrap();
        Self { target, directory }
    }

    pub fn fixtures(&self) -> PathBuf {
        self.target.join("fixtures")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn profiles(&self, year: &Year) -> Profiles {
        let make = |name: &str, member: &Member| {
            let home = Home::at(self.path(name));
            let unlocked = new_profile(&home, member);
            let store = Store::open(&unlocked).unwrap();
            let replica = load(&store, year, &year.whole);
            let mut storage = replica.into_storage();
            storage.commit(year.group, vec![own(member)]).unwrap();
            drop((storage, store));
            // Once listed, so that views are up to date, as they are for who used it yesterday.
            let node = Node::open_unlocked(unlocked).unwrap();
            assert_eq!(node.ideas(year.group).unwrap().len(), 300);
            home
        };
        Profiles {
            group: year.group,
            founder: make("founder", &year.founder),
            quiet: make("quiet", &year.quiet),
        }
    }
}

pub fn passphrase() -> Passphrase {
    Passphrase::new("nur zum Messen")
}

/// A new profile of this person on this device, with nothing in it. Its key is derived at the least cost.
pub fn new_profile(home: &Home, member: &Member) -> Unlocked {
    let unlocked = home.create_at(&passphrase(), Cost::LEAST).unwrap();
    let store = Store::open(&unlocked).unwrap();
    let words = RecoveryWords::from_entropy(member.entropy);
    let sealed = SealedSeed::seal(&words, &passphrase(), Cost::LEAST, [1; 32], [2; 24]).unwrap();
    let person = words.person_key().verifying_key().to_bytes();
    store
        .set_profile_values(&[
            (ProfileValue::Name, b"Bench"),
            (ProfileValue::Person, &person),
            (ProfileValue::DeviceSeed, &member.device),
            (ProfileValue::BoxSecret, &member.box_secret),
            (ProfileValue::SealedSeed, &sealed.to_bytes()),
        ])
        .unwrap();
    unlocked
}

/// Takes a bundle of the year into a store that does not have the group yet.
pub fn load(store: &Store, year: &Year, bundle: &[u8]) -> Replica<GroupStore> {
    let keys = vec![GroupKey::from_bytes(year.key)];
    Replica::from_bundle(store.group(None), year.group, keys, bundle).unwrap()
}

/// That this device goes on with this person's journal.
pub fn own(member: &Member) -> Write {
    Write::Own(OwnJournal {
        seed: member.journal,
        state: OwnState::Writing,
    })
}

pub fn me(member: &Member) -> kiez_core::replica::hold::Me {
    let person = RecoveryWords::from_entropy(member.entropy).person_key();
    kiez_core::replica::hold::Me {
        person: kiez_core::domain::id::PersonId(person.verifying_key().to_bytes()),
        device: SigningKey::from_bytes(&member.device),
        box_key: BoxSecret::from_bytes(member.box_secret).public(),
    }
}

pub fn unlock(home: &Home) -> Unlocked {
    home.unlock(&passphrase()).unwrap()
}

pub fn size_of(home: &Path) -> u64 {
    std::fs::metadata(home.join("store.db")).unwrap().len()
}
