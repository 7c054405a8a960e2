//! What a power cut leaves: of plain files (does the shim work?), of a profile being made, of a database being written.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test, also outside its functions"
)]

use std::path::Path;

use kiez_core::host::keystore::{Cost, Home, KeystoreError, Passphrase, check, open_database};
use kiez_tests::lossy_disk::{LossyDisk, NoLossyDisk, Power, Remains};

const WRITER: &str = env!("CARGO_BIN_EXE_lossy_writer");
const PASSPHRASE: &str = "an der Ecke";

/// In memory where possible: what lasts is up to the model, and thousands of real syncs take a minute.
fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

fn disk(directory: &Path) -> Option<LossyDisk> {
    match LossyDisk::new(directory) {
        Ok(disk) => Some(disk),
        Err(reason @ NoLossyDisk::NoCompiler(_)) => {
            println!("{reason}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Runs the writer to its end, unshown, and gives what it did.
fn run(disk: &LossyDisk, arguments: &[&str]) -> Power {
    let output = disk.command(WRITER).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    disk.power().unwrap()
}

fn text<'a>(remains: &'a Remains, name: &str) -> Option<&'a str> {
    remains
        .file(name)
        .map(|bytes| std::str::from_utf8(bytes).unwrap())
}

#[test]
fn what_was_not_synced_is_lost() {
    let directory = directory();
    let Some(mut disk) = disk(directory.path()) else {
        return;
    };
    let power = run(&disk, &["files", disk.directory().to_str().unwrap()]);

    let worst = power.cut(power.points(), 0).unwrap();
    assert_eq!(worst.said(), "synced\nunsynced\n");
    assert_eq!(text(&worst, "synced"), Some("synced"));
    assert_eq!(text(&worst, "unsynced"), Some(""));
    assert_eq!(text(&worst, "changed"), Some("synced"));
    assert_eq!(text(&worst, "renamed"), Some("synced"));
    assert_eq!(text(&worst, "removed"), Some("synced"));
    // Each name needs the sync of its own directory.
    for name in ["no-name", "other", "copied", "inner/file"] {
        assert_eq!(text(&worst, name), None, "{name}");
    }
    // Before the sync of the directory not even the synced file has a name.
    assert_eq!(text(&power.cut(3, 0).unwrap(), "synced"), None);

    let seeds = || (1..200).map(|seed| power.cut(power.points(), seed).unwrap());
    let ever = |name: &str, content: &str| seeds().any(|remains| text(&remains, name) == Some(content));
    assert!(ever("unsynced", "unsynced") && ever("unsynced", "") && ever("unsynced", "\0\0\0\0\0\0\0\0"));
    assert!(ever("changed", "synced and changed") && ever("changed", "synced"));
    assert!(ever("other", "synced") && ever("no-name", "synced") && ever("copied", "synced"));
    assert!(seeds().all(|remains| text(&remains, "synced") == Some("synced")));
    assert!(seeds().all(|remains| text(&remains, "renamed").is_some() != text(&remains, "other").is_some()));

    disk.lose_unsynced(0).unwrap();
    assert_eq!(
        std::fs::read_to_string(directory.path().join("changed")).unwrap(),
        "synced"
    );
    assert!(!directory.path().join("copied").exists());
}

#[test]
fn writing_past_the_shim_is_noticed() {
    let directory = directory();
    let Some(mut disk) = disk(directory.path()) else {
        return;
    };
    std::fs::write(directory.path().join("past"), "it").unwrap();
    assert!(disk.lose_unsynced(1).is_err());
    disk.settle().unwrap();
    disk.lose_unsynced(1).unwrap();
    assert!(directory.path().join("past").exists());
}

#[test]
fn a_profile_is_made_whole_or_can_be_made_again() {
    let outer = directory();
    let Some(disk) = disk(outer.path()) else { return };
    let directory = disk.directory().join("home");
    let power = run(&disk, &["profile", directory.to_str().unwrap(), PASSPHRASE]);
    let passphrase = Passphrase::new(PASSPHRASE);
    let home = Home::at(directory);
    for point in 0..=power.points() {
        let seed = u64::try_from(point % 7).unwrap();
        let remains = power.cut(point, seed).unwrap();
        remains.write_to(disk.directory()).unwrap();
        let unlocked = match home.unlock(&passphrase) {
            Ok(unlocked) => unlocked,
            Err(KeystoreError::NoProfile(_)) if remains.said().is_empty() => {
                home.create_at(&passphrase, Cost::LEAST).unwrap()
            }
            Err(error) => panic!("point {point}, seed {seed}: {error}"),
        };
        check(&unlocked).unwrap();
    }
}

/// The greatest number of rows that was promised and is not there, over all points at which the power can fail.
fn lost_rows(synchronous: &str, count: u32) -> Option<u32> {
    let directory = directory();
    let home = Home::at(directory.path());
    let passphrase = Passphrase::new(PASSPHRASE);
    drop(home.create_at(&passphrase, Cost::LEAST).unwrap());
    let disk = disk(directory.path())?;
    let count = count.to_string();
    let power = run(
        &disk,
        &[
            "rows",
            directory.path().to_str().unwrap(),
            PASSPHRASE,
            synchronous,
            &count,
        ],
    );
    // Opened once: only the database file is opened anew after each cut.
    let unlocked = home.unlock(&passphrase).unwrap();
    let mut lost = 0;
    for point in 0..=power.points() {
        let seed = u64::try_from(if point % 5 == 0 { 0 } else { point }).unwrap();
        let remains = power.cut(point, seed).unwrap();
        remains.write_to(disk.directory()).unwrap();
        let promised = u32::try_from(remains.said().lines().filter(|line| *line != "done").count()).unwrap();
        let found = open_database(&unlocked).and_then(|database| {
            check(&unlocked)?;
            // Before the first commit there is no table.
            Ok(database
                .query_row("SELECT count(*) FROM rows", [], |row| row.get(0))
                .unwrap_or(0))
        });
        match found {
            Ok(found) => lost = lost.max(promised.saturating_sub(found)),
            // Without syncs the file may even be torn.
            Err(_) if synchronous == "OFF" => lost = lost.max(promised),
            Err(error) => panic!("point {point}, seed {seed}: {error}"),
        }
    }
    println!(
        "synchronous {synchronous}: {} points, at most {lost} rows lost",
        power.points()
    );
    Some(lost)
}

#[test]
fn a_committed_row_survives_a_power_cut_at_any_point() {
    assert!(matches!(lost_rows("as-is", 100), None | Some(0)));
}

#[test]
fn the_test_would_notice_a_weaker_setting() {
    assert!(!matches!(lost_rows("OFF", 40), Some(0)));
    assert!(!matches!(lost_rows("NORMAL", 40), Some(0)));
}
