//! What is damaged is refused, and so is what a member crafted: with the right words, without a panic, in bounded memory.

use ed25519_dalek::SigningKey;
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

use crate::replica::bundle::lanes::{get_i64, get_u64, put_i64, put_u64};
use crate::replica::bundle::{BundleEntry, BundleError, Compression, HEAD_BYTES, find_key, pack, read, seal};
use crate::replica::entry::EntryKind;
use crate::replica::limits::BUNDLE_PLAIN_BYTES_MAX;

use super::world::{Plain, World, read_crafted, read_plain};

#[test]
fn every_truncation_is_called_one() {
    let world = World::lively(1, 2, 6);
    let file = world.write();
    let keys = world.keys();
    assert_eq!(read(&[], &keys), Err(BundleError::NotABundle));
    for length in 1..file.len() {
        let missing = if length < HEAD_BYTES {
            HEAD_BYTES
        } else {
            file.len()
        } - length;
        let missing = missing as u64;
        assert_eq!(
            read(&file[..length], &keys),
            Err(BundleError::Truncated { missing })
        );
    }
    let longer = [&file[..], &[0]].concat();
    assert_eq!(read(&longer, &keys), Err(BundleError::Damaged));
}

#[test]
fn a_file_that_ends_at_a_chunk_is_cut_off_all_the_same() {
    let mut world = World::new(2, 1);
    let mut payload = vec![0; 200_000];
    rand::Rng::fill_bytes(&mut world.rng, &mut payload);
    world.control(0, &payload);
    let file = world.write();
    let chunk = seal::CHUNK_BYTES + 16;
    let cut = HEAD_BYTES + chunk;
    assert!(matches!(
        read(&file[..cut], &world.keys()),
        Err(BundleError::Truncated { .. })
    ));
    // Two chunks in each other's place, and a head that says where the file is cut.
    let mut swapped = file.clone();
    swapped[HEAD_BYTES..HEAD_BYTES + 2 * chunk].rotate_left(chunk);
    assert_eq!(read(&swapped, &world.keys()), Err(BundleError::Damaged));
    let mut shorter = file[..cut].to_vec();
    shorter[9..17].copy_from_slice(&(seal::CHUNK_BYTES as u64).to_le_bytes());
    assert_eq!(read(&shorter, &world.keys()), Err(BundleError::NoKey));
}

#[test]
fn every_flipped_bit_is_seen_and_named() {
    let world = World::lively(3, 2, 4);
    let file = world.write();
    let keys = world.keys();
    for place in 0..file.len() {
        for bit in 0..8 {
            let mut damaged = file.clone();
            damaged[place] ^= 1 << bit;
            let error = read(&damaged, &keys).unwrap_err();
            let right = match place {
                0..8 => error == BundleError::NotABundle,
                8 => matches!(error, BundleError::Newer { .. }),
                // The length: too long, too short, or no longer what the tag was made of.
                9..17 => matches!(
                    error,
                    BundleError::Truncated { .. }
                        | BundleError::TooLarge { .. }
                        | BundleError::Damaged
                        | BundleError::NoKey
                ),
                17..HEAD_BYTES => error == BundleError::NoKey,
                _ => error == BundleError::Damaged,
            };
            assert!(right, "byte {place}, bit {bit}: {error}");
        }
    }
}

#[test]
fn other_files_are_not_bundles() {
    let world = World::new(4, 1);
    for bytes in [&b"PK\x03\x04 a zip"[..], b"\x89PNG\r\n\x1a\n", b"x", &[0; 100]] {
        assert_eq!(read(bytes, &world.keys()), Err(BundleError::NotABundle));
        assert_eq!(
            find_key(bytes, [&world.key].into_iter()),
            Err(BundleError::NotABundle)
        );
    }
    let mut newer = world.write();
    newer[8] = 3;
    assert_eq!(
        read(&newer, &world.keys()),
        Err(BundleError::Newer { version: 3 })
    );
    let mut huge = world.write();
    huge[9..17].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(matches!(
        read(&huge, &world.keys()),
        Err(BundleError::TooLarge { .. })
    ));
}

#[test]
fn a_decompression_bomb_is_stopped_at_its_cap() {
    let world = World::new(5, 1);
    let bomb = zstd::bulk::compress(&vec![0; 200 << 20], 1).unwrap();
    assert!(bomb.len() < 50_000, "{}", bomb.len());
    let file = seal::seal(&bomb, &world.key, seal::VERSION).unwrap();
    assert!(matches!(
        read(&file, &world.keys()),
        Err(BundleError::TooLarge { .. })
    ));
    let mut budget = pack::Budget::of(bomb.len());
    assert!(budget.take(BUNDLE_PLAIN_BYTES_MAX).is_err());
    // No frame, a frame with something behind it, and two frames.
    let good = Plain::of(&world).bytes();
    let good = pack::pack(&good, 0, Compression::Fast).unwrap();
    for container in [
        vec![1],
        [&good[..], &[1]].concat(),
        [&good[..], &good].concat(),
        good[..good.len() - 1].to_vec(),
    ] {
        let file = seal::seal(&container, &world.key, seal::VERSION).unwrap();
        assert!(matches!(
            read(&file, &world.keys()),
            Err(BundleError::Malformed { .. })
        ));
    }
}

#[test]
fn small_bytes_that_unpack_to_much_are_stopped() {
    // Two thousand entries that each claim the same 256 seen ones: 16 MB from almost nothing.
    let mut world = World::new(6, 1);
    for _ in 0..400 {
        world.control(0, b"");
    }
    let mut plain = Plain::of(&world);
    plain.lanes.form.clear();
    plain.lanes.form.push(1 << 3);
    plain.lanes.seen.clear();
    for entry in 1..401_u64 {
        plain.lanes.form.push(1 << 4);
        let seen = entry.min(256);
        put_u64(&mut plain.lanes.seen, seen);
        for distance in 1..=seen {
            put_u64(&mut plain.lanes.seen, distance);
        }
    }
    assert!(matches!(
        read_crafted(&world, &plain.bytes()),
        Err(BundleError::TooLarge { .. })
    ));
}

/// Applies a crafting to a sound bundle and reads it.
fn crafted(world: &World, craft: impl FnOnce(&mut Plain)) -> BundleError {
    let mut plain = Plain::of(world);
    assert!(read_crafted(world, &plain.bytes()).is_ok());
    craft(&mut plain);
    read_crafted(world, &plain.bytes()).unwrap_err()
}

#[test]
fn a_member_who_crafts_a_journal_is_refused_and_the_journal_named() {
    let mut world = World::lively(7, 2, 30);
    world.control(0, b"the last act");
    let journal = world.entries[0].entry.header.journal;
    let count = |world: &World, journal| {
        let of = world
            .entries
            .iter()
            .filter(|item| item.entry.header.journal == journal);
        of.count() as u64
    };
    let number = count(&world, journal);
    let wrong = BundleError::Signature { journal, number };

    assert_eq!(crafted(&world, |plain| plain.lanes.signatures[5] ^= 1), wrong);
    // By another key; and a word that was never said.
    let stranger = SigningKey::from_bytes(&[9; 32]);
    let last = world
        .entries
        .iter()
        .rfind(|item| item.entry.header.journal == journal)
        .unwrap();
    let forged = last.entry.clone().signed(&stranger).signature.unwrap();
    assert_eq!(
        crafted(&world, |plain| plain.lanes.signatures[..64]
            .copy_from_slice(&forged.0)),
        wrong
    );
    let said = |plain: &mut Plain| {
        let place = plain
            .lanes
            .plain
            .windows(8)
            .position(|bytes| bytes == b"last act")
            .unwrap();
        plain.lanes.plain[place] ^= 1;
    };
    assert_eq!(crafted(&world, said), wrong);

    // A gap: a later journal begins one further on, or after another entry than it did. Whoever has seen one of its
    // entries may be named instead: their entries change with it.
    let gap = crafted(&world, |plain| plain.lanes.journals[65] = 2);
    assert!(matches!(gap, BundleError::Malformed { .. }), "{gap}");
    let gap = crafted(&world, |plain| {
        plain.lanes.journals[65] = 2;
        plain.lanes.journals.extend_from_slice(&[1; 32]);
    });
    assert!(matches!(gap, BundleError::Signature { .. }), "{gap}");
}

#[test]
fn a_journal_that_stands_there_twice_must_be_signed_twice() {
    let mut world = World::new(8, 2);
    world.control(1, b"other");
    let first = world.entries[0].entry.header.journal;
    let error = crafted(&world, |plain| {
        plain.lanes.journals[33..65].copy_from_slice(&first.0);
    });
    assert!(matches!(error, BundleError::Signature { .. }), "{error}");
}

#[test]
fn what_is_out_of_range_is_refused() {
    let mut world = World::new(9, 3);
    for act in 0..30 {
        world.change(act % 3);
        world.control(act % 3, b"act");
    }
    let world = &world;
    let fail = |what: &str, craft: &dyn Fn(&mut Plain)| {
        let error = crafted(world, craft);
        assert!(
            matches!(
                error,
                BundleError::Malformed { .. } | BundleError::TooLarge { .. }
            ),
            "{what}: {error}"
        );
    };
    fail("journal", &|plain| plain.lanes.journal[0] = 3);
    fail("form", &|plain| plain.lanes.form[0] = 0x20);
    fail("full content", &|plain| plain.lanes.form[1] = 0x07);
    fail("key", &|plain| plain.lanes.key[0] = 1);
    fail("document", &|plain| plain.lanes.document[0] = 1);
    fail("document id", &|plain| plain.lanes.documents[0] = 0x40);
    fail("no changes", &|plain| plain.lanes.changes[0] = 0);
    fail("too many changes", &|plain| plain.lanes.changes[0] = 65);
    fail("too far back", &|plain| plain.lanes.dep[0] = 0x7f);
    fail("no such hash", &|plain| {
        plain.lanes.dep[0] = 0;
        plain.lanes.dep[1] = 0x7f;
    });
    fail("no such actor", &|plain| {
        plain.lanes.others = vec![0x7f; plain.lanes.others.len()];
    });
    fail("nothing seen", &|plain| plain.lanes.seen[0] = 0);
    fail("unknown column", &|plain| {
        let layout = std::mem::take(&mut plain.lanes.layout);
        put_u64(&mut plain.lanes.layout, 1 << 14);
        plain.lanes.layout.extend_from_slice(&layout);
    });
    fail("long column", &|plain| {
        plain.lanes.column_lengths[6] = [0xff, 0xff, 0xff, 0xff, 0x0f].repeat(99);
    });
    fail("more than used", &|plain| plain.lanes.time.push(0));
    fail("unused dictionary", &|plain| {
        plain.lanes.keys.extend_from_slice(&[1; 32]);
    });
    fail("more entries than lanes", &|plain| plain.entries += 1);
    fail("too many entries", &|plain| plain.entries = u64::MAX);
    let fewer = crafted(world, |plain| plain.entries -= 1);
    assert!(matches!(fewer, BundleError::Signature { .. }), "{fewer}");
    assert_eq!(
        crafted(world, |plain| plain.key_entries = 1),
        BundleError::Newer { version: 1 }
    );
    let group = crafted(world, |plain| plain.group.0[0] ^= 1);
    assert!(matches!(group, BundleError::OtherGroup { .. }), "{group}");
    let key = crafted(world, |plain| plain.lanes.keys[0] ^= 1);
    assert!(matches!(key, BundleError::KeyMissing { .. }), "{key}");
}

#[test]
fn an_entry_that_contradicts_itself_is_refused() {
    let mut world = World::new(10, 1);
    world.control(0, b"act");
    // The founding entry once more, further on.
    let error = crafted(&world, |plain| plain.lanes.form[1] |= 1 << 3);
    assert!(matches!(error, BundleError::Entry { number: 2, .. }), "{error}");
    // The same seen twice.
    let error = crafted(&world, |plain| {
        plain.lanes.form[1] |= 1 << 4;
        plain.lanes.seen = vec![2, 1, 1];
    });
    assert!(matches!(error, BundleError::Entry { number: 2, .. }), "{error}");
}

#[test]
fn what_an_entry_has_seen_cannot_follow_it() {
    let mut world = World::new(11, 2);
    let id = world.entries[0].entry.id;
    world.control(1, b"act");
    let error = crafted(&world, |plain| {
        plain.lanes.journal = vec![0, 1];
        plain.lanes.form = vec![1 << 4, 1 << 3];
        plain.lanes.seen = vec![1, 0, 0];
        plain.lanes.hashes = id.0.to_vec();
        plain.lanes.lengths = vec![3, 5];
        plain.lanes.plain = b"actfound".to_vec();
        plain.lanes.journals.rotate_left(33);
        plain.lanes.signatures.rotate_left(64);
    });
    assert!(matches!(error, BundleError::Order { number: 1, .. }), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a member does to the lanes: no panic, and either an error or the very same entries.
    #[test]
    fn crafted_lanes_never_panic_nor_change_what_is_read(
        seed in 0_u64..8,
        crafts in proptest::collection::vec((any::<usize>(), any::<u8>(), 0_u8..3), 1..4),
    ) {
        let world = World::lively(seed, 3, 25);
        let mut plain = Plain::of(&world).bytes();
        for (place, byte, how) in crafts {
            let place = place % plain.len();
            match how {
                0 => plain[place] = byte,
                1 => plain.insert(place, byte),
                _ => { plain.remove(place); }
            }
        }
        if let Ok(bundle) = read_plain(&world, &plain) {
            prop_assert_eq!(bundle.entries, world.expected(&world.entries));
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let world = World::new(1, 1);
        read_plain(&world, &bytes).ok();
        read_crafted(&world, &bytes).ok();
        let mut file = seal::MAGIC.to_vec();
        file.push(seal::VERSION);
        file.extend_from_slice(&bytes);
        read(&file, &world.keys()).ok();
    }

    #[test]
    fn numbers_read_back(unsigned in any::<u64>(), signed in any::<i64>(), small in -200_i64..200) {
        let mut lane = Vec::new();
        put_u64(&mut lane, unsigned);
        put_i64(&mut lane, signed);
        put_i64(&mut lane, small);
        let mut rest = &lane[..];
        prop_assert_eq!(get_u64(&mut rest), Some(unsigned));
        prop_assert_eq!(get_i64(&mut rest), Some(signed));
        prop_assert_eq!(get_i64(&mut rest), Some(small));
        prop_assert_eq!(rest, &[] as &[u8]);
    }
}

#[test]
fn a_kind_is_not_changed_by_its_form() {
    let mut world = World::new(12, 1);
    world.sealed(0, EntryKind::Content, b"no content");
    let error = crafted(&world, |plain| plain.lanes.form[1] ^= 1 << 2);
    assert!(
        matches!(error, BundleError::Signature { number: 2, .. }),
        "{error}"
    );
}

#[test]
fn what_is_left_of_erased_entries_stands_in_bundles_of_version_2_alone() {
    let mut world = World::lively(8, 2, 6);
    let content = |item: &&mut BundleEntry| item.entry.header.kind == EntryKind::Content;
    for item in world.entries.iter_mut().filter(content).step_by(3) {
        item.entry = item.entry.clone().without_payload();
        item.payload = None;
    }
    let file = world.write();
    assert_eq!(file[8], seal::VERSION_ERASED);
    let entries = read(&file, &world.keys()).unwrap().entries;
    assert_eq!(entries, world.expected(&world.entries));
    assert!(entries.iter().any(|item| item.entry.sealed.is_empty()));
    let plain = Plain::of(&world).bytes();
    assert!(matches!(
        read_plain(&world, &plain),
        Err(BundleError::Malformed { .. })
    ));
}
