//! An erasure counts wherever its entry comes to stand: text that is gone does not come back, so copies that heard of things in
//! another order would differ for ever.

use std::collections::BTreeSet;

use kiez_core::domain::control::CouncilAct;
use kiez_core::domain::document::DocumentId;
use kiez_core::domain::id::EntryNumber;
use kiez_core::replica::bundle::Compression;
use kiez_core::replica::control::act_to_bytes;
use kiez_core::replica::entry::EntryKind;
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::hold::Replica;
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::receive::{CarrierFault, ReceiveError};
use kiez_core::replica::storage::Storage;

use super::carriers::own_erasure;
use super::common::{NOW, Neighbour, idea, sealed, signing, sync};
use super::two::Two;
use super::{Held, SECRET, holds, said, second_steward, stays};

/// All hold the same and show the same, keep nothing of the secret, and whoever comes new is given all of it by each.
fn agree(all: &[&Held], gone: &str) {
    let mut digests = BTreeSet::new();
    for (place, held) in all.iter().enumerate() {
        let mut replica = stays(Replica::open(held.storage().clone()).unwrap());
        let digest = replica.digest().unwrap();
        digests.insert((replica.holdings().digest(), digest));
        assert!(!holds(&replica, gone), "held at {place}");
        let copy = replica.bundle(&Frontier::new(), Compression::Fast).unwrap();
        let keys = replica.storage().keys().unwrap();
        let fresh = Replica::from_bundle(MemoryStorage::default(), replica.group(), keys, &copy);
        let mut fresh = fresh.unwrap();
        digests.insert((fresh.holdings().digest(), fresh.digest().unwrap()));
    }
    assert_eq!(digests.len(), 1, "all come to the same");
}

fn carla(two: &mut Two) -> (Neighbour, Held) {
    let mut carla = Neighbour::new(98);
    let c = carla.join(&mut two.a, &mut two.anna);
    two.sync();
    (carla, c)
}

/// Anna does not know of Ben's erasure when she removes him: what he left of his document lies beyond her cut.
#[test]
fn what_was_left_stays_where_the_place_of_who_erased_ends_short_of_it() {
    let mut two = Two::new(21);
    let (mut carla, mut c) = carla(&mut two);
    sync(&mut c, &mut carla, &mut two.b, &mut two.ben);
    two.erase_comment();
    sync(&mut c, &mut carla, &mut two.b, &mut two.ben);
    let remove = CouncilAct::Remove {
        membership: two.a.roster().membership(two.ben.me.person).unwrap(),
    };
    two.a.propose(remove, "", NOW).unwrap();
    sync(&mut two.a, &mut two.anna, &mut c, &mut carla);
    agree(&[&two.a, &c], "My number is");
    for replica in [&mut two.a, &mut c] {
        let said = replica.comments_of(two.ben.me.person).unwrap();
        assert_eq!(said.len(), 1);
        assert_eq!(replica.roster().erased().len(), 1);
    }
}

/// Ben's disk was copied. He erases on one copy; the other is the one on which people build.
#[test]
fn an_erasure_on_a_branch_that_does_not_count_erases() {
    for seed in 0..4 {
        let mut two = Two::new(30 + seed);
        let (mut carla, mut c) = carla(&mut two);
        let mut copy = Replica::open(two.b.storage().clone()).unwrap();
        two.erase_comment();
        two.b.add_idea(&idea("after"), NOW, &mut two.ben.rng).unwrap();
        let mut ben_again = two.ben.copied(700 + seed);
        let other = copy.add_idea(&idea("one"), NOW, &mut ben_again.rng).unwrap();
        sync(&mut two.a, &mut two.anna, &mut copy, &mut ben_again);
        sync(&mut c, &mut carla, &mut copy, &mut ben_again);
        for replica in [&mut two.a, &mut c] {
            replica.edit_idea(other, "built on", NOW).unwrap();
        }
        // Carla hears of the erasure, and Anna of it from her.
        sync(&mut c, &mut carla, &mut two.b, &mut two.ben);
        sync(&mut c, &mut carla, &mut two.a, &mut two.anna);
        sync(&mut c, &mut carla, &mut copy, &mut ben_again);
        for replica in [&mut two.a, &mut c, &mut copy] {
            assert_eq!(
                replica.idea(other).unwrap().title,
                "one",
                "the other branch counts"
            );
            assert_eq!(said(replica, two.idea), ["I like them"]);
            assert_eq!(
                replica.name_of(two.ben.me.person).unwrap().as_deref(),
                Some("Ben")
            );
        }
        agree(&[&two.a, &c, &copy], "My number is");
        // Everybody names it now. That exchanges no branches, and they can go on.
        for replica in [&mut two.a, &mut c] {
            replica
                .comment(two.idea, "goes on", NOW, &mut two.ben.rng)
                .unwrap();
        }
        sync(&mut c, &mut carla, &mut two.a, &mut two.anna);
        assert_eq!(c.idea(other).unwrap().title, "one");
        assert_eq!(said(&mut c, two.idea).len(), 3);
        agree(&[&two.a, &c], "My number is");
    }
}

/// Carla's disk was copied, and the copy that did not sign is the one on which people build.
#[test]
fn a_signature_on_a_branch_that_does_not_count_carries_an_erasure() {
    for seed in 0..4 {
        let mut two = Two::new(40 + seed);
        let (mut carla, mut c) = second_steward(&mut two);
        two.sync();
        let document = DocumentId::Proposal(two.idea);
        two.a.edit_idea(two.idea, "Call Frieda", NOW).unwrap();
        let motion = two.a.propose_erasure(document, "a number", NOW).unwrap();
        sync(&mut two.a, &mut two.anna, &mut c, &mut carla);
        let mut copy = Replica::open(c.storage().clone()).unwrap();
        let mut carla_again = carla.copied(800 + seed);
        let other = copy.add_idea(&idea("one"), NOW, &mut carla_again.rng).unwrap();
        sync(&mut two.a, &mut two.anna, &mut copy, &mut carla_again);
        two.a.edit_idea(other, "built on", NOW).unwrap();
        two.sync();
        two.b.edit_idea(other, "built on twice", NOW).unwrap();
        two.sync();
        two.erase_comment();
        two.sync();
        c.sign(motion).unwrap();
        assert_eq!(c.roster().erased().len(), 1);
        sync(&mut two.a, &mut two.anna, &mut c, &mut carla);
        two.sync();
        sync(&mut two.a, &mut two.anna, &mut c, &mut carla);
        agree(&[&two.a, &two.b, &c], SECRET);
        for replica in [&mut two.a, &mut two.b] {
            assert_eq!(replica.idea(other).unwrap().body, "built on twice");
            assert_eq!(replica.idea(two.idea).unwrap().body, "Call Frieda");
            replica.edit_idea(two.idea, "Somebody goes on", NOW).unwrap();
        }
        two.sync();
        agree(&[&two.a, &two.b], SECRET);
    }
}

/// The proposal itself, with what is left behind it, lies on a branch that does not count in the end.
#[test]
fn what_was_left_is_there_where_it_lies_on_a_branch_that_does_not_count() {
    let mut two = Two::new(50);
    let (mut carla, mut c) = second_steward(&mut two);
    two.erase_comment();
    let mut dora = Neighbour::new(97);
    let mut d = dora.join(&mut two.a, &mut two.anna);
    two.sync();
    sync(&mut two.a, &mut two.anna, &mut c, &mut carla);
    sync(&mut d, &mut dora, &mut c, &mut carla);
    let mut copy = Replica::open(c.storage().clone()).unwrap();
    let mut carla_again = carla.copied(900);
    c.edit_idea(two.idea, "Call Frieda", NOW).unwrap();
    let document = DocumentId::Proposal(two.idea);
    let motion = c.propose_erasure(document, "a number", NOW).unwrap();
    sync(&mut two.a, &mut two.anna, &mut c, &mut carla);
    // Two build on the copy before they know of it, and Anna signs.
    let other = copy.add_idea(&idea("one"), NOW, &mut carla_again.rng).unwrap();
    sync(&mut two.b, &mut two.ben, &mut copy, &mut carla_again);
    sync(&mut d, &mut dora, &mut copy, &mut carla_again);
    for replica in [&mut two.b, &mut d] {
        replica.edit_idea(other, "built on", NOW).unwrap();
    }
    two.a.sign(motion).unwrap();
    assert_eq!(two.a.idea(two.idea).unwrap().body, "Call Frieda");
    two.sync();
    sync(&mut two.a, &mut two.anna, &mut d, &mut dora);
    two.sync();
    assert!(two.b.idea(other).is_ok(), "the copy's branch counts");
    let bodies = [&mut two.a, &mut two.b].map(|replica| replica.idea(two.idea).unwrap().body);
    assert_eq!(bodies, ["Call Frieda", "Call Frieda"]);
    agree(&[&two.a, &two.b], SECRET);
    for replica in [&mut two.a, &mut two.b] {
        replica.edit_idea(two.idea, "It goes on", NOW).unwrap();
    }
    two.sync();
    agree(&[&two.a, &two.b], SECRET);
}

/// A journal ends, and an erasure stands behind that: it erases, also what lies behind.
#[test]
fn an_erasure_behind_the_end_of_its_journal_erases() {
    let mut two = Two::new(51);
    let journal = two.b.own_journal().unwrap();
    let key = two.b.keys().current().unwrap().clone();
    let signing = signing(&two.b);
    let follows =
        |after, kind, payload: &[u8]| sealed(&two.b, &signing, after, BTreeSet::new(), kind, &key, payload);
    let own = DocumentId::Own(two.ben.me.person);
    let mut entries = two.b.storage().entries_about(own).unwrap();
    let garbage = follows(two.b.head(journal).unwrap(), EntryKind::Content, b"nothing");
    let number = garbage.header.number;
    two.a.receive(vec![(garbage.clone(), None)]).unwrap();
    // He says something behind the end, too.
    let behind = kiez_core::replica::content::Content {
        document: own,
        changes: vec![kiez_core::replica::codec::Blob(SECRET.as_bytes().to_vec())],
    };
    let behind = follows((number, garbage.id), EntryKind::Content, &behind.to_bytes());
    entries.insert(behind.id);
    entries.extend(
        two.b
            .storage()
            .entries_about(DocumentId::Proposal(two.idea))
            .unwrap(),
    );
    two.a.receive(vec![(behind.clone(), None)]).unwrap();
    let act = own_erasure(&two, EntryNumber(number.0 + 2), entries);
    let act = follows(
        (behind.header.number, behind.id),
        EntryKind::Control,
        &act_to_bytes(&act),
    );
    two.a.receive(vec![(act.clone(), None)]).unwrap();
    assert_eq!(two.a.roster().erased().len(), 1);
    two.b
        .receive(vec![
            (garbage, None),
            (behind.without_payload(), None),
            (act, None),
        ])
        .unwrap();
    for replica in [&mut two.a, &mut two.b] {
        assert!(!holds(replica, "My number is"));
        assert_eq!(replica.name_of(two.ben.me.person).unwrap(), None);
        assert_eq!(
            replica.idea(two.idea).unwrap().body,
            format!("Call Frieda: {SECRET}")
        );
    }
    assert_eq!(two.a.digest().unwrap(), two.b.digest().unwrap());
    stays(two.a);
}

/// Who carries the act carries what it leaves: they are taken in together or not at all.
#[test]
fn an_act_that_erases_travels_with_what_it_leaves() {
    let mut two = Two::new(52);
    let journal = two.b.own_journal().unwrap();
    let before = two.b.head(journal).unwrap().0;
    two.erase_comment();
    let held = two.b.storage().entries(journal, before, usize::MAX).unwrap();
    let mut entries: Vec<_> = held.into_iter().map(|held| (held.entry, None)).collect();
    let rest = entries.pop().unwrap();
    assert!(matches!(
        two.a.receive(entries.clone()),
        Err(ReceiveError::Carrier(CarrierFault::Unsigned { .. }))
    ));
    assert!(two.a.roster().erased().is_empty());
    entries.push(rest);
    two.a.receive(entries).unwrap();
    assert_eq!(two.a.roster().erased().len(), 1);
    assert_eq!(said(&mut two.a, two.idea), ["I like them"]);
}

/// Ben's disk was copied, and the copy wrote into an idea on a branch on which nobody built: that goes with what stood there.
#[test]
fn what_lies_on_a_branch_that_does_not_count_is_erased_with_the_rest() {
    let mut two = Two::new(60);
    let (mut carla, mut c) = carla(&mut two);
    sync(&mut c, &mut carla, &mut two.b, &mut two.ben);
    two.erase_comment();
    let mut copy = Replica::open(two.b.storage().clone()).unwrap();
    let mut ben_again = two.ben.copied(760);
    let other = two.b.add_idea(&idea("one"), NOW, &mut two.ben.rng).unwrap();
    two.sync();
    sync(&mut c, &mut carla, &mut two.b, &mut two.ben);
    for replica in [&mut two.a, &mut c] {
        replica.edit_idea(other, "built on", NOW).unwrap();
    }
    sync(&mut c, &mut carla, &mut two.a, &mut two.anna);
    copy.edit_idea(two.idea, "0911 333", NOW).unwrap();
    sync(&mut two.a, &mut two.anna, &mut copy, &mut ben_again);
    assert!(two.a.idea(other).is_ok(), "the copy does not count");
    let ben = two.ben.me.person;
    assert!(two.a.set_aside(ben).iter().any(|entry| !entry.sealed.is_empty()));
    two.a.edit_idea(two.idea, "Call Frieda", NOW).unwrap();
    let document = DocumentId::Proposal(two.idea);
    two.a.propose_erasure(document, "a number", NOW).unwrap();
    sync(&mut c, &mut carla, &mut two.a, &mut two.anna);
    for replica in [&two.a, &c] {
        let aside = replica.set_aside(ben);
        assert!(!aside.is_empty() && aside.iter().all(|entry| entry.sealed.is_empty()));
    }
    agree(&[&two.a, &c], "0911 333");
}
