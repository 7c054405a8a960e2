//! The documents are enough: a reader in Python, written from them alone, reads what Kiez exports and says the same.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "test code: a failure is a panic, and a test that cannot run says so"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Output;

use ed25519_dalek::SigningKey;
use kiez_core::domain::charter::{Amendment, VOUCHERS_MAX};
use kiez_core::domain::control::{ControlAct, CouncilAct, Cut, Enrol, Erase, Erasure, Motion};
use kiez_core::domain::cost::Cost;
use kiez_core::domain::document::DocumentId;
use kiez_core::domain::id::{EntryNumber, GroupId, JournalId, Signature};
use kiez_core::replica::bundle::{self, Compression};
use kiez_core::replica::codec::{Blob, encode};
use kiez_core::replica::content::Content;
use kiez_core::replica::control::{act_from_bytes, act_to_bytes};
use kiez_core::replica::entry::{Entry, EntryKind, Header};
use kiez_core::replica::hold::Replica;
use kiez_core::replica::keys::GroupKey;
use kiez_core::replica::limits::REASON_BYTES_MAX;
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::storage::{Census, Storage};
use kiez_tests::council::{Council, Member, sync};
use kiez_tests::fixtures;
use kiez_tests::fixtures::council::Told;
use kiez_tests::neighbours::{NOW, Neighbourhood};
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
            let kind = match payload[0] {
                16 => "erase",
                kind => ["", "found", "open", "invite", "admit", "enrol"][usize::from(kind)],
            };
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
fn the_second_reader_judges_what_somebody_erased_of_their_own() {
    let Some(python) = reader() else { return };
    let mut group = Neighbourhood::new(2029).unwrap();
    group.erase_first_comment().unwrap();
    group.sync([5; 32]).unwrap();
    let copy = group.export().unwrap();
    assert_eq!(
        copy[8], 2,
        "the version in which entries stand without their payload"
    );
    let output = read(&python, &copy, &group.key().unwrap());
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = expected(&mut group);
    assert_eq!(said, expected, "{said:#}");
    let acts = expected["acts"].as_object().unwrap();
    assert!(acts.values().any(|kind| kind == "erase"));
}

#[test]
fn the_second_reader_wants_every_payload_that_nobody_erased() {
    let Some(python) = reader() else { return };
    let group = Neighbourhood::new(2030).unwrap();
    let ring = group.at_anna.keys();
    let mut entries = bundle::read(&group.export().unwrap(), ring).unwrap().entries;
    let last = entries
        .iter_mut()
        .rev()
        .find(|item| item.entry.header.kind == EntryKind::Content)
        .unwrap();
    last.entry = last.entry.clone().without_payload();
    last.payload = None;
    let copy = bundle::write(group.id(), entries, ring, Compression::Fast).unwrap();
    let output = read(&python, &copy, &group.key().unwrap());
    assert_eq!(output.status.code(), Some(1));
    let said: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(said["refused"], "a payload that nobody erased is missing");
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
    let motion = |act, reason: &str| {
        act_to_bytes(&ControlAct::Motion(Motion {
            act,
            reason: reason.to_owned(),
            cut: Cut::new(),
            at: NOW,
        }))
    };
    let nobody = CouncilAct::Remove {
        membership: kiez_core::domain::id::EntryId([7; 32]),
    };
    let too_many = CouncilAct::Amend(Amendment::Vouchers(VOUCHERS_MAX + 1));
    let cap = encode(&(Cost::MAX.units() + 1));
    // Amend, the fund: there is one, drawn, of which half are residents, with a cap; no reason, no cut, at the beginning.
    let too_dear = [&[6, 0, 5, 4, 1, 0, 1, 2, 1], &cap[..], &[0, 0, 0]].concat();
    // Not signed by whose document it is; and about what is nobody's own.
    let erase = |document| {
        act_to_bytes(&ControlAct::Erase(Erase {
            erasure: Erasure {
                document,
                entries: BTreeSet::new(),
                origin: None,
            },
            at: NOW,
            person_signature: Signature([5; 64]),
        }))
    };
    let of_ben = DocumentId::Own(Neighbourhood::new(2028).unwrap().ben.me.person);
    let rows: [(&str, EntryKind, Vec<u8>, bool); 14] = [
        ("an erasure not signed", EntryKind::Control, erase(of_ben), true),
        (
            "an erasure of what is shared",
            EntryKind::Control,
            erase(DocumentId::GENERAL_BOARD),
            true,
        ),
        (
            "a motion about nothing",
            EntryKind::Control,
            motion(nobody.clone(), "because"),
            false,
        ),
        (
            "a reason too long",
            EntryKind::Control,
            motion(nobody, &"é".repeat(REASON_BYTES_MAX / 2 + 1)),
            true,
        ),
        (
            "an amendment to what is no rule",
            EntryKind::Control,
            motion(too_many, ""),
            true,
        ),
        ("a cap beyond money", EntryKind::Control, too_dear, true),
        (
            "bytes behind a vouch",
            EntryKind::Control,
            [&[12, 0][..], &[7; 33]].concat(),
            true,
        ),
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

/// What a program of the reader's answers.
fn answer(python: &Path, program: &str, arguments: &[&str]) -> Value {
    let output = run(python, program, arguments).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_second_reader_understands_every_recorded_session_and_export() {
    let Some(python) = reader() else { return };
    for issue in ["issue-2", "issue-3", "issue-4"] {
        let folder = fixtures::folder_of(issue);
        let path = folder.join("neighbours.json");
        let told: fixtures::Neighbours = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let said = answer(&python, "session.py", &[path.to_str().unwrap()]);
        assert_eq!(said["invitation"]["group"], json!(told.group));
        assert_eq!(said["joined"], json!(told.group));
        assert_eq!(
            said["joining"],
            json!(["join request", "admitted", "bundle part"])
        );
        assert_eq!(said["session"].as_array().unwrap().len(), told.session.len());

        let whole = std::fs::read(folder.join("after.kiez")).unwrap();
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
}

/// What an act says, but signatures and what is sealed: those the reader has verified or opened.
fn said(act: &ControlAct) -> (u16, Value) {
    let (kind, value) = match act {
        ControlAct::Found(act) if act.charter.vouchers > 0 => (15, serde_json::to_value(act)),
        ControlAct::Found(act) => (1, serde_json::to_value(act)),
        ControlAct::Open(act) => (2, serde_json::to_value(act)),
        ControlAct::Invite(act) => (3, serde_json::to_value(act)),
        ControlAct::Admit(act) => (4, serde_json::to_value(act)),
        ControlAct::Enrol(act) => (5, serde_json::to_value(act)),
        ControlAct::Motion(act) if matches!(act.act, CouncilAct::Erase(_)) => (17, serde_json::to_value(act)),
        ControlAct::Erase(act) => (16, serde_json::to_value(act)),
        ControlAct::Motion(act) => (6, serde_json::to_value(act)),
        ControlAct::Sign(act) => (7, serde_json::to_value(act)),
        ControlAct::Retire(act) => (8, serde_json::to_value(act)),
        ControlAct::Leave(act) => (9, serde_json::to_value(act)),
        ControlAct::Withdraw(act) => (10, serde_json::to_value(act)),
        ControlAct::Ask(act) => (11, serde_json::to_value(act)),
        ControlAct::Vouch(act) => (12, serde_json::to_value(act)),
        ControlAct::Rekey(act) => (13, serde_json::to_value(act)),
        ControlAct::Keys(act) => (14, serde_json::to_value(act)),
        ControlAct::Void => panic!("nobody writes it"),
        ControlAct::Unknown { kind } => (*kind, Ok(Value::Null)),
    };
    let mut value = value.unwrap();
    if let Some(erasure) = act.erasure() {
        let place = if kind == 16 { "/erasure" } else { "/act/erase" };
        value.pointer_mut(place).unwrap()["document"] = json!(erasure.document.to_string());
    }
    if let Some(fields) = value.as_object_mut() {
        for field in [
            "device_signature",
            "exporter",
            "invite_signature",
            "nonce",
            "person_signature",
        ] {
            fields.remove(field);
        }
    }
    for boxed in value
        .get_mut("boxes")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let fields = boxed.as_object_mut().unwrap();
        fields.remove("encapsulated");
        fields.remove("sealed");
    }
    (kind, value)
}

/// What Kiez itself reads in a copy.
fn listed(member: &Member, copy: &[u8]) -> Value {
    let ring = member.at.keys();
    let entries = bundle::read(copy, ring).unwrap().entries;
    let line = |entry: &Entry| {
        let header = &entry.header;
        let mut line = json!({
            "journal": header.journal, "number": header.number, "key": header.key, "seen": header.seen,
        });
        if entry.sealed.is_empty() {
            line["erased"] = json!(true);
            return line;
        }
        let payload = entry.open(ring.get(header.key).unwrap()).unwrap();
        if header.kind == EntryKind::Control {
            let (kind, act) = said(&act_from_bytes(member.at.group(), header, &payload).unwrap());
            (line["kind"], line["act"]) = (json!(kind), act);
        } else {
            let content = Content::from_bytes(&payload).unwrap();
            line["document"] = json!(content.document.to_string());
            line["changes"] = json!(content.changes.len());
        }
        line
    };
    let lines: BTreeMap<String, Value> = entries
        .iter()
        .map(|item| (item.entry.id.to_string(), line(&item.entry)))
        .collect();
    json!(lines)
}

#[test]
fn the_second_reader_reads_every_kind_of_act_and_takes_the_keys_out_of_their_boxes() {
    let Some(python) = reader() else { return };
    let mut council = Council::new(4_002).unwrap();
    sync(&mut council.anna, &mut council.carla).unwrap();
    let copy = council.carla.export().unwrap();
    let expected = listed(&council.carla, &copy);
    let kinds: BTreeSet<u64> = expected
        .as_object()
        .unwrap()
        .values()
        .filter_map(|line| line["kind"].as_u64())
        .collect();
    assert!(kinds.into_iter().eq(2..=17), "all but the first kind of founding");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("council.kiez");
    std::fs::write(&path, &copy).unwrap();
    let ring = council.carla.at.keys();
    let secret = hex(council.carla.who.box_secret.as_bytes());
    // The key that she came in with, and the one that the copy is sealed under.
    let sealed_under = bundle::find_key(&copy, ring.iter()).unwrap();
    let sealed_under = sealed_under.and_then(|key| ring.get(key));
    let has: Vec<&GroupKey> = ring.iter().last().into_iter().chain(sealed_under).collect();
    let has_hex: Vec<String> = has.iter().map(|key| hex(key.as_bytes())).collect();
    let mut arguments = vec![path.to_str().unwrap(), &secret];
    arguments.extend(has_hex.iter().map(String::as_str));
    let listing = answer(&python, "listing.py", &arguments);
    assert_eq!(listing["group"], json!(council.anna.at.group()));
    for (id, line) in expected.as_object().unwrap() {
        assert_eq!(&listing["entries"][id], line, "{id}");
    }
    assert_eq!(
        listing["entries"].as_object().unwrap().len(),
        expected.as_object().unwrap().len()
    );
    let learned: BTreeSet<&str> = listing["learned"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key.as_str().unwrap())
        .collect();
    let lacked: Vec<String> = ring
        .iter()
        .filter(|key| !has.contains(key))
        .map(|key| hex(&key.id().0))
        .collect();
    assert!(lacked.len() >= 2, "there was something to learn");
    assert_eq!(learned, lacked.iter().map(String::as_str).collect());
}

#[test]
fn the_second_reader_understands_the_recorded_council_and_its_backup() {
    let Some(python) = reader() else { return };
    let folder = fixtures::folder_of("issue-4/council");
    let path = |file: &str| folder.join(file).to_str().unwrap().to_owned();
    let told: Told = serde_json::from_slice(&std::fs::read(path("council.json")).unwrap()).unwrap();
    let files = ["council.json", "before-anna.kiez", "before-carla.kiez"].map(path);
    let session = answer(&python, "session.py", &files.each_ref().map(String::as_str));
    assert_eq!(session["session"].as_array().unwrap().len(), told.session.len());
    // Each learned from the other's boxes what it lacked.
    let mut all: Vec<String> = told
        .keys
        .iter()
        .map(|key| {
            let key = GroupKey::from_bytes(fixtures::bytes(key).unwrap().try_into().unwrap());
            hex(&key.id().0)
        })
        .collect();
    all.sort();
    assert_eq!(session["keys"], json!([all, all]));

    let backup = path("backup.kiez");
    let said = answer(&python, "backup.py", &[&backup, fixtures::PASSPHRASE]);
    assert_eq!(
        (&said["name"], &said["person"]),
        (&json!("Anna"), &json!(told.person))
    );
    let group = &said["groups"][0];
    assert_eq!(group["group"], json!(told.group));
    let mut keys: Vec<&str> = group["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key.as_str().unwrap())
        .collect();
    keys.sort_unstable();
    assert_eq!(keys, all);
    // What lies on the other branch is in it, too.
    let entries = group["entries"].as_array().unwrap().len();
    assert_eq!(
        entries,
        usize::try_from(told.after.entries).unwrap() + told.after.aside
    );
    let wrong = run(&python, "backup.py", &[&backup, "Lindenstraße 8"]).unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("the passphrase is wrong"));
}
