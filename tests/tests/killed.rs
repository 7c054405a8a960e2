//! kill -9, and the power cut, of both laptops between any two steps of the story and in the middle of long ones: it
//! ends as it would have ended.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a failure is a panic"
)]

use std::sync::Arc;

use kiez_core::host::keystore::{Home, Passphrase, open_database};
use kiez_tests::laptop::{Laptop, PASSPHRASE};
use kiez_tests::lossy_disk::NoLossyDisk;
use kiez_tests::namespaces::{Cable, NoCable, Side};
use kiez_tests::story::{Carrier, Story, Trouble};
use serde_json::json;

fn cable() -> Option<Arc<Cable>> {
    match Cable::new() {
        Ok(cable) => Some(Arc::new(cable)),
        Err(reason @ NoCable::NeedsRoot) => {
            eprintln!("{reason}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn lossy(laptop: Laptop) -> Option<Laptop> {
    match laptop.lossy() {
        Ok(laptop) => Some(laptop),
        Err(reason @ NoLossyDisk::NoCompiler(_)) => {
            eprintln!("{reason}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn told(carrier: Carrier, trouble: Trouble) {
    let Some(cable) = cable() else { return };
    let laptop = |side| {
        let laptop = Laptop::new().on(&cable, side);
        match trouble {
            Trouble::PowerCut(_) => lossy(laptop),
            Trouble::None | Trouble::Kill => Some(laptop),
        }
    };
    let (Some(left), Some(right)) = (laptop(Side::Left), laptop(Side::Right)) else {
        return;
    };
    let mut story = Story::new(left, right, Some(Arc::clone(&cable)), carrier, trouble);
    story.tell();
    story.rebuilt_is_equal();
}

#[test]
fn killed_between_any_two_steps() {
    told(Carrier::Cable, Trouble::Kill);
}

#[test]
fn killed_between_any_two_steps_with_files() {
    told(Carrier::Files, Trouble::Kill);
}

#[test]
fn all_that_was_not_synced_is_lost_between_any_two_steps() {
    told(Carrier::Cable, Trouble::PowerCut(0));
}

#[test]
fn the_power_fails_between_any_two_steps() {
    told(Carrier::Cable, Trouble::PowerCut(1));
}

#[test]
fn the_power_fails_between_any_two_steps_with_files() {
    told(Carrier::Files, Trouble::PowerCut(2));
}

/// Whatever makes the disk fail at an entry, power cut or kill: of an action of several entries none is there then.
#[test]
fn an_action_of_several_entries_is_whole_or_not_there() {
    let budget = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/zawodzie.pb");
    let anna = Laptop::new().of("Anna");
    let home = Home::at(anna.home());
    let break_at = |entries: u32| {
        let unlocked = home.unlock(&Passphrase::new(PASSPHRASE)).unwrap();
        let database = open_database(&unlocked).unwrap();
        let trigger = format!(
            "DROP TRIGGER IF EXISTS break; \
             CREATE TRIGGER break BEFORE INSERT ON entries WHEN (SELECT count(*) FROM entries) = {entries} \
             BEGIN SELECT RAISE(ABORT, 'the disk broke'); END"
        );
        database.execute_batch(&trigger).unwrap();
    };
    for entries in 0..3 {
        break_at(entries);
        anna.run(&["group", "found", "Zawodzie"])
            .failed(1, "the disk broke");
        assert_eq!(anna.ask(&["group", "list"]), json!([]), "at {entries}");
    }
    break_at(4);
    anna.ask(&["group", "found", "Zawodzie"]);
    assert_eq!(anna.ask(&["group", "show"])["name"], "Zawodzie");
    assert_eq!(anna.ask(&["people"])[0]["name"], "Anna");
    // The second project.
    anna.run(&["import-pabulib", budget]).failed(1, "the disk broke");
    assert_eq!(anna.ask(&["idea", "list"]), json!([]));
}
