//! Coming in is whole or nothing: what cannot be taken in leaves no group behind that is in the way of the next attempt.
//! And a member comes in with a further device.

#![allow(clippy::unwrap_used, reason = "test code: a failure is a panic")]

mod common;

use common::{NOW, Neighbour, channels, sync};
use ed25519_dalek::SigningKey;
use kiez_core::domain::charter::{Charter, Role};
use kiez_core::domain::control::Enrol;
use kiez_core::domain::id::{PersonId, Timestamp};
use kiez_core::host::store::Store;
use kiez_core::replica::bundle::Compression;
use kiez_core::replica::control::sign_enrolment;
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::hold::{Me, Replica};
use kiez_core::replica::join::{AdmitError, Answer, Invitation, Known};
use kiez_core::replica::keys::BoxSecret;
use kiez_core::replica::session::Channel;
use kiez_core::replica::wire::JoinRefusal;

use kiez_core::replica::memory::MemoryStorage;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

#[test]
fn a_group_that_cannot_be_taken_in_has_not_begun() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let person = SigningKey::generate(&mut rng);
    let me = Me {
        person: PersonId(person.verifying_key().to_bytes()),
        device: SigningKey::generate(&mut rng),
        box_key: BoxSecret::generate(&mut rng).public(),
    };
    let storage = MemoryStorage::default();
    let mut a = Replica::found(storage, &me, &person, Charter::circle(), &mut rng).unwrap();
    let first = a.frontier();
    a.set_profile_name("Anna", Timestamp(1)).unwrap();
    let keys: Vec<_> = a.keys().iter().cloned().collect();

    let store = Store::in_memory().unwrap();
    let begin = |bundle: &[u8]| {
        let storage = store.group(Some(a.group()));
        Replica::from_bundle(storage, a.group(), keys.clone(), bundle)
    };
    // A copy of what came later only: the beginning is missing.
    let later = a.bundle(&first, Compression::Fast).unwrap();
    assert!(begin(&later).is_err());
    assert_eq!(store.groups().unwrap(), []);

    let whole = a.bundle(&Frontier::new(), Compression::Fast).unwrap();
    let mut b = begin(&whole).unwrap();
    assert_eq!(store.groups().unwrap(), [a.group()]);
    assert_eq!(b.digest().unwrap(), a.digest().unwrap());
}

/// The same person with another device, as their recovery words make it.
fn further_device(of: &Neighbour, seed: u64) -> Neighbour {
    let mut further = Neighbour::new(seed);
    further.person = of.person.clone();
    further.me.person = of.me.person;
    further
}

/// An invitation of Anna's, and the two ends of a connection to her.
fn invited(
    a: &mut Replica<MemoryStorage>,
    anna: &mut Neighbour,
    by: &Neighbour,
) -> (Invitation, Channel, Channel) {
    let (rng, me) = (&mut anna.rng, &anna.me);
    let invitation = a.invite(me, Role::Member, Timestamp(2_000), vec![], rng).unwrap();
    let (to_a, from_a) = channels(by.me.device_id(), me.device_id());
    (invitation, to_a, from_a)
}

fn known(answer: Answer) -> Known {
    match answer {
        Answer::Member(known) => known,
        Answer::Admitted(_) => panic!("admitted a second time"),
    }
}

#[test]
fn a_member_comes_in_with_a_further_device() {
    let (mut anna, mut ben) = (Neighbour::new(1), Neighbour::new(2));
    let mut a = anna.found();
    let mut b = ben.join(&mut a, &mut anna);
    b.set_profile_name("Ben", NOW).unwrap();
    sync(&mut a, &mut anna, &mut b, &mut ben);

    let mut restored = further_device(&ben, 3);
    let (invitation, to_a, from_a) = invited(&mut a, &mut anna, &restored);
    let request = invitation.request(&restored.me, &restored.person, &to_a);
    let asked = known(a.admit(&request, &from_a, NOW, &mut anna.rng).unwrap());
    let sign =
        |enrolled, membership| sign_enrolment(a.group(), membership, enrolled, [4; 16], &restored.person);
    let good = sign(restored.me.named(), asked.membership());

    // What is not exactly what was asked for is refused, and nothing is written.
    let by_another = sign_enrolment(
        a.group(),
        asked.membership(),
        restored.me.named(),
        [4; 16],
        &anna.person,
    );
    let of_anna = a.roster().membership(anna.me.person).unwrap();
    let wrong: [Enrol; 4] = [
        by_another,
        sign(Neighbour::new(9).me.named(), asked.membership()),
        sign(restored.me.named(), of_anna),
        Enrol {
            nonce: [5; 16],
            ..good.clone()
        },
    ];
    let before = a.frontier();
    for enrol in wrong {
        let answer = a.enrol(&asked, enrol, &mut anna.rng);
        assert!(
            matches!(answer, Err(AdmitError::Refused(JoinRefusal::Invalid))),
            "{answer:?}"
        );
    }
    assert_eq!(a.frontier(), before);

    let twice = sign_enrolment(
        a.group(),
        asked.membership(),
        restored.me.named(),
        [5; 16],
        &restored.person,
    );
    let admission = a.enrol(&asked, good, &mut anna.rng).unwrap();
    // Over another connection at the same time.
    let written = a.frontier();
    let at_once = a.enrol(&asked, twice, &mut anna.rng).unwrap();
    assert_eq!(at_once.grant, admission.grant);
    assert_eq!(a.frontier(), written);
    // The answer was lost: asking again gets the same one, over another connection, too.
    let written = a.frontier();
    let again = a
        .admit(&request, &from_a, NOW, &mut anna.rng)
        .unwrap()
        .admission()
        .unwrap();
    assert_eq!(again.grant, admission.grant);
    assert_eq!(a.frontier(), written);

    let bundle = a.bundle(&Frontier::new(), Compression::Fast).unwrap();
    let mut c = Replica::join(
        MemoryStorage::default(),
        &invitation,
        &restored.me,
        &restored.box_secret,
        &again.boxes,
        &bundle,
        &mut restored.rng,
    )
    .unwrap();
    assert_eq!(c.name_of(ben.me.person).unwrap().as_deref(), Some("Ben"));
    c.set_profile_name("Ben W.", NOW).unwrap();
    sync(&mut c, &mut restored, &mut b, &mut ben);
    sync(&mut c, &mut restored, &mut a, &mut anna);
    assert_eq!(a.digest().unwrap(), c.digest().unwrap());
    // One person with two devices, of which each writes.
    let persons = a.roster().persons();
    assert_eq!(persons.len(), 2);
    assert_eq!(persons[&ben.me.person].devices.len(), 2);
    b.set_profile_name("Benno", NOW).unwrap();
    sync(&mut a, &mut anna, &mut b, &mut ben);
    assert_eq!(a.name_of(ben.me.person).unwrap().as_deref(), Some("Benno"));
}

/// Whoever found the invitation of a member cannot get a device of theirs enrolled, and the member's yes for one
/// connection is none for another.
#[test]
fn a_request_of_somebody_else_for_a_further_device_is_refused() {
    let (mut anna, mut ben) = (Neighbour::new(1), Neighbour::new(2));
    let mut a = anna.found();
    ben.join(&mut a, &mut anna);
    let thief = further_device(&ben, 3);
    let (invitation, to_a, from_a) = invited(&mut a, &mut anna, &thief);
    let before = a.frontier();
    let mut refused = |request, channel| {
        let answer = a.admit(&request, channel, NOW, &mut anna.rng);
        assert!(
            matches!(answer, Err(AdmitError::Refused(JoinRefusal::Invalid))),
            "{answer:?}"
        );
    };
    // Without Ben's person key.
    refused(
        invitation.request(&thief.me, &Neighbour::new(4).person, &to_a),
        &from_a,
    );
    // What Ben signed for another connection.
    let other = Channel {
        exporter: [77; 32],
        ..from_a
    };
    refused(invitation.request(&thief.me, &ben.person, &to_a), &other);
    // What Ben signed for another device.
    refused(
        invitation.request(&Neighbour::new(5).me, &ben.person, &to_a),
        &from_a,
    );
    assert_eq!(a.frontier(), before);
}
