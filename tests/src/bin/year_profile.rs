//! Makes a profile with the neighbourhood year in it, of a person who reads and has written nothing yet.
//!
//! `cargo run --release -p kiez-tests --bin year_profile -- FIXTURES HOME`: FIXTURES keeps the year, which takes a minute to
//! make. Its passphrase is `kiez_tests::year::profile::passphrase`.

use std::error::Error;
use std::path::PathBuf;

use kiez_core::host::keystore::Home;
use kiez_tests::year::Year;

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [fixtures, home] = arguments.as_slice() else {
        return Err("see the head of year_profile.rs".into());
    };
    let year = Year::cached(2026, fixtures);
    year.profile_of(&year.quiet, &Home::at(home.clone()));
    Ok(())
}
