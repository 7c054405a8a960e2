//! Whatever Automerge's public interface writes on current heads passes, in every causal order.

use automerge::marks::{ExpandMark, Mark};
use automerge::transaction::{CommitOptions, Transactable, Transaction};
use automerge::{Automerge, Change, ObjId, ObjType, ROOT, ReadDoc, ScalarValue};
use proptest::prelude::*;

use super::{Gated, actor, assert_sound, author_of, content, genesis};
use crate::domain::id::ChangeId;
use crate::replica::gate::{Checked, DocumentPast, Refusal};

/// One thing a person does; the numbers pick where.
#[derive(Debug, Clone)]
pub(super) enum Act {
    Put(u8, u8, u8),
    PutCounter(u8),
    Increment(u8, i32),
    Splice(u16, u8, String),
    SpliceList(u16, u8, u8),
    Insert(u8, u16, u8),
    MakeIn(u8, u16, u8),
    Delete(u8, u16),
    Mark(u16, u16, u8, u8),
    Unmark(u16, u16),
    SplitBlock(u16),
    JoinBlock(u16),
    Overwrite(u16, u8),
    Update(String),
    Empty,
}

pub(super) fn act() -> impl Strategy<Value = Act> {
    let text = prop_oneof![
        "[a-z]{0,12}",
        Just("Öffentlicher Platz 🌳👩‍👩‍👧 übermorgen".to_owned()),
        Just("مرحبا e\u{301}\u{0}".to_owned()),
    ];
    prop_oneof![
        3 => any::<(u8, u8, u8)>().prop_map(|(a, b, c)| Act::Put(a, b, c)),
        1 => any::<u8>().prop_map(Act::PutCounter),
        3 => any::<(u8, i32)>().prop_map(|(a, b)| Act::Increment(a, b)),
        6 => (any::<u16>(), 0..6_u8, text.clone()).prop_map(|(a, b, c)| Act::Splice(a, b, c)),
        2 => any::<(u16, u8, u8)>().prop_map(|(a, b, c)| Act::SpliceList(a, b % 4, c % 5)),
        3 => any::<(u8, u16, u8)>().prop_map(|(a, b, c)| Act::Insert(a, b, c)),
        3 => any::<(u8, u16, u8)>().prop_map(|(a, b, c)| Act::MakeIn(a, b, c)),
        3 => any::<(u8, u16)>().prop_map(|(a, b)| Act::Delete(a, b)),
        4 => any::<(u16, u16, u8, u8)>().prop_map(|(a, b, c, d)| Act::Mark(a, b, c, d)),
        1 => any::<(u16, u16)>().prop_map(|(a, b)| Act::Unmark(a, b)),
        1 => any::<u16>().prop_map(Act::SplitBlock),
        1 => any::<u16>().prop_map(Act::JoinBlock),
        1 => any::<(u16, u8)>().prop_map(|(a, b)| Act::Overwrite(a, b)),
        1 => text.prop_map(Act::Update),
        1 => Just(Act::Empty),
    ]
}

fn scalar(n: u8) -> ScalarValue {
    match n % 11 {
        0 => ScalarValue::Null,
        1 => true.into(),
        2 => false.into(),
        3 => i64::from(n).wrapping_mul(-98_765_432_101).into(),
        4 => ScalarValue::Uint(u64::MAX - u64::from(n)),
        5 => ScalarValue::F64(f64::from(n) / 3.0),
        6 => ScalarValue::Timestamp(i64::from(n) * 1_000_000_007),
        7 => ScalarValue::Bytes(vec![n; usize::from(n) % 40]),
        8 => ScalarValue::counter(i64::from(n)),
        9 => "".into(),
        _ => format!("Wert {n} ß").into(),
    }
}

/// Every object of a document, in a fixed order.
fn objects(doc: &impl ReadDoc) -> Vec<(ObjId, ObjType)> {
    let mut found = vec![(ROOT, ObjType::Map)];
    let mut next = 0;
    while let Some((object, kind)) = found.get(next).cloned() {
        next += 1;
        let mut add = |values: Vec<(automerge::Value<'_>, ObjId)>| {
            for (value, id) in values {
                if let automerge::Value::Object(kind) = value {
                    found.push((id, kind));
                }
            }
        };
        if kind == ObjType::Map {
            for key in doc.keys(&object).collect::<Vec<_>>() {
                add(doc.get_all(&object, key.as_str()).unwrap());
            }
        } else {
            for index in 0..doc.length(&object) {
                add(doc.get_all(&object, index).unwrap());
            }
        }
    }
    found
}

fn pick(doc: &impl ReadDoc, kinds: &[ObjType], n: usize) -> (ObjId, ObjType) {
    let all: Vec<_> = objects(doc)
        .into_iter()
        .filter(|(_, kind)| kinds.contains(kind))
        .collect();
    all.get(n % all.len().max(1))
        .cloned()
        .unwrap_or((ROOT, ObjType::Map))
}

const KEYS: [&str; 5] = ["Name", "Ort", "count", "🌳", " "];

#[allow(clippy::too_many_lines, reason = "one arm an act")]
fn perform(tx: &mut Transaction<'_>, act: &Act) {
    let key = |n: u8| KEYS[usize::from(n) % KEYS.len()];
    let at = |n: u16, len: usize| usize::from(n) % (len + 1);
    let sequences = [ObjType::List, ObjType::Text];
    match act {
        Act::Put(object, k, value) => {
            let (object, _) = pick(tx, &[ObjType::Map], usize::from(*object));
            tx.put(&object, key(*k), scalar(*value)).unwrap();
        }
        Act::PutCounter(n) => tx
            .put(ROOT, "count", ScalarValue::counter(i64::from(*n)))
            .unwrap(),
        Act::Increment(n, step) => {
            let (object, kind) = pick(tx, &[ObjType::Map, ObjType::List], usize::from(*n));
            if kind == ObjType::Map {
                for k in tx.keys(&object).collect::<Vec<_>>() {
                    let _refused = tx.increment(&object, k.as_str(), i64::from(*step));
                }
            } else {
                for index in 0..tx.length(&object) {
                    let _refused = tx.increment(&object, index, i64::from(*step));
                }
            }
        }
        Act::Splice(pos, del, text) => {
            let (object, kind) = pick(tx, &[ObjType::Text], usize::from(*pos) / 7);
            if kind == ObjType::Text {
                let pos = at(*pos, tx.length(&object));
                let del = usize::from(*del).min(tx.length(&object) - pos);
                tx.splice_text(&object, pos, del.try_into().unwrap(), text)
                    .unwrap();
            }
        }
        Act::SpliceList(pos, del, add) => {
            let (object, kind) = pick(tx, &[ObjType::List], usize::from(*pos) / 7);
            if kind == ObjType::List {
                let pos = at(*pos, tx.length(&object));
                let del = usize::from(*del).min(tx.length(&object) - pos);
                let values = (0..*add).map(|n| scalar(n.wrapping_mul(3)));
                tx.splice(&object, pos, del.try_into().unwrap(), values).unwrap();
            }
        }
        Act::Insert(object, pos, value) => {
            let (object, kind) = pick(tx, &sequences, usize::from(*object));
            if kind != ObjType::Map {
                let pos = at(*pos, tx.length(&object));
                tx.insert(&object, pos, scalar(*value)).unwrap();
            }
        }
        Act::MakeIn(object, pos, what) => {
            let what = [ObjType::Map, ObjType::List, ObjType::Text][usize::from(*what) % 3];
            let (object, kind) = pick(
                tx,
                &[ObjType::Map, ObjType::List, ObjType::Text],
                usize::from(*object),
            );
            let length = tx.length(&object);
            match kind {
                ObjType::List if length > 0 && *pos % 2 == 0 => {
                    tx.put_object(&object, usize::from(*pos) % length, what)
                        .map(drop)
                        .unwrap();
                }
                ObjType::List | ObjType::Text => {
                    tx.insert_object(&object, at(*pos, length), what)
                        .map(drop)
                        .unwrap();
                }
                ObjType::Map | ObjType::Table => {
                    tx.put_object(&object, KEYS[usize::from(*pos) % 5], what)
                        .map(drop)
                        .unwrap();
                }
            }
        }
        Act::Delete(object, pos) => {
            let (object, kind) = pick(
                tx,
                &[ObjType::Map, ObjType::List, ObjType::Text],
                usize::from(*object),
            );
            let length = tx.length(&object);
            if kind == ObjType::Map {
                // The genesis objects stay, so that there is something to work on.
                let key = KEYS[usize::from(*pos) % 5];
                tx.delete(&object, key).unwrap();
            } else if length > 0 {
                tx.delete(&object, usize::from(*pos) % length).unwrap();
            }
        }
        Act::Mark(from, to, name, expand) => {
            let (object, kind) = pick(tx, &[ObjType::Text], usize::from(*name) / 3);
            if kind == ObjType::Text {
                let (from, to) = (at(*from, tx.length(&object)), at(*to, tx.length(&object)));
                let expand = [
                    ExpandMark::None,
                    ExpandMark::Before,
                    ExpandMark::After,
                    ExpandMark::Both,
                ][usize::from(*expand) % 4];
                let name = ["fett", "link", "kommentar"][usize::from(*name) % 3].to_owned();
                let mark = Mark::new(name, scalar(expand as u8 * 2 + 1), from.min(to), from.max(to));
                tx.mark(&object, mark, expand).unwrap();
            }
        }
        Act::Unmark(from, to) => {
            let (object, kind) = pick(tx, &[ObjType::Text], usize::from(*from) / 7);
            if kind == ObjType::Text {
                let (from, to) = (at(*from, tx.length(&object)), at(*to, tx.length(&object)));
                tx.unmark(&object, "fett", from.min(to), from.max(to), ExpandMark::Both)
                    .unwrap();
            }
        }
        Act::SplitBlock(pos) => {
            let (object, kind) = pick(tx, &[ObjType::Text], usize::from(*pos) / 7);
            if kind == ObjType::Text {
                let block = tx.split_block(&object, at(*pos, tx.length(&object))).unwrap();
                tx.put(&block, "type", "paragraph").unwrap();
            }
        }
        Act::JoinBlock(pos) => {
            let (object, kind) = pick(tx, &[ObjType::Text], usize::from(*pos) / 7);
            let length = tx.length(&object);
            if kind == ObjType::Text && length > 0 {
                tx.join_block(&object, usize::from(*pos) % length).unwrap();
            }
        }
        Act::Overwrite(pos, value) => {
            // Nobody puts anything over a letter.
            let (object, kind) = pick(tx, &[ObjType::List], usize::from(*pos) / 7);
            let length = tx.length(&object);
            if kind == ObjType::List && length > 0 {
                tx.put(&object, usize::from(*pos) % length, scalar(*value))
                    .unwrap();
            }
        }
        Act::Update(text) => {
            let (object, kind) = pick(tx, &[ObjType::Text], text.len());
            if kind == ObjType::Text {
                let _refused = tx.update_text(&object, text);
            }
        }
        Act::Empty => {}
    }
}

/// Who does what, and after whose work was merged in.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    who: u8,
    merges: Option<u8>,
    acts: Vec<Act>,
    time: i64,
    message: Option<String>,
}

pub(super) fn turns(most: usize) -> impl Strategy<Value = Vec<Turn>> {
    let time = prop_oneof![
        Just(0),
        Just(1_700_000_000_i64),
        Just(-5_i64),
        0..9_000_000_000_000_000_i64
    ];
    let turn = (
        0..4_u8,
        proptest::option::of(0..4_u8),
        prop::collection::vec(act(), 0..6),
        time,
        "[a-zü]{0,5}",
    )
        .prop_map(|(who, merges, acts, time, message)| {
            let message = (message.len() > 2).then_some(message);
            Turn {
                who,
                merges,
                acts,
                time,
                message,
            }
        });
    prop::collection::vec(turn, 1..most)
}

/// Plays the turns; gives the merged document and all changes but the genesis, in one causal order.
pub(super) fn play(turns: &[Turn]) -> (Automerge, Vec<Change>) {
    let (base, first) = genesis();
    let mut docs: Vec<Automerge> = (0..4).map(|n| base.clone().with_actor(actor(n))).collect();
    for turn in turns {
        if let Some(other) = turn.merges {
            let mut other = docs[usize::from(other)].clone();
            docs[usize::from(turn.who)].merge(&mut other).unwrap();
        }
        let doc = &mut docs[usize::from(turn.who)];
        let mut options = CommitOptions::default().with_time(turn.time);
        if let Some(message) = &turn.message {
            options.set_message(message);
        }
        if turn.acts.iter().all(|act| matches!(act, Act::Empty)) {
            doc.empty_commit(options);
            continue;
        }
        let mut tx = doc.transaction();
        for act in &turn.acts {
            perform(&mut tx, act);
        }
        tx.commit_with(options);
    }
    let mut merged = base;
    for doc in &mut docs {
        merged.merge(doc).unwrap();
    }
    let mut changes = merged.get_changes(&[]);
    changes.retain(|change| change.hash() != first.hash());
    (merged, changes)
}

/// Feeds changes in the given order; what waits comes again.
fn feed(order: Vec<Change>) -> Gated {
    let mut gated = Gated::new();
    let mut waiting = order;
    while !waiting.is_empty() {
        let before = waiting.len();
        waiting.retain(|change| {
            let raw = change.raw_bytes();
            match gated
                .past
                .check(author_of(change), raw)
                .expect("honest work passes")
            {
                Checked::Ready(ready) => {
                    gated.doc.apply_changes([ready.change().clone()]).unwrap();
                    gated.past.admit(&ready);
                    false
                }
                Checked::Waits { missing } => {
                    assert!(missing.iter().all(|id| !gated.past.contains(*id)));
                    true
                }
            }
        });
        assert!(waiting.len() < before, "something gets on in each round");
    }
    gated
}

fn shuffle(changes: &mut [Change], mut seed: u64) {
    for place in (1..changes.len()).rev() {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        changes.swap(place, usize::try_from(seed >> 33).unwrap() % (place + 1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(96), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn honest_histories_pass_in_every_order(turns in turns(24), seed in any::<u64>()) {
        let (merged, changes) = play(&turns);
        let gated = feed(changes.clone());
        prop_assert_eq!(content(&gated.doc), content(&merged));
        assert_sound(&gated.doc);
        let mut shuffled = changes.clone();
        shuffle(&mut shuffled, seed);
        let other = feed(shuffled);
        prop_assert_eq!(other.doc.get_heads(), merged.get_heads());
        prop_assert_eq!(content(&other.doc), content(&merged));
        assert_sound(&other.doc);
        // A past rebuilt from the loaded document says the same.
        let loaded = Automerge::load(&other.doc.save()).unwrap();
        let past = DocumentPast::from_changes(&loaded.get_changes(&[]));
        for change in &changes {
            prop_assert!(past.contains(ChangeId(change.hash().0)));
            let again = past.check(author_of(change), change.raw_bytes());
            prop_assert_eq!(again.unwrap_err(), Refusal::AlreadyHeld);
        }
    }
}

/// How many cases a property gets: `KIEZ_GATE_CASES` for long runs by hand.
pub(super) fn cases(usual: u32) -> u32 {
    std::env::var("KIEZ_GATE_CASES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(usual)
}
