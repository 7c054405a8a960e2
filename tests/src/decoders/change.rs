//! Single changes through the gate: their bytes under a right checksum, and their columns under a right head.

use automerge::{Change, ReadDoc};
use kiez_core::domain::document::DocumentKind;
use kiez_core::domain::id::JournalId;
use kiez_core::replica::gate::{DocumentPast, change_deps, change_id};
use sha2::{Digest, Sha256};

use super::gated::{Gated, heads_of};
use super::input::Input;
use super::world::{held, journal_of_place};

/// The columns of a change's operations, by the number that names them.
const COLUMNS: [u8; 14] = [
    0x01, 0x02, 0x11, 0x13, 0x15, 0x34, 0x42, 0x56, 0x57, 0x70, 0x71, 0x73, 0x94, 0xa5,
];

/// A whole change, to a document that holds the changes before it: the kind, how many of them, the author, the bytes.
/// Where the author's highest bit is set, they are the contents of a chunk, and its head is made here.
pub(super) fn sealed(bytes: &[u8]) {
    let mut input = Input(bytes);
    let kind = kind_of(input.byte());
    let (before, author) = (input.byte(), input.byte());
    let raw = if author & 0x80 == 0 {
        input.0.to_vec()
    } else {
        chunk_of(input.0)
    };
    let author = journal_of_place(author & 0x7f);
    if let Ok(id) = change_id(&raw) {
        assert!(change_deps(&raw).is_ok_and(|deps| !deps.contains(&id)));
    }
    let mut gated = Gated::of(kind);
    if before > 0 {
        gated = gated.reduced_to(usize::from(before));
    }
    if gated.offer(author, &raw) == Ok(true) {
        gated.assert_sound();
    }
}

/// Changes whose columns are the bytes and whose heads fit: the kind; then of each the author, who else is named, which
/// columns there are, and each with its length.
pub(super) fn columns(bytes: &[u8]) {
    let mut input = Input(bytes);
    let mut gated = Gated::of(kind_of(input.byte()));
    let mut passed = false;
    for _ in 0..6 {
        if input.is_empty() {
            break;
        }
        let flags = input.byte();
        let author = journal_of_place(flags & 3);
        let raw = draft(&gated, author, flags, &mut input);
        passed |= gated.offer(author, &raw) == Ok(true);
    }
    if passed {
        gated.assert_sound();
    }
}

impl Gated {
    /// The same document when it had only the genesis and so many changes less one.
    fn reduced_to(self, changes: usize) -> Self {
        let all = &held()
            .documents
            .get(&self.document.kind())
            .expect("it is there")
            .changes;
        let kept = all.get(..changes.min(all.len())).unwrap_or(all);
        let mut reduced = Self {
            id: self.id,
            doc: automerge::Automerge::new_with_encoding(kiez_core::replica::document::TEXT_ENCODING),
            past: DocumentPast::from_changes(kept),
            document: kiez_core::replica::document::Document::new(self.document.kind()),
            first: vec![],
        };
        reduced
            .doc
            .apply_changes(kept.to_vec())
            .expect("the fixture's changes apply");
        let admitted: Vec<Change> = kept.iter().skip(1).cloned().collect();
        reduced.first = reduced.doc.get_heads();
        reduced
            .document
            .apply(admitted)
            .expect("the fixture's changes apply");
        reduced
    }
}

fn kind_of(byte: u8) -> DocumentKind {
    let place = usize::from(byte) % DocumentKind::ALL.len();
    *DocumentKind::ALL.get(place).unwrap_or(&DocumentKind::Group)
}

/// A change on the present heads: number, first operation and dependencies are right, unless a flag says otherwise.
fn draft(gated: &Gated, author: JournalId, flags: u8, input: &mut Input<'_>) -> Vec<u8> {
    let heads = heads_of(&gated.doc);
    let greatest = heads
        .iter()
        .filter_map(|head| gated.doc.get_change_by_hash(head))
        .map(|change| change.max_op())
        .max();
    let own = gated.document.sequence_of(author);
    let mut deps = heads;
    // The gate asks for the author's own last change by name.
    let last = gated.document.changes().into_iter().rev();
    let last = last.map(|change| (change.actor_id().to_bytes() == author.0, change.hash()));
    if let Some((_, hash)) = last.into_iter().find(|(is_own, _)| *is_own)
        && !deps.contains(&hash)
    {
        deps.push(hash);
        deps.sort_unstable();
    }
    let mut body = Vec::new();
    put(&mut body, deps.len() as u64);
    deps.iter().for_each(|dep| body.extend(dep.0));
    put_sized(&mut body, &author.0);
    let odd = |bit: u8| u64::from(flags >> bit & 1);
    put(&mut body, own.saturating_add(1).saturating_add(odd(6)));
    put(
        &mut body,
        greatest.unwrap_or(0).saturating_add(1).saturating_add(odd(7)),
    );
    put(&mut body, 0);
    put(&mut body, 0);
    let mut others: Vec<Vec<u8>> = vec![vec![0; 16]];
    others.extend((0..3).map(journal_of_place).map(|journal| journal.0.to_vec()));
    let named = input.byte();
    let mut others: Vec<Vec<u8>> = (0..4)
        .zip(others)
        .filter(|(bit, other)| named >> bit & 1 == 1 && *other != author.0)
        .map(|(_, other)| other)
        .collect();
    others.sort();
    put(&mut body, others.len() as u64);
    others.iter().for_each(|other| put_sized(&mut body, other));
    let present = input.short();
    let columns: Vec<(u8, &[u8])> = (0..14)
        .zip(COLUMNS)
        .filter(|(bit, _)| present >> bit & 1 == 1)
        .map(|(_, column)| (column, input.sized()))
        .collect();
    put(&mut body, columns.len() as u64);
    for (column, bytes) in &columns {
        put(&mut body, u64::from(*column));
        put(&mut body, bytes.len() as u64);
    }
    columns
        .iter()
        .for_each(|(_, bytes)| body.extend_from_slice(bytes));
    chunk_of(&body)
}

/// A plain change chunk around these contents.
fn chunk_of(body: &[u8]) -> Vec<u8> {
    let mut inner = vec![1];
    put_sized(&mut inner, body);
    let hash = Sha256::digest(&inner);
    let checksum = hash.iter().take(4).copied();
    [0x85, 0x6f, 0x4a, 0x83]
        .into_iter()
        .chain(checksum)
        .chain(inner)
        .collect()
}

fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// An unsigned number in LEB128.
fn put(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
