//! The group governs itself, on three laptops with the real `kiez`: a second steward, a removal that takes both, a new
//! key, a lost device, rules that change.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a failure is a panic"
)]

use std::sync::Arc;

use kiez_tests::laptop::Laptop;
use kiez_tests::namespaces::{Cable, NoCable, Side};
use serde_json::Value;

/// Anna has founded a group; Ben and Carla are in it, Carla is a steward, too.
struct Three {
    anna: Laptop,
    ben: Laptop,
    carla: Laptop,
    cable: Arc<Cable>,
}

impl Three {
    /// A laptop of somebody who is not in the group.
    fn fourth(&self) -> Laptop {
        Laptop::new().on(&self.cable, Side::Right).of("Dora")
    }

    fn new() -> Option<Self> {
        let cable = match Cable::new() {
            Ok(cable) => Arc::new(cable),
            Err(reason @ NoCable::NeedsRoot) => {
                eprintln!("{reason}");
                return None;
            }
            Err(error) => panic!("{error}"),
        };
        let anna = Laptop::new().on(&cable, Side::Left).of("Anna");
        let ben = Laptop::new().on(&cable, Side::Right).of("Ben");
        let carla = Laptop::new().on(&cable, Side::Right).of("Carla");
        anna.ask(&["group", "found", "Zawodzie"]);
        let listening = anna.listen();
        for joining in [&ben, &carla] {
            let invitation = anna.ask(&["invite"]);
            joining.ask(&["join", invitation["invitation"].as_str().unwrap()]);
        }
        let promoted = anna.ask(&["motion", "propose", "steward", "Carla", "--reason", "four eyes"]);
        assert_eq!(promoted["state"], "carried", "Anna is the only steward");
        let three = Self {
            anna,
            ben,
            carla,
            cable,
        };
        three.exchange();
        assert_eq!(listening.stop().code, Some(0));
        Some(three)
    }

    /// Everybody exchanges what is new with Anna, who listens.
    fn exchange(&self) {
        for _ in 0..2 {
            for laptop in [&self.carla, &self.ben] {
                // Somebody else is always out of reach: nobody but Anna listens.
                assert_eq!(laptop.run(&["sync"]).code, Some(0));
            }
        }
    }

    fn motion(laptop: &Laptop, kind: &str) -> Value {
        let all = laptop.ask(&["motion", "list"]);
        let motions = all.as_array().unwrap();
        motions
            .iter()
            .find(|motion| motion["kind"] == kind)
            .unwrap()
            .clone()
    }
}

fn titles(laptop: &Laptop) -> Vec<String> {
    let ideas = laptop.ask(&["idea", "list"]);
    let mut titles: Vec<String> = ideas
        .as_array()
        .unwrap()
        .iter()
        .map(|idea| idea["title"].as_str().unwrap().to_owned())
        .collect();
    titles.sort();
    titles
}

#[test]
fn two_stewards_remove_somebody_who_then_reads_and_writes_nothing_new() {
    let Some(three) = Three::new() else { return };
    let Three { anna, ben, carla, .. } = &three;
    ben.ask(&["idea", "add", "before"]);
    let listening = anna.listen();
    three.exchange();
    let proposed = anna.ask(&["motion", "propose", "remove", "Ben", "--reason", "the ladder"]);
    assert_eq!(
        (
            &proposed["state"],
            &proposed["stewards_signed"],
            &proposed["stewards"]
        ),
        (&Value::from("open"), &Value::from(1), &Value::from(2)),
        "one of two is not enough"
    );
    three.exchange();
    let motion = Three::motion(carla, "remove");
    assert_eq!(
        (&motion["reason"], &motion["can_sign"]),
        (&Value::from("the ladder"), &Value::from(true))
    );
    let signed = carla.ask(&["motion", "sign", motion["id"].as_str().unwrap()]);
    assert_eq!(signed["state"], "carried");
    ben.ask(&["idea", "add", "after"]);
    carla.ask(&["idea", "add", "among us"]);
    three.exchange();
    assert_eq!(listening.stop().code, Some(0));
    assert_eq!(titles(anna), ["among us", "before"]);
    assert_eq!(titles(carla), ["among us", "before"]);
    // Ben is told, keeps what he had, and sees nothing of what came since.
    assert_eq!(ben.ask(&["group", "show"])["my_place"], "removed");
    assert_eq!(titles(ben), ["before"]);
    ben.run(&["idea", "add", "again"])
        .failed(1, "not in this group any more");
    let former = anna.ask(&["people", "former"]);
    assert_eq!(
        (&former[0]["name"], &former[0]["how"], &former[0]["beyond"]),
        (&Value::from("Ben"), &Value::from("removed"), &Value::from(1))
    );
    assert_eq!(anna.digest(), carla.digest());
}

#[test]
fn rules_change_by_both_and_an_invitation_is_taken_back() {
    let Some(three) = Three::new() else { return };
    let Three { anna, ben, carla, .. } = &three;
    anna.run(&["motion", "propose", "charter", "quorum", "3/2"])
        .failed(2, "quorum N/M");
    let proposed = carla.ask(&["motion", "propose", "charter", "inviters", "stewards"]);
    assert_eq!(
        (&proposed["act"]["rule"], &proposed["act"]["to"]),
        (&Value::from("inviters"), &Value::from("stewards"))
    );
    let listening = anna.listen();
    three.exchange();
    anna.ask(&["motion", "sign", proposed["id"].as_str().unwrap()]);
    three.exchange();
    assert_eq!(ben.ask(&["charter"])["inviters"], "stewards");
    ben.run(&["invite"]).failed(1, "may not invite");
    // Taken back, it lets nobody in.
    let invitation = anna.ask(&["invite"]);
    let open = anna.ask(&["invitation", "list"]);
    anna.ask(&["invitation", "withdraw", open[0]["id"].as_str().unwrap()]);
    let dora = three.fourth();
    let joined = dora.run(&[
        "join",
        invitation["invitation"].as_str().unwrap(),
        "--timeout",
        "5",
    ]);
    joined.failed(1, "cannot admit");
    assert_eq!(listening.stop().code, Some(0));
    assert_eq!(anna.ask(&["people"]).as_array().unwrap().len(), 3);
    // Who leaves is gone for everybody.
    ben.run(&["people", "leave"]).failed(2, "--yes");
    ben.ask(&["people", "leave", "--yes"]);
    assert_eq!(ben.ask(&["group", "show"])["my_place"], "left");
}
