//! A participatory budget becomes ideas: the eight projects of Zawodzie in Katowice, and what else a file may hold.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code: a failure is a panic"
)]

use std::path::{Path, PathBuf};

use kiez_core::domain::pabulib;
use kiez_tests::laptop::Laptop;
use serde_json::{Value, json};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/zawodzie.pb")
}

fn in_a_group() -> Laptop {
    let anna = Laptop::new().of("Anna");
    anna.ask(&["group", "found", "Zawodzie"]);
    anna
}

/// Imports the file, and compares every idea in the list with its project.
fn imported(anna: &Laptop, file: &Path) {
    let budget = pabulib::parse(&std::fs::read_to_string(file).unwrap()).unwrap();
    let answer = anna.ask(&["import-pabulib", file.to_str().unwrap()]);
    let ids = answer["ids"].as_array().unwrap();
    assert_eq!(ids.len(), budget.projects.len());
    let list = anna.ask(&["idea", "list"]);
    for (number, (id, project)) in (1..).zip(ids.iter().zip(&budget.projects)) {
        let idea = list
            .as_array()
            .unwrap()
            .iter()
            .find(|idea| idea["id"] == *id)
            .unwrap();
        assert_eq!(idea["plate"], json!({"number": number, "was": null}));
        assert_eq!(idea["title"], project.name.as_str());
        assert_eq!(idea["cost"], project.cost.units());
        assert_eq!(idea["place"], json!(project.place.map(|place| place.to_string())));
        assert_eq!(idea["categories"], json!(project.categories));
        assert_eq!(idea["targets"], json!(project.targets));
    }
}

/// What is found, by the beginnings of the titles.
fn found(anna: &Laptop, text: &str) -> Vec<String> {
    let hits = anna.ask(&["search", text]);
    let begin = |hit: &Value| hit["title"].as_str().unwrap().chars().take(12).collect();
    let mut all: Vec<String> = hits.as_array().unwrap().iter().map(begin).collect();
    all.sort();
    all
}

#[test]
fn the_eight_projects_of_zawodzie_are_ideas_and_found() {
    let anna = in_a_group();
    imported(&anna, &fixture());
    let list = anna.ask(&["idea", "list"]);
    assert_eq!(list.as_array().unwrap().len(), 8);
    let costs: u64 = list
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|idea| idea["cost"].as_u64())
        .sum();
    assert_eq!(
        costs,
        132_250 + 15_000 + 291_350 + 197_500 + 72_000 + 114_000 + 14_100 + 234_100
    );
    let rawa = list
        .as_array()
        .unwrap()
        .iter()
        .find(|idea| idea["cost"] == 291_350)
        .unwrap();
    let place = rawa["place"].as_str().unwrap();
    assert!(
        place.starts_with("50.2625") && place.contains(",19.0544"),
        "{place}"
    );

    assert_eq!(found(&anna, "bulwarów"), ["Rawa - to na"]);
    assert_eq!(found(&anna, "BULWARÓW RAWY"), ["Rawa - to na"]);
    // Several words in any order, parts of words, letters of Polish.
    assert_eq!(found(&anna, "biblioteki książek"), ["Zaczytane Za"]);
    assert_eq!(found(&anna, "ścieżkami"), ["Promyk słońc"]);
    assert_eq!(found(&anna, "odpoczynku szkolna"), ["Szkolna prze"]);
    // Two letters.
    assert_eq!(found(&anna, "Ra"), found(&anna, "ra"));
    assert!(found(&anna, "Ra").contains(&"Rawa - to na".to_owned()));
    assert_eq!(found(&anna, "nieznane"), Vec::<String>::new());
    // What means something to a database means nothing here.
    for text in ["\"", "a\" OR \"b", "*", "%", "Rawa'--", "NEAR(", "-"] {
        anna.ask(&["search", "--", text]);
    }
}

const CATEGORIES: &str = "META\nkey;value\ndescription;x\ncountry;Poland\nunit;X\ninstance;2021\nnum_projects;1\nnum_votes;0\nbudget;10\nvote_type;approval\nrule;greedy\ndate_begin;2021\ndate_end;2021\nPROJECTS\nproject_id;cost;name;category;target;latitude;longitude\n1;10;Grządki;environmental protection,public space;adults,seniors;50.1;19.2\nVOTES\nvoter_id;vote\n";

#[test]
fn categories_and_target_groups_are_shown() {
    let anna = in_a_group();
    let file = anna.file("categories.pb", CATEGORIES);
    imported(&anna, Path::new(&file));
    let idea = &anna.ask(&["idea", "list"])[0];
    let page = anna.ask(&["idea", "show", idea["id"].as_str().unwrap()]);
    assert_eq!(
        page["categories"],
        json!(["environmental protection", "public space"])
    );
    assert_eq!(page["targets"], json!(["adults", "seniors"]));
    assert_eq!(page["cost"], 10);
}

#[test]
fn the_real_file_too() {
    let name = "shared/data/pabulib/poland_katowice_2021_zawodzie.pb";
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let Some(file) = above.map(|folder| folder.join(name)).find(|path| path.exists()) else {
        eprintln!("skipped: {name} is not here");
        return;
    };
    let anna = in_a_group();
    imported(&anna, &file);
}
