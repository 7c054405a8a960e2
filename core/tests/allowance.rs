//! A member floods: of what they write so much is taken in, the rest when time has passed, and nobody else is held up for long.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code: a failure is a panic"
)]

mod common;

use common::{NOW, Neighbour, idea, meet, sealed, signing, sync, titles};
use kiez_core::domain::control::{BoxedKey, ControlAct, CouncilAct, Keys};
use kiez_core::domain::id::{EntryNumber, JournalId, SealedKey, Timestamp};
use kiez_core::replica::allowance::{Amount, Rates, Road};
use kiez_core::replica::entry::{Entry, EntryKind};
use kiez_core::replica::hold::Replica;
use kiez_core::replica::limits::{BEYOND_BYTES_MAX, JOURNAL_ENTRIES_MAX, PAYLOAD_BYTES_MAX};
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
    let until = put_off.until.unwrap();
    assert!(until > Timestamp(10 * HOUR));
    assert_eq!(three.a.takes_more_at(), Some(until));
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
fn what_builds_on_what_is_put_off_comes_with_it_and_is_nobodys_fault() {
    let mut three = Three::new();
    three.floods(60);
    three.anna_meets_mallory();
    three.floods(10);
    three.anna_meets_mallory();
    let had = three.taken();
    // Ben has opened it all from a file. What he writes then has seen it.
    let flood: Vec<(Entry, Option<Vec<u8>>)> = three
        .m
        .storage()
        .entries(journal(&three.m), EntryNumber(0), usize::MAX)
        .unwrap()
        .into_iter()
        .map(|held| (held.entry, None))
        .collect();
    three.b.receive(flood).unwrap();
    three
        .b
        .add_idea(&idea("a bench"), NOW, &mut three.ben.rng)
        .unwrap();
    // The session goes on: Ben has done nothing wrong.
    three.anna_meets_ben();
    assert_eq!(three.taken(), had);
    assert!(titles(&mut three.a).is_empty());
    let until = three.a.takes_more_at().unwrap();
    three.a.set_clock(until);
    three.anna_meets_ben();
    assert_eq!(titles(&mut three.a), ["a bench"]);
    assert_eq!(three.a.frontier(), three.b.frontier());
    assert!(three.a.put_off().is_empty());
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
    let until = three.a.takes_more_at().unwrap();
    three.a.set_clock(until);
    three.anna_meets_mallory();
    assert!(three.a.put_off().is_empty());
}

#[test]
fn of_whoever_has_gone_only_so_much_is_kept() {
    let mut three = Three::new();
    let signing = signing(&three.m);
    let key = three.m.keys().current().unwrap().clone();
    let membership = three.a.roster().membership(three.mallory.me.person).unwrap();
    let remove = CouncilAct::Remove { membership };
    three.a.propose(remove, "she floods", NOW).unwrap();
    let mut after = three.m.head(journal(&three.m)).unwrap();
    let mut write = |bytes: usize| {
        let seen = std::collections::BTreeSet::new();
        let junk = vec![1; bytes];
        let entry = sealed(&three.m, &signing, after, seen, EntryKind::Content, &key, &junk);
        after = (entry.header.number, entry.id);
        entry
    };
    let parts: Vec<Entry> = (0..5).map(|_| write(PAYLOAD_BYTES_MAX)).collect();
    for entry in parts {
        three.a.receive(vec![(entry, None)]).unwrap();
    }
    let end = three.a.roster().ends(journal(&three.m)).unwrap();
    let (entries, bytes) = three.a.storage().weight(journal(&three.m), end).unwrap();
    assert_eq!(entries, 3, "more would be beyond what is kept");
    assert!(bytes <= BEYOND_BYTES_MAX);
    assert_eq!(three.a.put_off()[&journal(&three.m)].until, None);
}

#[test]
fn a_journal_longer_than_one_may_be_is_put_off_for_good() {
    let mut three = Three::new();
    let signing = signing(&three.m);
    let key = three.m.keys().current().unwrap().clone();
    let after = (
        EntryNumber(JOURNAL_ENTRIES_MAX),
        three.m.head(journal(&three.m)).unwrap().1,
    );
    let beyond = sealed(
        &three.m,
        &signing,
        after,
        std::collections::BTreeSet::new(),
        EntryKind::Content,
        &key,
        b"more",
    );
    let received = three
        .a
        .receive_by(Road::File, vec![(beyond.clone(), None)])
        .unwrap();
    assert_eq!((received.new, received.put_off.len()), (0, 1));
    assert_eq!(three.a.put_off()[&journal(&three.m)].until, None);
    assert_eq!(three.a.takes_more_at(), None);
}

#[test]
fn nobody_is_blamed_for_a_part_that_does_not_hang_together() {
    let mut three = Three::new();
    let signing = signing(&three.m);
    let key = three.m.keys().current().unwrap().clone();
    let head = three.m.head(journal(&three.m)).unwrap();
    let entry = |after, payload: &[u8]| {
        let seen = std::collections::BTreeSet::new();
        sealed(&three.m, &signing, after, seen, EntryKind::Content, &key, payload)
    };
    // Mallory wrote the last one; whoever carries it puts something before it that is not hers.
    let last = entry((EntryNumber(JOURNAL_ENTRIES_MAX), head.1), b"hers");
    let mut stuffed = entry(head, b"not hers");
    stuffed.signature = None;
    let parts = vec![(stuffed, None), (last, None)];
    assert!(three.a.receive_by(Road::Session, parts).is_err());
    assert!(three.a.put_off().is_empty());
}
