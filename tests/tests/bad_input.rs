//! What people and disks do wrong, at the command line: each its own clear error with its exit code, nothing lost, no
//! panic, and all is well again afterwards.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "test code: a failure is a panic"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kiez_tests::laptop::{Laptop, PASSPHRASE, Running, Told};
use serde_json::Value;

/// Anna's laptop with a group and some ideas.
fn anna() -> (Laptop, String) {
    let anna = Laptop::new().of("Anna");
    anna.ask(&["group", "found", "Zawodzie"]);
    anna.ask(&[
        "import-pabulib",
        concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/zawodzie.pb"),
    ]);
    let body = anna.file("body", "Two of them, by the river.\n");
    let idea = anna.id(&["idea", "add", "Benches", "--body", &body]);
    (anna, idea)
}

fn with_passphrase(laptop: &Laptop, passphrase: &str, arguments: &[&str]) -> Told {
    let mut command = laptop.command(arguments);
    command.env("KIEZ_PASSPHRASE", passphrase);
    Running::start(command).finish()
}

/// All that a person sees of a group.
fn seen(laptop: &Laptop) -> [Value; 3] {
    [&["status"][..], &["idea", "list"], &["task", "list"]].map(|command| laptop.ask(command))
}

#[test]
fn a_passphrase_that_is_wrong() {
    let (anna, _) = anna();
    let before = seen(&anna);
    for wrong in [
        "",
        "an der Ecke",
        "An der Ecke links",
        "an der Ecke links!",
        "пароль",
    ] {
        with_passphrase(&anna, wrong, &["status"]).failed(4, "Try again");
        with_passphrase(&anna, wrong, &["profile", "words"]).failed(4, "Try again");
    }
    assert_eq!(with_passphrase(&anna, PASSPHRASE, &["status"]).code, Some(0));
    assert_eq!(seen(&anna), before);

    let none = Laptop::new();
    none.run(&["status"]).failed(1, "no Kiez profile");
    with_passphrase(&none, "", &["profile", "new", "Anna"]).failed(2, "Choose one");
    let mut command = none.command(&["profile", "new", "Anna"]);
    command.env_remove("KIEZ_PASSPHRASE");
    Running::start(command).finish().failed(2, "KIEZ_PASSPHRASE");
    anna.run(&["profile", "new", "Anna"]).failed(1, "another folder");
}

#[test]
fn a_damaged_profile_file() {
    let (anna, _) = anna();
    let before = seen(&anna);
    let file = anna.home().join("profile.kiez");
    let whole = fs::read(&file).unwrap();
    for place in (0..whole.len()).step_by(3) {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x10;
        fs::write(&file, &damaged).unwrap();
        let told = anna.run(&["status"]);
        // Where the version was hit, it looks like a newer file.
        let code = if told.code == Some(1) { 1 } else { 5 };
        told.failed(code, if code == 1 { "newer Kiez" } else { "backup" });
    }
    for length in [0, 1, whole.len() / 2, whole.len() - 1] {
        fs::write(&file, &whole[..length]).unwrap();
        anna.run(&["status"]).failed(5, "backup");
    }
    fs::remove_file(&file).unwrap();
    anna.run(&["status"]).failed(1, "no Kiez profile");
    anna.run(&["profile", "new", "Anna"]).failed(5, "backup");
    fs::write(&file, &whole).unwrap();
    assert_eq!(seen(&anna), before);
}

#[test]
fn a_damaged_database_page() {
    let (anna, idea) = anna();
    let before = seen(&anna);
    let page = anna.ask(&["idea", "show", &idea]);
    let file = anna.home().join("store.db");
    assert!(
        !anna.home().join("store.db-wal").exists(),
        "all of it is in the database"
    );
    let whole = fs::read(&file).unwrap();
    let mut noticed = 0;
    let places: Vec<usize> = (0..24)
        .map(|part| whole.len() / 24 * part + 20 * part + 5)
        .collect();
    for place in &places {
        let mut damaged = whole.clone();
        damaged[*place] ^= 0x01;
        fs::write(&file, &damaged).unwrap();
        for command in [&["status"][..], &["idea", "list"], &["idea", "show", &idea]] {
            let told = anna.run(command);
            if told.code == Some(0) {
                // A page that this command did not need: what it says is right.
                let right = [&before[0], &before[1], &page].contains(&&told.done());
                assert!(right, "damage at {place} changed an answer: {told:?}");
            } else {
                told.failed(5, "damaged");
                noticed += 1;
            }
        }
    }
    assert!(noticed >= places.len(), "only {noticed} commands noticed");
    for length in [0, 1, 4_096, whole.len() / 2] {
        fs::write(&file, &whole[..length]).unwrap();
        anna.run(&["idea", "list"]).failed(5, "");
    }
    fs::remove_file(&file).unwrap();
    anna.run(&["status"]).failed(5, "missing");
    for beside in ["store.db-wal", "store.db-shm"] {
        fs::remove_file(anna.home().join(beside)).ok();
    }
    fs::write(&file, &whole).unwrap();
    assert_eq!(seen(&anna), before);
}

/// A small file system in memory at a laptop's profile. Needs root.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(laptop: &Laptop, size: &str) -> Option<Self> {
        let home = laptop.home();
        fs::create_dir_all(&home).unwrap();
        let mounted = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={size},mode=700"),
                "kiez-small-disk",
            ])
            .arg(&home)
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            eprintln!("skipped: needs root to mount a tmpfs");
        }
        mounted.then_some(Self(home))
    }

    /// Leaves so many bytes free.
    fn leave(&self, free: usize) {
        let told = Command::new("df")
            .args(["--output=avail", "-B1"])
            .arg(&self.0)
            .output()
            .unwrap();
        let available = String::from_utf8(told.stdout).unwrap();
        let available: usize = available.lines().last().unwrap().trim().parse().unwrap();
        fs::write(self.ballast(), vec![1; available.saturating_sub(free)]).unwrap();
    }

    fn make_room(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(&self.0).status().ok();
    }
}

/// A text that cannot be made shorter.
fn long_text(seed: u64) -> String {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        char::from(b'a' + u8::try_from((state >> 59) % 26).unwrap())
    };
    (0..40_000).map(|_| next()).collect()
}

fn titles(laptop: &Laptop) -> BTreeSet<String> {
    let list = laptop.ask(&["idea", "list"]);
    let list = list.as_array().unwrap().iter();
    list.map(|idea| idea["title"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_full_disk_while_writing() {
    let empty = Laptop::new();
    let Some(disk) = SmallDisk::mount(&empty, "16m") else {
        return;
    };
    let anna = empty.of("Anna");
    anna.ask(&["group", "found", "Zawodzie"]);
    anna.ask(&["idea", "add", "Benches"]);
    let mut expected: BTreeSet<String> = titles(&anna);
    disk.leave(400 * 1024);
    let mut refused = None;
    for number in 0..40 {
        let title = format!("Idea {number}");
        let body = anna.file("long", long_text(number));
        let told = anna.run(&["idea", "add", &title, "--body", &body]);
        if told.code == Some(0) {
            expected.insert(title);
        } else {
            refused = Some(told);
            break;
        }
    }
    refused.expect("the disk is full some time").failed(1, "disk");
    // A list may need room, too; then it says so, and never shows less than there is.
    let list = anna.run(&["idea", "list"]);
    if list.code == Some(0) {
        assert_eq!(titles(&anna), expected);
    } else {
        list.failed(1, "disk");
    }
    let body = anna.file("long", long_text(99));
    anna.run(&["idea", "add", "Refused", "--body", &body])
        .failed(1, "disk");
    let copy = disk.0.join("copy.kiez");
    anna.run(&["export", copy.to_str().unwrap()]).failed(1, "disk");
    assert!(!copy.exists() && !disk.0.join("copy.kiez.part").exists());

    disk.make_room();
    assert_eq!(titles(&anna), expected);
    anna.ask(&["idea", "add", "There is room again"]);
    expected.insert("There is room again".to_owned());
    assert_eq!(titles(&anna), expected);
    // Before the laptop's folder.
    drop(disk);
}

#[test]
fn a_full_disk_while_importing() {
    let (anna, ben) = (Laptop::new().of("Anna"), Laptop::new());
    let Some(disk) = SmallDisk::mount(&ben, "16m") else {
        return;
    };
    let ben = ben.of("Ben");
    anna.ask(&["group", "found", "Zawodzie"]);
    let listening = anna.listen();
    let invitation = anna.ask(&["invite"]);
    ben.ask(&["join", invitation["invitation"].as_str().unwrap()]);
    assert_eq!(listening.stop().code, Some(0));
    for number in 0..6 {
        let body = anna.file("long", long_text(number));
        anna.ask(&["idea", "add", &format!("Idea {number}"), "--body", &body]);
    }
    let copy = anna.path("copy.kiez");
    anna.ask(&["export", &copy]);
    let before = seen(&ben);
    disk.leave(150 * 1024);
    ben.run(&["import", &copy]).failed(1, "disk");
    assert_eq!(seen(&ben), before, "nothing of it was stored");
    disk.make_room();
    ben.ask(&["import", &copy]);
    assert_eq!(titles(&ben).len(), 6);
    assert_eq!(ben.digest(), anna.digest());
    // Before the laptop's folder.
    drop(disk);
}

#[test]
fn a_damaged_copy() {
    let (anna, _) = anna();
    let copy = anna.path("copy.kiez");
    anna.ask(&["export", &copy]);
    let whole = fs::read(&copy).unwrap();
    let before = seen(&anna);
    let damaged = anna.path("damaged.kiez");
    let import = |bytes: &[u8]| {
        fs::write(&damaged, bytes).unwrap();
        anna.run(&["import", &damaged])
    };
    for tenth in 1..10 {
        import(&whole[..whole.len() * tenth / 10]).failed(5, "again");
    }
    for place in (8..whole.len()).step_by(whole.len() / 30) {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x04;
        let told = import(&bytes);
        // Where the version was hit, it looks like a newer file.
        let newer = told.code == Some(1);
        told.failed(
            if newer { 1 } else { 5 },
            if newer { "newer Kiez" } else { "again" },
        );
    }
    for foreign in [&b""[..], b"hello", b"SQLite format 3\0", &[0; 100_000]] {
        import(foreign).failed(1, "not a Kiez file");
    }
    let mut longer = whole.clone();
    longer.push(0);
    assert_ne!(import(&longer).code, Some(0));
    assert_eq!(seen(&anna), before);
    anna.run(&["import", &anna.path("no-such-file")])
        .failed(1, "cannot be used");
    anna.run(&["import", anna.home().to_str().unwrap()]).failed(1, "");

    // A copy of another group.
    let carla = Laptop::new().of("Carla");
    carla.run(&["import", &copy]).failed(1, "join the group first");
    carla.ask(&["group", "found", "Bogucice"]);
    let before = seen(&carla);
    carla.run(&["import", &copy]).failed(1, "join the group first");
    assert_eq!(seen(&carla), before);
    assert_eq!(anna.ask(&["import", &copy])["new"], 0);
}

#[test]
fn a_budget_that_is_none() {
    let (anna, _) = anna();
    let before = seen(&anna);
    let good =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/zawodzie.pb")).unwrap();
    for (name, text, what) in [
        (
            "no-columns",
            good.replace("project_id;cost;", "project_id;price;"),
            "line 21",
        ),
        ("bad-cost", good.replace(";15000;", ";fifteen;"), "line 23"),
        (
            "bad-place",
            good.replace("50.26137362814084", "150.26"),
            "line 23",
        ),
        (
            "too-few",
            good.replace(";1;50.26137362814084;19.058862626552582", ""),
            "line 23",
        ),
        (
            "quote",
            good.replace("L3/04/VIII;197500;215;581;", "L3/04/VIII;197500;215;581;\""),
            "quote",
        ),
        (
            "no-projects",
            good.split("PROJECTS").next().unwrap().to_owned(),
            "PROJECTS",
        ),
        ("empty", String::new(), "META"),
    ] {
        eprintln!("{name}");
        assert_ne!(text, good, "{name}");
        let file = anna.file(name, text);
        let message = anna.run(&["import-pabulib", &file]).failed(1, what);
        assert!(message.contains("line"), "{name}: {message}");
    }
    let file = anna.file("not-text", [0xff, 0xfe, 0x00]);
    anna.run(&["import-pabulib", &file]).failed(1, "UTF-8");
    assert_eq!(seen(&anna), before);
}

#[test]
fn texts_and_values_that_do_not_fit() {
    let (anna, idea) = anna();
    let poll = anna.id(&["poll", "open", &idea]);
    let before = seen(&anna);
    let result = anna.ask(&["poll", "result", &poll]);
    let not_text = anna.file("not-text", [b'a', 0xff]);
    let too_long = anna.file("too-long", vec![b'a'; 512 * 1024 + 1]);
    let long = "x".repeat(100_000);
    let missing = anna.path("missing");
    let laptop = Laptop::new();
    laptop.run(&["profile", "new", ""]).failed(1, "empty");
    laptop.run(&["profile", "new", &long]).failed(1, "at most");
    assert!(!laptop.home().exists());
    let table: &[(&[&str], i32, &str)] = &[
        (&["idea", "add", "T", "--body", &not_text], 1, "UTF-8"),
        (&["idea", "edit", &idea, "--body", &not_text], 1, "UTF-8"),
        (&["idea", "add", "T", "--body", &too_long], 1, "too large"),
        (&["idea", "add", "T", "--body", &missing], 1, "missing"),
        (&["idea", "add", &long], 1, "at most"),
        (&["idea", "add", ""], 1, "empty"),
        (&["idea", "add", "T", "--cost", "a lot"], 2, ""),
        (&["idea", "add", "T", "--cost", "-1"], 2, ""),
        (&["idea", "add", "T", "--place", "here"], 2, ""),
        (&["idea", "add", "T", "--place", "91,0"], 2, ""),
        (&["idea", "show", "ffffffff"], 1, "no idea"),
        (&["idea", "show", "ab"], 1, "no idea"),
        (&["idea", "comment", &idea, ""], 1, "empty"),
        (&["idea", "comment", &idea, &long], 1, "at most"),
        (&["poll", "cast", &poll, "perhaps"], 1, ""),
        (&["poll", "cast", &poll, "yes", "no"], 1, ""),
        (&["poll", "cast", "ffffffff", "yes"], 1, "no vote"),
        (&["poll", "open", &idea, "--method", "approval"], 1, ""),
        (&["poll", "open", &idea, "--method", "lottery"], 2, "approval"),
        (&["task", "add", ""], 1, "empty"),
        (&["task", "add", "T", "--due", "tomorrow"], 2, ""),
        (&["task", "add", "T", "--due", "2027-02-30"], 2, ""),
        (&["task", "add", "T", "--for", "Nobody"], 1, "no person"),
        (&["task", "add", "T", "--idea", "ffffffff"], 1, "no idea"),
        (&["task", "done", "ffffffff"], 1, "no task"),
        (&["group", "found", ""], 1, "empty"),
        (&["group", "found", &long], 1, "at most"),
        (&["--group", "ffffffff", "status"], 1, "no group"),
    ];
    for (arguments, exit, names) in table {
        let shown: Vec<String> = arguments
            .iter()
            .map(|word| word.chars().take(40).collect())
            .collect();
        eprintln!("{shown:?}");
        let message = anna.run(arguments).failed(*exit, names);
        assert!(message.len() < 1_000, "{message}");
    }
    assert_eq!(seen(&anna), before);
    assert_eq!(anna.ask(&["poll", "result", &poll]), result);
    assert_eq!(anna.ask(&["group", "list"]).as_array().unwrap().len(), 1);
}
