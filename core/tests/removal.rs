//! Somebody is removed: what they wrote before stays, what they write on does not count, what is sealed afterwards they
//! cannot read, and everybody who is left comes to the same.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code: a failure is a panic"
)]

mod common;

use common::{NOW, Neighbour, idea, sync, titles};
use kiez_core::domain::charter::Role;
use kiez_core::domain::control::{ControlAct, CouncilAct, Cut, Motion};
use kiez_core::domain::id::{EntryId, PersonId};
use kiez_core::domain::proposal::TextField;
use kiez_core::domain::splice::Splice;
use kiez_core::replica::hold::Replica;
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::storage::Storage;

type Held = Replica<MemoryStorage>;

/// Anna and Carla are stewards, Ben and Dora are members; all have the same.
struct Four {
    anna: Neighbour,
    ben: Neighbour,
    carla: Neighbour,
    dora: Neighbour,
    a: Held,
    b: Held,
    c: Held,
    d: Held,
}

fn membership(replica: &Held, person: PersonId) -> EntryId {
    replica.roster().membership(person).unwrap()
}

impl Four {
    fn new(seed: u64) -> Self {
        let mut anna = Neighbour::new(seed * 10 + 1);
        let mut ben = Neighbour::new(seed * 10 + 2);
        let mut carla = Neighbour::new(seed * 10 + 3);
        let mut dora = Neighbour::new(seed * 10 + 4);
        let mut a = anna.found();
        let mut b = ben.join(&mut a, &mut anna);
        let mut c = carla.join(&mut a, &mut anna);
        let mut d = dora.join(&mut a, &mut anna);
        for (replica, who) in [(&mut a, &anna), (&mut b, &ben), (&mut c, &carla), (&mut d, &dora)] {
            replica.set_box_secret(who.box_secret.clone()).unwrap();
        }
        sync(&mut a, &mut anna, &mut c, &mut carla);
        let promote = CouncilAct::Promote {
            membership: membership(&a, carla.me.person),
            role: Role::Steward,
        };
        a.propose(promote, "two eyes see more", NOW).unwrap();
        let mut four = Self {
            anna,
            ben,
            carla,
            dora,
            a,
            b,
            c,
            d,
        };
        four.all_sync();
        four.all_sync();
        four
    }

    fn all_sync(&mut self) {
        sync(&mut self.a, &mut self.anna, &mut self.b, &mut self.ben);
        sync(&mut self.a, &mut self.anna, &mut self.d, &mut self.dora);
        sync(&mut self.a, &mut self.anna, &mut self.c, &mut self.carla);
    }

    /// Anna proposes to remove Ben, Carla signs.
    fn remove_ben(&mut self) {
        let remove = CouncilAct::Remove {
            membership: membership(&self.a, self.ben.me.person),
        };
        let motion = self.a.propose(remove, "he sold our ladder", NOW).unwrap();
        assert!(
            self.a.roster().persons().contains_key(&self.ben.me.person),
            "one of two is not enough"
        );
        sync(&mut self.a, &mut self.anna, &mut self.c, &mut self.carla);
        self.c.sign(motion).unwrap();
        assert!(!self.c.roster().persons().contains_key(&self.ben.me.person));
        sync(&mut self.a, &mut self.anna, &mut self.c, &mut self.carla);
    }
}

#[test]
fn what_was_written_before_stays_and_what_is_written_after_does_not_count() {
    let mut four = Four::new(1);
    let (ben, b) = (&mut four.ben, &mut four.b);
    b.add_idea(&idea("before"), NOW, &mut ben.rng).unwrap();
    four.all_sync();
    four.remove_ben();
    // Ben does not know yet, and writes on.
    four.b.add_idea(&idea("after"), NOW, &mut four.ben.rng).unwrap();
    sync(&mut four.b, &mut four.ben, &mut four.d, &mut four.dora);
    assert_eq!(
        titles(&mut four.d),
        ["after", "before"],
        "Dora does not know, either"
    );
    four.a.rekey_if_due(&mut four.anna.rng).unwrap().unwrap();
    four.a
        .add_idea(&idea("of Anna"), NOW, &mut four.anna.rng)
        .unwrap();
    four.all_sync();
    for replica in [&mut four.a, &mut four.d] {
        assert_eq!(titles(replica), ["before", "of Anna"]);
        assert_eq!(replica.storage().census().unwrap().quarantined, 1);
    }
    four.all_sync();
    four.all_sync();
    let digests = [&mut four.a, &mut four.c, &mut four.d].map(|replica| replica.digest().unwrap());
    assert_eq!(digests[0], digests[1]);
    assert_eq!(digests[0], digests[2]);
    // And the same when everything is read again.
    let mut again = Replica::open(four.d.storage().clone()).unwrap();
    assert_eq!(again.digest().unwrap(), digests[0]);
    again.rebuild().unwrap();
    assert_eq!(again.digest().unwrap(), digests[0]);
}

#[test]
fn what_a_member_built_on_before_they_knew_is_lifted_and_nothing_else() {
    let mut four = Four::new(2);
    let id = four.b.add_idea(&idea("Bank"), NOW, &mut four.ben.rng).unwrap();
    four.all_sync();
    four.remove_ben();
    // Ben writes on, in the idea that Dora goes on with, and another one.
    let words = |text: &str| {
        vec![Splice {
            at: 0,
            delete: 0,
            insert: text.to_owned(),
        }]
    };
    let heads = four.b.idea_text(id, TextField::Body).unwrap().heads;
    four.b
        .splice_idea(id, TextField::Body, &heads, &words("of wood"), NOW)
        .unwrap();
    four.b
        .add_idea(&idea("nobody builds on this"), NOW, &mut four.ben.rng)
        .unwrap();
    sync(&mut four.b, &mut four.ben, &mut four.d, &mut four.dora);
    let heads = four.d.idea_text(id, TextField::Body).unwrap().heads;
    four.d
        .splice_idea(id, TextField::Body, &heads, &words("A bench "), NOW)
        .unwrap();
    four.all_sync();
    four.all_sync();
    for replica in [&mut four.a, &mut four.c, &mut four.d] {
        assert_eq!(replica.idea(id).unwrap().body, "A bench of wood");
        assert_eq!(titles(replica), ["Bank"]);
    }
    assert_eq!(four.a.digest().unwrap(), four.d.digest().unwrap());
    let mut again = Replica::open(four.a.storage().clone()).unwrap();
    assert_eq!(again.digest().unwrap(), four.a.digest().unwrap());
    again.rebuild().unwrap();
    assert_eq!(again.digest().unwrap(), four.a.digest().unwrap());
}

#[test]
fn the_removed_read_nothing_that_was_sealed_afterwards_with_all_they_ever_had() {
    let mut four = Four::new(3);
    four.remove_ben();
    assert!(
        four.a
            .add_idea(&idea("a secret"), NOW, &mut four.anna.rng)
            .is_err(),
        "a new key comes first"
    );
    four.a.rekey_if_due(&mut four.anna.rng).unwrap().unwrap();
    assert!(four.a.rekey_if_due(&mut four.anna.rng).unwrap().is_none());
    four.a
        .add_idea(&idea("a secret"), NOW, &mut four.anna.rng)
        .unwrap();
    four.all_sync();
    assert_eq!(titles(&mut four.d), ["a secret"]);
    assert!(titles(&mut four.b).is_empty());
    // Ben has every entry, every key he ever had and what opens his boxes: none of it opens what came since.
    let head = four
        .a
        .own_journal()
        .and_then(|journal| four.a.head(journal))
        .unwrap();
    let entry = four
        .b
        .storage()
        .entry(four.a.own_journal().unwrap(), head.0)
        .unwrap()
        .unwrap()
        .entry;
    assert!(four.b.keys().iter().all(|key| entry.open(key).is_err()));
    four.b.set_box_secret(four.ben.box_secret.clone()).unwrap();
    assert!(four.b.keys().get(entry.header.key).is_none());
    assert!(!four.b.is_rekey_due(), "he may make none");
    assert!(four.b.add_idea(&idea("on"), NOW, &mut four.ben.rng).is_err());
    let enrolment = membership_of_all_time(&four.a, four.ben.me.person);
    assert!(four.a.give_keys(enrolment, &mut four.anna.rng).unwrap().is_none());
}

fn membership_of_all_time(replica: &Held, person: PersonId) -> EntryId {
    let mut authors = replica.roster().authors();
    authors
        .find(|(_, author)| author.person == person)
        .unwrap()
        .1
        .membership
}

#[test]
fn a_device_that_was_away_through_many_keys_catches_up() {
    let mut four = Four::new(4);
    // Eve comes in at Dora's, who knows nothing of the new keys.
    let mut eve = Neighbour::new(49);
    four.remove_ben();
    four.a.rekey_if_due(&mut four.anna.rng).unwrap().unwrap();
    four.a
        .add_idea(&idea("under the second key"), NOW, &mut four.anna.rng)
        .unwrap();
    let mut e = eve.join(&mut four.d, &mut four.dora);
    e.set_box_secret(eve.box_secret.clone()).unwrap();
    // Meanwhile Anna's second device comes and goes: another key.
    let retired = four.a.me().unwrap().grant;
    let mut second = Neighbour::new(41);
    second.me.person = four.anna.me.person;
    second.person = four.anna.person.clone();
    let mut a2 = enrolled(&mut second, &mut four.a, &mut four.anna);
    a2.retire(retired).unwrap();
    a2.rekey_if_due(&mut second.rng).unwrap().unwrap();
    a2.add_idea(&idea("under the third key"), NOW, &mut second.rng)
        .unwrap();
    // Eve gets everything, and understands it once she is given the keys.
    sync(&mut e, &mut eve, &mut a2, &mut second);
    assert!(titles(&mut e).is_empty());
    let hers = e.me().unwrap().grant;
    a2.give_keys(hers, &mut second.rng).unwrap().unwrap();
    assert!(
        a2.give_keys(hers, &mut second.rng).unwrap().is_none(),
        "once is enough"
    );
    sync(&mut e, &mut eve, &mut a2, &mut second);
    assert_eq!(titles(&mut e), ["under the second key", "under the third key"]);
    assert_eq!(e.digest().unwrap(), a2.digest().unwrap());
    // She may have made a key meanwhile: in the end all seal under one.
    e.rekey_if_due(&mut eve.rng).unwrap();
    sync(&mut e, &mut eve, &mut a2, &mut second);
    assert_eq!(
        e.keys().current().unwrap().id(),
        a2.keys().current().unwrap().id()
    );
}

/// A further device of the same person.
fn enrolled(second: &mut Neighbour, a: &mut Held, anna: &mut Neighbour) -> Held {
    use kiez_core::replica::control::sign_enrolment;
    let membership = a.me().unwrap().membership;
    let enrol = sign_enrolment(a.group(), membership, second.me.named(), [7; 16], &second.person);
    a.write_act(ControlAct::Enrol(enrol)).unwrap();
    let bundle = a
        .bundle(
            &kiez_core::replica::frontier::Frontier::new(),
            kiez_core::replica::bundle::Compression::Fast,
        )
        .unwrap();
    let keys = a.keys().iter().rev().cloned().collect();
    let mut second_replica =
        Replica::from_bundle(MemoryStorage::default(), a.group(), keys, &bundle).unwrap();
    second_replica.set_box_secret(second.box_secret.clone()).unwrap();
    second_replica.open_journal(&second.me, &mut second.rng).unwrap();
    sync(a, anna, &mut second_replica, second);
    second_replica
}

#[test]
fn who_leaves_keeps_what_they_wrote_and_writes_no_more() {
    let mut four = Four::new(5);
    four.b.add_idea(&idea("of Ben"), NOW, &mut four.ben.rng).unwrap();
    four.b.leave().unwrap();
    assert!(four.b.add_idea(&idea("later"), NOW, &mut four.ben.rng).is_err());
    four.all_sync();
    assert_eq!(titles(&mut four.a), ["of Ben"]);
    assert!(!four.a.roster().persons().contains_key(&four.ben.me.person));
    assert!(four.a.roster().former()[&four.ben.me.person].left);
    assert!(four.a.is_rekey_due());
    // Whoever comes back is a new member with a new journal.
    four.a.rekey_if_due(&mut four.anna.rng).unwrap();
    let mut b = four.ben.join(&mut four.a, &mut four.anna);
    b.add_idea(&idea("again"), NOW, &mut four.ben.rng).unwrap();
    sync(&mut four.a, &mut four.anna, &mut b, &mut four.ben);
    assert_eq!(titles(&mut four.a), ["again", "of Ben"]);
}

#[test]
fn a_removal_by_one_who_was_demoted_and_a_back_dated_entry_change_nothing() {
    let mut four = Four::new(6);
    let carla = four.a.roster().role_tenures(four.carla.me.person);
    let (tenure, _) = *carla.iter().find(|(_, role)| *role == Role::Steward).unwrap();
    let motion = four
        .a
        .propose(CouncilAct::Demote { tenure }, "her wish", NOW)
        .unwrap();
    sync(&mut four.a, &mut four.anna, &mut four.c, &mut four.carla);
    four.c.sign(motion).unwrap();
    assert_eq!(four.c.me().unwrap().role, Role::Member);
    let remove = CouncilAct::Remove {
        membership: membership(&four.c, four.anna.me.person),
    };
    four.c.propose(remove, "", NOW).unwrap();
    sync(&mut four.a, &mut four.anna, &mut four.c, &mut four.carla);
    assert!(four.a.roster().persons().contains_key(&four.anna.me.person));
    assert!(
        four.c.describe_group("Mine", "", NOW).is_err(),
        "the group's page is the stewards'"
    );
    assert!(four.a.describe_group("Ours", "", NOW).is_ok());
    assert_eq!(four.a.roster().stewards().len(), 1);
}

/// The power goes, or the disk is full, between what ends Ben's place and judging everything anew.
#[test]
fn what_an_end_takes_away_is_gone_after_the_next_start_too() {
    let mut four = Four::new(8);
    four.b.add_idea(&idea("after"), NOW, &mut four.ben.rng).unwrap();
    four.all_sync();
    let promoted = four.a.roster().role_tenures(four.carla.me.person);
    let tenure = promoted.into_iter().find(|(_, role)| *role == Role::Steward);
    let tenure = tenure.unwrap().0;
    let demote = four.a.propose(CouncilAct::Demote { tenure }, "", NOW).unwrap();
    four.all_sync();
    four.c.sign(demote).unwrap();
    four.all_sync();
    // Anna decides alone now, and says that nothing counts which she has not answered.
    let motion = Motion {
        act: CouncilAct::Remove {
            membership: membership(&four.a, four.ben.me.person),
        },
        reason: String::new(),
        cut: Cut::new(),
        at: NOW,
    };
    let mut a = Replica::open(four.a.storage().clone()).unwrap();
    a.storage_mut().set_room(1);
    assert!(a.write_act(ControlAct::Motion(motion)).is_err());
    let mut storage = a.into_storage();
    storage.set_full(false);
    let mut again = Replica::open(storage).unwrap();
    assert!(!again.roster().persons().contains_key(&four.ben.me.person));
    assert!(titles(&mut again).is_empty());
}
