//! Strangers bring journals that nobody granted, members more than there is room for: a group stays as small as its people make it.

// What older software took in is made with a guard off.
#![cfg(feature = "planted-bugs")]
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code: a failure is a panic"
)]

mod common;

use common::{NOW, Neighbour, fresh, idea, meet, opened, sealed, signing, sync, titles};
use kiez_core::domain::charter::Role;
use kiez_core::domain::control::{ControlAct, CouncilAct};
use kiez_core::domain::id::{EntryId, EntryNumber, JournalId, KeyId, Timestamp};
use kiez_core::planted::{Guard, without};
use kiez_core::replica::allowance::{Amount, Rates, Road};
use kiez_core::replica::bundle::Compression;
use kiez_core::replica::control::{act_to_bytes, sign_enrolment};
use kiez_core::replica::entry::{Entry, EntryKind};
use kiez_core::replica::frontier::{Frontier, Holdings};
use kiez_core::replica::hold::Replica;
use kiez_core::replica::keys::GroupKey;
use kiez_core::replica::limits::{
    BRANCHES_MAX, BURST_ENTRIES, FRAME_BYTES_MAX, JOURNALS_MAX, JOURNALS_RESERVE, OPENING_ENTRIES,
};
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::room::Most;
use kiez_core::replica::storage::Storage;
use kiez_core::replica::wire::Frame;

type Laptop = Replica<MemoryStorage>;

/// Anna, and Mallory whom she let in; both have the same.
fn two(seed: u64) -> (Neighbour, Laptop, Neighbour, Laptop) {
    let (mut anna, mut mallory) = (Neighbour::new(seed), Neighbour::new(seed + 1));
    let mut a = anna.found();
    let mut m = mallory.join(&mut a, &mut anna);
    sync(&mut a, &mut anna, &mut m, &mut mallory);
    (anna, a, mallory, m)
}

/// An own journal of nobody, whose entry names what it likes.
fn nobodys(at: &Laptop, seed: u64) -> Entry {
    let stranger = Neighbour::new(seed);
    let grant = at.roster().founding().unwrap();
    let key = at.keys().current().unwrap().clone();
    opened(at, &stranger, grant, &key, &fresh(seed))
}

fn offered(entries: Vec<Entry>) -> Vec<(Entry, Option<Vec<u8>>)> {
    entries.into_iter().map(|entry| (entry, None)).collect()
}

fn journal(at: &Laptop) -> JournalId {
    at.signing_journal().unwrap().0
}

#[test]
fn a_journal_of_nobody_is_left_out_by_every_road_and_nobody_is_blamed() {
    let (mut anna, mut a, mut mallory, mut m) = two(10);
    let strange = nobodys(&m, 15);
    let before = a.frontier();
    for road in [Road::Session, Road::File] {
        let received = a.receive_by(road, offered(vec![strange.clone()])).unwrap();
        assert_eq!((received.new, received.nobodys.len()), (0, 1));
        assert!(received.put_off.is_empty());
    }
    assert_eq!(a.frontier(), before);
    // Older software takes it in and writes on; a file of all of that is read without it.
    without(Guard::Granted, || {
        m.receive(offered(vec![strange.clone()])).unwrap()
    });
    let mut m = Replica::open(m.into_storage()).unwrap();
    assert_eq!(m.frontier().len(), 3);
    m.add_idea(&idea("a bench"), NOW, &mut mallory.rng).unwrap();
    let file = m.bundle(&Frontier::new(), Compression::Fast).unwrap();
    let keys = a.keys().iter().rev().cloned().collect();
    let mut read = Replica::from_bundle(MemoryStorage::default(), a.group(), keys, &file).unwrap();
    assert_eq!(read.frontier().len(), 2);
    assert_eq!(titles(&mut read), ["a bench"]);
    // What follows it later is nobody's fault either, and nothing holds up what Mallory brings beside.
    meet(&mut a, &mut anna, &mut m, &mut mallory);
    let signing = fresh(15);
    let after = (EntryNumber::FIRST, strange.id);
    let key = a.keys().current().unwrap().clone();
    let next = sealed(&m, &signing, after, [].into(), EntryKind::Content, &key, b"junk");
    assert_eq!(a.receive_by(Road::Session, offered(vec![next])).unwrap().new, 0);
    assert_eq!(titles(&mut a), ["a bench"]);
}

#[test]
fn what_older_software_kept_of_nobody_is_built_on_by_nobody() {
    let (mut anna, a, mut mallory, mut m) = two(20);
    let strange = nobodys(&a, 25);
    let mut old = Replica::open(a.storage().clone()).unwrap();
    without(Guard::Granted, || {
        old.receive(offered(vec![strange.clone()])).unwrap()
    });
    // Read back, and judged anew.
    for judged_anew in [false, true] {
        let mut a = Replica::open(old.storage().clone()).unwrap();
        if judged_anew {
            a.rebuild().unwrap();
        }
        a.invite(&anna.me, Role::Member, Timestamp(2_000), vec![], &mut anna.rng)
            .unwrap();
        let own = a
            .storage()
            .entries(journal(&a), EntryNumber(0), usize::MAX)
            .unwrap();
        assert!(
            own.iter()
                .all(|held| !held.entry.header.seen.contains(&strange.id))
        );
        let mut m = Replica::open(m.storage().clone()).unwrap();
        meet(&mut a, &mut anna, &mut m, &mut mallory);
        assert_eq!(m.head(journal(&a)), a.head(journal(&a)), "{judged_anew}");
        assert!(!m.frontier().contains_key(&strange.header.journal));
    }
    m.rebuild().unwrap();
}

#[test]
fn what_is_not_readable_yet_is_taken_in_a_few_at_a_time() {
    let (_, mut a, mut mallory, m) = two(30);
    a.set_most(Most {
        unread: 3,
        ..Most::default()
    });
    let strange = GroupKey::generate(&mut mallory.rng);
    let grant = m.roster().membership(mallory.me.person).unwrap();
    let all = (0..5).map(|n| opened(&m, &mallory, grant, &strange, &fresh(300 + n)));
    let received = a.receive_by(Road::Session, offered(all.collect())).unwrap();
    assert_eq!((received.new, received.put_off.len()), (3, 2));
    let more = opened(&m, &mallory, grant, &strange, &fresh(399));
    assert_eq!(a.receive(offered(vec![more])).unwrap().new, 0, "nor from a file");
}

#[test]
fn beyond_the_room_for_journals_no_more_are_taken_in() {
    let (_, mut a, mallory, m) = two(40);
    let key = m.keys().current().unwrap().clone();
    let grant = m.roster().membership(mallory.me.person).unwrap();
    a.set_most(Most {
        journals: 4,
        ..Most::default()
    });
    let all = (0..5).map(|n| opened(&m, &mallory, grant, &key, &fresh(400 + n)));
    let received = a.receive_by(Road::File, offered(all.collect())).unwrap();
    assert_eq!((received.new, received.put_off.len()), (2, 3));
    assert_eq!(a.frontier().len(), 4);
    assert_eq!(a.kept_out()[&mallory.me.person].journals, 3);
}

#[test]
fn so_many_journals_are_begun_at_once_and_so_many_an_hour() {
    let (_, mut a, mallory, m) = two(50);
    let key = m.keys().current().unwrap().clone();
    let grant = m.roster().membership(mallory.me.person).unwrap();
    let burst = Amount {
        entries: 4 * OPENING_ENTRIES,
        bytes: u64::MAX,
    };
    let hourly = Amount {
        entries: OPENING_ENTRIES,
        bytes: 1024,
    };
    a.set_rates(Rates { burst, hourly });
    a.set_clock(Timestamp(1));
    let all: Vec<Entry> = (0..9)
        .map(|n| opened(&m, &mallory, grant, &key, &fresh(500 + n)))
        .collect();
    let received = a.receive_by(Road::Session, offered(all.clone())).unwrap();
    assert_eq!((received.new, received.put_off.len()), (4, 5));
    assert_eq!(a.kept_out()[&mallory.me.person].journals, 5);
    assert!(a.put_off().is_empty());
    a.set_clock(Timestamp(3 * 3_600_000));
    let received = a.receive_by(Road::Session, offered(all)).unwrap();
    assert!((1..4).contains(&received.new), "{}", received.new);
}

#[test]
fn who_lets_friends_in_by_the_dozen_answers_for_their_journals() {
    let (_, mut a, mut mallory, mut m) = two(60);
    let burst = Amount {
        entries: 4 * OPENING_ENTRIES,
        bytes: u64::MAX,
    };
    a.set_rates(Rates {
        burst,
        ..Rates::default()
    });
    let mut friends: Vec<(Neighbour, Laptop)> = Vec::new();
    for n in 0..8 {
        let mut friend = Neighbour::new(600 + n);
        let at = friend.join(&mut m, &mut mallory);
        friends.push((friend, at));
    }
    let has = a.head(journal(&m)).unwrap().0;
    let entries = m.storage().entries(journal(&m), has, usize::MAX).unwrap();
    a.receive_by(
        Road::Session,
        entries.into_iter().map(|held| (held.entry, None)).collect(),
    )
    .unwrap();
    for (_, at) in &friends {
        let first = at
            .storage()
            .entries(journal(at), EntryNumber(0), 1)
            .unwrap()
            .remove(0)
            .entry;
        a.receive_by(Road::Session, vec![(first, None)]).unwrap();
    }
    assert!((4..7).contains(&a.frontier().len()), "{}", a.frontier().len());
}

/// Branches of Mallory's journal, all from its end.
fn branches(m: &Laptop, many: u32) -> Vec<Entry> {
    let head = m.head(journal(m)).unwrap();
    let key = m.keys().current().unwrap().clone();
    let branch = |n: u32| {
        let signing = signing(m);
        sealed(
            m,
            &signing,
            head,
            [].into(),
            EntryKind::Content,
            &key,
            &n.to_le_bytes(),
        )
    };
    (0..many).map(branch).collect()
}

#[test]
fn of_a_journal_so_many_branches_are_kept_and_all_told_in_one_frame() {
    let (_, mut a, _, m) = two(70);
    a.set_most(Most {
        journal_branches: 5,
        ..Most::default()
    });
    for branch in branches(&m, 9) {
        a.receive_by(Road::Session, offered(vec![branch])).unwrap();
    }
    assert_eq!(a.branches()[&journal(&m)].len(), 5);
    a.set_most(Most {
        branches: 5,
        ..Most::default()
    });
    let more = branches(&m, 12).split_off(9);
    assert_eq!(a.receive(offered(more)).unwrap().new, 0, "nor from a file");

    // The most that is ever held, with the longest numbers.
    let last = (EntryNumber(u64::MAX), EntryId([7; 32]));
    let id = |n: usize| JournalId(*blake3::hash(&n.to_le_bytes()).as_bytes());
    let held = Holdings {
        heads: (0..JOURNALS_MAX).map(|n| (id(n), last)).collect(),
        branches: (0..BRANCHES_MAX).map(|n| (id(n), [last].into())).collect(),
    };
    assert!(Frame::Frontier(held).to_bytes().len() < FRAME_BYTES_MAX);
    const { assert!(BRANCHES_MAX < JOURNALS_MAX - JOURNALS_RESERVE && BURST_ENTRIES / OPENING_ENTRIES < 5_000) };
}

#[test]
fn what_somebody_builds_on_is_kept_also_on_one_branch_more() {
    let (mut anna, mut a, _, m) = two(80);
    let mut ben = Neighbour::new(85);
    let mut b = ben.join(&mut a, &mut anna);
    sync(&mut a, &mut anna, &mut b, &mut ben);
    a.set_most(Most {
        journal_branches: 2,
        ..Most::default()
    });
    for branch in branches(&m, 3) {
        a.receive_by(Road::Session, offered(vec![branch])).unwrap();
    }
    // Mallory has shown another one to Ben, with an act that Ben names.
    let head = m.head(journal(&m)).unwrap();
    let key = m.keys().current().unwrap().clone();
    let act = ControlAct::Keys(kiez_core::domain::control::Keys { boxes: vec![] });
    let shown = sealed(
        &m,
        &signing(&m),
        head,
        [].into(),
        EntryKind::Control,
        &key,
        &act_to_bytes(&act),
    );
    b.receive(offered(vec![shown])).unwrap();
    b.add_idea(&idea("a bench"), NOW, &mut ben.rng).unwrap();
    meet(&mut a, &mut anna, &mut b, &mut ben);
    assert_eq!(titles(&mut a), ["a bench"]);
    assert_eq!(a.branches()[&journal(&m)].len(), 3);
}

#[test]
fn of_what_comes_from_somebody_who_was_removed_so_much_is_kept() {
    let (mut anna, mut a, mut mallory, mut m) = two(90);
    let membership = a.roster().membership(mallory.me.person).unwrap();
    a.propose(CouncilAct::Remove { membership }, "", NOW).unwrap();
    a.rekey_if_due(&mut anna.rng).unwrap();
    let quarantine = Amount {
        entries: 10,
        bytes: u64::MAX,
    };
    a.set_most(Most {
        quarantine,
        ..Most::default()
    });
    let had = a.head(journal(&m)).unwrap().0;
    for n in 0..15 {
        let title = format!("{n}");
        m.add_idea(&idea(&title), NOW, &mut mallory.rng).unwrap();
        let has = a.head(journal(&m)).unwrap().0;
        let next = m.storage().entries(journal(&m), has, usize::MAX).unwrap();
        a.receive_by(
            Road::Session,
            next.into_iter().map(|held| (held.entry, None)).collect(),
        )
        .unwrap();
    }
    assert_eq!(a.head(journal(&m)).unwrap().0.0, had.0 + 10);
    assert!(a.put_off().contains_key(&journal(&m)), "people see it");
    // Nor with a further journal.
    let key = m.keys().current().unwrap().clone();
    let received = (0..3).map(|n| {
        let first = opened(&m, &mallory, membership, &key, &fresh(900 + n));
        a.receive_by(Road::Session, offered(vec![first])).unwrap().new
    });
    assert_eq!(received.sum::<usize>(), 0);
}

#[test]
fn devices_grants_and_restored_profiles_begin_their_journals() {
    let (mut anna, mut a, mut mallory, mut m) = two(100);
    // A second device, enrolled and begun while nobody else met them: all in one offer.
    let mut laptop = mallory.copied(105);
    laptop.me = Neighbour::new(105).me;
    laptop.me.person = mallory.me.person;
    let membership = m.roster().membership(mallory.me.person).unwrap();
    let enrol = sign_enrolment(m.group(), membership, laptop.me.named(), [7; 16], &mallory.person);
    m.write_act(ControlAct::Enrol(enrol)).unwrap();
    let file = m.bundle(&Frontier::new(), Compression::Fast).unwrap();
    let keys = m.keys().iter().rev().cloned().collect();
    let mut l = Replica::from_bundle(MemoryStorage::default(), m.group(), keys, &file).unwrap();
    l.open_journal(&laptop.me, &mut laptop.rng).unwrap();
    sync(&mut m, &mut mallory, &mut l, &mut laptop);
    sync(&mut a, &mut anna, &mut m, &mut mallory);
    assert_eq!(a.frontier().len(), 3);
    // On a grant of somebody who was removed, and whose grant does not count any more.
    a.propose(CouncilAct::Remove { membership }, "", NOW).unwrap();
    let grant = l.grant_for(&laptop.me);
    assert_eq!(grant, None);
    let key = m.keys().current().unwrap().clone();
    let late = opened(&m, &mallory, membership, &key, &fresh(1_000));
    assert_eq!(a.receive_by(Road::Session, offered(vec![late])).unwrap().new, 1);
}

#[test]
fn a_key_that_comes_with_what_is_sealed_under_it_opens_it() {
    let (mut anna, mut a, mut mallory, mut m) = two(110);
    m.set_box_secret(mallory.box_secret.clone()).unwrap();
    let mut ben = Neighbour::new(115);
    let b = ben.join(&mut a, &mut anna);
    let membership = a.roster().membership(ben.me.person).unwrap();
    drop(b);
    a.propose(CouncilAct::Remove { membership }, "", NOW).unwrap();
    a.rekey_if_due(&mut anna.rng).unwrap();
    let mut carla = Neighbour::new(116);
    let mut c = carla.join(&mut a, &mut anna);
    sync(&mut a, &mut anna, &mut c, &mut carla);
    m.set_most(Most {
        unread: 0,
        ..Most::default()
    });
    meet(&mut a, &mut anna, &mut m, &mut mallory);
    assert_eq!(m.frontier(), a.frontier());
    let sealed_under: KeyId = a.keys().current().unwrap().id();
    assert!(m.keys().get(sealed_under).is_some());
}

#[test]
fn what_stands_in_a_journal_of_nobody_grants_nothing() {
    let (_, a, mallory, m) = two(120);
    let strange = nobodys(&m, 125);
    let friend = Neighbour::new(126);
    let membership = m.roster().membership(mallory.me.person).unwrap();
    let enrol = sign_enrolment(m.group(), membership, friend.me.named(), [7; 16], &friend.person);
    let key = m.keys().current().unwrap().clone();
    let payload = act_to_bytes(&ControlAct::Enrol(enrol));
    let after = (EntryNumber::FIRST, strange.id);
    let grant = sealed(
        &m,
        &fresh(125),
        after,
        [].into(),
        EntryKind::Control,
        &key,
        &payload,
    );
    let first = opened(&m, &friend, grant.id, &key, &fresh(127));
    // Where older software has kept the grant, as where it comes along.
    let mut old = Replica::open(a.storage().clone()).unwrap();
    without(Guard::Granted, || {
        old.receive(offered(vec![strange.clone(), grant.clone()]))
            .unwrap()
    });
    let mut old = Replica::open(old.into_storage()).unwrap();
    let mut new = a;
    let received = old.receive(offered(vec![first.clone()])).unwrap();
    assert_eq!((received.new, received.nobodys.len()), (0, 1));
    let received = new.receive(offered(vec![strange, grant, first])).unwrap();
    assert_eq!((received.new, received.nobodys.len()), (0, 2));
}
