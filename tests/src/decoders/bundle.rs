//! Bundles: the file, what is compressed in it, and what the writer makes of payloads that others wrote.

use std::collections::BTreeMap;

use kiez_core::domain::id::{EntryId, EntryNumber, JournalId};
use kiez_core::replica::bundle::{self, BundleEntry, Compression};
use kiez_core::replica::entry::{Entry, EntryKind, Header};

use super::input::Input;
use super::seal::file_of;
use super::world::{group_key, held, signing};

/// A file; or, where the first byte says so, a container in a file that is sealed as it should be.
pub(super) fn file(bytes: &[u8]) {
    let mut input = Input(bytes);
    let is_sealed = input.byte() & 1 == 1;
    let file = if is_sealed {
        file_of(input.0, &group_key())
    } else {
        input.0.to_vec()
    };
    let keys = &held().keys;
    let found = bundle::find_key(&file, keys.iter());
    let length = bundle::file_bytes(&file);
    if is_sealed && !input.is_empty() {
        assert_eq!(found, Ok(Some(group_key().id())), "the key is found");
        assert_eq!(length, Ok(file.len()), "the length is told");
    }
    read(&file);
}

/// The plain bytes, compressed and sealed as they should be.
pub(super) fn plain(bytes: &[u8]) {
    let container = zstd::bulk::compress(bytes, 1).expect("anything can be compressed");
    read(&file_of(&container, &group_key()));
}

fn read(file: &[u8]) {
    let Ok(read) = bundle::read(file, &held().keys) else {
        return;
    };
    let again = bundle::write(read.group, read.entries.clone(), &held().keys, Compression::Fast);
    let again = again.expect("what was read can be carried on");
    assert_eq!(bundle::read(&again, &held().keys).as_ref(), Ok(&read));
}

/// Entries whose payloads are the bytes: whatever members wrote, a bundle brings it as it is.
pub(super) fn written(bytes: &[u8]) {
    let mut input = Input(bytes);
    let mut heads: BTreeMap<JournalId, (EntryNumber, EntryId)> = BTreeMap::new();
    let mut controls: Vec<EntryId> = vec![EntryId([7; 32])];
    let mut entries: Vec<BundleEntry> = Vec::new();
    while !input.is_empty() && entries.len() < 16 {
        let flags = input.byte();
        let journal = signing(1 + (flags & 1));
        let id = JournalId(journal.verifying_key().to_bytes());
        let outside = (EntryNumber(u64::from(flags >> 4)), EntryId([flags; 32]));
        let (number, prev) = heads.get(&id).copied().unwrap_or(if flags < 16 {
            (EntryNumber(0), EntryId::ZERO)
        } else {
            outside
        });
        let mut seen: Vec<EntryId> = (0..flags >> 1 & 1)
            .filter_map(|_| input.pick(&controls))
            .collect();
        seen.sort_unstable();
        let payload = input.sized();
        let header = Header {
            group: held().group,
            journal: id,
            number: number.next(),
            prev,
            seen,
            kind: if flags & 4 == 0 {
                EntryKind::Content
            } else {
                EntryKind::Control
            },
            key: group_key().id(),
            payload_bytes: u32::try_from(payload.len()).unwrap_or(0),
        };
        let Ok(entry) = Entry::seal(header, payload, &group_key()) else {
            continue;
        };
        heads.insert(id, (entry.header.number, entry.id));
        if entry.header.kind == EntryKind::Control {
            controls.push(entry.id);
        }
        entries.push(BundleEntry {
            entry: entry.signed(&journal),
            payload: (flags & 8 == 0).then(|| payload.to_vec()),
        });
    }
    let file = bundle::write(held().group, entries.clone(), &held().keys, Compression::Fast);
    let read = bundle::read(&file.expect("sound entries are written"), &held().keys);
    let read = read.expect("what was written is read");
    let ids =
        |entries: &[BundleEntry]| -> Vec<EntryId> { entries.iter().map(|item| item.entry.id).collect() };
    assert_eq!(
        ids(&read.entries),
        ids(&entries),
        "the same entries in the same order"
    );
    for (read, item) in read.entries.iter().zip(&entries) {
        assert_eq!(
            read.payload,
            item.entry.open(&group_key()).ok(),
            "the same payloads"
        );
    }
}
