//! A new device: how many bytes it is sent, and how long until all of it is verified and durable.

use std::collections::BTreeMap;
use std::io::Write as _;

use automerge::{Automerge, Change};
use kiez_core::domain::document::DocumentId;
use kiez_core::host::keystore::Home;
use kiez_core::host::store::Store;
use kiez_core::replica::bundle::{self, Compression};
use kiez_core::replica::content::Content;
use kiez_core::replica::document::genesis;
use kiez_core::replica::entry::EntryKind;
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::keys::GroupKey;
use kiez_core::replica::storage::{Held, JournalRow, Standing, Storage, Write};
use kiez_tests::year::Year;

use kiez_tests::year::profile::{load, new_profile};

use super::profiles::Place;
use super::table::Table;
use super::{RUNS, median, milliseconds, timed};

/// A floor: all raw changes in one stream, compressed by zstd at level 19 (with the window that a bundle has), and 16
/// bytes for each entry.
fn zstd_19_and_16_bytes_an_entry(raw: &[Vec<u8>], entries: usize) -> usize {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 19).unwrap();
    encoder.long_distance_matching(true).unwrap();
    encoder.window_log(27).unwrap();
    for change in raw {
        encoder.write_all(change).unwrap();
    }
    encoder.finish().unwrap().len() + 16 * entries
}

/// A floor: every document is replayed from its raw changes in one call, without any check; then the same rows that the
/// candidate stores are stored in the same kind of store, in one transaction.
fn unverified_replay_made_durable(plain: &Plain, store: &Store) {
    let heads = replay(&plain.changes);
    assert!(heads > 0);
    let mut storage = store.group(None);
    storage.commit(plain.group, plain.writes.clone()).unwrap();
}

fn replay(changes: &BTreeMap<DocumentId, Vec<Vec<u8>>>) -> usize {
    let mut heads = 0;
    for (id, raw) in changes {
        let parsed = raw.iter().map(|raw| Change::from_bytes(raw.clone()).unwrap());
        let mut document = Automerge::new();
        document
            .apply_changes(std::iter::once(genesis(id.kind())).chain(parsed))
            .unwrap();
        heads += document.get_heads().len();
    }
    heads
}

/// What is in the year, without anything that proves it.
struct Plain {
    group: kiez_core::domain::id::GroupId,
    /// The raw changes of each document.
    changes: BTreeMap<DocumentId, Vec<Vec<u8>>>,
    /// All raw changes in the order of the bundle.
    stream: Vec<Vec<u8>>,
    writes: Vec<Write>,
    entries: usize,
}

impl Plain {
    fn of(year: &Year) -> Self {
        let read = bundle::read(&year.whole, &year.keys()).unwrap();
        let mut plain = Self {
            group: year.group,
            changes: BTreeMap::new(),
            stream: Vec::new(),
            writes: vec![Write::Key(GroupKey::from_bytes(year.key))],
            entries: read.entries.len(),
        };
        let mut journals: BTreeMap<_, JournalRow> = BTreeMap::new();
        for (order, item) in (1..).zip(read.entries) {
            let header = &item.entry.header;
            let mut document = None;
            if header.kind == EntryKind::Content {
                let content = Content::from_bytes(&item.payload.unwrap()).unwrap();
                document = Some(content.document);
                for change in content.changes {
                    plain.stream.push(change.0.clone());
                    plain.changes.entry(content.document).or_default().push(change.0);
                }
            }
            let row = JournalRow {
                id: header.journal,
                head: (header.number, item.entry.id),
                ended: None,
                seen: header.seen.iter().copied().collect(),
            };
            journals.insert(header.journal, row);
            plain.writes.push(Write::Entry(Box::new(Held {
                standing: Standing::Applied(order),
                document,
                changes: u32::from(document.is_some()),
                seen: header.seen.iter().copied().collect(),
                entry: item.entry,
            })));
        }
        plain.writes.extend(journals.into_values().map(Write::Journal));
        plain
    }
}

pub fn measure(year: &Year, place: &Place, table: &mut Table) {
    let plain = Plain::of(year);
    let floor_bytes = zstd_19_and_16_bytes_an_entry(&plain.stream, plain.entries);
    let raw: usize = plain.stream.iter().map(Vec::len).sum();
    let mut small = 0;
    let mut runs = Vec::new();
    for run in 0..RUNS {
        let store = |name: &str| {
            let unlocked = new_profile(&Home::at(place.path(&format!("{name}-{run}"))), &year.quiet);
            (Store::open(&unlocked).unwrap(), unlocked)
        };
        let (floor_store, _floor_profile) = store("floor");
        let (floor, ()) = timed(|| unverified_replay_made_durable(&plain, &floor_store));
        let (replayed, _) = timed(|| replay(&plain.changes));
        let (new_store, _new_profile) = store("new");
        let (new, replica) = timed(|| load(&new_store, year, &year.whole));
        assert_eq!(replica.census().unwrap().applied.len(), plain.entries);
        if run == 0 {
            small = replica
                .bundle(&Frontier::new(), Compression::Small)
                .unwrap()
                .len();
        }
        runs.push((
            new.as_secs_f64() / floor.as_secs_f64(),
            milliseconds(new),
            milliseconds(floor),
            milliseconds(replayed),
        ));
    }
    table.ratio(
        "bytes to a new device / zstd-19 of raw changes + 16 an entry",
        year.whole.len() as f64 / floor_bytes as f64,
        1.1,
        vec![
            format!(
                "{} bytes; floor {floor_bytes}; {} entries, raw changes {raw} bytes",
                year.whole.len(),
                plain.entries
            ),
            format!("as a file (`kiez export`, level 19): {small} bytes"),
        ],
    );
    let ratio = median(runs.iter().map(|run| run.0).collect());
    let (_, new, floor, replayed) = median(runs);
    table.ratio(
        "a new device verified and durable / unverified replay, durable",
        ratio,
        2.5,
        vec![format!(
            "{new:.0} ms; floor {floor:.0} ms, of which the replay alone {replayed:.0} ms"
        )],
    );
}
