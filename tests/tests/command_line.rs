//! The command line as others rely on it: every command explains itself, and every JSON answer has its fields.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a failure is a panic"
)]

use std::collections::BTreeSet;

use kiez_tests::laptop::Laptop;
use serde_json::Value;

const COMMANDS: &[&str] = &[
    "",
    "profile",
    "profile new",
    "profile show",
    "profile words",
    "group",
    "group found",
    "group list",
    "group show",
    "invite",
    "join",
    "people",
    "idea",
    "idea add",
    "idea list",
    "idea show",
    "idea edit",
    "idea comment",
    "poll",
    "poll open",
    "poll list",
    "poll cast",
    "poll close",
    "poll result",
    "task",
    "task add",
    "task list",
    "task done",
    "sync",
    "status",
    "search",
    "export",
    "import",
    "import-pabulib",
];

#[test]
fn every_command_explains_itself() {
    let anna = Laptop::new();
    for command in COMMANDS {
        let mut words: Vec<&str> = command.split_whitespace().collect();
        words.push("--help");
        let told = anna.run(&words);
        assert_eq!(told.code, Some(0), "{command}: {told:?}");
        assert!(told.out.contains("Usage: kiez"), "{command}: {told:?}");
        assert!(told.out.lines().count() > 5, "{command}: {told:?}");
    }
    assert_eq!(anna.run(&["--version"]).code, Some(0));
    for wrong in [
        &["idea"][..],
        &["no-such"],
        &["join"],
        &["sync", "--until-idle", "--listen"],
        &["--group"],
    ] {
        anna.run(wrong).failed(2, "--help");
    }
}

/// The names of an object's fields, or of those of a list's first object.
fn fields(answer: &Value) -> BTreeSet<&str> {
    let object = answer.as_array().map_or(answer, |list| &list[0]);
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

/// It has these fields, and `docs/cli.md` names them.
#[track_caller]
fn has(answer: &Value, expected: &[&str]) {
    assert_eq!(fields(answer), expected.iter().copied().collect(), "{answer}");
    let page = include_str!("../../docs/cli.md");
    for field in expected {
        let named = [format!("`{field}`"), format!("\"{field}\":")];
        assert!(
            named.iter().any(|name| page.contains(name)),
            "docs/cli.md does not name {field}"
        );
    }
}

#[test]
fn every_answer_has_its_fields() {
    let made = Laptop::new().ask(&["profile", "new", "Anna"]);
    has(&made, &["id", "person", "device", "name"]);
    let anna = Laptop::new().of("Anna");
    let found = anna.ask(&["group", "found", "Zawodzie", "--purpose", "Our quarter"]);
    has(&found, &["id"]);
    has(
        &anna.ask(&["profile", "show"]),
        &["person", "device", "name", "groups"],
    );
    let words = anna.ask(&["profile", "words"]);
    has(&words, &["words"]);
    assert_eq!(words["words"].as_str().unwrap().split(' ').count(), 24);
    has(
        &anna.ask(&["group", "list"]),
        &["id", "name", "purpose", "people"],
    );
    has(
        &anna.ask(&["group", "show"]),
        &["id", "name", "purpose", "people", "my_role", "my_place"],
    );
    has(&anna.ask(&["invite"]), &["invitation", "expires"]);
    has(
        &anna.ask(&["people"]),
        &["id", "name", "role", "voice", "devices", "me"],
    );
    has(
        &anna.ask(&["invitation", "list"]),
        &["id", "by", "role", "expires"],
    );
    has(&anna.ask(&["device", "list"]), &["device", "here", "groups"]);
    let charter = [
        "template", "inviters", "vouchers", "counters", "quorum", "fund", "text",
    ];
    has(&anna.ask(&["charter"]), &charter);
    has(&anna.ask(&["charter", "templates"]), &charter);
    let motion = [
        "id",
        "kind",
        "person",
        "act",
        "reason",
        "by",
        "at",
        "signers",
        "stewards_signed",
        "stewards",
        "voices_signed",
        "voices",
        "state",
        "can_sign",
        "erases",
    ];
    let proposed = anna.ask(&["motion", "propose", "charter", "vouchers", "2"]);
    has(&proposed, &motion);
    has(&anna.ask(&["motion", "list"]), &motion);
    has(
        &anna.ask(&["motion", "show", proposed["id"].as_str().unwrap()]),
        &motion,
    );

    let body = anna.file("body", "Two of them.\n");
    let idea = anna.id(&[
        "idea",
        "add",
        "Benches",
        "--body",
        &body,
        "--cost",
        "1200",
        "--place",
        "-33.9,18.4",
    ]);
    let row = [
        "id",
        "plate",
        "title",
        "cost",
        "place",
        "categories",
        "targets",
        "author",
        "at",
    ];
    let more = ["changed_at", "comments", "first_words", "unread"];
    has(&anna.ask(&["idea", "list"]), &[row.as_slice(), &more].concat());
    has(&anna.ask(&["idea", "edit", &idea, "--body", &body]), &["id"]);
    has(&anna.ask(&["idea", "comment", &idea, "Green ones"]), &["id"]);
    let poll = anna.id(&["poll", "open", &idea]);
    has(
        &anna.ask(&["poll", "list"]),
        &["id", "opener", "idea", "question", "at"],
    );
    has(&anna.ask(&["poll", "cast", &poll, "yes"]), &["id"]);
    let result = [
        "poll",
        "idea",
        "question",
        "method",
        "options",
        "state",
        "eligible",
        "cast",
        "counts",
        "winners",
        "quorum_reached",
        "my_answer",
        "answered_twice",
        "fingerprint",
    ];
    has(&anna.ask(&["poll", "result", &poll]), &result);
    has(&anna.ask(&["poll", "close", &poll]), &result);
    let task = anna.id(&[
        "task",
        "add",
        "Measure",
        "--idea",
        &idea,
        "--for",
        "Anna",
        "--due",
        "2027-04-01",
    ]);
    has(
        &anna.ask(&["task", "list"]),
        &["id", "idea", "title", "assignees", "due", "state"],
    );
    for state in ["doing", "done", "open", "done"] {
        has(&anna.ask(&["task", state, &task]), &["id"]);
        assert_eq!(anna.ask(&["task", "list"])[0]["state"], state);
    }

    let page = anna.ask(&["idea", "show", &idea]);
    for field in row.iter().chain(&["body", "comments", "polls", "tasks"]) {
        assert!(page.get(*field).is_some(), "{field} is missing in {page}");
    }
    has(&page["comments"], &["id", "author", "text", "at"]);
    let status = [
        "group",
        "digest",
        "entries",
        "waiting",
        "quarantined",
        "needs_update",
        "peers",
    ];
    let answer = anna.ask(&["status"]);
    assert!(fields(&answer).is_superset(&status.into()), "{answer}");
    has(&anna.ask(&["search", "Bench"]), &["kind", "id", "title"]);
    let copy = anna.path("copy.kiez");
    has(&anna.ask(&["export", &copy]), &["group", "file", "bytes"]);
    has(&anna.ask(&["import", &copy]), &["group", "entries", "new"]);
    let budget = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/zawodzie.pb");
    has(&anna.ask(&["import-pabulib", budget]), &["ids"]);
}

#[test]
fn joining_and_syncing_have_their_fields() {
    let (anna, ben) = (Laptop::new().of("Anna"), Laptop::new().of("Ben"));
    anna.ask(&["group", "found", "Zawodzie"]);
    let listening = anna.listen();
    let invitation = anna.ask(&["invite"]);
    let joined = ben.ask(&["join", invitation["invitation"].as_str().unwrap()]);
    has(&joined, &["id", "name", "code"]);
    let synced = ben.ask(&["sync"]);
    assert!(
        fields(&synced).is_superset(&["even", "out_of_reach", "unfinished"].into()),
        "{synced}"
    );
    let peer = ["person", "name", "device", "has_all_of_mine", "as_of"];
    has(&ben.ask(&["status"])["peers"], &peer);
    has(&listening.stop().done(), &["stopped"]);
}
