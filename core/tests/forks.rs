//! A profile that was copied and written on both sides: nothing wedges, everybody agrees, nothing is lost.

#![allow(clippy::unwrap_used, reason = "test code: a failure is a panic")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::counting::Counting;
use common::{NOW, Neighbour, idea, sync, titles};
use kiez_core::domain::charter::Role;
use kiez_core::domain::control::CouncilAct;
use kiez_core::domain::id::ProposalId;
use kiez_core::replica::hold::Replica;
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::missing::Missing;

fn add(replica: &mut Replica<MemoryStorage>, who: &mut Neighbour, title: &str) -> ProposalId {
    replica.add_idea(&idea(title), NOW, &mut who.rng).unwrap()
}

#[test]
fn a_copied_profile_that_writes_on_both_sides_forks_and_everybody_agrees_on_one_branch() {
    for seed in 0..12 {
        let mut anna = Neighbour::new(seed * 10 + 1);
        let mut ben = Neighbour::new(seed * 10 + 2);
        let mut carla = Neighbour::new(seed * 10 + 3);
        let mut a = anna.found();
        let mut b = ben.join(&mut a, &mut anna);
        let mut c = carla.join(&mut a, &mut anna);
        sync(&mut a, &mut anna, &mut b, &mut ben);
        sync(&mut a, &mut anna, &mut c, &mut carla);
        // Ben's disk is copied; both copies are written.
        let mut copy = Replica::open(b.storage().clone()).unwrap();
        add(&mut b, &mut ben, "one");
        add(&mut b, &mut ben, "two");
        add(&mut copy, &mut ben, "three");
        // Anna sees one branch, Carla the other.
        sync(&mut a, &mut anna, &mut b, &mut ben);
        sync(&mut c, &mut carla, &mut copy, &mut ben);
        assert_eq!(titles(&mut a), ["one", "two"]);
        assert_eq!(titles(&mut c), ["three"]);
        // They meet: nobody wedges, both hold both branches and count the same one.
        sync(&mut a, &mut anna, &mut c, &mut carla);
        assert_eq!(titles(&mut a), titles(&mut c));
        assert_eq!(a.holdings(), c.holdings());
        assert_eq!(a.digest().unwrap(), c.digest().unwrap());
        sync(&mut b, &mut ben, &mut c, &mut carla);
        let mut ben_again = ben.copied(99);
        sync(&mut copy, &mut ben_again, &mut a, &mut anna);
        for replica in [&mut b, &mut copy] {
            assert_eq!(replica.digest().unwrap(), c.digest().unwrap());
            assert!(
                replica.own_journal().is_none(),
                "neither copy writes on in the forked journal"
            );
            assert!(
                !replica.set_aside(ben.me.person).is_empty(),
                "what does not count is kept for its author"
            );
        }
        // Judged anew from the raw entries, and read back from the disk, it is the same.
        let digest = a.digest().unwrap();
        a.rebuild().unwrap();
        assert_eq!(a.digest().unwrap(), digest);
        assert_eq!(Replica::open(a.into_storage()).unwrap().digest().unwrap(), digest);
    }
}

#[test]
fn the_branch_on_which_more_people_built_counts() {
    for seed in 0..12 {
        let mut anna = Neighbour::new(seed * 10 + 1);
        let mut ben = Neighbour::new(seed * 10 + 2);
        let mut a = anna.found();
        let mut b = ben.join(&mut a, &mut anna);
        sync(&mut a, &mut anna, &mut b, &mut ben);
        let mut copy = Replica::open(b.storage().clone()).unwrap();
        let one = add(&mut b, &mut ben, "one");
        add(&mut copy, &mut ben, "two");
        sync(&mut a, &mut anna, &mut b, &mut ben);
        a.edit_idea(one, "Anna builds on it.", NOW).unwrap();
        sync(&mut a, &mut anna, &mut copy, &mut ben);
        assert_eq!(titles(&mut a), ["one"]);
        assert_eq!(titles(&mut copy), ["one"]);
        // Who keeps what follows from the choice can see when it becomes another.
        let journal = b.own_journal().unwrap();
        assert_eq!(a.chosen(), BTreeMap::from([(journal, b.frontier()[&journal])]));
        assert_eq!(b.chosen(), BTreeMap::new(), "nothing has forked for Ben yet");
        assert_eq!(a.digest().unwrap(), copy.digest().unwrap());
        assert_eq!(a.census().unwrap().waiting, 0);
    }
}

#[test]
fn a_profile_restored_from_an_older_state_adopts_what_it_is_shown_and_writes_no_more_there() {
    let mut anna = Neighbour::new(1);
    let mut ben = Neighbour::new(2);
    let mut a = anna.found();
    let mut b = ben.join(&mut a, &mut anna);
    let old = b.storage().clone();
    add(&mut b, &mut ben, "one");
    sync(&mut a, &mut anna, &mut b, &mut ben);
    let mut restored = Replica::open(old).unwrap();
    sync(&mut a, &mut anna, &mut restored, &mut ben);
    assert_eq!(titles(&mut restored), ["one"]);
    assert!(restored.own_journal().is_none());
    assert!(restored.add_idea(&idea("two"), NOW, &mut ben.rng).is_err());
}

#[test]
fn who_writes_after_a_fork_builds_on_no_branch_that_does_not_count() {
    for seed in 0..12 {
        let mut anna = Neighbour::new(seed * 10 + 1);
        let mut ben = Neighbour::new(seed * 10 + 2);
        let mut a = anna.found();
        let mut b = ben.join(&mut a, &mut anna);
        sync(&mut a, &mut anna, &mut b, &mut ben);
        let mut copy = Replica::open(b.storage().clone()).unwrap();
        // A control entry on one branch: whoever knows it would name it among what they have seen.
        b.invite(&ben.me, Role::Member, NOW, vec![], &mut ben.rng)
            .unwrap();
        add(&mut copy, &mut ben, "one");
        sync(&mut a, &mut anna, &mut b, &mut ben);
        let mut ben_again = ben.copied(99);
        sync(&mut a, &mut anna, &mut copy, &mut ben_again);
        let counts = a.frontier();
        let idea = add(&mut a, &mut anna, "two");
        a.edit_idea(idea, "Anna goes on.", NOW).unwrap();
        let mut again = Replica::open(a.storage().clone()).unwrap();
        assert_eq!(a.digest().unwrap(), again.digest().unwrap(), "seed {seed}");
        for (journal, head) in counts {
            let held = again.frontier()[&journal];
            assert!(held == head || Some(journal) == a.own_journal(), "seed {seed}");
        }
    }
}

/// The branch that comes to count brings a key, and what is sealed under it.
#[test]
fn what_is_sealed_under_a_key_of_the_branch_that_counts_is_there_after_a_start() {
    let mut brought = 0;
    for seed in 0..12 {
        let [mut anna, mut ben, mut carla, mut dora] = [1, 2, 3, 4].map(|n| Neighbour::new(seed * 10 + n));
        let mut a = anna.found();
        let mut b = ben.join(&mut a, &mut anna);
        let mut c = carla.join(&mut a, &mut anna);
        dora.join(&mut a, &mut anna);
        c.set_box_secret(carla.box_secret.clone()).unwrap();
        let mut copy = Replica::open(b.storage().clone()).unwrap();
        let membership = a.roster().membership(dora.me.person).unwrap();
        a.propose(CouncilAct::Remove { membership }, "", NOW).unwrap();
        sync(&mut a, &mut anna, &mut b, &mut ben);
        b.rekey_if_due(&mut ben.rng).unwrap().unwrap();
        add(&mut b, &mut ben, "under the new key");
        add(&mut copy, &mut ben, "two");
        sync(&mut c, &mut carla, &mut copy, &mut ben);
        let mut ben_again = ben.copied(99);
        sync(&mut c, &mut carla, &mut b, &mut ben_again);
        brought += titles(&mut c)
            .iter()
            .filter(|title| title.contains("key"))
            .count();
        let mut again = Replica::open(c.storage().clone()).unwrap();
        assert_eq!(again.digest().unwrap(), c.digest().unwrap(), "seed {seed}");
        assert_eq!(titles(&mut again), titles(&mut c), "seed {seed}");
    }
    assert!(brought > 0, "it is about those");
}

/// Takes over what another replica holds of the branches that count; says how many journals were read for that.
fn take_over(from: &Replica<MemoryStorage>, to: &mut Replica<Counting>) -> usize {
    let Missing::Entries(entries) = from.missing(&to.frontier(), &BTreeSet::new()).unwrap() else {
        panic!("a few entries")
    };
    to.storage().take_reads();
    to.receive(entries.into_iter().map(|entry| (entry, None)).collect())
        .unwrap();
    to.storage().take_reads()
}

#[test]
fn where_there_is_a_fork_only_what_builds_on_it_makes_everybody_look_at_it_again() {
    let mut changed = BTreeSet::new();
    for seed in 0..12 {
        let mut anna = Neighbour::new(seed * 10 + 1);
        let mut ben = Neighbour::new(seed * 10 + 2);
        let mut carla = Neighbour::new(seed * 10 + 3);
        let mut a = anna.found();
        let mut b = ben.join(&mut a, &mut anna);
        let mut c = carla.join(&mut a, &mut anna);
        sync(&mut a, &mut anna, &mut b, &mut ben);
        let mut copy = Replica::open(b.storage().clone()).unwrap();
        let one = add(&mut b, &mut ben, "one");
        add(&mut copy, &mut ben, "two");
        sync(&mut a, &mut anna, &mut b, &mut ben);
        sync(&mut c, &mut carla, &mut a, &mut anna);
        let mut ben_again = ben.copied(99);
        sync(&mut copy, &mut ben_again, &mut c, &mut carla);
        assert!(c.forked().next().is_some(), "Carla holds both branches");
        let mut at_carla = Replica::open(Counting::new(c.storage().clone())).unwrap();
        let before = at_carla.branches();

        // Anna holds one of them.
        for number in 0..3 {
            add(&mut a, &mut anna, &format!("Anna's own {number}"));
            assert_eq!(take_over(&a, &mut at_carla), 0, "seed {seed}");
        }
        assert_eq!(at_carla.branches(), before);
        a.edit_idea(one, "Anna builds on it.", NOW).unwrap();
        take_over(&a, &mut at_carla);
        changed.insert(at_carla.branches() != before);
        let ideas = at_carla.ideas().unwrap();
        assert!(ideas.iter().any(|idea| idea.title == "one"), "seed {seed}");
        assert!(ideas.iter().all(|idea| idea.title != "two"), "seed {seed}");
        let mut read_back = Replica::open(at_carla.storage().inner.clone()).unwrap();
        assert_eq!(at_carla.holdings(), read_back.holdings());
        assert_eq!(at_carla.digest().unwrap(), read_back.digest().unwrap());
    }
    assert_eq!(changed.len(), 2, "sometimes the other branch counted before");
}
