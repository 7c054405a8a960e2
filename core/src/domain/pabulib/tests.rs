//! Right files, wrong files, any text.

use super::*;
use proptest::prelude::*;

const SMALL: &str = "\
META
key;value
num_projects;2
num_votes;2
budget;100
PROJECTS
name;cost;project_id;target;category;latitude;longitude;selected
\"Bench, \"\"with; back\"\"\";60;a/1;None;public space, culture,culture;50.5;19.25;1
;40.00;b;;;;None;
VOTES
vote;voter_id;points
a/1,b;v1;2,1
;v2;
";

#[test]
fn a_small_file_says_what_it_says() {
    for text in [
        SMALL.to_owned(),
        SMALL.replace('\n', "\r\n"),
        format!("\u{feff}\n{SMALL}\n \n"),
    ] {
        let budget = parse(&text).unwrap();
        assert_eq!(budget.meta.get("budget").map(String::as_str), Some("100"));
        let [bench, b] = budget.projects.as_slice() else {
            panic!("{budget:?}")
        };
        assert_eq!(
            *bench,
            Project {
                id: "a/1".to_owned(),
                name: "Bench, \"with; back\"".to_owned(),
                cost: Cost::new(60).unwrap(),
                categories: vec!["public space".to_owned(), "culture".to_owned()],
                targets: vec![],
                place: Some(Place::new(50_500_000, 19_250_000).unwrap()),
                votes: None,
                score: None,
                selected: Some(1),
            }
        );
        assert_eq!(
            (b.name.as_str(), b.cost.units(), b.place, b.selected),
            ("b", 40, None, None)
        );
        let [first, second] = budget.votes.as_slice() else {
            panic!("{budget:?}")
        };
        assert_eq!(
            (first.choices.clone(), first.points.clone()),
            (vec!["a/1".into(), "b".into()], vec![2, 1])
        );
        assert_eq!(
            (second.voter.as_str(), second.choices.len(), second.points.len()),
            ("v2", 0, 0)
        );
    }
}

#[test]
fn a_file_without_the_header_of_meta_is_read_whole() {
    let budget = parse(&SMALL.replace("key;value\n", "")).unwrap();
    assert_eq!(budget.meta.len(), 3);
}

/// A text that replaces another in [`SMALL`], and what the error then says.
const WRONG: &[(&str, &str, &str)] = &[
    (SMALL, "", "line 1: the section META is missing"),
    ("META\n", "", "line 1: the section META is missing"),
    (
        "PROJECTS\n",
        "",
        "line 9: the section VOTES does not belong here; the order is META, PROJECTS, VOTES, each once",
    ),
    (
        "VOTES\n",
        "META\n",
        "line 10: the section META does not belong here; the order is META, PROJECTS, VOTES, each once",
    ),
    (
        "VOTES\nvote;voter_id;points\na/1,b;v1;2,1\n;v2;\n",
        "",
        "line 10: the section VOTES is missing",
    ),
    (
        "cost;",
        "price;",
        "line 7: the section PROJECTS needs a column \"cost\"",
    ),
    (
        "project_id;",
        "id;",
        "line 7: the section PROJECTS needs a column \"project_id\"",
    ),
    (
        "voter_id",
        "person",
        "line 11: the section VOTES needs a column \"voter_id\"",
    ),
    (
        "vote;voter_id",
        "choice;voter_id",
        "line 11: the section VOTES needs a column \"vote\"",
    ),
    (
        "key;value",
        "key;worth",
        "line 2: the section META needs a column \"value\"",
    ),
    (
        "target;",
        "cost;",
        "line 7, value 4: the column \"cost\" is there twice",
    ),
    (";1\n", "\n", "line 8: 8 values expected, 7 found"),
    (
        "budget;100",
        "budget;100;200",
        "line 5: 2 values expected, 3 found",
    ),
    (
        "budget;100",
        "num_votes;2",
        "line 5, value 1: \"num_votes\" is there twice",
    ),
    (
        ";60;",
        ";6O;",
        "line 8, value 2: a cost is a whole number, such as 1200, not \"6O\"",
    ),
    (
        ";60;",
        ";60.50;",
        "line 8, value 2: a cost is counted in whole units, without cents, not \"60.50\"",
    ),
    (
        ";60;",
        ";-60;",
        "line 8, value 2: a cost is a whole number, such as 1200, not \"-60\"",
    ),
    (
        ";60;",
        ";;",
        "line 8, value 2: a cost is a whole number, such as 1200, not \"\"",
    ),
    (
        ";60;",
        ";60000000000000;",
        "line 8, value 2: a cost is at most 1000000000000, not \"60000000000000\"",
    ),
    (
        "50.5;",
        "91;",
        "line 8, value 6: a latitude lies between -90 and 90",
    ),
    (
        "50.5;",
        "50°30;",
        "line 8, value 6: degrees are written with digits and a point, such as 50.2599",
    ),
    (
        ";1\n",
        ";yes\n",
        "line 8, value 8: selected must be a whole number from 0 to 3, not \"yes\"",
    ),
    (
        ";1\n",
        ";4\n",
        "line 8, value 8: selected must be a whole number from 0 to 3, not \"4\"",
    ),
    ("00;b;", "00;a/1;", "line 9, value 3: \"a/1\" is there twice"),
    ("00;b;", "00;;", "line 9, value 3: project_id must not be empty"),
    (
        "a/1,b;v1",
        "a/1,c;v1",
        "line 12, value 1: there is no project \"c\"",
    ),
    ("a/1,b;v1", "b,b;v1", "line 12, value 1: \"b\" is there twice"),
    (
        "2,1",
        "2",
        "line 12, value 3: 2 projects on the ballot, but points for 1",
    ),
    (
        "2,1",
        "2,x",
        "line 12, value 3: points must be a whole number, not \"x\"",
    ),
    (";v2;", ";v1;", "line 13, value 2: \"v1\" is there twice"),
    (";v2;", ";;", "line 13, value 2: voter_id must not be empty"),
    (
        ";v2;\n",
        "",
        "line 4, value 2: META says 2 VOTES, the file holds 1",
    ),
    (
        "num_projects;2",
        "num_projects;3",
        "line 3, value 2: META says 3 PROJECTS, the file holds 2",
    ),
    (
        "num_projects;2",
        "num_projects;two",
        "line 3, value 2: value must be a whole number, not \"two\"",
    ),
    (
        "back\"\"\"",
        "back\"\"",
        "line 8, value 1: a value that begins with a quote must end with one",
    ),
    (
        "back\"\"\"",
        "back\"x",
        "line 8, value 1: a value that begins with a quote must end with one",
    ),
];

#[test]
fn every_wrong_file_is_refused_with_where_and_why() {
    for (right, wrong, error) in WRONG {
        assert!(SMALL.contains(right), "{right:?} is not in the file");
        let text = SMALL.replacen(right, wrong, 1);
        match parse(&text) {
            Ok(_) => panic!("{wrong:?} was read"),
            Err(found) => assert_eq!(found.to_string(), *error, "{wrong:?}"),
        }
    }
}

#[test]
fn everything_has_a_limit() {
    let too_large = " ".repeat(MAX_BYTES + 1);
    assert_eq!(
        parse(&too_large),
        Err(PabulibError::FileTooLarge { bytes: MAX_BYTES + 1 })
    );

    let at = At { line: 5, column: 2 };
    let long = SMALL.replace(
        "budget;100",
        &format!("budget;{}", "9".repeat(MAX_FIELD_BYTES + 1)),
    );
    assert_eq!(parse(&long), Err(PabulibError::TooLong { at }));
    let quotes = SMALL.replace(
        "budget;100",
        &format!("budget;\"{}\"", "\"\"".repeat(MAX_FIELD_BYTES + 1)),
    );
    assert!(parse(&quotes).is_err());
    assert!(parse(&SMALL.replace("budget;100", &";".repeat(MAX_FIELD_BYTES))).is_err());

    let too_many = |line, what| Err(PabulibError::TooMany { line, what });
    let wide = SMALL.replace("budget;100", &";".repeat(MAX_COLUMNS));
    assert_eq!(parse(&wide), too_many(5, Limit::Columns));
    let names = SMALL.replace("public space", &"a,".repeat(MAX_LIST));
    assert_eq!(parse(&names), too_many(8, Limit::List));
    for (section, row, max, line, what) in [
        ("PROJECTS\n", "k;v\n", MAX_META, 6, Limit::Meta),
        ("VOTES\n", "n;1;p;;;;;\n", MAX_PROJECTS, 10, Limit::Projects),
        (";v2;\n", ";v;\n", MAX_VOTES, 13, Limit::Votes),
    ] {
        let many = SMALL.replace(section, &format!("{}{section}", row.repeat(max)));
        let error = parse(&many).unwrap_err();
        let PabulibError::TooMany { line: at, what: of } = error else {
            panic!("{error}")
        };
        assert_eq!(of, what);
        assert!(at > line && at < line + max, "{at}");
    }
}

#[test]
fn the_example_neighbourhood_has_eight_projects() {
    let budget = parse(include_str!("../../../../tests/fixtures/zawodzie.pb")).unwrap();
    assert_eq!((budget.projects.len(), budget.votes.len()), (8, 60));
    assert!(budget.projects.iter().all(|project| project.place.is_some()));
    let costs: u64 = budget.projects.iter().map(|project| project.cost.units()).sum();
    assert_eq!(costs, 1_070_300);
    let first = budget.projects.first().unwrap();
    assert_eq!(first.id, "L3/01/VIII");
    assert!(first.name.contains("Dziale \"Zawodzie\" MDK"));
    assert_eq!(
        first.place.map(|place| place.to_string()).as_deref(),
        Some("50.261353,19.059075")
    );
}

/// Runs over the shared data where it is there; the project must pass without it.
#[test]
fn every_shared_budget_is_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/pabulib");
    let Ok(entries) = std::fs::read_dir(folder) else {
        println!("skipped: no shared data beside the project");
        return;
    };
    let (mut files, mut projects, mut votes) = (0, 0, 0);
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.extension().is_some_and(|extension| extension == "pb") {
            let budget = parse(&std::fs::read_to_string(&path).unwrap())
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            files += 1;
            projects += budget.projects.len();
            votes += budget.votes.len();
        }
    }
    println!("{files} budgets read: {projects} projects, {votes} votes");
    assert!(files > 0);
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        drop(parse(&text));
    }

    /// Texts made of the format's own parts get deeper than random ones.
    #[test]
    fn no_shuffled_file_panics(parts in prop::collection::vec(
        prop::sample::select(vec![
            "META\n", "PROJECTS\n", "VOTES\n", "key;value\n", "project_id;cost;name\n", "voter_id;vote;points\n",
            "a;1;\"x\"\n", "\"", "\"\"", ";", "\n", "\r\n", ",", "a", "1", "\u{feff}", "ż", "latitude", "num_votes;1\n",
        ]), 0..40)
    ) {
        drop(parse(&parts.concat()));
    }

    #[test]
    fn a_file_cut_anywhere_is_refused(cut in 0..SMALL.len().saturating_sub(1)) {
        prop_assert!(parse(SMALL.get(..cut).unwrap()).is_err());
    }

    /// Whatever a name holds, quoting brings it through.
    #[test]
    fn a_quoted_name_reads_back(name in "[^\r]{1,60}") {
        prop_assume!(!name.trim().is_empty() && !name.trim().eq_ignore_ascii_case("none"));
        let text = SMALL.replace("\n;40", &format!("\n\"{}\";40", name.replace('"', "\"\"")));
        let budget = parse(&text).unwrap();
        prop_assert_eq!(budget.projects[1].name.as_str(), name.trim());
    }
}
