//! What a hostile member, or an honest copy of a profile, must not be able to do to honest replicas.

#![allow(clippy::unwrap_used, reason = "test code: a failure is a panic")]

mod common;

use common::{NOW, Neighbour, idea, sealed, signing, sync, titles};
use kiez_core::domain::id::{EntryId, EntryNumber, JournalId, KeyId};
use kiez_core::replica::entry::{Entry, EntryKind};
use kiez_core::replica::hold::Replica;
use kiez_core::replica::keys::GroupKey;
use kiez_core::replica::memory::MemoryStorage;

/// The next entry of a replica's own journal, with whatever in it.
fn next(replica: &Replica<MemoryStorage>, kind: EntryKind, key: &GroupKey, payload: &[u8]) -> Entry {
    let signing = signing(replica);
    let journal = JournalId(signing.verifying_key().to_bytes());
    let head = replica.head(journal).unwrap_or((EntryNumber(0), EntryId::ZERO));
    sealed(replica, &signing, head, [].into(), kind, key, payload)
}

#[test]
fn a_control_entry_under_a_key_that_nobody_holds_leaves_the_profile_readable() {
    let mut anna = Neighbour::new(1);
    let mut mallory = Neighbour::new(2);
    let mut a = anna.found();
    let mut m = mallory.join(&mut a, &mut anna);
    sync(&mut a, &mut anna, &mut m, &mut mallory);
    let strange = GroupKey::from_bytes([7; 32]);
    assert_ne!(strange.id(), KeyId([0; 32]));
    let entry = next(&m, EntryKind::Control, &strange, &[0, 0]);
    a.receive(vec![(entry, None)]).unwrap();
    let digest = a.digest().unwrap();
    let mut again = Replica::open(a.into_storage()).unwrap();
    assert_eq!(again.digest().unwrap(), digest);
}

#[test]
fn a_founder_who_restores_an_old_copy_does_not_throw_everybody_out() {
    for seed in 0..8 {
        let mut anna = Neighbour::new(seed * 10 + 1);
        let mut ben = Neighbour::new(seed * 10 + 2);
        let mut carla = Neighbour::new(seed * 10 + 3);
        let mut a = anna.found();
        let old = a.storage().clone();
        let mut b = ben.join(&mut a, &mut anna);
        let mut c = carla.join(&mut a, &mut anna);
        b.add_idea(&idea("benches"), NOW, &mut ben.rng).unwrap();
        c.add_idea(&idea("trees"), NOW, &mut carla.rng).unwrap();
        sync(&mut a, &mut anna, &mut b, &mut ben);
        sync(&mut a, &mut anna, &mut c, &mut carla);
        sync(&mut a, &mut anna, &mut b, &mut ben);
        // Her laptop breaks; she restores a copy of the first day and writes something before she meets anybody.
        let mut restored = Replica::open(old).unwrap();
        restored.add_idea(&idea("old copy"), NOW, &mut anna.rng).unwrap();
        sync(&mut restored, &mut anna, &mut b, &mut ben);
        assert_eq!(titles(&mut b), ["benches", "trees"], "seed {seed}");
        assert_eq!(b.roster().persons().len(), 3, "seed {seed}");
        assert_eq!(b.digest().unwrap(), restored.digest().unwrap());
        sync(&mut restored, &mut anna, &mut c, &mut carla);
        assert_eq!(c.digest().unwrap(), restored.digest().unwrap());
    }
}

#[test]
fn after_a_fork_of_who_admitted_people_the_group_can_be_opened_again() {
    for seed in 0..8 {
        let mut anna = Neighbour::new(seed * 10 + 1);
        let mut ben = Neighbour::new(seed * 10 + 2);
        let mut carla = Neighbour::new(seed * 10 + 3);
        let mut dora = Neighbour::new(seed * 10 + 4);
        let mut a = anna.found();
        let mut b = ben.join(&mut a, &mut anna);
        sync(&mut a, &mut anna, &mut b, &mut ben);
        let mut copy = Replica::open(b.storage().clone()).unwrap();
        let mut copied = ben.copied(77 + seed);
        let mut c = carla.join(&mut b, &mut ben);
        let mut d = dora.join(&mut copy, &mut copied);
        sync(&mut a, &mut anna, &mut d, &mut dora);
        sync(&mut a, &mut anna, &mut c, &mut carla);
        let digest = a.digest().unwrap();
        assert_eq!(c.digest().unwrap(), digest, "seed {seed}");
        let mut again = Replica::open(a.storage().clone()).unwrap();
        assert_eq!(again.digest().unwrap(), digest, "seed {seed}");
        again.rebuild().unwrap();
        assert_eq!(again.digest().unwrap(), digest, "seed {seed}");
        // Somebody new can still join.
        let mut emil = Neighbour::new(seed * 10 + 5);
        let mut e = emil.join(&mut a, &mut anna);
        sync(&mut a, &mut anna, &mut e, &mut emil);
        assert_eq!(e.digest().unwrap(), a.digest().unwrap(), "seed {seed}");
    }
}

#[test]
fn somebody_long_away_meets_a_fork_whose_branches_saw_what_they_lack() {
    for seed in 0..4 {
        let mut anna = Neighbour::new(seed * 10 + 1);
        let mut ben = Neighbour::new(seed * 10 + 2);
        let mut carla = Neighbour::new(seed * 10 + 3);
        let mut dora = Neighbour::new(seed * 10 + 4);
        let mut a = anna.found();
        let mut b = ben.join(&mut a, &mut anna);
        let mut c = carla.join(&mut a, &mut anna);
        sync(&mut a, &mut anna, &mut c, &mut carla);
        sync(&mut a, &mut anna, &mut b, &mut ben);
        // Carla is away. Dora joins; Ben knows of it, and then his profile is copied.
        let mut d = dora.join(&mut a, &mut anna);
        sync(&mut a, &mut anna, &mut d, &mut dora);
        sync(&mut a, &mut anna, &mut b, &mut ben);
        let mut copy = Replica::open(b.storage().clone()).unwrap();
        b.add_idea(&idea("one"), NOW, &mut ben.rng).unwrap();
        copy.add_idea(&idea("two"), NOW, &mut ben.rng).unwrap();
        sync(&mut a, &mut anna, &mut b, &mut ben);
        sync(&mut a, &mut anna, &mut copy, &mut ben);
        sync(&mut a, &mut anna, &mut c, &mut carla);
        assert_eq!(a.digest().unwrap(), c.digest().unwrap());
    }
}

#[test]
fn honest_work_that_was_built_on_a_branch_that_lost_does_not_wedge_its_author() {
    let mut seen_loss = false;
    for seed in 0..16 {
        let mut anna = Neighbour::new(seed * 10 + 1);
        let mut ben = Neighbour::new(seed * 10 + 2);
        let mut carla = Neighbour::new(seed * 10 + 3);
        let mut a = anna.found();
        let mut b = ben.join(&mut a, &mut anna);
        let mut c = carla.join(&mut a, &mut anna);
        sync(&mut a, &mut anna, &mut c, &mut carla);
        let about = a.add_idea(&idea("square"), NOW, &mut anna.rng).unwrap();
        sync(&mut a, &mut anna, &mut b, &mut ben);
        sync(&mut a, &mut anna, &mut c, &mut carla);
        let mut copy = Replica::open(b.storage().clone()).unwrap();
        b.edit_idea(about, "benches", NOW).unwrap();
        copy.edit_idea(about, "trees", NOW).unwrap();
        sync(&mut a, &mut anna, &mut b, &mut ben);
        sync(&mut c, &mut carla, &mut copy, &mut ben);
        a.edit_idea(about, "benches by Anna", NOW).unwrap();
        c.edit_idea(about, "trees by Carla", NOW).unwrap();
        sync(&mut a, &mut anna, &mut c, &mut carla);
        assert_eq!(a.digest().unwrap(), c.digest().unwrap(), "seed {seed}");
        // Whoever built on what lost goes on writing: everybody sees it.
        a.edit_idea(about, "Anna again", NOW).ok();
        sync(&mut a, &mut anna, &mut c, &mut carla);
        seen_loss |= a.census().unwrap().waiting > 0;
        assert_eq!(a.digest().unwrap(), c.digest().unwrap(), "seed {seed}");
        c.edit_idea(about, "Carla again", NOW).ok();
        sync(&mut a, &mut anna, &mut c, &mut carla);
        assert_eq!(a.digest().unwrap(), c.digest().unwrap(), "seed {seed}");
    }
    assert!(seen_loss);
}
