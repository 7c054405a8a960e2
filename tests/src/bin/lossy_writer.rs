//! A program for the tests of power cuts: writes to a directory, says on standard output what is saved, until it is killed.
//!
//! `lossy_writer files DIR`, `lossy_writer profile DIR PASSPHRASE`, `lossy_writer rows DIR PASSPHRASE SYNCHRONOUS COUNT`

use std::error::Error;
use std::fs::{self, File};
use std::io::{Write, stdout};
use std::path::Path;

use kiez_core::host::keystore::{Cost, Home, Passphrase, open_database};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["files", directory] => files(Path::new(directory)),
        ["profile", directory, passphrase] => {
            drop(Home::at(*directory).create_at(&Passphrase::new(passphrase), Cost::LEAST)?);
            say("made")
        }
        ["rows", directory, passphrase, synchronous, count] => rows(
            &Home::at(*directory),
            &Passphrase::new(passphrase),
            synchronous,
            count.parse()?,
        ),
        _ => Err("see the head of lossy_writer.rs".into()),
    }
}

fn say(what: &str) -> Result<(), Box<dyn Error>> {
    writeln!(stdout(), "{what}")?;
    Ok(stdout().flush()?)
}

/// One file for each thing that can be forgotten.
fn files(directory: &Path) -> Result<(), Box<dyn Error>> {
    let file = |name: &str| File::create(directory.join(name));
    let synced = |name: &str| -> Result<File, Box<dyn Error>> {
        let mut file = file(name)?;
        file.write_all(b"synced")?;
        file.sync_all()?;
        Ok(file)
    };
    drop(synced("synced")?);
    file("unsynced")?.write_all(b"unsynced")?;
    let mut changed = synced("changed")?;
    drop(synced("renamed")?);
    drop(synced("removed")?);
    fs::create_dir(directory.join("inner"))?;
    drop(synced("inner/file")?);
    File::open(directory)?.sync_all()?;
    say("synced")?;

    changed.write_all(b" and changed")?;
    drop(synced("no-name")?);
    fs::rename(directory.join("renamed"), directory.join("other"))?;
    fs::remove_file(directory.join("removed"))?;
    fs::copy(directory.join("synced"), directory.join("copied"))?;
    say("unsynced")
}

/// Adds rows, one a transaction, some replacing others, and says each number when it is committed.
fn rows(home: &Home, passphrase: &Passphrase, synchronous: &str, count: u32) -> Result<(), Box<dyn Error>> {
    let unlocked = home.unlock(passphrase)?;
    let database = open_database(&unlocked)?;
    // As the profile opens it, or weaker, to see that the test would notice.
    if synchronous != "as-is" {
        database.pragma_update(None, "synchronous", synchronous)?;
    }
    // Small, so that the log is folded in while it runs.
    database.pragma_update(None, "wal_autocheckpoint", 20)?;
    database
        .execute_batch("CREATE TABLE IF NOT EXISTS rows (number INTEGER PRIMARY KEY, text TEXT NOT NULL)")?;
    for number in 0..count {
        database.execute(
            "INSERT INTO rows VALUES (?1, ?2)",
            (number, format!("row {number} ").repeat(60)),
        )?;
        say(&number.to_string())?;
    }
    say("done")?;
    // Without closing: that would sync. The process ends as if it were killed.
    std::mem::forget(database);
    Ok(())
}
