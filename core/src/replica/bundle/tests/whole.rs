//! What is written comes back.

use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

use crate::domain::id::{EntryId, GroupId, JournalId};
use crate::replica::bundle::{
    BundleEntry, BundleError, Compression, HEAD_BYTES, file_bytes, find_key, read, write,
};
use crate::replica::content::Content;
use crate::replica::entry::{Entry, EntryKind};
use crate::replica::keys::{GroupKey, KeyRing};
use crate::replica::limits::PAYLOAD_BYTES_MAX;

use super::world::{Plain, World};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_bundle_reads_back_whole_and_after_a_frontier(
        seed in any::<u64>(),
        journals in 1_usize..6,
        acts in 0_usize..60,
        skip in 0_usize..40,
        small in any::<bool>(),
    ) {
        let world = World::lively(seed, journals, acts);
        let level = if small { Compression::Small } else { Compression::Fast };
        for from in [0, skip.min(world.entries.len())] {
            let entries = &world.entries[from..];
            let file = write(world.group, entries.to_vec(), &world.keys(), level).unwrap();
            prop_assert_eq!(file_bytes(&file[..HEAD_BYTES]).unwrap(), file.len());
            let bundle = read(&file, &world.keys()).unwrap();
            prop_assert_eq!(bundle.group, world.group);
            prop_assert_eq!(&bundle.entries, &world.expected(entries));
            // What was read can be carried onward, and gives the same file.
            prop_assert_eq!(write(bundle.group, bundle.entries, &world.keys(), level).unwrap(), file);
        }
    }
}

#[test]
fn changes_by_automerge_are_taken_apart() {
    let mut world = World::new(1, 3);
    for act in 0..30 {
        world.change(act % 3);
    }
    let plain = Plain::of(&world);
    // One founding act stands there as it is, and no change does.
    assert_eq!(plain.lanes.plain, b"found");
    assert!(plain.lanes.sealed.is_empty());
    // Hashes are named only where the change they name is not in the bundle.
    assert!(plain.lanes.hashes.len() <= 32 * 30);
}

/// The measurement on a whole year is `examples/bundle_size.rs`; this only holds that nothing falls back unnoticed.
#[test]
fn a_bundle_is_smaller_than_the_changes_alone_under_the_same_compression() {
    let mut world = World::new(13, 5);
    for act in 0..300 {
        world.change(act % 5);
    }
    let raw: Vec<u8> = world
        .entries
        .iter()
        .filter_map(|item| Content::from_bytes(&item.entry.open(&world.key).unwrap()).ok())
        .flat_map(|content| content.changes)
        .flat_map(|change| change.0)
        .collect();
    let baseline = zstd::bulk::compress(&raw, 19).unwrap().len();
    let file = write(
        world.group,
        world.entries.clone(),
        &world.keys(),
        Compression::Small,
    )
    .unwrap();
    assert!(file.len() * 10 < baseline * 8, "{} of {baseline}", file.len());
}

#[test]
fn a_key_is_found_by_who_holds_it_and_a_stranger_sees_no_two_files_of_one_group() {
    let world = World::lively(2, 2, 5);
    let file = world.write();
    let stranger = GroupKey::from_bytes([1; 32]);
    let found = |keys: &[&GroupKey]| find_key(&file[..HEAD_BYTES], keys.iter().copied());
    assert_eq!(found(&[&stranger, &world.key]), Ok(Some(world.key.id())));
    assert_eq!(found(&[&stranger]), Ok(None));
    let mut keys = KeyRing::default();
    keys.insert(stranger);
    assert_eq!(read(&file, &keys), Err(BundleError::NoKey));

    let less = write(
        world.group,
        world.entries[..1].to_vec(),
        &world.keys(),
        Compression::Fast,
    )
    .unwrap();
    // Magic, version, length; then nothing alike.
    assert_eq!(less[..9], file[..9]);
    assert!(
        less[17..HEAD_BYTES]
            .windows(8)
            .all(|part| !file.windows(8).any(|other| other == part))
    );
}

#[test]
fn very_regular_data_is_carried_too() {
    let mut world = World::new(3, 1);
    for _ in 0..3 {
        world.control(0, &vec![0; PAYLOAD_BYTES_MAX]);
    }
    let file = world.write();
    assert!(file.len() < 100_000, "{}", file.len());
    let bundle = read(&file, &world.keys()).unwrap();
    assert_eq!(bundle.entries, world.expected(&world.entries));
}

#[test]
fn nothing_is_a_bundle_too() {
    let world = World::new(4, 1);
    let file = write(world.group, [], &world.keys(), Compression::Small).unwrap();
    assert_eq!(read(&file, &world.keys()).unwrap().entries, []);
}

#[test]
fn what_cannot_be_read_again_is_not_written() {
    let world = World::lively(5, 3, 20);
    let try_write = |entries: Vec<BundleEntry>| write(world.group, entries, &world.keys(), Compression::Fast);
    let all = &world.entries;
    let journal = all[0].entry.header.journal;

    let mut unsigned = all.clone();
    for item in &mut unsigned {
        item.entry.signature = None;
    }
    assert!(matches!(try_write(unsigned), Err(BundleError::Unsigned { .. })));

    let mut forged = all.clone();
    for item in &mut forged {
        item.entry.signature = all[0].entry.signature;
    }
    assert!(matches!(try_write(forged), Err(BundleError::Signature { .. })));
    // Neither what the id says nor to be recomputed.
    let mut renamed = all[..1].to_vec();
    renamed[0].entry.id = EntryId(world.group.0);
    renamed[0].entry.nonce[0] ^= 1;
    assert!(matches!(try_write(renamed), Err(BundleError::Chain { .. })));

    let twice = vec![all[0].clone(), all[0].clone()];
    assert_eq!(try_write(twice), Err(BundleError::Chain { journal, number: 1 }));
    let mut gap: Vec<_> = all
        .iter()
        .filter(|item| item.entry.header.journal == journal)
        .cloned()
        .collect();
    gap.remove(1);
    assert_eq!(try_write(gap), Err(BundleError::Chain { journal, number: 3 }));

    let foreign = write(GroupId([1; 32]), all.clone(), &world.keys(), Compression::Fast);
    assert!(matches!(foreign, Err(BundleError::OtherGroup { .. })));
    let keyless = write(world.group, all.clone(), &KeyRing::default(), Compression::Fast);
    assert_eq!(keyless, Err(BundleError::NoKeyToSeal));

    let mut impossible = all[..1].to_vec();
    impossible[0].entry.header.prev = EntryId([1; 32]);
    assert!(matches!(try_write(impossible), Err(BundleError::Entry { .. })));
}

#[test]
fn an_entry_before_what_it_has_seen_is_not_written() {
    let mut world = World::new(6, 2);
    let founding = world.entries[0].entry.id;
    let mut header = world.header(1, EntryKind::Control, 2);
    header.seen = vec![founding];
    let entry = Entry::seal(header, b"hi", &world.key).unwrap();
    world.add(1, entry, None);
    world.entries.swap(0, 1);
    let written = write(
        world.group,
        world.entries.clone(),
        &world.keys(),
        Compression::Fast,
    );
    assert!(
        matches!(written, Err(BundleError::Order { number: 1, .. })),
        "{written:?}"
    );
}

/// The numbers of the entries of a journal that come back signed: where it ends, and where it is divided.
fn signed(world: &World, who: usize) -> Vec<u64> {
    let journal = JournalId(world.journals[who].key.verifying_key().to_bytes());
    let bundle = read(&world.write(), &world.keys()).unwrap();
    let all = bundle.entries.into_iter().map(|item| item.entry);
    let signed = all.filter(|entry| entry.header.journal == journal && entry.signature.is_some());
    signed.map(|entry| entry.header.number.0).collect()
}

#[test]
fn a_journal_is_divided_before_what_has_seen_something_that_hangs_on_a_bare_entry() {
    let mut world = World::new(7, 2);
    world.plain(1, EntryKind::Content, &[]);
    world.plain(0, EntryKind::Content, &[]);
    let bare = world.entries.last_mut().unwrap();
    bare.entry = bare.entry.clone().without_payload();
    bare.payload = None;
    let after = world.plain(0, EntryKind::Control, &[]);
    world.plain(1, EntryKind::Content, &[]);
    world.plain(1, EntryKind::Content, &[after]);
    world.plain(1, EntryKind::Content, &[]);
    assert_eq!(signed(&world, 0), [1, 3], "before the bare one, and the end");
    assert_eq!(
        signed(&world, 1),
        [2, 4],
        "before what has seen what hangs on it, and the end"
    );
}

#[test]
fn one_journal_is_not_divided_without_end() {
    let mut world = World::new(8, 1);
    for number in 0..100 {
        world.plain(0, EntryKind::Content, &[]);
        if number % 2 == 0 {
            let bare = world.entries.last_mut().unwrap();
            bare.entry = bare.entry.clone().without_payload();
            bare.payload = None;
        }
    }
    assert_eq!(signed(&world, 0).len(), 16 + 1);
}
