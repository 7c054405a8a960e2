//! The documents are enough: a reader in Python, written from them alone, reads what Kiez exports and says the same.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "test code: a failure is a panic, and a test that cannot run says so"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;

use ed25519_dalek::SigningKey;
use kiez_core::domain::control::{ControlAct, Enrol};
use kiez_core::domain::document::DocumentId;
use kiez_core::domain::id::{EntryNumber, GroupId, JournalId, Signature};
use kiez_core::replica::codec::{Blob, encode};
use kiez_core::replica::content::Content;
use kiez_core::replica::control::act_to_bytes;
use kiez_core::replica::entry::{Entry, EntryKind, Header};
use kiez_core::replica::hold::Replica;
use kiez_core::replica::keys::GroupKey;
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::storage::{Census, Storage};
use kiez_tests::fixtures;
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

/// Ben writes what only he can write wrongly: entries in his own journal, properly sealed and signed.
fn ben_writes(group: &mut Neighbourhood, kind: EntryKind, payload: &[u8]) {
    let own = group.at_ben.storage().own().unwrap().unwrap();
    let signing = SigningKey::from_bytes(&own.seed);
    let journal = JournalId(signing.verifying_key().to_bytes());
    let (number, prev) = group.at_ben.frontier()[&journal];
    let key = group.key().unwrap();
    let header = Header {
        group: group.id(),
        journal,
        number: number.next(),
        prev,
        seen: vec![],
        kind,
        key: key.id(),
        payload_bytes: u32::try_from(payload.len()).unwrap(),
    };
    let entry = Entry::seal(header, payload, &key).unwrap().signed(&signing);
    group.at_ben.receive(vec![(entry, None)]).unwrap();
}

/// Both readers on Ben's copy: what counts, what is quarantined, whose journal ended.
fn agree(python: &Path, group: &mut Neighbourhood) -> (Census, Value) {
    let output = read(python, &group.export_of_ben().unwrap(), &group.key().unwrap());
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let ben = &mut group.at_ben;
    assert_eq!(said["state_digest"], hex(&ben.digest().unwrap()), "{said:#}");
    assert_eq!(said["frontier_digest"], hex(&ben.holdings().digest()));
    let journals = ben.storage().journals().unwrap();
    let ended: Vec<String> = journals
        .iter()
        .filter(|row| row.ended.is_some())
        .map(|row| row.id.to_string())
        .collect();
    let said_ended: Vec<&String> = said["ended"].as_object().unwrap().keys().collect();
    assert_eq!(said_ended, ended.iter().collect::<Vec<_>>());
    (ben.census().unwrap(), said)
}

#[test]
fn both_readers_judge_a_hostile_member_alike() {
    let Some(python) = reader() else { return };
    let chunk = fixtures::bytes("856f4a8300000000010100").unwrap();
    let content = |document, changes| Content { document, changes }.to_bytes();
    let wrong_signature = ControlAct::Enrol(Enrol {
        membership: kiez_core::domain::id::EntryId([7; 32]),
        enrolled: kiez_core::domain::control::Device {
            person: kiez_core::domain::id::PersonId([1; 32]),
            device: kiez_core::domain::id::DeviceId([2; 32]),
            box_key: kiez_core::domain::id::BoxKey([3; 32]),
        },
        nonce: [4; 16],
        person_signature: Signature([5; 64]),
    });
    let no_changes = content(DocumentId::GENERAL_BOARD, vec![]);
    let not_canonical = [&encode(&DocumentId::Group)[..], &[0x81, 0x00, 0]].concat();
    // What he writes, and whether his journal ends there.
    let rows: [(&str, EntryKind, Vec<u8>, bool); 7] = [
        (
            "an act of a newer version",
            EntryKind::Control,
            vec![9, 1, 42],
            false,
        ),
        ("kind 0", EntryKind::Control, vec![0, 0], true),
        (
            "a wrong signature inside",
            EntryKind::Control,
            act_to_bytes(&wrong_signature),
            true,
        ),
        (
            "the group's page, which is the stewards'",
            EntryKind::Content,
            content(DocumentId::Group, vec![Blob(chunk.clone())]),
            false,
        ),
        ("no changes", EntryKind::Content, no_changes, true),
        ("a long number", EntryKind::Content, not_canonical, true),
        (
            "a change with a wrong checksum",
            EntryKind::Content,
            content(DocumentId::GENERAL_BOARD, vec![Blob(chunk)]),
            true,
        ),
    ];
    for (name, kind, payload, ends) in rows {
        let mut group = Neighbourhood::new(2028).unwrap();
        ben_writes(&mut group, kind, &payload);
        let (census, said) = agree(&python, &mut group);
        assert_eq!(
            said["ended"].as_object().unwrap().len(),
            usize::from(ends),
            "{name}"
        );
        let quarantined = said["quarantined"].as_u64().unwrap() + u64::from(ends);
        assert_eq!(census.quarantined, quarantined, "{name}");
    }
}

#[test]
fn the_second_reader_understands_the_recorded_session_and_export() {
    let Some(python) = reader() else { return };
    let path = fixtures::folder().join("neighbours.json");
    let told: fixtures::Neighbours = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let output = run(&python, "session.py", &[path.to_str().unwrap()]).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["invitation"]["group"], json!(told.group));
    assert_eq!(said["joined"], json!(told.group));
    assert_eq!(
        said["joining"],
        json!(["join request", "admitted", "bundle part"])
    );
    assert_eq!(said["session"].as_array().unwrap().len(), told.session.len());

    let whole = std::fs::read(fixtures::folder().join("after.kiez")).unwrap();
    let key = GroupKey::from_bytes(fixtures::bytes(&told.group_key).unwrap().try_into().unwrap());
    let output = read(&python, &whole, &key);
    let after: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(after["state_digest"], told.digest);
    assert_eq!(after["frontier_digest"], told.frontier_digest);
    let ids: Vec<&Value> = after["entries"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|ids| ids.as_array().unwrap())
        .collect();
    assert_eq!(ids.len(), told.entries);
    for id in said["entries"].as_array().unwrap() {
        assert!(ids.contains(&id), "what was sent is in the group");
    }
    let group: GroupId = told.group;
    let replica = Replica::from_bundle(MemoryStorage::default(), group, vec![key], &whole).unwrap();
    assert_eq!(replica.census().unwrap().entries, told.entries as u64);
}
