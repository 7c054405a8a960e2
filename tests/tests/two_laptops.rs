//! Two laptops on a bare cable, without internet or router: the real `kiez` on both ends.

#![allow(
    clippy::unwrap_used,
    reason = "test code: a failure is a panic"
)]

use std::sync::Arc;

use kiez_tests::laptop::Laptop;
use kiez_tests::namespaces::{Cable, NoCable, Side};
use kiez_tests::story::{Carrier, Story, Trouble};

fn cable() -> Option<Arc<Cable>> {
    match Cable::new() {
        Ok(cable) => {
            for side in Side::BOTH {
                let routes = cable.routes(side).unwrap();
                assert!(!routes.contains("default"), "{routes}");
            }
            Some(Arc::new(cable))
        }
        Err(reason @ NoCable::NeedsRoot) => {
            eprintln!("{reason}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn story(carrier: Carrier) {
    let Some(cable) = cable() else { return };
    let left = Laptop::new().on(&cable, Side::Left);
    let right = Laptop::new().on(&cable, Side::Right);
    let mut story = Story::new(left, right, Some(Arc::clone(&cable)), carrier, Trouble::None);
    story.tell();
    eprintln!("{carrier:?}: {} bytes on the cable in all", cable.bytes().unwrap());
    story.rebuilt_is_equal();
}

#[test]
fn two_neighbours_write_apart_and_meet_on_the_cable() {
    story(Carrier::Cable);
}

#[test]
fn two_neighbours_write_apart_and_meet_by_files() {
    story(Carrier::Files);
}
