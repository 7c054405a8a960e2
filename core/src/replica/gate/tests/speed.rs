//! How long a neighbourhood's year takes at the gate. By hand:
//! `cargo test --release -p kiez-core --no-default-features gate::tests::speed -- --ignored --nocapture`

#![expect(clippy::disallowed_methods, reason = "a measurement")]

use std::time::Instant;

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, Automerge, Change, ROOT, ReadDoc, ScalarValue};

use super::{author_of, genesis};
use crate::domain::id::JournalId;
use crate::replica::gate::{Checked, DocumentPast};

/// A document in which `people` write `changes` changes: texts, values, counters; one in four concurrent to the last.
fn year(people: u64, changes: u64) -> Vec<Change> {
    let (mut doc, first) = genesis();
    let mut done = Vec::new();
    let (_, text) = doc.get(ROOT, "text").unwrap().unwrap();
    let (_, map) = doc.get(ROOT, "map").unwrap().unwrap();
    let mut past = doc.clone();
    for n in 0..changes {
        let mut id = [7; 32];
        id[..8].copy_from_slice(&(n * 7 % people).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
        let mut writer = if n % 4 == 3 && past.get_changes(&[]).len() > 1 {
            past.clone()
        } else {
            doc.clone()
        };
        // Nobody forgets what they wrote themselves.
        if writer.get_heads() != doc.get_heads()
            && done
                .last()
                .is_some_and(|c: &Change| c.actor_id().to_bytes() == id)
        {
            writer = doc.clone();
        }
        past = doc.clone();
        let mut writer = writer.with_actor(ActorId::from(id.as_slice()));
        let mut tx = writer.transaction();
        match n % 4 {
            0 => {
                let at = usize::try_from(n * 31).unwrap() % (tx.length(&text) + 1);
                tx.splice_text(&text, at, 0, "Wer bringt am Sonntag Bänke mit? ")
                    .unwrap();
            }
            1 => tx
                .put(&map, format!("antwort {}", n % 60), i64::try_from(n).unwrap())
                .unwrap(),
            2 => tx.increment(ROOT, "count", 1).unwrap(),
            _ => {
                let object = tx
                    .put_object(&map, format!("aufgabe {n}"), automerge::ObjType::Map)
                    .unwrap();
                tx.put(&object, "titel", ScalarValue::Str("Zelt aufbauen".into()))
                    .unwrap();
                tx.put(&object, "offen", true).unwrap();
            }
        }
        tx.commit_with(CommitOptions::default().with_time(1_700_000_000));
        let change = writer.get_last_local_change().unwrap();
        doc.apply_changes([change.clone()]).unwrap();
        done.push(change);
    }
    done.insert(0, first);
    done
}

fn gate(name: &str, documents: &[Vec<Change>]) {
    let raw: Vec<Vec<(JournalId, Vec<u8>)>> = documents
        .iter()
        .map(|changes| {
            changes[1..]
                .iter()
                .map(|c| (author_of(c), c.raw_bytes().to_vec()))
                .collect()
        })
        .collect();
    let begin = Instant::now();
    let mut count = 0;
    for (changes, raw) in documents.iter().zip(&raw) {
        let mut past = DocumentPast::from_genesis(&changes[0]);
        for (author, raw) in raw {
            let Ok(Checked::Ready(ready)) = past.check(*author, raw) else {
                panic!("honest work is ready")
            };
            past.admit(&ready);
            count += 1;
        }
    }
    let gated = begin.elapsed();
    let begin = Instant::now();
    let pasts: Vec<DocumentPast> = documents.iter().map(DocumentPast::from_changes).collect();
    let rebuilt = begin.elapsed();
    let begin = Instant::now();
    for changes in documents {
        let mut doc = Automerge::new();
        doc.apply_changes(changes.clone()).unwrap();
    }
    let applied = begin.elapsed();
    let bytes: usize = raw.iter().flatten().map(|(_, raw)| raw.len()).sum();
    println!(
        "{name}: {count} changes ({bytes} bytes) in {} documents: gated in {gated:?}, pasts rebuilt in {rebuilt:?}, \
         for comparison applied in {applied:?}",
        pasts.len()
    );
}

#[test]
#[ignore = "a measurement, by hand and in release"]
fn a_year_at_the_gate() {
    gate(
        "many documents",
        &(0..341).map(|n| year(5 + n % 60, 108)).collect::<Vec<_>>(),
    );
    gate("one document", &[year(200, 6000)]);
}
