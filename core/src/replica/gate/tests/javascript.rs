//! A history that JavaScript Automerge wrote passes and makes the same document. Recorded by
//! `tests/fixtures/js-automerge/record.mjs`.

use automerge::{Automerge, Change, ROOT, ReadDoc};
use serde_json::Value;

use super::{Gated, assert_sound};
use crate::domain::id::{ChangeId, JournalId, from_hex};
use crate::replica::gate::{Checked, DocumentPast, Refusal, change_id};

const HISTORY: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/fixtures/js-automerge/history.json"
));

struct Recorded {
    author: JournalId,
    id: ChangeId,
    raw: Vec<u8>,
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits: Vec<usize> = text.chars().filter_map(|c| DIGITS.find(c)).collect();
    let mut out = Vec::new();
    for four in digits.chunks(4) {
        let bits = four.iter().fold(0, |bits, digit| (bits << 6) | digit) << (6 * (4 - four.len()));
        let bytes = [bits >> 16, bits >> 8, bits].map(|byte| u8::try_from(byte & 255).unwrap());
        out.extend(&bytes[..four.len() - 1]);
    }
    out
}

fn history() -> (Gated, Vec<Recorded>, Value) {
    let history: Value = serde_json::from_str(HISTORY).unwrap();
    let genesis = Change::try_from(base64(history["genesis"].as_str().unwrap()).as_slice()).unwrap();
    let mut doc = Automerge::new();
    doc.apply_changes([genesis.clone()]).unwrap();
    let changes = history["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| Recorded {
            author: change["actor"].as_str().unwrap().parse().unwrap(),
            id: ChangeId(from_hex(change["hash"].as_str().unwrap()).unwrap()),
            raw: base64(change["raw"].as_str().unwrap()),
        });
    let changes = changes.collect();
    (
        Gated {
            doc,
            past: DocumentPast::from_genesis(&genesis),
        },
        changes,
        history,
    )
}

/// JavaScript knows one kind of number.
fn as_floats(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(values) => values.into_iter().map(as_floats).collect(),
        Value::Object(values) => values
            .into_iter()
            .map(|(key, value)| (key, as_floats(value)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::String(_) => value,
    }
}

fn assert_final(doc: &Automerge, history: &Value) {
    assert_sound(doc);
    let mut heads: Vec<String> = doc.get_heads().iter().map(ToString::to_string).collect();
    heads.sort();
    let mut expected: Vec<&str> = history["heads"]
        .as_array()
        .unwrap()
        .iter()
        .map(|head| head.as_str().unwrap())
        .collect();
    expected.sort_unstable();
    assert_eq!(heads, expected);
    let content = serde_json::to_value(automerge::AutoSerde::from(doc)).unwrap();
    assert_eq!(as_floats(content), as_floats(history["final"].clone()));
    let (_, title) = doc.get(ROOT, "title").unwrap().unwrap();
    let marks = doc.marks(&title).unwrap();
    let expected = history["marks"].as_array().unwrap();
    assert_eq!(marks.len(), expected.len());
    for (mark, expected) in marks.iter().zip(expected) {
        assert_eq!(mark.name.as_str(), expected["name"].as_str().unwrap());
        assert_eq!(mark.value.as_str(), expected["value"].as_str());
        assert_eq!(mark.start as u64, expected["start"].as_u64().unwrap());
        assert_eq!(mark.end as u64, expected["end"].as_u64().unwrap());
    }
}

#[test]
fn javascript_history_passes_as_recorded() {
    let (mut gated, changes, history) = history();
    for change in &changes {
        assert_eq!(change_id(&change.raw), Ok(change.id));
        gated.take(change.author, &change.raw).unwrap();
        assert_eq!(
            gated.past.check(change.author, &change.raw).unwrap_err(),
            Refusal::AlreadyHeld
        );
    }
    assert_final(&gated.doc, &history);
}

#[test]
fn javascript_history_passes_backwards() {
    let (mut gated, mut waiting, history) = history();
    // The last recorded is offered first, again and again: the farthest from the recorded order.
    while !waiting.is_empty() {
        let ready = waiting.iter().enumerate().rev().find_map(|(at, change)| {
            match gated
                .past
                .check(change.author, &change.raw)
                .expect("honest work passes")
            {
                Checked::Ready(ready) => Some((at, ready)),
                Checked::Waits { .. } => None,
            }
        });
        let (at, ready) = ready.expect("something is ready");
        gated.doc.apply_changes([ready.change().clone()]).unwrap();
        gated.past.admit(&ready);
        waiting.remove(at);
    }
    assert_final(&gated.doc, &history);
}
