//! The disk of a laptop that was stolen and retired: who has all of its bytes, and not the passphrase, reads nothing there.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a failure is a panic"
)]

mod search;

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::{DeflateEncoder, ZlibEncoder};
use kiez_core::domain::id::{EntryNumber, GroupId};
use kiez_core::domain::poll::Method;
use kiez_core::domain::proposal::Draft;
use kiez_core::domain::task::TaskDraft;
use kiez_core::host::keystore::{Home, Passphrase, RecoveryWords, open_database};
use kiez_core::host::node::{Node, NodeError};
use kiez_core::replica::storage::Storage;
use kiez_tests::laptop::{Laptop, PASSPHRASE, Running};
use search::{Secrets, files, holds_automerge};
use serde_json::Value;

const NAME: &str = "Annegret Wolkenstein";
const GROUP: &str = "Hinterhof Lindenallee";
const PURPOSE: &str = "Wir kümmern uns um die Höfe";
const TITLE: &str = "Regenwassertonne am Giebel";
const SENTENCE: &str = "Die Tonne fasst dreihundert Liter und steht auf drei Ziegeln.";
const STRUCK: &str = "Ein verworfener Absatz über das Kiesbett.";
const COMMENT: &str = "Der Deckel fehlt seit Ostern.";
const TASK: &str = "Dachrinne reinigen lassen";
const OPTION: &str = "aus verzinktem Blech";
const LAST: &str = "Zuletzt noch ein Vogelhaus";

/// The text of the idea, before and after something was struck out. So long that Automerge deflates it.
fn bodies() -> [String; 2] {
    let lines: Vec<String> = (1..=40).map(|line| format!("{line}. {SENTENCE}")).collect();
    let now = lines.join("\n");
    [format!("{now}\n{STRUCK}"), now]
}

fn json_line(running: &mut Running, what: &str, field: &str) -> String {
    let said: Value = serde_json::from_str(&running.wait_for(what)).unwrap();
    said[field].as_str().unwrap().to_owned()
}

/// Her second computer, brought to her groups by the first one.
fn second_of(first: &Laptop) -> Laptop {
    let second = Laptop::new();
    let mut adding = first.start_to_talk(&["device", "add"]);
    let text = json_line(&mut adding, "kiezme1", "text");
    let mut joining = second.start(&["device", "join", &text]);
    let code = json_line(&mut joining, "\"code\"", "code");
    assert_eq!(json_line(&mut adding, "\"code\"", "code"), code);
    adding.tell(&format!("{code}\n"));
    drop(adding.finish().done());
    drop(joining.finish().done());
    second
}

/// What she wrote, long before; the recovery words of hers.
fn works_on(laptop: &Laptop) -> (GroupId, String) {
    let node = laptop.node();
    let passphrase = Passphrase::new(PASSPHRASE);
    let group = node.found(GROUP, PURPOSE, &passphrase).unwrap();
    let [before, after] = bodies();
    let draft = Draft {
        title: TITLE.to_owned(),
        body: before,
        ..Draft::default()
    };
    let idea = node.add_idea(group, &draft).unwrap();
    node.edit_idea(group, idea, &after).unwrap();
    node.comment(group, idea, COMMENT).unwrap();
    let task = TaskDraft {
        title: TASK.to_owned(),
        ..TaskDraft::default()
    };
    node.add_task(group, Some(idea), &task).unwrap();
    let options = vec![OPTION.to_owned(), "gar keine".to_owned()];
    node.open_poll(group, idea, Method::Approval, options).unwrap();
    assert!(!node.search(group, "Tonne").unwrap().is_empty());
    let words = node.recovery_words(&passphrase).unwrap();
    (group, words.phrase().to_string())
}

/// She works on it, it is stolen as it runs, and she retires it: the laptop, its texts, its recovery words.
fn stolen() -> (Laptop, Vec<(&'static str, Vec<u8>)>, String) {
    let first = Laptop::new().of(NAME);
    let (group, words) = works_on(&first);
    let listening = first.listen();
    let second = second_of(&first);
    let backup = first.path("backup.kiez");
    first.ask(&["backup", &backup]);
    first.ask(&["idea", "add", LAST]);
    let device = first.ask(&["profile", "show"])["device"].clone();
    // SIGKILL: the log of what was written lies beside the database.
    drop(listening);
    // Who has it keeps it off the network: it never hears of that.
    let retired = second.ask(&["device", "retire", device.as_str().unwrap()]);
    assert_eq!(retired["groups"], 1);
    fs::copy(&backup, first.home().join("backup-beside-it")).unwrap();
    let secrets = [
        ("name", NAME),
        ("group", GROUP),
        ("purpose", PURPOSE),
        ("title", TITLE),
        ("text", SENTENCE),
        ("struck", STRUCK),
        ("comment", COMMENT),
        ("task", TASK),
        ("option", OPTION),
        ("last", LAST),
    ];
    let mut secrets: Vec<_> = secrets
        .map(|(name, text)| (name, text.as_bytes().to_vec()))
        .into();
    secrets.push(("group id", group.0.to_vec()));
    (first, secrets, words)
}

/// What lies behind the passphrase a second time, and the passphrase.
fn behind_it(words: &str) -> Vec<(&'static str, Vec<u8>)> {
    let parsed = RecoveryWords::parse(words).unwrap();
    let words: Vec<&str> = words.split(' ').collect();
    let mut secrets = vec![
        ("passphrase", PASSPHRASE.as_bytes().to_vec()),
        ("person key", parsed.person_key().to_bytes().to_vec()),
    ];
    let pairs = words.windows(3).map(|three| three.join(" ").into_bytes());
    secrets.extend(pairs.map(|three| ("words", three)));
    secrets
}

/// The database as a file that is not encrypted, made by who has the passphrase.
fn unlocked(home: &Path, to: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let unlocked = Home::at(home).unlock(&Passphrase::new(PASSPHRASE)).unwrap();
    let database = open_database(&unlocked).unwrap();
    // It is not let make files.
    fs::write(to, []).unwrap();
    database
        .execute("ATTACH DATABASE ?1 AS plain KEY ''", [to.to_str().unwrap()])
        .unwrap();
    let export = "SELECT sqlcipher_export('plain')";
    database.query_row(export, [], |_| Ok(())).unwrap();
    database.execute_batch("DETACH DATABASE plain").unwrap();
    let secret =
        |statement: &str| -> Vec<u8> { database.query_row(statement, [], |row| row.get(0)).unwrap() };
    vec![
        ("group key", secret("SELECT key FROM keys LIMIT 1")),
        ("journal", secret("SELECT own_seed FROM groups")),
        (
            "device",
            secret("SELECT value FROM profile WHERE name = 'device seed'"),
        ),
        (
            "boxes",
            secret("SELECT value FROM profile WHERE name = 'box secret'"),
        ),
    ]
}

#[test]
fn a_stolen_laptop_s_disk_says_nothing_without_the_passphrase() {
    let (laptop, texts, words) = stolen();
    let disk = files(&laptop.home());
    let size = |name: &str| {
        let file = disk.iter().find(|(path, _)| path.ends_with(name));
        file.unwrap_or_else(|| panic!("{name} is not there")).1.len()
    };
    assert!(size("store.db-wal") > 4096 && size("store.db") > 4096);
    assert!(size("profile.kiez") > 0 && size("backup-beside-it") > 0);

    let plain = tempfile::tempdir().unwrap();
    let keys = unlocked(&laptop.home(), &plain.path().join("plain.db"));
    let behind = behind_it(&words);
    let in_database = Secrets::new(&[texts.clone(), keys.clone()].concat());
    let second_lock = Secrets::new(&behind);
    let all = Secrets::new(&[texts.clone(), keys.clone(), behind].concat());
    for (path, bytes) in &disk {
        assert_eq!(all.found_in(bytes), [].into(), "{path}");
        assert!(!holds_automerge(bytes), "{path}");
    }

    // The search finds them where they are to be found: in the same database without its lock, and in what its entries seal.
    // Only what is locked twice is not even there.
    let [(_, database)] = <[_; 1]>::try_from(files(plain.path())).unwrap();
    let readable = [database, payloads(&laptop)].concat();
    let names = |secrets: &[(&'static str, Vec<u8>)]| secrets.iter().map(|(name, _)| *name).collect();
    assert_eq!(in_database.found_in(&readable), names(&[texts, keys].concat()));
    assert!(holds_automerge(&readable));
    assert_eq!(second_lock.found_in(&readable), [].into());
}

/// What the entries seal.
fn payloads(laptop: &Laptop) -> Vec<u8> {
    let node = laptop.node();
    let group = node.groups().unwrap()[0];
    node.with_group(group, |replica| {
        let mut all = Vec::new();
        for journal in replica.frontier().into_keys() {
            let held = replica.storage().entries(journal, EntryNumber(0), usize::MAX);
            for held in held.unwrap() {
                let key = replica.keys().get(held.entry.header.key).unwrap();
                all.extend(held.entry.open(key).unwrap());
            }
        }
        Ok::<_, NodeError>(all)
    })
    .unwrap()
}

#[test]
fn the_search_finds_what_is_there_in_whatever_form() {
    let secrets = Secrets::new(&[("title", TITLE.as_bytes().to_vec())]);
    let noise = |length: usize| -> Vec<u8> {
        (0..length)
            .map(|at| blake3::hash(&at.to_le_bytes()).as_bytes()[0])
            .collect()
    };
    let long = [noise(300), TITLE.into(), SENTENCE.repeat(9).into_bytes()].concat();
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::default());
    deflated.write_all(&long).unwrap();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(&long).unwrap();
    let base64 = |before: usize| {
        let text = [noise(before), TITLE.into(), noise(5)].concat();
        data_encoding::BASE64.encode(&text).into_bytes()
    };
    let rows: [(&str, Vec<u8>); 9] = [
        ("as it is", TITLE.into()),
        ("small", TITLE.to_lowercase().into()),
        (
            "UTF-16",
            TITLE.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ),
        ("base64", base64(30)),
        ("base64, one on", base64(31)),
        ("base64, two on", base64(32)),
        ("deflated", deflated.finish().unwrap()),
        ("zlib", zlib.finish().unwrap()),
        ("Zstandard", zstd::bulk::compress(&long, 3).unwrap()),
    ];
    for (form, bytes) in rows {
        let file = [noise(1000), bytes, noise(1000)].concat();
        assert_eq!(secrets.found_in(&file), ["title"].into(), "{form}");
    }
    assert_eq!(secrets.found_in(&noise(50_000)), [].into());
}

/// Where a cost stands in a file: memory in KiB and passes.
fn cost_at(bytes: &[u8], at: usize) -> (u32, u32) {
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (number(at), number(at + 4))
}

#[test]
fn a_guess_at_the_passphrase_is_as_dear_as_promised_at_every_lock() {
    let laptop = Laptop::new();
    laptop.ask(&["profile", "new", NAME]);
    let passphrase = Passphrase::new(PASSPHRASE);
    let unlocked = Home::at(laptop.home()).unlock(&passphrase).unwrap();
    let sealed = "SELECT value FROM profile WHERE name = 'sealed seed'";
    let sealed: Vec<u8> = open_database(&unlocked)
        .unwrap()
        .query_row(sealed, [], |row| row.get(0))
        .unwrap();
    let node = Node::open_unlocked(unlocked).unwrap();
    let (backup, _) = node.back_up_bytes(&passphrase).unwrap();
    let header = fs::read(laptop.home().join("profile.kiez")).unwrap();
    // Where the three stand: docs/format-profile.md.
    for (what, (memory, passes)) in [
        ("the profile", cost_at(&header, 10)),
        ("the words", cost_at(&sealed, 1)),
        ("a backup", cost_at(&backup, 10)),
    ] {
        // 64 MiB; and so many passes that it takes 250 ms to 1 s (`Cost::STANDARD`).
        assert!(
            memory >= 64 * 1024 && passes >= 8,
            "{what}: {memory} KiB, {passes} passes"
        );
    }
}
