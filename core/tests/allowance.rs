//! A member floods: of what they write so much is taken in, the rest when time has passed, and nobody else is held up for long.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code: a failure is a panic"
)]

mod common;

use common::{NOW, Neighbour, idea, meet, sealed, signing, sync, titles};
use kiez_core::domain::control::{BoxedKey, ControlAct, Keys};
use kiez_core::domain::id::{EntryNumber, JournalId, SealedKey, Timestamp};
use kiez_core::replica::allowance::{Amount, Rates, Road};
use kiez_core::replica::entry::{Entry, EntryKind};
use kiez_core::replica::hold::Replica;
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::storage::Storage;

const HOUR: u64 = 3_600_000;

/// As [`Rates::default`], but for less to be written here.
const RATES: Rates = Rates {
    burst: Amount {
        entries: 50,
        bytes: 64 * 1024,
    },
    hourly: Amount {
        entries: 5,
        bytes: 8 * 1024,
    },
};

type Held = Replica<MemoryStorage>;

/// Anna, Ben and Mallory, who all have the same.
struct Three {
    anna: Neighbour,
    ben: Neighbour,
    mallory: Neighbour,
    a: Held,
    b: Held,
    m: Held,
}

impl Three {
    fn new() -> Self {
        let (mut anna, mut ben, mut mallory) = (Neighbour::new(1), Neighbour::new(2), Neighbour::new(3));
        let mut a = anna.found();
        let mut b = ben.join(&mut a, &mut anna);
        let mut m = mallory.join(&mut a, &mut anna);
        for _ in 0..2 {
            sync(&mut a, &mut anna, &mut b, &mut ben);
            sync(&mut a, &mut anna, &mut m, &mut mallory);
        }
        a.set_rates(RATES);
        Self {
            anna,
            ben,
            mallory,
            a,
            b,
            m,
        }
    }

    fn floods(&mut self, times: usize) {
        for _ in 0..times {
            self.m.write_act(boxes(&self.m)).unwrap();
        }
    }

    fn anna_meets_mallory(&mut self) {
        meet(&mut self.a, &mut self.anna, &mut self.m, &mut self.mallory);
    }

    fn anna_meets_ben(&mut self) {
        meet(&mut self.a, &mut self.anna, &mut self.b, &mut self.ben);
    }

    /// What Anna has of Mallory.
    fn taken(&self) -> u64 {
        self.a.head(journal(&self.m)).unwrap().0.0
    }
}

fn journal(replica: &Held) -> JournalId {
    replica.signing_journal().unwrap().0
}

/// What somebody has written after a number, as it is carried.
fn after(replica: &Held, number: EntryNumber) -> Vec<(Entry, Option<Vec<u8>>)> {
    let entries = replica.storage().entries(journal(replica), number, usize::MAX);
    entries
        .unwrap()
        .into_iter()
        .map(|held| (held.entry, None))
        .collect()
}

/// A control act of more than a kilobyte that everybody takes for good.
fn boxes(replica: &Held) -> ControlAct {
    let enrolment = replica.roster().membership(replica.me().unwrap().person).unwrap();
    let boxed = BoxedKey {
        enrolment,
        key: replica.keys().current().unwrap().id(),
        encapsulated: [3; 32],
        sealed: SealedKey([4; 48]),
    };
    ControlAct::Keys(Keys {
        boxes: vec![boxed; 9],
    })
}

#[test]
fn a_flood_is_taken_in_only_so_far_and_goes_on_with_time() {
    let mut three = Three::new();
    three.a.set_clock(Timestamp(10 * HOUR));
    // What is there at once is taken whole, as a long journal is that somebody brings for the first time.
    three.floods(60);
    three.anna_meets_mallory();
    let (_, first) = three
        .a
        .storage()
        .weight(journal(&three.m), EntryNumber(0))
        .unwrap();
    assert!(first > RATES.burst.bytes && three.a.put_off().is_empty());
    let had = three.taken();
    three.floods(20);
    three.anna_meets_mallory();
    assert_eq!(three.taken(), had, "nothing is left of what Mallory may write");
    let put_off = three.a.put_off()[&journal(&three.m)];
    assert_eq!(put_off.through, three.m.head(journal(&three.m)).unwrap().0);
    assert_eq!(put_off.since, Timestamp(10 * HOUR));
    let until = put_off.until;
    assert!(until > Timestamp(10 * HOUR));
    let journals = std::collections::BTreeSet::from([journal(&three.m)]);
    assert_eq!(three.a.takes_more_at(&journals), Some(until));
    assert_eq!(three.a.takes_more_at(&std::collections::BTreeSet::new()), None);
    // Not before it has grown back, and then at once.
    three.a.set_clock(Timestamp(until.0 - 1_000));
    three.anna_meets_mallory();
    assert_eq!(three.taken(), had);
    three.a.set_clock(until);
    three.anna_meets_mallory();
    assert!(three.taken() > had && three.a.put_off().is_empty());
    assert_eq!(three.a.frontier(), three.m.frontier());
    let hours = (first - RATES.burst.bytes).div_ceil(RATES.hourly.bytes) + 2;
    assert!(until.0 <= (10 + hours) * HOUR, "{until:?}");
}

#[test]
fn others_are_not_held_up_by_a_flood() {
    let mut three = Three::new();
    three.floods(60);
    three.anna_meets_mallory();
    three.floods(10);
    three.anna_meets_mallory();
    three
        .b
        .add_idea(&idea("a bench"), NOW, &mut three.ben.rng)
        .unwrap();
    three.anna_meets_ben();
    assert_eq!(titles(&mut three.a), ["a bench"]);
    assert_eq!(three.a.put_off().len(), 1);
}

#[test]
fn what_somebody_else_builds_on_is_not_put_off() {
    let mut three = Three::new();
    three.floods(60);
    three.anna_meets_mallory();
    three.floods(45);
    three.anna_meets_mallory();
    assert_eq!(three.a.put_off().len(), 1);
    // Ben has opened it all from a file. What he writes then has seen it.
    three.b.receive(after(&three.m, EntryNumber(0))).unwrap();
    three
        .b
        .add_idea(&idea("a bench"), NOW, &mut three.ben.rng)
        .unwrap();
    three.anna_meets_ben();
    assert_eq!(titles(&mut three.a), ["a bench"]);
    assert_eq!(three.a.frontier(), three.b.frontier());
    assert!(three.a.put_off().is_empty());
    three.b.add_idea(&idea("two"), NOW, &mut three.ben.rng).unwrap();
    three.anna_meets_ben();
    assert_eq!(titles(&mut three.a), ["a bench", "two"], "Ben only saw it");
}

#[test]
fn who_brings_friends_to_build_on_a_flood_comes_no_further() {
    let mut three = Three::new();
    let mut paula = Neighbour::new(8);
    let mut p = paula.join(&mut three.m, &mut three.mallory);
    three.anna_meets_mallory();
    meet(&mut three.a, &mut three.anna, &mut p, &mut paula);
    three.floods(60);
    three.anna_meets_mallory();
    for (round, title) in ["one", "two", "three"].into_iter().enumerate() {
        three.floods(50);
        p.receive(after(&three.m, EntryNumber(0))).unwrap();
        p.add_idea(&idea(title), NOW, &mut paula.rng).unwrap();
        meet(&mut three.a, &mut three.anna, &mut p, &mut paula);
        assert_eq!(three.a.put_off().contains_key(&journal(&p)), round > 0);
    }
    assert_eq!(titles(&mut three.a), ["one"]);
}

#[test]
fn what_comes_before_what_it_builds_on_waits_for_it_and_is_nobodys_fault() {
    let mut three = Three::new();
    three.floods(60);
    three.anna_meets_mallory();
    three.floods(10);
    three.anna_meets_mallory();
    three.b.receive(after(&three.m, EntryNumber(0))).unwrap();
    three
        .b
        .add_idea(&idea("a bench"), NOW, &mut three.ben.rng)
        .unwrap();
    let had = three.a.head(journal(&three.b)).unwrap().0;
    let alone = after(&three.b, had);
    let received = three.a.receive_by(Road::Session, alone).unwrap();
    assert_eq!((received.new, received.put_off.len()), (0, 1));
    assert_eq!(three.a.put_off().len(), 1, "nobody says that of Ben");
    three.anna_meets_ben();
    assert_eq!(titles(&mut three.a), ["a bench"]);
}

/// As much of that journal is here, but another branch.
#[test]
fn what_follows_on_a_branch_that_was_left_out_waits_for_it_and_is_nobodys_fault() {
    let mut three = Three::new();
    three.floods(60);
    three.anna_meets_mallory();
    three.floods(10);
    three.anna_meets_mallory();
    let had = three.b.head(journal(&three.b)).unwrap().0;
    let mut copy = Replica::open(three.b.storage().clone()).unwrap();
    for _ in 0..3 {
        three
            .b
            .add_idea(&idea("a bench"), NOW, &mut three.ben.rng)
            .unwrap();
        copy.add_idea(&idea("a swing"), NOW, &mut three.ben.rng).unwrap();
    }
    three.anna_meets_ben();
    let branch = after(&copy, had);
    let received = three.a.receive_by(Road::Session, branch[1..].to_vec()).unwrap();
    assert_eq!((received.new, received.put_off.len()), (0, 1));
    let received = three.a.receive_by(Road::Session, branch.clone()).unwrap();
    assert_eq!(received.new, branch.len());
}

#[test]
fn what_is_sent_many_times_counts_once() {
    let mut three = Three::new();
    three
        .b
        .add_idea(&idea("a bench"), NOW, &mut three.ben.rng)
        .unwrap();
    let had = three.a.head(journal(&three.b)).unwrap().0;
    let one = after(&three.b, had);
    let many: Vec<_> = (0..200).flat_map(|_| one.clone()).collect();
    three.a.receive_by(Road::Session, many).unwrap();
    three.b.add_idea(&idea("two"), NOW, &mut three.ben.rng).unwrap();
    three.anna_meets_ben();
    assert_eq!(titles(&mut three.a), ["a bench", "two"]);
    assert!(three.a.put_off().is_empty());
}

#[test]
fn nobody_waits_longer_than_a_day() {
    let mut three = Three::new();
    three.floods(400);
    three.anna_meets_mallory();
    three.floods(1);
    three.anna_meets_mallory();
    let put_off = three.a.put_off()[&journal(&three.m)];
    assert!(put_off.until <= Timestamp(25 * HOUR), "{:?}", put_off.until);
}

#[test]
fn all_devices_of_a_person_share_what_there_is_an_hour() {
    let mut three = Three::new();
    three.floods(60);
    three.anna_meets_mallory();
    // The next journal of the same person begins where the first one left off.
    let enrolled = Neighbour::new(7);
    let mut named = enrolled.me.named();
    named.person = three.mallory.me.person;
    let membership = three.m.roster().membership(named.person).unwrap();
    let enrol = kiez_core::replica::control::sign_enrolment(
        three.m.group(),
        membership,
        named,
        [7; 16],
        &three.mallory.person,
    );
    three.m.write_act(ControlAct::Enrol(enrol)).unwrap();
    three.anna_meets_mallory();
    assert_eq!(three.a.put_off().len(), 1, "of the person nothing is left");
    let until = three.a.put_off()[&journal(&three.m)].until;
    three.a.set_clock(until);
    three.anna_meets_mallory();
    assert!(three.a.put_off().is_empty());
}

#[test]
fn nobody_is_blamed_for_a_part_that_does_not_hang_together() {
    let mut three = Three::new();
    three.floods(60);
    three.anna_meets_mallory();
    let signing = signing(&three.m);
    let key = three.m.keys().current().unwrap().clone();
    let head = three.m.head(journal(&three.m)).unwrap();
    let entry = |after, payload: &[u8]| {
        let seen = std::collections::BTreeSet::new();
        sealed(&three.m, &signing, after, seen, EntryKind::Content, &key, payload)
    };
    // Mallory wrote the last one; whoever carries it puts something before it that is not hers.
    let last = entry((EntryNumber(900), head.1), b"hers");
    let mut stuffed = entry(head, b"not hers");
    stuffed.signature = None;
    let parts = vec![(stuffed, None), (last, None)];
    assert!(three.a.receive_by(Road::Session, parts).is_err());
    assert!(three.a.put_off().is_empty());
}
