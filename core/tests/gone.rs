//! Those who have gone, and those who fell with them: what the simulation found.

#![allow(clippy::unwrap_used, reason = "test code: a failure is a panic")]

mod common;

use std::collections::BTreeSet;

use common::{NOW, Neighbour, channels, idea, sync, titles};
use kiez_core::domain::charter::Role;
use kiez_core::domain::control::{ControlAct, CouncilAct};
use kiez_core::domain::id::{JournalId, KeyId, Timestamp};
use kiez_core::domain::poll::{Method, PollState};
use kiez_core::replica::bundle::Compression;
use kiez_core::replica::control::sign_enrolment;
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::hold::Replica;
use kiez_core::replica::join::AdmitError;
use kiez_core::replica::keys::GroupKey;
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::storage::Storage;
use kiez_core::replica::wire::JoinRefusal;

type Held = Replica<MemoryStorage>;

/// Anna revokes Ben's invitation while Carla comes in on it: Carla was never in, and has the key.
#[test]
fn whoever_came_in_on_an_invitation_that_ended_meanwhile_has_no_key_of_those_who_are_in() {
    let mut anna = Neighbour::new(1);
    let mut ben = Neighbour::new(2);
    let mut carla = Neighbour::new(3);
    let mut a = anna.found();
    let mut b = ben.join(&mut a, &mut anna);
    let expires = Timestamp(2_000);
    let invitation = b
        .invite(&ben.me, Role::Member, expires, vec![], &mut ben.rng)
        .unwrap();
    sync(&mut a, &mut anna, &mut b, &mut ben);
    let (to_b, to_c) = channels(carla.me.device_id(), ben.me.device_id());
    let request = invitation.request(&carla.me, &carla.person, &to_b);
    let admitted = b.admit(&request, &to_c, NOW, &mut ben.rng).unwrap();
    let boxes = admitted.admission().unwrap().boxes;
    let whole = b.bundle(&Frontier::new(), Compression::Fast).unwrap();
    let storage = MemoryStorage::default();
    let secret = &carla.box_secret;
    let mut c = Replica::join(
        storage,
        &invitation,
        &carla.me,
        secret,
        &boxes,
        &whole,
        &mut carla.rng,
    )
    .unwrap();
    let invite = invitation.invite;
    a.propose(CouncilAct::Revoke { invite }, "not yet", NOW).unwrap();
    sync(&mut b, &mut ben, &mut c, &mut carla);
    sync(&mut a, &mut anna, &mut b, &mut ben);
    assert!(!a.roster().persons().contains_key(&carla.me.person));
    assert!(a.is_rekey_due(), "Carla has the only key there is");
    a.rekey_if_due(&mut anna.rng).unwrap().unwrap();
    a.add_idea(&idea("among us"), NOW, &mut anna.rng).unwrap();
    sync(&mut a, &mut anna, &mut c, &mut carla);
    assert!(titles(&mut c).is_empty());
    assert!(c.me().is_none());
}

/// Who was removed shows the used invitation once more, from the same device.
#[test]
fn an_old_invitation_gives_no_keys_to_those_who_have_gone() {
    let mut anna = Neighbour::new(11);
    let ben = Neighbour::new(12);
    let mut a = anna.found();
    let expires = Timestamp(2_000);
    let invitation = a
        .invite(&anna.me, Role::Member, expires, vec![], &mut anna.rng)
        .unwrap();
    let (to_a, to_b) = channels(ben.me.device_id(), anna.me.device_id());
    let request = invitation.request(&ben.me, &ben.person, &to_a);
    a.admit(&request, &to_b, NOW, &mut anna.rng).unwrap();
    let again = a.admit(&request, &to_b, NOW, &mut anna.rng);
    assert!(again.unwrap().admission().is_some(), "the answer was lost");
    let membership = a.roster().membership(ben.me.person).unwrap();
    a.propose(CouncilAct::Remove { membership }, "", NOW).unwrap();
    a.rekey_if_due(&mut anna.rng).unwrap().unwrap();
    let refused = a.admit(&request, &to_b, NOW, &mut anna.rng);
    assert!(matches!(refused, Err(AdmitError::Refused(JoinRefusal::Used))));
}

/// Two let Carla in who did not know of each other. She goes by both, or goes on by the one that is left.
#[test]
fn who_was_let_in_twice_leaves_whole_and_goes_on_by_the_membership_that_is_left() {
    let mut anna = Neighbour::new(21);
    let mut ben = Neighbour::new(22);
    let mut carla = Neighbour::new(23);
    let mut a = anna.found();
    let mut b = ben.join(&mut a, &mut anna);
    let mut c = carla.join(&mut a, &mut anna);
    let _c2 = carla.join(&mut b, &mut ben);
    sync(&mut a, &mut anna, &mut b, &mut ben);
    sync(&mut a, &mut anna, &mut c, &mut carla);
    let person = a.roster().persons().remove(&carla.me.person).unwrap();
    assert_eq!(person.memberships.len(), 2);
    let mine = c.me().unwrap().membership;
    let remove = CouncilAct::Remove { membership: mine };
    a.propose(remove, "once is enough", NOW).unwrap();
    sync(&mut a, &mut anna, &mut c, &mut carla);
    assert!(c.own_journal().is_none(), "it waits to be enrolled by the other");
    assert!(c.roster().persons().contains_key(&carla.me.person));

    a.rekey_if_due(&mut anna.rng).unwrap();
    let mut d = Neighbour::new(24);
    let mut dora = d.join(&mut a, &mut anna);
    let _d2 = d.join(&mut b, &mut ben);
    sync(&mut a, &mut anna, &mut b, &mut ben);
    sync(&mut a, &mut anna, &mut dora, &mut d);
    dora.leave().unwrap();
    assert!(!dora.roster().persons().contains_key(&d.me.person));
    let acts = |id| dora.roster().act(id).cloned();
    let heads = dora.roster().past(&dora.roster().heads()).unwrap();
    let left = heads.into_iter().filter_map(acts);
    assert_eq!(left.filter(|act| matches!(act, ControlAct::Leave(_))).count(), 2);
}

/// Ben's second laptop was enrolled by Carla, who had gone by then. It is enrolled again, under a key it has never had.
#[test]
fn whose_place_is_over_is_given_the_keys_for_the_place_they_come_back_to() {
    let mut anna = Neighbour::new(31);
    let mut ben = Neighbour::new(32);
    let mut carla = Neighbour::new(33);
    let mut a = anna.found();
    let mut b = ben.join(&mut a, &mut anna);
    let mut c = carla.join(&mut a, &mut anna);
    sync(&mut a, &mut anna, &mut b, &mut ben);
    sync(&mut a, &mut anna, &mut c, &mut carla);
    let mut second = Neighbour::new(34);
    second.me.person = ben.me.person;
    second.person = ben.person.clone();
    let enrolment = |at: &Held, second: &Neighbour| {
        let membership = at.roster().membership(second.me.person).unwrap();
        sign_enrolment(at.group(), membership, second.me.named(), [7; 16], &second.person)
    };
    let membership = a.roster().membership(carla.me.person).unwrap();
    a.propose(CouncilAct::Remove { membership }, "", NOW).unwrap();
    a.rekey_if_due(&mut anna.rng).unwrap().unwrap();
    a.add_idea(&idea("under the new key"), NOW, &mut anna.rng)
        .unwrap();
    c.write_act(ControlAct::Enrol(enrolment(&c, &second))).unwrap();
    let mut b2 = begins(&mut second, &c);
    assert!(b2.own_journal().is_some());
    sync(&mut a, &mut anna, &mut b2, &mut second);
    assert!(b2.own_journal().is_none(), "whoever enrolled it had gone");

    a.rekey_if_due(&mut anna.rng).unwrap().unwrap();
    a.write_act(ControlAct::Enrol(enrolment(&a, &second))).unwrap();
    sync(&mut a, &mut anna, &mut b2, &mut second);
    assert!(b2.grant_for(&second.me).is_none(), "it cannot read that");
    // Before a backup was restored it may have had another journal, which nobody knows.
    let met = (JournalId([3; 32]), second.me.device_id());
    // What the next session shows: it has everything, and one key of three.
    let lacks: BTreeSet<KeyId> = a.keys().iter().map(GroupKey::id).collect();
    let lacks = &lacks - &b2.keys().iter().map(GroupKey::id).collect();
    let given = a.give_keys_to(met, &lacks, &mut anna.rng).unwrap();
    assert!(given.is_some());
    let again = a.give_keys_to(met, &lacks, &mut anna.rng).unwrap();
    assert!(again.is_none(), "once is enough");
    sync(&mut a, &mut anna, &mut b2, &mut second);
    assert_eq!(titles(&mut b2), ["under the new key"]);
    b2.open_journal(&second.me, &mut second.rng).unwrap();
    b2.add_idea(&idea("back"), NOW, &mut second.rng).unwrap();
    // And the same when everything is read again.
    let mut again = Replica::open(b2.storage().clone()).unwrap();
    again.rebuild().unwrap();
    assert_eq!(titles(&mut again), ["back", "under the new key"]);
}

/// Anna votes, Ben counts, and then a laptop of hers that knew nothing of it retires the one she voted on.
#[test]
fn what_a_close_counted_stays_counted_whatever_ends_afterwards() {
    let mut anna = Neighbour::new(41);
    let mut ben = Neighbour::new(42);
    let mut a = anna.found();
    let mut b = ben.join(&mut a, &mut anna);
    let mut second = Neighbour::new(43);
    second.me.person = anna.me.person;
    second.person = anna.person.clone();
    let membership = a.me().unwrap().membership;
    let enrol = sign_enrolment(a.group(), membership, second.me.named(), [7; 16], &second.person);
    a.write_act(ControlAct::Enrol(enrol)).unwrap();
    let mut a2 = begins(&mut second, &a);
    sync(&mut a, &mut anna, &mut b, &mut ben);
    let bench = b.add_idea(&idea("Bank"), NOW, &mut ben.rng).unwrap();
    let poll = b.open_poll(bench, Method::YesNo, vec![], NOW).unwrap();
    sync(&mut a, &mut anna, &mut b, &mut ben);
    a.cast(poll, &["yes".to_owned()], NOW).unwrap();
    sync(&mut a, &mut anna, &mut b, &mut ben);
    let mut knows = Replica::open(b.storage().clone()).unwrap();
    b.close_poll(poll, NOW).unwrap();
    let closed = b.poll_outcome(poll).unwrap();
    assert_eq!((closed.state, closed.cast), (PollState::Closed, 1));

    a2.retire(membership).unwrap();
    let mut told = Replica::open(a2.storage().clone()).unwrap();
    sync(&mut a2, &mut second, &mut b, &mut ben);
    assert_eq!(b.storage().census().unwrap().quarantined, 1);
    assert_eq!(b.poll_outcome(poll).unwrap(), closed);
    let mut again = Replica::open(b.storage().clone()).unwrap();
    assert_eq!(again.poll_outcome(poll).unwrap(), closed);
    // Whoever closes it knowing of that counts no such ballot.
    sync(&mut told, &mut second, &mut knows, &mut ben);
    knows.rekey_if_due(&mut ben.rng).unwrap();
    knows.close_poll(poll, NOW).unwrap();
    let outcome = knows.poll_outcome(poll).unwrap();
    assert_eq!((outcome.state, outcome.cast), (PollState::Closed, 0));
}

fn begins(second: &mut Neighbour, from: &Held) -> Held {
    let bundle = from.bundle(&Frontier::new(), Compression::Fast).unwrap();
    let keys = from.keys().iter().rev().cloned().collect();
    let mut replica = Replica::from_bundle(MemoryStorage::default(), from.group(), keys, &bundle).unwrap();
    replica.set_box_secret(second.box_secret.clone()).unwrap();
    replica.open_journal(&second.me, &mut second.rng).unwrap();
    replica
}
