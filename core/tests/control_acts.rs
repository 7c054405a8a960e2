//! What a hostile member can write as the first entry of a journal: no second founding, no guess at what is unknown.

#![allow(clippy::unwrap_used, reason = "test code: a failure is a panic")]

use ed25519_dalek::SigningKey;
use kiez_core::domain::charter::Charter;
use kiez_core::domain::control::{ControlAct, CouncilAct, Device, Erasure, Found, Motion};
use kiez_core::domain::document::DocumentId;
use kiez_core::domain::id::{EntryId, EntryNumber, GroupId, JournalId, PersonId, Timestamp};
use kiez_core::domain::roster::NotOk;
use kiez_core::replica::bundle::{self, BundleEntry, Compression};
use kiez_core::replica::control::{ActError, act_from_bytes, act_to_bytes, found_bytes, sign};
use kiez_core::replica::entry::{Entry, EntryKind, Header};
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::hold::{Me, Replica};
use kiez_core::replica::keys::{BoxSecret, GroupKey};
use kiez_core::replica::memory::MemoryStorage;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

fn founded(rng: &mut ChaCha20Rng) -> (Replica<MemoryStorage>, GroupKey) {
    let person = SigningKey::generate(rng);
    let me = Me {
        person: PersonId(person.verifying_key().to_bytes()),
        device: SigningKey::generate(rng),
        box_key: BoxSecret::generate(rng).public(),
    };
    let replica = Replica::found(MemoryStorage::default(), &me, &person, Charter::circle(), rng).unwrap();
    let key = replica.keys().current().unwrap().clone();
    (replica, key)
}

/// The first entry of a journal of its own, of this group, with whatever in it.
fn first(group: GroupId, key: &GroupKey, signing: &SigningKey, payload: &[u8]) -> Entry {
    let header = Header {
        group,
        journal: JournalId(signing.verifying_key().to_bytes()),
        number: EntryNumber::FIRST,
        prev: EntryId::ZERO,
        seen: vec![],
        kind: EntryKind::Control,
        key: key.id(),
        payload_bytes: u32::try_from(payload.len()).unwrap(),
    };
    Entry::seal(header, payload, key).unwrap().signed(signing)
}

/// A replica that got this entry first, and the group's own entries after it.
fn received(strange: Entry, group: &Replica<MemoryStorage>, key: &GroupKey) -> Replica<MemoryStorage> {
    let honest = group.bundle(&Frontier::new(), Compression::Fast).unwrap();
    let honest = bundle::read(&honest, group.keys()).unwrap().entries;
    let mut entries = vec![BundleEntry {
        entry: strange,
        payload: None,
    }];
    entries.extend(honest);
    let bytes = bundle::write(group.group(), entries, group.keys(), Compression::Fast).unwrap();
    Replica::from_bundle(MemoryStorage::default(), group.group(), vec![key.clone()], &bytes).unwrap()
}

#[test]
fn a_group_is_founded_once_whoever_comes_first() {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let (group, key) = founded(&mut rng);
    let (person, signing) = (SigningKey::generate(&mut rng), SigningKey::generate(&mut rng));
    let founder = Device {
        person: PersonId(person.verifying_key().to_bytes()),
        device: kiez_core::domain::id::DeviceId([7; 32]),
        box_key: BoxSecret::generate(&mut rng).public(),
    };
    let journal = JournalId(signing.verifying_key().to_bytes());
    let charter = Charter::circle();
    let act = ControlAct::Found(Found {
        person_signature: sign(&person, &found_bytes(journal, key.id(), &founder, &charter)),
        founder,
        charter,
    });
    let strange = first(group.group(), &key, &signing, &act_to_bytes(&act));
    let mut replica = received(strange, &group, &key);
    for _ in 0..2 {
        assert_eq!(
            replica.roster().persons(),
            group.roster().persons(),
            "the usurper is nobody"
        );
        assert_eq!(replica.roster().author(journal), None);
        assert!(!replica.roster().needs_update(), "a fault is no newer version");
        replica.rebuild().unwrap();
    }
}

#[test]
fn a_journal_that_begins_with_an_unknown_act_asks_for_an_update() {
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    let (group, key) = founded(&mut rng);
    let strange = first(group.group(), &key, &SigningKey::generate(&mut rng), &[9, 1, 42]);
    let id = strange.id;
    let replica = received(strange, &group, &key);
    assert_eq!(replica.roster().verdict(id), Some(Err(NotOk::Unknown)));
    assert!(replica.roster().needs_update());
    assert_eq!(replica.roster().persons(), group.roster().persons());
}

/// A motion to erase as older software would take for a motion: whoever writes one ends their journal, here as there.
#[test]
fn a_motion_to_erase_is_a_kind_of_its_own() {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let (group, key) = founded(&mut rng);
    let motion = ControlAct::Motion(Motion {
        act: CouncilAct::Erase(Erasure {
            document: DocumentId::Group,
            entries: std::collections::BTreeSet::new(),
            origin: None,
        }),
        reason: String::new(),
        cut: std::collections::BTreeMap::new(),
        at: Timestamp(5),
    });
    let bytes = act_to_bytes(&motion);
    assert_eq!(bytes[..2], [17, 0]);
    let entry = first(group.group(), &key, &SigningKey::generate(&mut rng), &bytes);
    assert_eq!(
        act_from_bytes(group.group(), &entry.header, &bytes),
        Ok(motion.clone())
    );
    let ControlAct::Motion(motion) = motion else {
        panic!("it is one");
    };
    let as_motion = [&[6, 0], &kiez_core::replica::codec::encode(&motion)[..]].concat();
    assert_eq!(
        act_from_bytes(group.group(), &entry.header, &as_motion),
        Err(ActError::Shape)
    );
}
