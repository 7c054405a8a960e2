//! A disk that is full when something is to be written: what was told no must be as if it had not been tried.

use ed25519_dalek::SigningKey;
use kiez_core::domain::charter::Charter;
use kiez_core::domain::control::{ControlAct, Device, Enrol};
use kiez_core::domain::id::{PersonId, Timestamp};
use kiez_core::domain::proposal::Draft;
use kiez_core::replica::actions::ActionError;
use kiez_core::replica::bundle::Compression;
use kiez_core::replica::control::{enrol_bytes, sign};
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::hold::{Me, Replica};
use kiez_core::replica::keys::BoxSecret;
use kiez_core::replica::memory::MemoryStorage;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

fn device(person: &SigningKey, rng: &mut ChaCha20Rng) -> Me {
    Me {
        person: PersonId(person.verifying_key().to_bytes()),
        device: SigningKey::generate(rng),
        box_key: BoxSecret::generate(rng).public(),
    }
}

#[test]
fn a_journal_that_could_not_be_stored_has_not_begun() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let person = SigningKey::generate(&mut rng);
    let (first, second) = (device(&person, &mut rng), device(&person, &mut rng));
    let mut a = Replica::found(
        MemoryStorage::default(),
        &first,
        &person,
        Charter::circle(),
        &mut rng,
    )
    .unwrap();
    let enrolled = Device {
        person: second.person,
        device: second.device_id(),
        box_key: second.box_key,
    };
    let membership = a.roster().membership(first.person).unwrap();
    let message = enrol_bytes(a.group(), membership, &enrolled, &[0; 16]);
    a.write_act(ControlAct::Enrol(Enrol {
        membership,
        enrolled,
        nonce: [0; 16],
        person_signature: sign(&person, &message),
    }))
    .unwrap();
    let bundle = a.bundle(&Frontier::new(), Compression::Fast).unwrap();
    let keys = a.keys().iter().cloned().collect();
    let mut b = Replica::from_bundle(MemoryStorage::default(), a.group(), keys, &bundle).unwrap();

    b.storage_mut().set_full(true);
    assert!(b.open_journal(&second, &mut rng).is_err());
    assert_eq!(b.own_journal(), None);
    assert_eq!(
        b.frontier(),
        a.frontier(),
        "it must not tell others of what it has not stored"
    );

    b.storage_mut().set_full(false);
    let journal = b.open_journal(&second, &mut rng).unwrap();
    assert_eq!(b.own_journal(), Some(journal));
}

#[test]
fn of_an_action_of_several_entries_all_are_stored_or_none() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let person = SigningKey::generate(&mut rng);
    let me = device(&person, &mut rng);
    let storage = MemoryStorage::default();
    let mut a = Replica::found(storage, &me, &person, Charter::circle(), &mut rng).unwrap();
    let draft = Draft {
        title: "Benches".to_owned(),
        ..Draft::default()
    };
    let mut twice = |a: &mut Replica<MemoryStorage>, name: &str| {
        a.at_once(|a| {
            a.add_idea(&draft, Timestamp(1), &mut rng)?;
            a.set_profile_name("Anna", Timestamp(1))?;
            a.set_profile_name(name, Timestamp(1))?;
            // More documents than stay open.
            for _ in 0..100 {
                a.add_idea(&draft, Timestamp(1), &mut rng)?;
            }
            Ok::<_, ActionError>(())
        })
    };
    let before = (a.frontier(), a.digest().unwrap());
    a.storage_mut().set_full(true);
    assert!(twice(&mut a, "Anna B").is_err());
    assert_eq!((a.frontier(), a.digest().unwrap()), before);
    a.storage_mut().set_full(false);
    // The third does not fit.
    assert!(twice(&mut a, "").is_err());
    assert_eq!((a.frontier(), a.digest().unwrap()), before);

    twice(&mut a, "Anna B").unwrap();
    let mut again = Replica::open(a.storage().clone()).unwrap();
    assert_eq!(again.ideas().unwrap().len(), 101);
    assert_eq!(again.name_of(me.person).unwrap().as_deref(), Some("Anna B"));
    assert_eq!(again.digest().unwrap(), a.digest().unwrap());
}
