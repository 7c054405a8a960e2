//! A profile on a disk that is really full: a small file system in memory. Needs root to mount it.

use std::path::Path;
use std::process::Command;

use kiez_core::host::keystore::{
    Cost, DatabaseFault, Home, KeystoreError, Passphrase, check, classify, open_database,
};

struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().ok()?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "kiez-small-disk"])
            .arg(directory.path())
            .output()
            .is_ok_and(|output| output.status.success());
        mounted.then_some(Self(directory))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg(self.path()).status().ok();
    }
}

#[test]
fn a_full_disk_is_said_plainly_and_is_over_when_there_is_room() {
    let Some(disk) = SmallDisk::mount() else {
        println!("skipped: needs root to mount a tmpfs");
        return;
    };
    let passphrase = Passphrase::new("an der Ecke");
    let home = Home::at(disk.path().join("home"));
    let ballast = disk.path().join("ballast");

    // No room even for a profile: half of one is left, and swept away by the next attempt.
    let fill = |bytes: usize| std::fs::write(&ballast, vec![0; bytes]);
    fill(1024 * 1024).unwrap();
    let error = home.create_at(&passphrase, Cost::LEAST).unwrap_err();
    assert!(matches!(error, KeystoreError::DiskFull(_)), "{error}");
    std::fs::remove_file(&ballast).unwrap();
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

    std::fs::remove_file(&ballast).unwrap();
    add().unwrap();
    assert_eq!(count().unwrap(), before.saturating_add(1));
    drop(second);
    check(&unlocked).unwrap();
}
