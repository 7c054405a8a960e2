//! The group's keys: who makes one without being asked, gives different ones to different people, or reads on.

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeS, Serializable};
use kiez_core::domain::control::{BoxedKey, ControlAct, CouncilAct, Keys, Open, Rekey};
use kiez_core::domain::id::{EntryId, EntryNumber, JournalId, KeyId, SealedKey};
use kiez_core::planted::Guard;
use kiez_core::replica::bundle;
use kiez_core::replica::codec::encode;
use kiez_core::replica::control::{act_to_bytes, open_bytes, sign, sign_enrolment};
use kiez_core::replica::entry::EntryKind;
use kiez_core::replica::keys::{BoxPlace, GroupKey, seal_boxed};
use kiez_core::replica::wire::Frame;

use super::common::{NOW, Neighbour, idea, sealed};
use super::people::{One, idea_of, talk, three};
use super::street::{Laptop, Street, at};
use super::{Outcome, Stop, attacks, held};

attacks! {
    "a removed member", "they read what is sealed afterwards, with everything they ever had",
        "they read nothing of it", Stop::By(Guard::CoveringKey), reads_on;
    "a stranger who found a key, and a member", "rekey by a stranger",
        "nobody seals under it", Stop::By(Guard::KeyAuthor), by_a_stranger;
    "a removed member", "rekey by the removed",
        "nobody seals under it", Stop::By(Guard::KeyAuthor), by_the_removed;
    "a member", "different keys to different members",
        "the one that the entry does not name is not taken", Stop::By(Guard::KeyMade), different_keys;
    "a member", "wrong key id: a box holds another key than it says",
        "it is not taken", Stop::By(Guard::KeyHash), wrong_key_id;
    "a member", "a box moved to another entry",
        "it does not open there", Stop::By(Guard::BoxPlace), box_moved;
    "a member", "a junk key given to one member, so that their next rekey is sealed under it",
        "everybody reads that rekey", Stop::By(Guard::RekeyUnder), rekey_under_junk;
    "a removed member", "a bundle in a session shows what is sealed under a key they lack",
        "they get it as it is, sealed", Stop::By(Guard::BundleKeys), bundle_shows;
    "a member", "a rekey with a good box for one member and one that does not open for another",
        "whoever shows to lack the key is given it once more", Stop::By(Guard::KeysShown), bad_box;
}

fn place(of: &One, journal: JournalId, number: EntryNumber) -> BoxPlace {
    BoxPlace {
        group: of.at.group(),
        journal,
        number,
    }
}

fn next_place(of: &One) -> BoxPlace {
    place(of, of.journal(), of.at.head(of.journal()).unwrap().0.next())
}

/// A key of which the name comes before that one: of several, all seal under the first.
fn key_before(id: KeyId, who: &mut Neighbour) -> GroupKey {
    loop {
        let key = GroupKey::generate(&mut who.rng);
        if key.id() < id {
            return key;
        }
    }
}

fn boxed(place: &BoxPlace, key: &GroupKey, for_whom: &One, by: &mut Neighbour) -> BoxedKey {
    let enrolment = for_whom.membership(for_whom.person());
    seal_boxed(place, key, enrolment, for_whom.who.me.box_key, &mut by.rng).unwrap()
}

fn remove(anna: &mut One, whom: &One) {
    let membership = anna.membership(whom.person());
    anna.proposes(CouncilAct::Remove { membership });
}

fn reads_on() -> Outcome {
    let [mut anna, _, mut mallory] = three(10);
    remove(&mut anna, &mallory);
    anna.rekeys();
    anna.adds("a secret");
    mallory.meets(&mut anna).unwrap();
    mallory.at.set_box_secret(mallory.who.box_secret.clone()).unwrap();
    held(
        !mallory.shows("a secret"),
        "Mallory reads what was written after they were removed",
    )
}

fn by_a_stranger() -> Outcome {
    let [mut anna, mut carla, mallory] = three(20);
    let mut stranger = Neighbour::new(29);
    let found = anna.key();
    let signing = ed25519_dalek::SigningKey::generate(&mut stranger.rng);
    let journal = JournalId(signing.verifying_key().to_bytes());
    // A member grants them a device, in a membership that is not theirs: so their journal is kept, and counts for nothing.
    let membership = mallory.membership(mallory.person());
    let named = stranger.me.named();
    let enrol = sign_enrolment(anna.at.group(), membership, named, [7; 16], &stranger.person);
    let granting = mallory.forges_act(&[], &ControlAct::Enrol(enrol));
    let grant = granting.id;
    let open = ControlAct::Open(Open {
        grant,
        device: stranger.me.device_id(),
        device_signature: sign(&stranger.me.device, &open_bytes(anna.at.group(), grant, journal)),
    });
    let begin = (EntryNumber(0), EntryId::ZERO);
    let control = EntryKind::Control;
    let first = sealed(
        &anna.at,
        &signing,
        begin,
        [grant].into(),
        control,
        &found,
        &act_to_bytes(&open),
    );
    let key = key_before(found.id(), &mut stranger);
    let at = place(&anna, journal, EntryNumber(2));
    let boxes = vec![boxed(&at, &key, &anna, &mut stranger)];
    let rekey = ControlAct::Rekey(Rekey { key: key.id(), boxes });
    let after = (EntryNumber(1), first.id);
    let second = sealed(
        &anna.at,
        &signing,
        after,
        [].into(),
        control,
        &found,
        &act_to_bytes(&rekey),
    );
    anna.takes(&mut carla, &[granting, first, second]).unwrap();
    held(anna.key() == found, "Anna seals under a stranger's key")
}

fn by_the_removed() -> Outcome {
    let [mut anna, _, mut mallory] = three(30);
    let first = mallory.key();
    remove(&mut anna, &mallory);
    anna.rekeys();
    anna.meets(&mut mallory).unwrap();
    let good = anna.key();
    let key = key_before(good.id(), &mut mallory.who);
    let at = next_place(&mallory);
    let boxes = vec![boxed(&at, &key, &anna, &mut mallory.who)];
    let rekey = ControlAct::Rekey(Rekey { key: key.id(), boxes });
    // They name what they know by now: their own removal.
    let seen = anna.at.roster().heads();
    let head = mallory.at.head(mallory.journal()).unwrap();
    let entry = mallory.forges_under(&first, head, &seen, EntryKind::Control, &act_to_bytes(&rekey));
    anna.takes(&mut mallory, &[entry]).unwrap();
    held(anna.key() == good, "Anna seals under a removed member's key")
}

fn different_keys() -> Outcome {
    let [mut anna, mut carla, mut mallory] = three(40);
    let (one, other) = (
        GroupKey::generate(&mut mallory.who.rng),
        GroupKey::generate(&mut mallory.who.rng),
    );
    let at = next_place(&mallory);
    let boxes = vec![
        boxed(&at, &one, &anna, &mut mallory.who),
        boxed(&at, &other, &carla, &mut mallory.who),
    ];
    let rekey = mallory.forges_act(&[], &ControlAct::Rekey(Rekey { key: one.id(), boxes }));
    anna.takes(&mut mallory, std::slice::from_ref(&rekey)).unwrap();
    carla.meets(&mut anna).unwrap();
    assert!(anna.at.keys().get(one.id()).is_some());
    held(
        carla.at.keys().get(other.id()).is_none(),
        "Carla takes another key than Anna from one entry",
    )
}

/// A box that holds a key under another one's name: sealed as a box of that name is.
fn mislabelled(at: &BoxPlace, name: KeyId, key: &GroupKey, whom: &One, by: &mut Neighbour) -> BoxedKey {
    let recipient = whom.who.me.box_key;
    let info = encode(&(
        "kiez 1 entry box",
        at.group,
        name,
        at.journal,
        at.number,
        recipient,
    ));
    let public = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&recipient.0).unwrap();
    let (encapsulated, sealed) = hpke::single_shot_seal_with_rng::<
        ChaCha20Poly1305,
        HkdfSha256,
        X25519HkdfSha256,
    >(&OpModeS::Base, &public, &info, key.as_bytes(), &[], &mut by.rng)
    .unwrap();
    BoxedKey {
        enrolment: whom.membership(whom.person()),
        key: name,
        encapsulated: encapsulated.to_bytes().into(),
        sealed: SealedKey(sealed.to_vec().try_into().unwrap()),
    }
}

fn wrong_key_id() -> Outcome {
    let [_, mut carla, mut mallory] = three(50);
    let (named, other) = (
        GroupKey::generate(&mut mallory.who.rng),
        GroupKey::generate(&mut mallory.who.rng),
    );
    let at = next_place(&mallory);
    let boxes = vec![mislabelled(&at, named.id(), &other, &carla, &mut mallory.who)];
    let rekey = mallory.forges_act(
        &[],
        &ControlAct::Rekey(Rekey {
            key: named.id(),
            boxes,
        }),
    );
    carla.takes(&mut mallory, &[rekey]).unwrap();
    held(
        carla.at.keys().get(other.id()).is_none(),
        "Carla takes a key that no entry names",
    )
}

fn box_moved() -> Outcome {
    let [mut anna, mut carla, mut mallory] = three(60);
    let first = mallory.key();
    let dora = anna.lets_in(69);
    remove(&mut anna, &dora);
    anna.rekeys();
    anna.meets(&mut mallory).unwrap();
    let second = mallory.key();
    let hers = mallory.membership(carla.person());
    let acts = mallory.at.roster().key_acts();
    let boxes = acts.filter_map(|(_, act)| match act {
        ControlAct::Rekey(rekey) => Some(rekey.boxes.clone()),
        _ => None,
    });
    let moved: Vec<BoxedKey> = boxes.flatten().filter(|boxed| boxed.enrolment == hers).collect();
    let head = mallory.at.head(mallory.journal()).unwrap();
    // Something under the new key, so that Carla looks for it; and the box, where it was not made for.
    let idea = idea_of(mallory.journal(), "under the new key");
    let one = mallory.forges_under(&second, head, &[], EntryKind::Content, &idea);
    let after = (one.header.number, one.id);
    let keys = act_to_bytes(&ControlAct::Keys(Keys { boxes: moved }));
    let two = mallory.forges_under(&first, after, &[], EntryKind::Control, &keys);
    assert!(carla.gets(&[one, two]));
    held(
        carla.at.keys().get(second.id()).is_none(),
        "a box opens where Mallory put it",
    )
}

fn rekey_under_junk() -> Outcome {
    let [mut anna, mut carla, mut mallory] = three(70);
    let first = mallory.key();
    let junk = GroupKey::generate(&mut mallory.who.rng);
    let head = mallory.at.head(mallory.journal()).unwrap();
    let idea = idea_of(mallory.journal(), "under junk");
    let one = mallory.forges_under(&junk, head, &[], EntryKind::Content, &idea);
    let after = (one.header.number, one.id);
    let at = place(&mallory, mallory.journal(), after.0.next());
    let boxes = vec![boxed(&at, &junk, &carla, &mut mallory.who)];
    let keys = act_to_bytes(&ControlAct::Keys(Keys { boxes }));
    let two = mallory.forges_under(&first, after, &[], EntryKind::Control, &keys);
    carla.takes(&mut mallory, &[one, two]).unwrap();
    assert!(carla.at.keys().get(junk.id()).is_some(), "it is good for reading");
    remove(&mut anna, &mallory);
    carla.meets(&mut anna).unwrap();
    carla.rekeys();
    carla.adds("of Carla");
    anna.meets(&mut carla).unwrap();
    held(anna.shows("of Carla"), "what Carla writes can be read by nobody")
}

/// Over iroh: it is Anna's program that has to see what Ben lacks.
fn bad_box() -> Outcome {
    let street = Street::new();
    let (ben, mallory) = (street.member("Ben"), street.member("Mallory"));
    for who in [&mallory, &ben, &mallory] {
        street.meets(&who.node);
    }
    let mut random = mallory.random();
    let key = at(&mallory.node, street.group, |replica| {
        let current = replica.keys().current().unwrap().id();
        let key = std::iter::repeat_with(|| GroupKey::generate(&mut random)).find(|key| key.id() < current);
        let key = key.unwrap();
        let journal = replica.own_journal().unwrap();
        let place = BoxPlace {
            group: street.group,
            journal,
            number: replica.head(journal).unwrap().0.next(),
        };
        let mut boxed = |whom: &Laptop| {
            let enrolment = replica.roster().membership(whom.person()).unwrap();
            seal_boxed(&place, &key, enrolment, whom.node.me().box_key, &mut random).unwrap()
        };
        // Anna's is good; Ben's does not open.
        let bad = BoxedKey {
            encapsulated: [9; 32],
            ..boxed(&ben)
        };
        let boxes = vec![boxed(&street.anna), bad];
        replica
            .write_act(ControlAct::Rekey(Rekey { key: key.id(), boxes }))
            .unwrap();
        key
    });
    street.meets(&mallory.node);
    street.anna(|replica| {
        assert_eq!(
            replica.keys().current().unwrap().id(),
            key.id(),
            "Anna seals under it"
        );
        replica
            .add_idea(&idea("of Anna"), NOW, &mut mallory.random())
            .unwrap();
    });
    // Ben gets the idea; when they meet next Anna sees that he cannot read it.
    street.meets(&ben.node);
    street.meets(&ben.node);
    let read = at(&ben.node, street.group, |replica| replica.ideas().unwrap());
    held(
        read.iter().any(|idea| idea.title == "of Anna"),
        "Anna writes under a key that Ben is never given",
    )
}

fn bundle_shows() -> Outcome {
    let [mut anna, _, mut mallory] = three(80);
    remove(&mut anna, &mallory);
    anna.rekeys();
    let about = anna.adds("bench");
    let text = "x".repeat(60_000);
    // More than goes as entries.
    for _ in 0..40 {
        anna.at.comment(about, &text, NOW, &mut anna.who.rng).unwrap();
    }
    let new = anna.key().id();
    // Mallory's software takes a bundle only where all that is not under their keys is in it as it is.
    let Ok((.., said)) = talk(&mut anna, &mut mallory) else {
        return held(false, "the bundle holds it in the clear");
    };
    let mut whole = Vec::new();
    for frame in said {
        if let Frame::BundlePart { bytes, .. } = frame {
            whole.extend(bytes.0);
        }
    }
    let read = bundle::read(&whole, mallory.at.keys()).unwrap();
    let under: Vec<_> = read
        .entries
        .iter()
        .filter(|item| item.entry.header.key == new)
        .collect();
    assert!(under.len() > 40);
    held(
        under.iter().all(|item| item.payload.is_none()),
        "the bundle holds it in the clear",
    )
}
