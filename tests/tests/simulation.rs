//! The simulation: CI's share of its seeds, and the planted bugs that it must find.
//! All 10,000: `cargo run --release -p kiez-tests --bin simulate -- --seeds 0..10000`.

use kiez_tests::simulation::{Options, run, run_seeds};

/// How many seeds every `make test` runs, twice each.
const SEEDS: u64 = 240;

#[test]
fn every_device_ends_equal_and_nothing_is_missing() {
    let totals = run_seeds(0..SEEDS, Options::default(), |_| {});
    match totals {
        Ok(totals) => println!("{totals}"),
        Err(failure) => panic!("{failure}"),
    }
}

/// People who restore a backup and write on, of which two branches come.
#[test]
fn forks_end_equal_too() {
    let options = Options {
        forks: true,
        ..Options::default()
    };
    for seed in 0..60 {
        if let Err(failure) = run(seed, options) {
            panic!("{failure}");
        }
    }
}

/// Each of the bugs in `kiez_core::planted`, one after the other.
#[cfg(feature = "planted-bugs")]
#[test]
fn planted_bugs_are_found() {
    use kiez_core::planted::{Bug, with};

    /// Within so many seeds each must be found.
    const AT_MOST: u64 = 500;

    // A bug that panics is found, too: its message is the failure, not noise on the screen.
    std::panic::set_hook(Box::new(|_| {}));
    let found = Bug::ALL.map(|bug| {
        let failure = (0..AT_MOST).find_map(|seed| with(bug, || run(seed, Options::default())).err());
        (bug, failure)
    });
    drop(std::panic::take_hook());
    for (bug, failure) in &found {
        match failure {
            Some(failure) => println!(
                "{bug:?}: found after {} seeds: {}",
                failure.seed + 1,
                failure.what
            ),
            None => println!("{bug:?}: NOT found in {AT_MOST} seeds"),
        }
    }
    assert!(found.iter().all(|(_, failure)| failure.is_some()));
}
