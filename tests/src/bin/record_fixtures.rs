//! Records all fixtures, as this build writes them, into a folder in which nothing was recorded yet.
//!
//! `cargo run --bin record_fixtures -- DIR`. It is run once with the build that ends an issue, into
//! `tests/fixtures/issue-N`; `tests/fixtures.rs` and `tests/mixed_versions.rs` name that folder then. What was released is
//! never recorded anew.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use kiez_core::host::keystore::Home;
use kiez_tests::fixtures::council::record_council;
use kiez_tests::fixtures::{record_neighbours, record_profile};

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let folder = std::env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .ok_or("see the head of record_fixtures.rs")?;
    if folder.join("neighbours.json").exists() {
        return Err("something was recorded there already, and is never written over".into());
    }
    fs::create_dir_all(&folder)?;
    let recording = record_neighbours()?;
    let json = serde_json::to_string_pretty(&recording.neighbours)?;
    fs::write(folder.join("neighbours.json"), json + "\n")?;
    let [anna, ben] = recording.before;
    fs::write(folder.join("before-anna.kiez"), anna)?;
    fs::write(folder.join("before-ben.kiez"), ben)?;
    fs::write(folder.join("after.kiez"), recording.after)?;

    let home = folder.join("profile");
    let (profile, export) = record_profile(&Home::at(&home))?;
    fs::write(
        folder.join("profile.json"),
        serde_json::to_string_pretty(&profile)? + "\n",
    )?;
    fs::write(folder.join("profile-export.kiez"), export)?;
    fs::remove_file(home.join("lock"))?;

    let council = folder.join("council");
    fs::create_dir(&council)?;
    record_council(&council)
}
