//! The table of hostile changes: one row a rule, refused by its name. All are made around one small document.

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{Change, ObjType, ROOT, ReadDoc};

use super::encoder::{Draft, Key, Op, body_start, columns, hash, seal, unsigned};
use super::{Gated, assert_sound, genesis, journal};
use crate::domain::id::{ChangeId, JournalId};
use crate::replica::gate::{
    CHANGE_BYTES_MAX, CHANGE_OPS_MAX, Checked, MESSAGE_BYTES_MAX, OP_NUMBER_MAX, Refusal, change_id,
};

/// What the genesis made, as (number, place of its actor "kiez" in the table of a change by others).
const TEXT: (u64, u64) = (1, 1);
const LIST: (u64, u64) = (2, 1);
const MAP: (u64, u64) = (3, 1);
const COUNT: (u64, u64) = (4, 1);

/// A document in which Ada (1) has written "ab" into the text as operations 5 and 6, then deleted the "b" as 7; and
/// Ben (2), not knowing of it, "c" into the list as operation 5.
struct Scene {
    gated: Gated,
    genesis: [u8; 32],
    ada: [u8; 32],
    ben: [u8; 32],
}

fn scene() -> Scene {
    let mut gated = Gated::new();
    let (base, first) = genesis();
    let write = |n: u8, into: &str| {
        let mut doc = base.clone().with_actor(super::actor(n));
        let (_, object) = doc.get(ROOT, into).unwrap().unwrap();
        let mut tx = doc.transaction();
        if into == "text" {
            tx.splice_text(&object, 0, 0, "ab").unwrap();
            tx.splice_text(&object, 1, 1, "").unwrap();
        } else {
            tx.insert(&object, 0, "c").unwrap();
        }
        tx.commit_with(CommitOptions::default().with_time(0));
        doc.get_last_local_change().unwrap()
    };
    let (ada, ben) = (write(1, "text"), write(2, "list"));
    gated.take(journal(1), ada.raw_bytes()).unwrap();
    gated.take(journal(2), ben.raw_bytes()).unwrap();
    Scene {
        gated,
        genesis: first.hash().0,
        ada: ada.hash().0,
        ben: ben.hash().0,
    }
}

/// Ada's second change, on top of her first only: Ben's is concurrent to it.
fn draft(scene: &Scene, ops: &[Op]) -> Draft {
    let names = |op: &Op| {
        let key = if let Key::Element(_, actor) = op.key {
            actor
        } else {
            0
        };
        op.object
            .map_or(0, |id| id.1)
            .max(key)
            .max(op.preds.iter().map(|pred| pred.1).max().unwrap_or(0))
    };
    let others = [b"kiez".to_vec(), journal(2).as_bytes().to_vec()];
    // In the order of the table: "kiez" is 0x6b…, Ben's id begins with 2 × 83 = 0xa6.
    let used = usize::try_from(ops.iter().map(names).max().unwrap_or(0)).unwrap();
    Draft {
        chunk_type: 1,
        deps: vec![scene.ada],
        actor: journal(1).as_bytes().to_vec(),
        seq: 2,
        start_op: 8,
        time: 1_700_000_000,
        message: vec![],
        others: others[..used.min(2)].to_vec(),
        columns: columns(ops),
        extra: vec![],
    }
}

fn put(key: &str) -> Op {
    Op::put(key)
}

fn insert(object: (u64, u64), key: Key) -> Op {
    Op::insert(object, key)
}

fn with(op: Op, change: impl FnOnce(&mut Op)) -> Op {
    let mut op = op;
    change(&mut op);
    op
}

/// The change with one column's bytes replaced, or left out if there are none.
fn column(mut draft: Draft, kind: u32, bytes: &[u8]) -> Draft {
    draft.columns.retain(|(other, _)| *other != kind);
    if !bytes.is_empty() {
        draft.columns.push((kind, bytes.to_vec()));
        draft.columns.sort_by_key(|(kind, _)| *kind);
    }
    draft
}

type Make = fn(&Scene) -> Vec<u8>;

fn head(change: impl FnOnce(&mut Draft), scene: &Scene) -> Vec<u8> {
    let mut draft = draft(scene, &[put("a")]);
    change(&mut draft);
    draft.bytes()
}

fn ops(scene: &Scene, ops: &[Op]) -> Vec<u8> {
    draft(scene, ops).bytes()
}

fn mark(object: (u64, u64), key: Key) -> Op {
    with(insert(object, key), |op| {
        op.action = 7;
        op.mark_name = Some("fett".to_owned());
    })
}

fn mark_end(object: (u64, u64), key: Key) -> Op {
    with(insert(object, key), |op| {
        op.action = 7;
        op.value = (0, vec![]);
    })
}

/// A number in one byte more than it needs.
fn padded(number: u64) -> Vec<u8> {
    let mut bytes = unsigned(number);
    *bytes.last_mut().unwrap() |= 0x80;
    bytes.push(0);
    bytes
}

#[rustfmt::skip]
const CHUNK: &[(&str, Make, Refusal)] = &[
    ("nothing", |_| vec![], Refusal::Truncated),
    ("another magic", |s| with_byte(ops(s, &[put("a")]), 0, 0x86), Refusal::NotAChunk),
    ("a document", |s| s.gated.doc.save(), Refusal::DocumentChunk),
    ("a deflated chunk", |s| { let long = "x".repeat(300); deflated(&ops(s, &[put(&long)])) }, Refusal::DeflatedChunk),
    ("a bundle", |s| s.gated.doc.bundle(s.gated.doc.get_heads()).unwrap().bytes().to_vec(), Refusal::BundleChunk),
    ("a chunk of type 4", |s| seal(4, &draft(s, &[]).body()), Refusal::UnknownChunk),
    ("a wrong checksum", |s| { let raw = ops(s, &[put("a")]); let byte = raw[4] ^ 1; with_byte(raw, 4, byte) }, Refusal::ChecksumWrong),
    ("a byte after the chunk", |s| [ops(s, &[put("a")]), vec![0]].concat(), Refusal::TrailingBytes),
    ("two chunks", |s| ops(s, &[put("a")]).repeat(2), Refusal::TrailingBytes),
    ("over the size", |s| head(|d| d.columns = columns(&[with(put("a"), |op| op.value = ((CHANGE_BYTES_MAX as u64) << 4 | 7, vec![0; CHANGE_BYTES_MAX]))]), s), Refusal::TooLarge),
    ("a length in too many bytes", |s| long_length(&ops(s, &[put("a")])), Refusal::NumberNotCanonical),
    ("a message that is no text", |s| head(|d| d.message = vec![0xff, 0xfe], s), Refusal::TextNotUtf8),
    ("a message over its length", |s| head(|d| d.message = vec![b'm'; MESSAGE_BYTES_MAX + 1], s), Refusal::MessageTooLong),
    ("an author footer", |s| head(|d| d.extra = vec![1, 3, b'A', b'd', b'a'], s), Refusal::ExtraBytes),
    ("extra bytes", |s| head(|d| d.extra = vec![0], s), Refusal::ExtraBytes),
    ("a time beyond range", |s| head(|d| d.time = i64::MAX, s), Refusal::TimeOutOfRange),
    ("a time before range", |s| head(|d| d.time = i64::MIN, s), Refusal::TimeOutOfRange),
    ("too many dependencies", |s| head(|d| d.deps = vec![[9; 32]; 1025], s), Refusal::TooManyDeps),
    ("a dependency twice", |s| head(|d| d.deps = vec![d.deps[0]; 2], s), Refusal::DepsNotSorted),
    ("dependencies unsorted", |s| head(|d| { d.deps = vec![s.ada, s.ben]; d.deps.sort(); d.deps.reverse(); }, s), Refusal::DepsNotSorted),
    ("a foreign actor", |s| head(|d| d.actor = journal(2).as_bytes().to_vec(), s), Refusal::ActorForeign),
    ("an empty actor", |s| head(|d| d.actor = vec![], s), Refusal::ActorForeign),
    ("too many actors", |s| head(|d| d.others = vec![vec![1]; 1025], s), Refusal::TooManyActors),
    ("actors unsorted", |s| head(|d| d.others = vec![vec![2], vec![1]], s), Refusal::ActorsNotSorted),
    ("an actor twice", |s| head(|d| d.others = vec![vec![2], vec![2]], s), Refusal::ActorsNotSorted),
    ("the author among the others", |s| head(|d| d.others = vec![d.actor.clone()], s), Refusal::ActorsNotSorted),
    ("an actor that nothing names", |s| head(|d| d.others = vec![b"kiez".to_vec()], s), Refusal::ActorUnused),
];

#[rustfmt::skip]
const COLUMNS: &[(&str, Make, Refusal)] = &[
    ("an unknown column", |s| column(draft(s, &[put("a")]), 0xb4, &[1]).bytes(), Refusal::ColumnUnknown),
    ("a known column of another type", |s| column(draft(s, &[put("a")]), 0x44, &[1]).bytes(), Refusal::ColumnUnknown),
    ("a column of a group that changes do not have", |s| column(draft(s, &[put("a")]), 0x80, &[1]).bytes(), Refusal::ColumnUnknown),
    ("a deflated column", |s| column(column(draft(s, &[put("a")]), 0x42, &[]), 0x4a, &[1]).bytes(), Refusal::ColumnDeflated),
    ("columns unsorted", |s| head(|d| d.columns.reverse(), s), Refusal::ColumnsNotSorted),
    ("a column twice", |s| head(|d| { let first = d.columns[0].clone(); d.columns.insert(0, first); }, s), Refusal::ColumnsNotSorted),
    ("an empty column", |s| head(|d| d.columns[0].1.clear(), s), Refusal::ColumnNotCanonical),
    ("a run of one", |s| column(draft(s, &[put("a")]), 0x42, &[1, 1]).bytes(), Refusal::ColumnNotCanonical),
    ("a literal run of equal values", |s| column(draft(s, &[put("a"), put("b")]), 0x42, &[0x7e, 1, 1]).bytes(), Refusal::ColumnNotCanonical),
    ("two literal runs", |s| column(draft(s, &[put("a"), put("b")]), 0x56, &[0x7f, 1, 0x7f, 2]).bytes(), Refusal::ColumnNotCanonical),
    ("two runs of one value", |s| column(draft(s, &[put("a"), put("b"), put("c"), put("d")]), 0x42, &[2, 1, 2, 1]).bytes(), Refusal::ColumnNotCanonical),
    ("an empty run of nothing", |s| column(draft(s, &[put("a")]), 0x42, &[0, 0]).bytes(), Refusal::ColumnNotCanonical),
    ("a column of empty cells only", |s| column(draft(s, &[put("a")]), 0x01, &[0, 1]).bytes(), Refusal::ColumnNotCanonical),
    ("flags with a zero inside", |s| column(draft(s, &[put("a"), put("b")]), 0x34, &[1, 0, 1]).bytes(), Refusal::ColumnNotCanonical),
    ("an expansion that is never set", |s| column(draft(s, &[put("a")]), 0x94, &[1]).bytes(), Refusal::ColumnNotCanonical),
    ("a number in too many bytes", |s| column(draft(s, &[put("a")]), 0x42, &[vec![0x7f], padded(1)].concat()).bytes(), Refusal::NumberNotCanonical),
    ("a run in too many bytes", |s| column(draft(s, &[put("a")]), 0x42, &[0xff, 0x7f, 1]).bytes(), Refusal::NumberNotCanonical),
    ("a number over 64 bits", |s| column(draft(s, &[put("a")]), 0x42, &[&[0x7f][..], &[0xff; 9], &[2]].concat()).bytes(), Refusal::NumberNotCanonical),
    ("one column shorter", |s| column(draft(s, &[put("a"), put("b")]), 0x56, &[0x7f, 0x14]).bytes(), Refusal::ColumnLengthsDiffer),
    ("one column longer", |s| column(draft(s, &[put("a")]), 0x15, &[0x7e, 1, b'a', 1, b'b']).bytes(), Refusal::ColumnLengthsDiffer),
    ("values left over", |s| column(draft(s, &[put("a")]), 0x57, &[1, 1]).bytes(), Refusal::ColumnLengthsDiffer),
    ("no column of insertions", |s| column(draft(s, &[put("a")]), 0x34, &[]).bytes(), Refusal::ColumnLengthsDiffer),
    ("no column of actions", |s| column(draft(s, &[put("a")]), 0x42, &[]).bytes(), Refusal::ColumnLengthsDiffer),
    ("a run-length bomb", bomb, Refusal::TooManyOps),
    ("a bomb of predecessors", pred_bomb, Refusal::TooManyPreds),
    ("a bomb in one cell", |s| column(draft(s, &[put("a")]), 0x56, &[vec![0x7f], unsigned(u64::MAX)].concat()).bytes(), Refusal::ValueMalformed),
    ("too many marks", |s| ops(s, &(0..4097).flat_map(|_| [mark(TEXT, Key::Head), mark_end(TEXT, Key::Head)]).collect::<Vec<_>>()), Refusal::TooManyMarks),
];

#[rustfmt::skip]
const OPERATIONS: &[(&str, Make, Refusal)] = &[
    ("an actor beyond the table", |s| head(|d| d.columns = columns(&[insert(LIST, Key::Head)]), s), Refusal::ActorUnknown),
    ("half an id", |s| column(draft(s, &[put("a")]), 0x01, &[0x7f, 0]).bytes(), Refusal::IdMalformed),
    ("an id of zero", |s| ops(s, &[insert((0, 0), Key::Head)]), Refusal::IdMalformed),
    ("an id beyond 31 bits", |s| ops(s, &[insert((OP_NUMBER_MAX + 1, 0), Key::Head)]), Refusal::IdMalformed),
    ("a negative number", |s| column(draft(s, &[insert(TEXT, Key::Element(5, 0))]), 0x13, &[0x7f, 0x7b]).bytes(), Refusal::IdMalformed),
    ("no key", |s| column(draft(s, &[put("a")]), 0x15, &[]).bytes(), Refusal::KeyMalformed),
    ("two keys", |s| column(draft(s, &[put("a")]), 0x13, &[0x7f, 0]).bytes(), Refusal::KeyMalformed),
    ("the head with an actor", |s| ops(s, &[insert(TEXT, Key::Element(0, 0))]), Refusal::IdMalformed),
    ("an unknown action", |s| ops(s, &[with(put("a"), |op| op.action = 8)]), Refusal::ActionUnknown),
    ("a table", |s| ops(s, &[with(put("a"), |op| { op.action = 6; op.value = (0, vec![]); })]), Refusal::TableMade),
    ("a value of unknown type", |s| ops(s, &[with(put("a"), |op| op.value = (0x1a, vec![0]))]), Refusal::ValueUnknown),
    ("null with bytes", |s| ops(s, &[with(put("a"), |op| op.value = (0x10, vec![0]))]), Refusal::ValueMalformed),
    ("true with bytes", |s| ops(s, &[with(put("a"), |op| op.value = (0x12, vec![0]))]), Refusal::ValueMalformed),
    ("a number of four bytes that is a float", |s| ops(s, &[with(put("a"), |op| op.value = (0x45, vec![0; 4]))]), Refusal::ValueMalformed),
    ("an integer in too many bytes", |s| ops(s, &[with(put("a"), |op| op.value = (0x24, vec![0x81, 0]))]), Refusal::ValueMalformed),
    ("a text value that is no text", |s| ops(s, &[with(put("a"), |op| op.value = (0x16, vec![0xff]))]), Refusal::ValueMalformed),
    ("an object with a value", |s| ops(s, &[with(put("a"), |op| op.action = 0)]), Refusal::ValueMisplaced),
    ("a deletion with a value", |s| ops(s, &[with(put("count"), |op| { op.action = 3; op.preds = vec![COUNT]; })]), Refusal::ValueMisplaced),
    ("an increment by a text", |s| ops(s, &[with(put("count"), |op| { op.action = 5; op.value = (0x16, b"x".to_vec()); op.preds = vec![COUNT]; })]), Refusal::ValueMisplaced),
    ("a mark's end with a value", |s| ops(s, &[mark(TEXT, Key::Head), with(mark_end(TEXT, Key::Head), |op| op.value = (2, vec![]))]), Refusal::ValueMisplaced),
    ("a mark's name on a value", |s| ops(s, &[with(put("a"), |op| op.mark_name = Some("fett".to_owned()))]), Refusal::MarkMisplaced),
    ("an expansion on a value", |s| ops(s, &[with(put("a"), |op| op.expand = true)]), Refusal::MarkMisplaced),
    ("predecessors unsorted by number", |s| ops(s, &[with(put("count"), |op| op.preds = vec![COUNT, (3, 1)])]), Refusal::PredsNotSorted),
    ("a predecessor twice", |s| ops(s, &[with(put("count"), |op| op.preds = vec![COUNT, COUNT])]), Refusal::PredsNotSorted),
    ("an insertion into a map", |s| ops(s, &[with(put("a"), |op| op.insert = true)]), Refusal::InsertMisplaced),
    ("a deletion that inserts", |s| ops(s, &[with(insert(LIST, Key::Head), |op| { op.action = 3; op.value = (0, vec![]); })]), Refusal::InsertMisplaced),
    ("an increment that inserts", |s| ops(s, &[with(insert(LIST, Key::Head), |op| { op.action = 5; op.value = (0x14, vec![1]); })]), Refusal::InsertMisplaced),
    ("an insertion with a predecessor", |s| ops(s, &[with(insert(TEXT, Key::Element(5, 0)), |op| op.preds = vec![(5, 0)])]), Refusal::InsertWithPreds),
    ("a deletion of nothing", |s| ops(s, &[with(put("a"), |op| { op.action = 3; op.value = (0, vec![]); })]), Refusal::PredsMissing),
    ("an overwriting of nothing in a list", |s| ops(s, &[with(insert(TEXT, Key::Element(5, 0)), |op| op.insert = false)]), Refusal::PredsMissing),
    ("an overwriting of the head", |s| ops(s, &[with(insert(TEXT, Key::Head), |op| { op.insert = false; op.preds = vec![(5, 0)]; })]), Refusal::HeadNotInserted),
    ("a counter that begins beyond range", |s| ops(s, &[with(put("a"), |op| op.value = (0xa8, super::encoder::signed(i64::MAX)))]), Refusal::CounterOutOfRange),
    ("a step beyond range", |s| ops(s, &[with(put("count"), |op| { op.action = 5; op.value = (0x54, super::encoder::signed(1 << 33)); op.preds = vec![COUNT]; })]), Refusal::CounterOutOfRange),
    ("a mark that does not insert", |s| ops(s, &[with(mark(TEXT, Key::Element(5, 0)), |op| { op.insert = false; op.preds = vec![(5, 0)]; })]), Refusal::InsertMisplaced),
    ("a mark's begin alone", |s| ops(s, &[mark(TEXT, Key::Head)]), Refusal::MarkUnpaired),
    ("a mark's end alone", |s| ops(s, &[mark_end(TEXT, Key::Head)]), Refusal::MarkUnpaired),
    ("a mark that ends in another object", |s| ops(s, &[mark(TEXT, Key::Head), mark_end(LIST, Key::Head)]), Refusal::MarkUnpaired),
];

#[rustfmt::skip]
const PAST: &[(&str, Make, Refusal)] = &[
    ("the same change again", |s| s.gated.doc.get_change_by_hash(&automerge::ChangeHash(s.ada)).unwrap().raw_bytes().to_vec(), Refusal::AlreadyHeld),
    ("a gap in the sequence", |s| head(|d| d.seq = 3, s), Refusal::SeqNotNext),
    ("a number again", |s| head(|d| d.seq = 1, s), Refusal::SeqNotNext),
    ("the number zero", |s| head(|d| d.seq = 0, s), Refusal::SeqNotNext),
    ("the greatest number", |s| head(|d| d.seq = u64::MAX, s), Refusal::SeqNotNext),
    ("a later number without the own past", |s| head(|d| { d.deps = vec![s.genesis]; d.start_op = 5; }, s), Refusal::SeqNotNext),
    ("a first number again, without the own past", |s| head(|d| { d.deps = vec![s.genesis]; d.start_op = 5; d.seq = 1; }, s), Refusal::SeqTaken),
    ("a first change on nothing", |s| head(|d| { d.deps = vec![]; d.start_op = 1; d.seq = 1; }, s), Refusal::SeqTaken),
    ("a first operation too low", |s| head(|d| d.start_op = 7, s), Refusal::StartOpNotNext),
    ("a first operation too high", |s| head(|d| d.start_op = 9, s), Refusal::StartOpNotNext),
    ("a first operation at the end of range", |s| head(|d| d.start_op = OP_NUMBER_MAX - 1, s), Refusal::StartOpNotNext),
    ("a first operation of zero", |s| head(|d| d.start_op = 0, s), Refusal::OpNumberOutOfRange),
    ("a huge first operation", |s| head(|d| d.start_op = u64::MAX, s), Refusal::OpNumberOutOfRange),
    ("operations that run out of range", |s| head(|d| d.start_op = OP_NUMBER_MAX, s), Refusal::OpNumberOutOfRange),
    ("an unknown object", |s| ops(s, &[insert((99, 0), Key::Head)]), Refusal::ObjectUnknown),
    ("an object that is yet to come", |s| ops(s, &[insert((9, 0), Key::Head), with(put("a"), |op| { op.action = 2; op.value = (0, vec![]); })]), Refusal::ObjectUnknown),
    ("an object of an unknown actor", |s| head(|d| { d.others = vec![vec![9]]; d.columns = columns(&[insert((1, 1), Key::Head)]); }, s), Refusal::ObjectUnknown),
    ("a value as an object", |s| ops(s, &[with(put("a"), |op| op.object = Some((5, 0)))]), Refusal::NotAnObject),
    ("a deletion as an object", |s| ops(s, &[with(put("a"), |op| op.object = Some((7, 0)))]), Refusal::ObjectUnknown),
    ("a key in a list", |s| ops(s, &[with(put("a"), |op| op.object = Some(LIST))]), Refusal::KeyWrongType),
    ("an element in a map", |s| ops(s, &[insert(MAP, Key::Head)]), Refusal::KeyWrongType),
    ("an element in the root", |s| ops(s, &[with(insert(MAP, Key::Element(5, 0)), |op| op.object = None)]), Refusal::KeyWrongType),
    ("an unknown element", |s| ops(s, &[insert(TEXT, Key::Element(99, 0))]), Refusal::ElementUnknown),
    ("itself as an element", |s| ops(s, &[insert(TEXT, Key::Element(8, 0))]), Refusal::ElementUnknown),
    ("a deletion as an element", |s| ops(s, &[insert(TEXT, Key::Element(7, 0))]), Refusal::ElementUnknown),
    ("an element of a concurrent change", |s| ops(s, &[insert(LIST, Key::Element(5, 2))]), Refusal::ElementUnknown),
    ("a value of a map as an element", |s| ops(s, &[insert(LIST, Key::Element(4, 1))]), Refusal::NotAnElement),
    ("an element of another object", |s| ops(s, &[insert(LIST, Key::Element(5, 0))]), Refusal::ElementElsewhere),
    ("a mark overwritten", |s| ops(s, &[mark(TEXT, Key::Element(5, 0)), mark_end(TEXT, Key::Element(8, 0)), with(insert(TEXT, Key::Element(8, 0)), |op| { op.insert = false; op.preds = vec![(8, 0)]; })]), Refusal::ElementIsMark),
    ("an object over a text's element", |s| ops(s, &[with(insert(TEXT, Key::Element(5, 0)), |op| { op.insert = false; op.action = 0; op.value = (0, vec![]); op.preds = vec![(5, 0)]; })]), Refusal::ObjectInText),
    ("an unknown predecessor", |s| ops(s, &[with(put("a"), |op| op.preds = vec![(99, 0)])]), Refusal::PredUnknown),
    ("a predecessor of a concurrent change", |s| head(|d| { d.others = vec![journal(2).as_bytes().to_vec()]; d.columns = columns(&[with(put("a"), |op| op.preds = vec![(5, 1)])]); }, s), Refusal::PredUnknown),
    ("a deletion as a predecessor", |s| ops(s, &[with(insert(TEXT, Key::Element(6, 0)), |op| { op.insert = false; op.action = 3; op.value = (0, vec![]); op.preds = vec![(7, 0)]; })]), Refusal::PredUnknown),
    ("an increment as a predecessor", |s| ops(s, &[with(put("count"), |op| { op.action = 5; op.preds = vec![COUNT]; }), with(put("count"), |op| op.preds = vec![(8, 0)])]), Refusal::PredUnknown),
    ("a predecessor under another key", |s| ops(s, &[with(put("a"), |op| op.preds = vec![COUNT])]), Refusal::PredElsewhere),
    ("a predecessor in another object", |s| ops(s, &[with(put("count"), |op| { op.object = Some(MAP); op.preds = vec![COUNT]; })]), Refusal::PredElsewhere),
    ("another element as a predecessor", |s| ops(s, &[with(insert(TEXT, Key::Element(5, 0)), |op| { op.insert = false; op.action = 3; op.value = (0, vec![]); op.preds = vec![(6, 0)]; })]), Refusal::PredElsewhere),
    ("an increment of what is no counter", |s| ops(s, &[with(put("text"), |op| { op.action = 5; op.preds = vec![TEXT]; })]), Refusal::CounterMissing),
    ("a value over a text's element", |s| ops(s, &[with(insert(TEXT, Key::Element(5, 0)), |op| { op.insert = false; op.preds = vec![(5, 0)]; })]), Refusal::ValueInText),
    ("an increment in a text", |s| ops(s, &[with(insert(TEXT, Key::Head), |op| op.value = (0x18, vec![1])), with(insert(TEXT, Key::Element(8, 0)), |op| { op.insert = false; op.action = 5; op.value = (0x14, vec![1]); op.preds = vec![(8, 0)]; })]), Refusal::IncrementInText),
    ("objects that lie too deep", |s| ops(s, &nested(65)), Refusal::TooDeep),
    ("marks that take too long to order", |s| ops(s, &far_marks()), Refusal::MarksTooCostly),
    ("a mark in a list", |s| ops(s, &[mark(LIST, Key::Head), mark_end(LIST, Key::Head)]), Refusal::MarkOutsideText),
    ("a mark that ends at the head", |s| ops(s, &[mark(TEXT, Key::Element(5, 0)), mark_end(TEXT, Key::Head)]), Refusal::MarkEndsBeforeBegin),
    ("a mark that begins and ends at the head", |s| ops(s, &[mark(TEXT, Key::Head), mark_end(TEXT, Key::Head)]), Refusal::MarkEndsBeforeBegin),
    ("a mark that ends where it begins", |s| ops(s, &[mark(TEXT, Key::Element(5, 0)), mark_end(TEXT, Key::Element(5, 0))]), Refusal::MarkEndsBeforeBegin),
    ("a mark that ends before it begins", |s| ops(s, &[mark(TEXT, Key::Element(6, 0)), mark_end(TEXT, Key::Element(5, 0))]), Refusal::MarkEndsBeforeBegin),
];

fn with_byte(mut raw: Vec<u8>, at: usize, byte: u8) -> Vec<u8> {
    raw[at] = byte;
    raw
}

fn deflated(raw: &[u8]) -> Vec<u8> {
    Change::try_from(raw).unwrap().bytes().to_vec()
}

fn long_length(raw: &[u8]) -> Vec<u8> {
    let body = &raw[body_start(raw)..];
    [&raw[..9], padded(body.len() as u64).as_slice(), body].concat()
}

/// A few bytes that claim a billion operations.
fn bomb(scene: &Scene) -> Vec<u8> {
    let many = super::encoder::signed(1_000_000_000);
    let run = |value: &[u8]| [many.as_slice(), value].concat();
    let mut draft = draft(scene, &[]);
    draft.columns = vec![
        (0x15, run(&[1, b'a'])),
        (0x34, unsigned(1_000_000_000)),
        (0x42, run(&[1])),
        (0x56, run(&[0])),
        (0x70, run(&[0])),
    ];
    draft.bytes()
}

/// One operation with a billion predecessors.
fn pred_bomb(scene: &Scene) -> Vec<u8> {
    let many = super::encoder::signed(1_000_000_000);
    let draft = draft(scene, &[put("a")]);
    let draft = column(draft, 0x70, &[vec![0x7f], unsigned(1_000_000_000)].concat());
    let draft = column(draft, 0x71, &[many.clone(), vec![0]].concat());
    column(draft, 0x73, &[many, vec![1]].concat()).bytes()
}

/// Lists in each other.
fn nested(depth: u64) -> Vec<Op> {
    let make = |n: u64| {
        let outer = insert((7 + n, 0), Key::Head);
        with(if n == 0 { put("a") } else { outer }, |op| {
            op.action = 2;
            op.value = (0, vec![]);
        })
    };
    (0..depth).map(make).collect()
}

/// Many marks over a text of many runs: counters and letters in turn.
fn far_marks() -> Vec<Op> {
    let letters = (0..500).map(|n| {
        let key = if n == 0 { Key::Head } else { Key::Element(7 + n, 0) };
        with(insert(TEXT, key), |op| {
            if n % 2 == 0 {
                op.value = (0x18, vec![1]);
            }
        })
    });
    let mark = [
        mark(TEXT, Key::Element(8, 0)),
        mark_end(TEXT, Key::Element(507, 0)),
    ];
    letters.chain((0..2100).flat_map(|_| mark.clone())).collect()
}

fn assert_refused(table: &[(&str, Make, Refusal)]) {
    let scene = scene();
    for (name, make, expected) in table {
        let raw = make(&scene);
        match scene.gated.past.check(journal(1), &raw) {
            Err(refusal) => assert_eq!(refusal, *expected, "{name}"),
            Ok(verdict) => panic!("{name} passes: {verdict:?}"),
        }
    }
}

#[test]
fn hostile_chunks_and_heads_are_refused() {
    assert_refused(CHUNK);
}

#[test]
fn hostile_columns_are_refused() {
    assert_refused(COLUMNS);
}

#[test]
fn hostile_operations_are_refused() {
    assert_refused(OPERATIONS);
}

#[test]
fn what_is_not_in_the_past_is_refused() {
    assert_refused(PAST);
}

/// The table proves nothing if the draft it changes would not pass itself.
#[test]
fn the_unchanged_draft_passes() {
    for op in [
        put("a"),
        with(put("count"), |op| {
            op.action = 5;
            op.preds = vec![COUNT];
        }),
        insert(LIST, Key::Head),
        insert(TEXT, Key::Element(6, 0)),
    ] {
        let mut scene = scene();
        let raw = ops(&scene, &[op]);
        scene.gated.take(journal(1), &raw).unwrap();
        assert_sound(&scene.gated.doc);
        assert_eq!(change_id(&raw), Ok(ChangeId(hash(&raw))));
    }
}

#[test]
fn own_previous_change_must_be_a_direct_dependency() {
    let mut scene = scene();
    // Ben writes on Ada's change; Ada then names Ben's only, through which she would reach her own.
    let mut on_ada = draft(&scene, &[put("b")]);
    on_ada.actor = journal(2).as_bytes().to_vec();
    on_ada.deps = vec![scene.ada, scene.ben];
    on_ada.deps.sort_unstable();
    let on_ada = on_ada.bytes();
    scene.gated.take(journal(2), &on_ada).unwrap();
    let through = |deps: Vec<[u8; 32]>| {
        let mut change = draft(&scene, &[put("a")]);
        change.deps = deps;
        change.deps.sort_unstable();
        change.start_op = 9;
        change.bytes()
    };
    let refused = scene.gated.past.check(journal(1), &through(vec![hash(&on_ada)]));
    assert_eq!(refused.unwrap_err(), Refusal::OwnPreviousMissing);
    let taken = scene
        .gated
        .past
        .check(journal(1), &through(vec![hash(&on_ada), scene.ada]));
    assert!(matches!(taken, Ok(Checked::Ready(_))));
}

#[test]
fn unknown_dependencies_wait() {
    let scene = scene();
    let raw = head(|d| d.deps = vec![[3; 32], [4; 32]], &scene);
    match scene.gated.past.check(journal(1), &raw) {
        Ok(Checked::Waits { missing }) => {
            assert_eq!(
                missing.into_iter().collect::<Vec<_>>(),
                [ChangeId([3; 32]), ChangeId([4; 32])]
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_truncation_is_refused() {
    let scene = scene();
    let raw = ops(&scene, &[put("a"), insert(TEXT, Key::Element(5, 0))]);
    for length in 0..raw.len() {
        assert!(
            scene.gated.past.check(journal(1), &raw[..length]).is_err(),
            "cut at {length}"
        );
        assert!(change_id(&raw[..length]).is_err(), "cut at {length}");
    }
    // Cut inside, the frame put right again: the columns themselves end too early.
    let body = &raw[body_start(&raw)..];
    for length in 0..body.len() {
        let cut = seal(1, &body[..length]);
        assert!(
            scene.gated.past.check(journal(1), &cut).is_err(),
            "body cut at {length}"
        );
    }
}

#[test]
fn every_single_byte_change_leaves_a_bad_checksum() {
    let scene = scene();
    let raw = ops(&scene, &[put("a")]);
    for at in 0..raw.len() {
        for flip in [1, 0x80, 0xff] {
            let changed = with_byte(raw.clone(), at, raw[at] ^ flip);
            assert!(scene.gated.past.check(journal(1), &changed).is_err(), "byte {at}");
        }
    }
}

#[test]
fn the_limits_themselves_pass() {
    let mut scene = scene();
    let mut draft = draft(&scene, &[]);
    let many = super::encoder::signed(CHANGE_OPS_MAX as i64);
    let run = |value: &[u8]| [many.as_slice(), value].concat();
    draft.columns = vec![
        (0x15, run(&[1, b'a'])),
        (0x34, unsigned(CHANGE_OPS_MAX as u64)),
        (0x42, run(&[1])),
        (0x56, run(&[0])),
        (0x70, run(&[0])),
    ];
    draft.message = vec![b'm'; MESSAGE_BYTES_MAX];
    scene.gated.take(journal(1), &draft.bytes()).unwrap();
    let other = JournalId([0; 32]);
    assert_eq!(
        scene.gated.past.check(other, &draft.bytes()).unwrap_err(),
        Refusal::ActorForeign
    );
}

#[test]
fn the_greatest_depth_passes_and_can_be_read() {
    let mut scene = scene();
    let raw = ops(&scene, &nested(64));
    scene.gated.take(journal(1), &raw).unwrap();
    assert_sound(&scene.gated.doc);
    assert!(scene.gated.doc.hydrate(None).as_map().is_some());
    // Not deeper in a later change either.
    let mut deeper = draft(
        &scene,
        &[with(insert((71, 0), Key::Head), |op| {
            op.action = 2;
            op.value = (0, vec![]);
        })],
    );
    (deeper.seq, deeper.start_op, deeper.deps) = (3, 72, vec![hash(&raw)]);
    assert_eq!(
        scene.gated.past.check(journal(1), &deeper.bytes()).unwrap_err(),
        Refusal::TooDeep
    );
}

#[test]
fn scene_is_as_described() {
    let scene = scene();
    let (_, text) = scene.gated.doc.get(ROOT, "text").unwrap().unwrap();
    assert_eq!(scene.gated.doc.text(&text).unwrap(), "a");
    assert_eq!(scene.gated.doc.object_type(&text).unwrap(), ObjType::Text);
}
