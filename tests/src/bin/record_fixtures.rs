//! Records the fixtures of the first version of every format into a folder that does not exist yet.
//!
//! `cargo run -p kiez-tests --bin record_fixtures -- DIR`. What was released is never recorded anew: a new version of a
//! format gets a folder of its own.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use kiez_core::host::keystore::Home;
use kiez_tests::fixtures::{record_neighbours, record_profile};

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let folder = std::env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .ok_or("see the head of record_fixtures.rs")?;
    fs::create_dir(&folder)?;
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
    Ok(())
}
