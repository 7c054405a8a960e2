//! Profiles of people of the year, on a disk.

use kiez_core::host::keystore::{Cost, Home, Passphrase, RecoveryWords, SealedSeed, Unlocked};
use kiez_core::host::node::Node;
use kiez_core::host::store::{GroupStore, ProfileValue, Store};
use kiez_core::replica::hold::Replica;
use kiez_core::replica::keys::GroupKey;
use kiez_core::replica::storage::{OwnJournal, OwnState, Storage, Write};

use super::{Member, Year};

impl Year {
    /// Makes a profile of one of the two, with everything in it.
    pub fn profile_of(&self, member: &Member, home: &Home) {
        let unlocked = new_profile(home, member);
        let store = Store::open(&unlocked).unwrap();
        let replica = load(&store, self, &self.whole);
        let mut storage = replica.into_storage();
        storage.commit(self.group, vec![own(member)]).unwrap();
        drop((storage, store));
        // Once listed, so that views are up to date, as they are for who used it yesterday.
        let node = Node::open_unlocked(unlocked).unwrap();
        assert_eq!(node.ideas(self.group).unwrap().len(), 300);
    }
}

/// What all their profiles open with.
#[must_use]
pub fn passphrase() -> Passphrase {
    Passphrase::new("nur zum Messen")
}

/// A new profile of this person on this device, with nothing in it. Its key is derived at the least cost.
#[must_use]
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
#[must_use]
pub fn load(store: &Store, year: &Year, bundle: &[u8]) -> Replica<GroupStore> {
    let keys = vec![GroupKey::from_bytes(year.key)];
    Replica::from_bundle(store.group(None), year.group, keys, bundle).unwrap()
}

/// That this device goes on with this person's journal.
#[must_use]
pub fn own(member: &Member) -> Write {
    Write::Own(OwnJournal {
        seed: member.journal,
        state: OwnState::Writing,
    })
}
