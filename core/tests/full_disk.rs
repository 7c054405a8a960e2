//! A disk that is full when something is to be written: what was told no must be as if it had not been tried.

use ed25519_dalek::SigningKey;
use kiez_core::domain::charter::Charter;
use kiez_core::domain::control::{ControlAct, Device, Enrol};
use kiez_core::domain::id::PersonId;
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
