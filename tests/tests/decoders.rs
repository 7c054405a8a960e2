//! Replays what the fuzzer began with, and everything it ever found: `tests/fixtures/fuzz/TARGET/*` through each target.

#![allow(clippy::unwrap_used, reason = "test code: a failure is a panic")]

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use kiez_tests::decoders::TARGETS;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/fuzz")
}

/// The names in a folder, in order.
fn names(folder: &PathBuf) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let names = entries.map(|entry| entry.unwrap().file_name());
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

#[test]
fn every_target_has_fixtures_and_every_fixture_a_target() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(targets.len(), TARGETS.len(), "each has a name of its own");
    assert_eq!(names(&folder()), targets);
    for target in TARGETS {
        let seeds = names(&folder().join(target.name));
        assert!(
            !seeds.is_empty(),
            "{}: the fuzzer has nothing to begin with",
            target.name
        );
    }
}

#[test]
fn nothing_that_was_ever_found_makes_a_decoder_panic() {
    let mut failed = Vec::new();
    for target in TARGETS {
        let folder = folder().join(target.name);
        for name in names(&folder) {
            let bytes = fs::read(folder.join(&name)).unwrap();
            if catch_unwind(AssertUnwindSafe(|| (target.run)(&bytes))).is_err() {
                failed.push(format!("{}/{name}", target.name));
            }
        }
    }
    assert!(failed.is_empty(), "these make a decoder panic: {failed:#?}");
}
