//! Coming in is whole or nothing: what cannot be taken in leaves no group behind that is in the way of the next attempt.

use ed25519_dalek::SigningKey;
use kiez_core::domain::charter::Charter;
use kiez_core::domain::id::{PersonId, Timestamp};
use kiez_core::host::store::Store;
use kiez_core::replica::bundle::Compression;
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::hold::{Me, Replica};
use kiez_core::replica::keys::BoxSecret;
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
