//! A person on more than one computer, or on another one than before: backup, words, a second computer. With the real `kiez`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a failure is a panic"
)]

use std::collections::BTreeSet;
use std::fs;

use kiez_core::replica::own_device::DeviceText;
use kiez_tests::laptop::{Laptop, Running, Told};
use serde_json::Value;

/// The inviting laptop must be listening.
fn join(inviting: &Laptop, joining: &Laptop, arguments: &[&str]) {
    let invitation = inviting.ask(arguments);
    joining.ask(&["join", invitation["invitation"].as_str().unwrap()]);
}

/// Anna has founded a group, and Ben is in it. Nobody runs any more.
fn neighbours() -> (Laptop, Laptop) {
    let (anna, ben) = (Laptop::new().of("Anna"), Laptop::new().of("Ben"));
    anna.ask(&["group", "found", "Zawodzie"]);
    let listening = anna.listen();
    join(&anna, &ben, &["invite"]);
    assert_eq!(listening.stop().code, Some(0));
    (anna, ben)
}

fn titles(laptop: &Laptop) -> BTreeSet<String> {
    let ideas = laptop.ask(&["idea", "list"]);
    let ideas = ideas.as_array().unwrap().iter();
    ideas
        .map(|idea| idea["title"].as_str().unwrap().to_owned())
        .collect()
}

fn set(titles: &[&str]) -> BTreeSet<String> {
    titles.iter().map(|title| (*title).to_owned()).collect()
}

/// How many devices this profile's person has, as this laptop knows.
fn my_devices(laptop: &Laptop) -> u64 {
    let people = laptop.ask(&["people"]);
    let me = people.as_array().unwrap().iter().find(|card| card["me"] == true);
    me.unwrap()["devices"].as_u64().unwrap()
}

fn person(laptop: &Laptop) -> Value {
    laptop.ask(&["profile", "show"])["person"].clone()
}

#[test]
fn a_lost_computer_s_backup_brings_the_person_back_and_loses_nothing() {
    let (anna, ben) = neighbours();
    assert_eq!(anna.ask(&["status"])["needs_way_back"], true);
    anna.ask(&["idea", "add", "Only in the backup"]);
    let file = ben.path("anna.kiez");
    let written = anna.ask(&["backup", &file]);
    assert_eq!(written["bytes"], fs::metadata(&file).unwrap().len());
    assert_eq!(anna.ask(&["status"])["needs_way_back"], false);
    let who = person(&anna);
    // Her computer is lost before anybody met it again.
    drop(anna);

    let again = Laptop::new();
    let read = again.ask(&["recover", "--backup", &file]);
    assert_eq!((&read["person"], &read["made"]), (&who, &written["made"]));
    assert_eq!(titles(&again), set(&["Only in the backup"]));
    again
        .run(&["idea", "add", "Too early"])
        .failed(1, "enrolled again");
    again.run(&["recover", "--backup", &file]).failed(1, "already");

    ben.ask(&["idea", "add", "Meanwhile"]);
    let ben_listens = ben.listen();
    assert_eq!(again.ask(&["sync"])["even"], 1);
    again.ask(&["idea", "add", "After it"]);
    assert_eq!(again.ask(&["sync"])["even"], 1);
    let all = set(&["After it", "Meanwhile", "Only in the backup"]);
    assert_eq!((titles(&again), titles(&ben)), (all.clone(), all));
    assert_eq!(again.digest(), ben.digest());
    assert_eq!(my_devices(&again), 2);
    assert_eq!(ben_listens.stop().code, Some(0));
}

#[test]
fn a_backup_that_is_not_sound_makes_no_profile() {
    let anna = Laptop::new().of("Anna");
    anna.ask(&["group", "found", "Zawodzie"]);
    let file = anna.path("anna.kiez");
    anna.ask(&["backup", &file]);
    let again = Laptop::new();
    let recover = |file: &str| again.run(&["recover", "--backup", file]);
    let whole = fs::read(&file).unwrap();
    let damaged = [&whole[..300], b"x", &whole[301..]].concat();
    let mut newer = whole.clone();
    newer[9] = 9;
    recover(&anna.file("damaged", damaged)).failed(5, "damaged");
    recover(&anna.file("cut", &whole[..100])).failed(5, "cut off");
    recover(&anna.file("newer", newer)).failed(1, "newer Kiez");
    recover(&anna.file("other", "Hello")).failed(1, "no Kiez backup");
    recover(&anna.path("missing")).failed(1, "cannot be read");
    let mut wrong = again.command(&["recover", "--backup", &file]);
    wrong.env("KIEZ_PASSPHRASE", "an der Ecke rechts");
    Running::start(wrong).finish().failed(4, "passphrase is wrong");
    assert!(!again.home().join("profile.kiez").exists());
    assert!(!again.home().join("store.db").exists());
    let inside = anna.home().join("backup.kiez");
    anna.run(&["backup", inside.to_str().unwrap()])
        .failed(2, "own folder");
    drop(recover(&file).done());
}

#[test]
fn the_words_bring_the_person_back_and_an_invitation_their_group() {
    let (anna, ben) = neighbours();
    let who = person(&anna);
    let words = anna.ask(&["profile", "words"])["words"]
        .as_str()
        .unwrap()
        .to_owned();
    let again = Laptop::new();
    let recover = |typed: &str| -> Told {
        let mut running = again.start_to_talk(&["recover", "--words", "--name", "Anna"]);
        running.tell(typed);
        running.finish()
    };
    recover("ribbon school").failed(1, "24 words");
    recover(&words.replacen(' ', " xylophon ", 1)).failed(1, "Word 2");
    assert!(!again.home().join("profile.kiez").exists());
    assert_eq!(recover(&words.to_uppercase()).done()["person"], who);
    again.run(&["idea", "list"]).failed(1, "no group yet");
    let ben_listens = ben.listen();
    join(&ben, &again, &["invite"]);
    again.ask(&["idea", "add", "From the new one"]);
    assert_eq!(my_devices(&again), 2);
    assert_eq!(again.ask(&["sync"])["even"], 1);
    assert_eq!(titles(&ben), set(&["From the new one"]));
    assert_eq!(ben_listens.stop().code, Some(0));
}

/// The text that `kiez device add` shows.
fn text_of(adding: &mut Running) -> String {
    let line = adding.wait_for("kiezme1");
    let offer: Value = serde_json::from_str(&line).unwrap();
    offer["text"].as_str().unwrap().to_owned()
}

fn code_of(running: &mut Running) -> String {
    let line = running.wait_for("\"code\"");
    let said: Value = serde_json::from_str(&line).unwrap();
    said["code"].as_str().unwrap().to_owned()
}

/// It has said its code, and fails then.
fn failed_after_code(running: Running, names: &str) {
    let told = Told {
        out: String::new(),
        ..running.finish()
    };
    drop(told.failed(1, names));
}

/// Both computers run; the person types on the first one what the new one shows.
fn add_second(first: &Laptop, new: &Laptop) -> Value {
    let mut adding = first.start_to_talk(&["device", "add"]);
    let text = text_of(&mut adding);
    let mut joining = new.start(&["device", "join", &text]);
    let code = code_of(&mut joining);
    assert_eq!(code_of(&mut adding), code);
    adding.tell(&format!("{code}\n"));
    let added = adding.finish().done();
    assert_eq!((&added["added"], &added["left_out"]), (&true.into(), &0.into()));
    joining.finish().done()
}

#[test]
fn a_second_computer_gets_all_groups_and_both_write() {
    let (anna, ben) = neighbours();
    anna.ask(&["idea", "add", "From the first"]);
    let second = Laptop::new();
    let moved_in = add_second(&anna, &second);
    assert_eq!(
        (&moved_in["name"], moved_in["groups"].as_array().unwrap().len()),
        (&"Anna".into(), 1)
    );
    assert_eq!((person(&second), my_devices(&second)), (person(&anna), 2));
    assert_eq!(titles(&second), set(&["From the first"]));
    second.ask(&["idea", "add", "From the second"]);
    // With two computers nobody has to be reminded of words or backup.
    assert_eq!(second.ask(&["status"])["needs_way_back"], false);

    // A group that is founded later comes the same way, and what is there already is not brought again.
    let later = anna.id(&["group", "found", "Bogucice"]);
    let moved_in = add_second(&anna, &second);
    assert_eq!(moved_in["groups"], serde_json::json!([later]));

    // Nobody else's profile becomes a further computer of hers.
    let mut adding = anna.start_to_talk(&["device", "add"]);
    let text = text_of(&mut adding);
    let mut joining = ben.start(&["device", "join", &text]);
    let code = code_of(&mut joining);
    adding.tell(&code);
    failed_after_code(joining, "another person's");
    failed_after_code(adding, "connection");
}

/// An observer may invite nobody; their own second computer needs no invitation. And the first one goes on listening.
#[test]
fn who_may_not_invite_has_a_second_computer_all_the_same_while_the_first_listens() {
    let (anna, _ben) = neighbours();
    let olga = Laptop::new().of("Olga");
    let listening = anna.listen();
    join(&anna, &olga, &["invite", "--role", "observer"]);
    olga.run(&["invite"]).failed(1, "rules do not allow");
    let olga_listens = olga.listen();
    let second = Laptop::new();
    add_second(&olga, &second);
    assert_eq!(my_devices(&second), 2);
    olga.ask(&["status"]);
    assert_eq!(olga_listens.stop().code, Some(0));
    assert_eq!(listening.stop().code, Some(0));
}

#[test]
fn who_does_not_know_the_text_or_comes_second_or_shows_another_code_gets_nothing() {
    let anna = Laptop::new().of("Anna");
    anna.ask(&["group", "found", "Zawodzie"]);
    let second = Laptop::new();
    let no_profile = || assert!(!second.home().join("profile.kiez").exists());
    let mut adding = anna.start_to_talk(&["device", "add"]);
    let text = text_of(&mut adding);

    // A stranger knows where she is, not the secret. The text is still good afterwards.
    let mut guessed = DeviceText::parse(&text).unwrap();
    guessed.secret = [7; 32];
    second
        .run(&["device", "join", &guessed.to_text()])
        .failed(1, "does not know this text");
    second
        .run(&["device", "join", text.split_at(40).0])
        .failed(5, "incomplete");
    second.run(&["device", "join", "kiez1abc"]).failed(2, "kiezme1");
    let ben = Laptop::new().of("Ben");
    ben.run(&["join", &text]).failed(2, "further one of yours");
    no_profile();

    // The one who comes first has it, and the person sees that the code is not that of their computer.
    let mut thief = second.start(&["device", "join", &text]);
    code_of(&mut thief);
    code_of(&mut adding);
    second.run(&["device", "join", &text]).failed(1, "used already");
    adding.tell("000 00\n");
    failed_after_code(adding, "differ");
    failed_after_code(thief, "differ");
    no_profile();

    // A new text makes the one before worthless.
    let mut adding = anna.start_to_talk(&["device", "add"]);
    let other = text_of(&mut adding);
    second
        .run(&["device", "join", &text])
        .failed(1, "does not know this text");
    assert_eq!(adding.stop().code, Some(1));
    no_profile();
    second
        .run(&["device", "join", &other, "--timeout", "2"])
        .failed(3, "cannot be reached");
}

#[test]
fn a_new_passphrase_opens_and_the_old_one_does_not_and_an_erased_profile_is_gone() {
    let anna = Laptop::new().of("Anna");
    anna.ask(&["group", "found", "Zawodzie"]);
    let with = |passphrase: &str, new: Option<&str>, arguments: &[&str]| {
        let mut command = anna.command(arguments);
        command.env("KIEZ_PASSPHRASE", passphrase);
        if let Some(new) = new {
            command.env("KIEZ_NEW_PASSPHRASE", new);
        }
        Running::start(command).finish()
    };
    let (old, new) = (kiez_tests::laptop::PASSPHRASE, "am Markt");
    let change = ["profile", "passphrase"];
    with(new, Some(old), &change).failed(4, "passphrase is wrong");
    with(old, Some(""), &change).failed(2, "empty");
    drop(with(old, Some(new), &change).done());
    with(old, None, &["status"]).failed(4, "passphrase is wrong");
    drop(with(new, None, &["status"]).done());
    drop(with(new, Some(old), &change).done());
    anna.run(&["profile", "lock-after", "soon"]).failed(2, "minutes");
    assert_eq!(anna.ask(&["profile", "lock-after", "5"])["lock_after"], 5);
    assert_eq!(
        anna.ask(&["profile", "lock-after", "never"])["lock_after"],
        Value::Null
    );

    let listening = anna.listen();
    anna.run(&["profile", "passphrase"]).failed(1, "settings");
    anna.run(&["profile", "erase", "--yes"]).failed(1, "already runs");
    assert_eq!(listening.stop().code, Some(0));
    anna.run(&["profile", "erase"]).failed(2, "--yes");
    anna.ask(&["profile", "show"]);
    assert_eq!(anna.ask(&["profile", "erase", "--yes"])["erased"], true);
    anna.run(&["profile", "show"]).failed(1, "no Kiez profile");
    let left: Vec<_> = fs::read_dir(anna.home()).into_iter().flatten().collect();
    assert!(
        left.iter()
            .all(|file| file.as_ref().unwrap().file_name() == "door"),
        "{left:?}"
    );
}
