//! Somebody erases what they said, and a telephone number in an idea, with the real `kiez` on two laptops.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a failure is a panic"
)]

use std::sync::Arc;

use kiez_tests::laptop::Laptop;
use kiez_tests::namespaces::{Cable, NoCable, Side};
use serde_json::Value;

fn comments(laptop: &Laptop, idea: &str) -> Vec<String> {
    let shown = laptop.ask(&["idea", "show", idea]);
    let texts = shown["comments"].as_array().unwrap().iter();
    texts
        .map(|comment| comment["text"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn what_is_erased_on_one_laptop_is_gone_on_the_other() {
    let cable = match Cable::new() {
        Ok(cable) => Arc::new(cable),
        Err(reason @ NoCable::NeedsRoot) => {
            eprintln!("{reason}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let anna = Laptop::new().on(&cable, Side::Left).of("Anna");
    let ben = Laptop::new().on(&cable, Side::Right).of("Ben");
    anna.ask(&["group", "found", "Zawodzie"]);
    let listening = anna.listen();
    let invitation = anna.ask(&["invite"]);
    ben.ask(&["join", invitation["invitation"].as_str().unwrap()]);
    let idea = ben.ask(&["idea", "add", "Call 0201 555 777"]);
    let idea = idea["id"].as_str().unwrap();
    let said = ben.ask(&["idea", "comment", idea, "My number is 0201 555 777"]);
    ben.ask(&["idea", "comment", idea, "I like it"]);
    assert_eq!(ben.run(&["sync"]).code, Some(0));
    assert_eq!(comments(&anna, idea).len(), 2);

    // Not without a word that it is meant.
    let said = said["id"].as_str().unwrap();
    let asked = ben.run(&["erase", "mine", "--comment", said]);
    assert_eq!(asked.code, Some(2));
    assert!(asked.err.contains("cannot be undone"), "{}", asked.err);
    assert_eq!(comments(&ben, idea).len(), 2);
    let erased = ben.ask(&["erase", "mine", "--comment", said, "--yes"]);
    assert_eq!(
        (&erased["what"], &erased["entries"]),
        (&Value::from("own"), &Value::from(3))
    );
    assert_eq!(comments(&ben, idea), ["I like it"]);
    assert_eq!(
        ben.ask(&["search", "0201"]).as_array().unwrap().len(),
        1,
        "the idea"
    );
    assert_eq!(ben.run(&["sync"]).code, Some(0));
    assert_eq!(comments(&anna, idea), ["I like it"]);
    let told = anna.ask(&["erase", "list"]);
    assert_eq!(told[0]["id"], erased["id"]);
    assert_eq!(told[0]["by"], Value::from(vec![erased["person"].clone()]));

    // The council: Ben may propose, and it waits for Anna.
    let motion = ben.ask(&["erase", "idea", idea, "--reason", "a number", "--yes"]);
    assert_eq!(
        (&motion["kind"], &motion["state"], &motion["act"]["idea"]),
        (&Value::from("erase"), &Value::from("open"), &Value::from(idea))
    );
    assert_eq!(ben.run(&["sync"]).code, Some(0));
    // Who is to sign reads what would be left, and is told where Ben has forgotten what was written since.
    let id = motion["id"].as_str().unwrap();
    let erases = |laptop: &Laptop| laptop.ask(&["motion", "show", id])["erases"].clone();
    let before = erases(&anna);
    assert_eq!(
        (&before["left"], &before["later"], &before["reads"]["title"]),
        (
            &Value::from("same"),
            &Value::from(0),
            &Value::from("Call 0201 555 777")
        )
    );
    let text = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(text.path(), "Ask Frieda").unwrap();
    anna.ask(&["idea", "edit", idea, "--body", text.path().to_str().unwrap()]);
    let after = erases(&anna);
    assert_eq!(
        (
            &after["left"],
            &after["later"],
            &after["differs"],
            &after["title"]
        ),
        (
            &Value::from("other"),
            &Value::from(1),
            &Value::from(vec!["text"]),
            &Value::from("Call 0201 555 777")
        )
    );
    let signed = anna.ask(&["motion", "sign", motion["id"].as_str().unwrap()]);
    assert_eq!(signed["state"], "carried");
    assert_eq!(ben.run(&["sync"]).code, Some(0));
    for laptop in [&anna, &ben] {
        let told = laptop.ask(&["erase", "list"]);
        assert_eq!(told.as_array().unwrap().len(), 2);
        let of_idea = told
            .as_array()
            .unwrap()
            .iter()
            .find(|told| told["what"] == "idea")
            .unwrap();
        assert_eq!(
            (&of_idea["idea"], &of_idea["reason"]),
            (&Value::from(idea), &Value::from("a number"))
        );
        assert_eq!(of_idea["by"].as_array().unwrap().len(), 2);
        assert_eq!(
            laptop.ask(&["idea", "show", idea])["title"],
            "Call 0201 555 777",
            "it stands there"
        );
        assert_eq!(of_idea["late"], 1);
        let late = laptop.ask(&["erase", "late"]);
        assert_eq!(
            late.as_array().unwrap().len(),
            of_idea["late_mine"].as_u64().unwrap() as usize
        );
    }
    assert_eq!(anna.ask(&["erase", "late"])[0]["idea"], idea);
    assert_eq!(ben.ask(&["erase", "late"]), Value::Array(vec![]));
    let digests = [&anna, &ben].map(|laptop| laptop.ask(&["status"])["digest"].clone());
    assert_eq!(digests[0], digests[1]);
    assert_eq!(listening.stop().code, Some(0));
}
