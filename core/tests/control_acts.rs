//! What a hostile member can write as the first entry of a journal: no second founding, no guess at what is unknown.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "test code: a failure is a panic"
)]

mod common;

use std::collections::BTreeSet;

use common::{NOW, Neighbour, sealed, signing, sync};
use ed25519_dalek::SigningKey;
use kiez_core::domain::charter::Charter;
use kiez_core::domain::control::{ControlAct, CouncilAct, Device, Erase, Erasure, Found, Motion};
use kiez_core::domain::document::DocumentId;
use kiez_core::domain::id::{EntryId, EntryNumber, GroupId, JournalId, PersonId, Timestamp};
use kiez_core::domain::roster::NotOk;
use kiez_core::replica::bundle::{self, BundleEntry, Compression};
use kiez_core::replica::control::{ActError, act_from_bytes, act_to_bytes, erase_bytes, found_bytes, sign};
use kiez_core::replica::entry::{Entry, EntryKind, Header};
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::hold::{Me, Replica};
use kiez_core::replica::keys::{BoxSecret, GroupKey};
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::storage::{Held, JournalRow, Standing, Storage, Write};
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
            entries: BTreeSet::new(),
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

/// What older software kept as an act it does not know is read by this one: the group opens, and is judged anew.
#[test]
fn what_older_software_kept_unread_is_judged_when_it_can_be_read() {
    for (seed, how, counts) in [
        (31, "sound", true),
        (32, "signed by another", false),
        (33, "garbage", false),
    ] {
        let (mut anna, mut ben) = (Neighbour::new(seed), Neighbour::new(seed + 10));
        let mut a = anna.found();
        let mut b = ben.join(&mut a, &mut anna);
        b.set_profile_name("Ben", NOW).unwrap();
        sync(&mut a, &mut anna, &mut b, &mut ben);
        let document = DocumentId::Own(ben.me.person);
        let erasure = Erasure {
            document,
            entries: a.storage().entries_about(document).unwrap(),
            origin: None,
        };
        let journal = b.own_journal().unwrap();
        let head = b.head(journal).unwrap();
        let message = erase_bytes(b.group(), journal, head.0.next(), &erasure, NOW);
        let by = if counts { &ben.person } else { &anna.person };
        let mut payload = act_to_bytes(&ControlAct::Erase(Erase {
            erasure,
            at: NOW,
            person_signature: sign(by, &message),
        }));
        if how == "garbage" {
            payload.truncate(9);
        }
        let key = b.keys().current().unwrap().clone();
        let entry = sealed(
            &b,
            &signing(&b),
            head,
            BTreeSet::new(),
            EntryKind::Control,
            &key,
            &payload,
        );
        let mut storage = kept_by_older_software(a, entry);
        for _ in 0..2 {
            let mut a = Replica::open(storage).unwrap();
            assert_eq!(a.roster().erased().len(), usize::from(counts), "{how}");
            assert_eq!(
                a.storage().entries_about(document).unwrap().is_empty(),
                counts,
                "{how}"
            );
            let name = if counts { None } else { Some("Ben") };
            assert_eq!(a.name_of(ben.me.person).unwrap().as_deref(), name, "{how}");
            assert!(!a.is_stale(), "{how}");
            storage = a.into_storage();
        }
    }
}

/// As it stands after the update: what is not known counts as any other act, and everything is to be judged anew.
fn kept_by_older_software(replica: Replica<MemoryStorage>, entry: Entry) -> MemoryStorage {
    let group = replica.group();
    let mut storage = replica.into_storage();
    let row = JournalRow {
        id: entry.header.journal,
        head: (entry.header.number, entry.id),
        ended: None,
        seen: BTreeSet::new(),
    };
    let held = Held {
        entry,
        standing: Standing::Applied(storage.last_order().unwrap() + 1),
        document: None,
        changes: 0,
        seen: BTreeSet::new(),
    };
    let writes = vec![
        Write::Entry(Box::new(held)),
        Write::Journal(row),
        Write::Stale(true),
    ];
    storage.commit(group, writes).unwrap();
    storage
}
