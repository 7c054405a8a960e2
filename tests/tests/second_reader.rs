//! The documents are enough: a reader in Python, written from them alone, reads what Kiez exports and says the same.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "test code: a failure is a panic, and a test that cannot run says so"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;

use kiez_core::domain::document::DocumentId;
use kiez_core::domain::id::EntryNumber;
use kiez_core::replica::keys::GroupKey;
use kiez_core::replica::storage::Storage;
use kiez_tests::neighbours::Neighbourhood;
use kiez_tests::second_reader::{python, run};
use serde_json::{Value, json};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn reader() -> Option<PathBuf> {
    python().inspect_err(|why| println!("skipped: {why}")).ok()
}

fn read(python: &Path, bundle: &[u8], key: &GroupKey) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("group.kiez");
    std::fs::write(&path, bundle).unwrap();
    run(
        python,
        "reader.py",
        &[path.to_str().unwrap(), &hex(key.as_bytes())],
    )
    .unwrap()
}

/// What Kiez itself says.
fn expected(group: &mut Neighbourhood) -> Value {
    let replica = &mut group.at_anna;
    let mut entries: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut acts: BTreeMap<String, String> = BTreeMap::new();
    for journal in replica.frontier().into_keys() {
        let held = replica
            .storage()
            .entries(journal, EntryNumber(0), usize::MAX)
            .unwrap();
        let ids = held.iter().map(|held| held.entry.id.to_string()).collect();
        entries.insert(journal.to_string(), ids);
    }
    for held in replica.storage().control().unwrap() {
        if replica.roster().verdict(held.entry.id) == Some(Ok(())) {
            let payload = held.entry.open(replica.keys().current().unwrap()).unwrap();
            let kind = ["", "found", "open", "invite", "admit", "enrol"][usize::from(payload[0])];
            acts.insert(held.entry.id.to_string(), kind.to_owned());
        }
    }
    let people = replica.roster().persons();
    let people: BTreeMap<String, Value> = people
        .iter()
        .map(|(id, person)| (id.to_string(), json!(person.role)))
        .collect();
    let documents: Vec<DocumentId> = replica.storage().documents().unwrap();
    let documents: BTreeMap<String, Value> = documents
        .into_iter()
        .map(|id| {
            let document = replica.document(id).unwrap();
            let heads: Vec<String> = document.heads().iter().map(ToString::to_string).collect();
            // The genesis is in no entry.
            let changes = document.changes().len() - 1;
            (id.to_string(), json!({"changes": changes, "heads": heads}))
        })
        .collect();
    json!({
        "group": replica.group(),
        "entries": entries,
        "acts": acts,
        "people": people,
        "frontier_digest": hex(&replica.holdings().digest()),
        "state_digest": hex(&replica.digest().unwrap()),
        "documents": documents,
        "ended": {},
        "waiting": 0,
        "quarantined": 0,
    })
}

#[test]
fn the_second_reader_says_what_kiez_says() {
    let Some(python) = reader() else { return };
    let mut group = Neighbourhood::new(2026).unwrap();
    let output = read(&python, &group.export().unwrap(), &group.key().unwrap());
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = expected(&mut group);
    assert_eq!(said, expected, "{said:#}");
    assert_eq!(expected["people"].as_object().unwrap().len(), 2);
    assert!(
        expected["acts"].as_object().unwrap().len() >= 4,
        "found, invite, admit, open"
    );
}

#[test]
fn the_second_reader_refuses_what_was_tampered_with() {
    let Some(python) = reader() else { return };
    let group = Neighbourhood::new(2027).unwrap();
    let (whole, key) = (group.export().unwrap(), group.key().unwrap());
    let refused = |bytes: &[u8], key: &GroupKey| {
        let output = read(&python, bytes, key);
        assert_eq!(
            output.status.code(),
            Some(1),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let said: Value = serde_json::from_slice(&output.stderr).unwrap();
        said["refused"].as_str().unwrap().to_owned()
    };
    // One bit in the magic, the version, the length, the salt, the tag, the middle, the end.
    for at in [0, 8, 9, 20, 40, whole.len() / 2, whole.len() - 1] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        refused(&flipped, &key);
    }
    refused(&whole[..whole.len() - 1], &key);
    refused(&whole[..40], &key);
    refused(&[&whole[..], &[0]].concat(), &key);
    let other = GroupKey::from_bytes([7; 32]);
    assert_eq!(refused(&whole, &other), "sealed under another key");
}
