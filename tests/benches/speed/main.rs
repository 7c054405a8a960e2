//! The measured ratios of `make bench`, on one neighbourhood year: each is a candidate (what Kiez does) over a floor (what
//! cannot be left out), both in one run, on one disk (the one that holds `target`). Five runs; medians.
//!
//! Every floor is a function of its own, and says what it measures.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a measurement: it prints, and where something is not as expected it fails"
)]

mod action;
mod catch_up;
mod change;
mod idle;
mod new_device;
mod open;
mod profiles;
mod roster;
mod table;

use std::time::Duration;

use kiez_core::host::clock::instant;
use kiez_tests::year::Year;

use profiles::Place;
use table::Table;

/// How often everything is measured.
pub const RUNS: usize = 5;

const SEED: u64 = 2026;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, home] = arguments.as_slice()
        && flag == idle::FLAG
    {
        return idle::stand(home.as_ref());
    }
    // `cargo bench` passes flags of its own; a word is the name of the one measurement that is wanted.
    let only = arguments.iter().find(|argument| !argument.starts_with('-'));
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    let mut table = Table::default();
    if wanted("roster") {
        roster::measure(&mut table);
    }
    // It needs no year.
    if only.is_some_and(|only| only == "roster") {
        println!("{table}");
        return;
    }
    let place = Place::new();
    let (took, year) = timed(|| Year::cached(SEED, &place.fixtures()));
    println!("the year: made or read in {} s", took.as_secs());
    let (took, profiles) = timed(|| place.profiles(&year));
    println!("two profiles with it: {} s", took.as_secs());
    if wanted("open") {
        open::measure(&profiles, &mut table);
    }
    if wanted("action") {
        action::measure(&profiles, &mut table);
    }
    if wanted("change") {
        change::measure(&profiles, &mut table);
    }
    if wanted("catch-up") {
        catch_up::measure(&year, &mut table);
    }
    if wanted("new-device") {
        new_device::measure(&year, &place, &mut table);
    }
    if wanted("idle") {
        idle::measure(&profiles, &mut table);
    }
    println!("{table}");
}

/// How long something takes, and what came of it.
pub fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = instant();
    let done = work();
    (start.elapsed(), done)
}

/// The middle one.
pub fn median<T: Copy + PartialOrd>(mut all: Vec<T>) -> T {
    all.sort_by(|a, b| a.partial_cmp(b).unwrap());
    all[all.len() / 2]
}

pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
