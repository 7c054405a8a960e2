//! A profile on a disk that is really full: a small file system in memory. Needs root to mount it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a failure is a panic"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use kiez_core::host::keystore::{
    Cost, DatabaseFault, Home, KeystoreError, Passphrase, check, classify, open_database,
};
use kiez_tests::laptop::Laptop;

struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Of one MiB, over a directory. End the programs on it before it goes.
    fn mount_over(directory: &Path) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "kiez-small-disk"])
            .arg(directory)
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            eprintln!("skipped: needs root to mount a tmpfs");
        }
        mounted.then(|| Self(directory.to_path_buf()))
    }

    fn path(&self) -> &Path {
        &self.0
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }

    /// Leaves no room at all.
    fn fill(&self) {
        let error = std::fs::write(self.ballast(), vec![0; 2 * 1024 * 1024]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    }

    fn make_room(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg(self.path()).status().ok();
    }
}

#[test]
fn a_full_disk_is_said_plainly_and_is_over_when_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount_over(directory.path()) else {
        return;
    };
    let passphrase = Passphrase::new("an der Ecke");
    let home = Home::at(disk.path().join("home"));

    // No room even for a profile: half of one is left, and swept away by the next attempt.
    let fill = |bytes: usize| std::fs::write(disk.ballast(), vec![0; bytes]);
    disk.fill();
    let error = home.create_at(&passphrase, Cost::LEAST).unwrap_err();
    assert!(matches!(error, KeystoreError::DiskFull(_)), "{error}");
    disk.make_room();
    let unlocked = home.create_at(&passphrase, Cost::LEAST).unwrap();

    let database = open_database(&unlocked).unwrap();
    database
        .execute_batch("CREATE TABLE ideas (text TEXT NOT NULL)")
        .unwrap();
    let add = || database.execute("INSERT INTO ideas VALUES (?1)", ["benches ".repeat(200)]);
    let count = || database.query_row("SELECT count(*) FROM ideas", [], |row| row.get::<_, u32>(0));
    add().unwrap();
    fill(600 * 1024).unwrap();
    let error = (0..10_000).find_map(|_| add().err()).unwrap();
    assert_eq!(classify(&error), DatabaseFault::DiskFull, "{error:?}");
    let before = count().unwrap();
    assert!(before > 1);
    assert!(add().is_err());
    assert_eq!(count().unwrap(), before);

    // A further process that opens it on the full disk can read.
    drop(unlocked);
    let unlocked = home.unlock(&passphrase).unwrap();
    let second = open_database(&unlocked).unwrap();
    assert_eq!(
        second
            .query_row("SELECT count(*) FROM ideas", [], |row| row.get::<_, u32>(0))
            .unwrap(),
        before
    );

    disk.make_room();
    add().unwrap();
    assert_eq!(count().unwrap(), before.saturating_add(1));
    drop(second);
    check(&unlocked).unwrap();
}

/// Whatever was written before the disk was full can be read, by a program that starts on it and by one that ran already.
#[test]
fn on_a_full_disk_everything_can_be_read_and_nothing_written() {
    let anna = Laptop::new();
    let Some(disk) = SmallDisk::mount_over(anna.home().parent().unwrap()) else {
        return;
    };
    let anna = anna.of("Anna");
    anna.ask(&["group", "found", "Zawodzie"]);
    let benches = anna.id(&["idea", "add", "Benches"]);
    let poll = anna.id(&["poll", "open", &benches]);
    anna.ask(&["poll", "cast", &poll, "yes"]);
    anna.ask(&["task", "add", "Measure", "--for", "Anna"]);
    anna.ask(&["idea", "comment", &benches, "Green ones"]);
    let digest = anna.digest();

    let reads = |titles: usize| {
        let count = |arguments: &[&str]| anna.ask(arguments).as_array().unwrap().len();
        assert_eq!(count(&["idea", "list"]), titles);
        assert_eq!(count(&["search", "green"]), 1);
        assert_eq!(count(&["task", "list"]), 1);
        assert_eq!(count(&["poll", "list"]), 1);
        assert_eq!(anna.ask(&["people"])[0]["name"], "Anna");
        assert_eq!(anna.ask(&["group", "list"])[0]["name"], "Zawodzie");
        assert_eq!(anna.ask(&["group", "show"])["my_role"], "steward");
        assert_eq!(anna.ask(&["poll", "result", &poll])["my_answer"][0], "yes");
        let page = anna.ask(&["idea", "show", &benches]);
        assert_eq!(page["comments"][0]["text"], "Green ones");
        anna.ask(&["export", &anna.path("copy.kiez")]);
    };
    let does_not_write = || {
        let told = anna.run(&["idea", "add", "A book box"]);
        told.failed(1, "full");
        assert!(told.err.contains("\"disk-full\""), "{told:?}");
        anna.run(&["poll", "cast", &poll, "no"]).failed(1, "full");
    };

    // What was written last is in no view yet.
    let listening = anna.listen();
    anna.ask(&["idea", "add", "Trees"]);
    disk.fill();
    reads(2);
    does_not_write();
    assert_eq!(listening.stop().code, Some(0));
    disk.make_room();
    assert_ne!(anna.digest(), digest);

    anna.ask(&["idea", "add", "Lamps"]);
    disk.fill();
    reads(3);
    does_not_write();
    reads(3);
    disk.make_room();
    anna.ask(&["idea", "add", "A book box"]);
    reads(4);
}
