//! kill -9, and the power cut, of both laptops between any two steps of the story and in the middle of long ones: it
//! ends as it would have ended.

#![allow(clippy::unwrap_used, reason = "test code: a failure is a panic")]

use std::sync::Arc;

use kiez_tests::laptop::Laptop;
use kiez_tests::lossy_disk::NoLossyDisk;
use kiez_tests::namespaces::{Cable, NoCable, Side};
use kiez_tests::story::{Carrier, Story, Trouble};

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
