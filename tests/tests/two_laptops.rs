//! Two laptops on a bare cable, without internet or router: the real `kiez` on both ends.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "test code: a failure is a panic"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use kiez_core::host::clock::instant;
use kiez_tests::laptop::{Laptop, Running};
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
    eprintln!(
        "{carrier:?}: {} bytes on the cable in all",
        cable.bytes().unwrap()
    );
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

/// Anna has founded a group, and Ben is in it. Nobody runs any more.
fn neighbours(cable: &Arc<Cable>) -> (Laptop, Laptop) {
    let anna = Laptop::new().on(cable, Side::Left).of("Anna");
    let ben = Laptop::new().on(cable, Side::Right).of("Ben");
    anna.ask(&["group", "found", "Zawodzie"]);
    let listening = anna.listen();
    join(&anna, &ben);
    assert_eq!(listening.stop().code, Some(0));
    (anna, ben)
}

/// The inviting laptop must be listening.
fn join(inviting: &Laptop, joining: &Laptop) {
    let invitation = inviting.ask(&["invite"]);
    joining.ask(&["join", invitation["invitation"].as_str().unwrap()]);
}

fn titles(laptop: &Laptop) -> BTreeSet<String> {
    let ideas = laptop.ask(&["idea", "list"]);
    let ideas = ideas.as_array().unwrap().iter();
    ideas
        .map(|idea| idea["title"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn with_nobody_there_sync_says_so() {
    let Some(cable) = cable() else { return };
    let (anna, ben) = neighbours(&cable);
    ben.run(&["sync"]).failed(3, "same network or cable");
    // Alone in a group.
    let carla = Laptop::new().of("Carla");
    carla.ask(&["group", "found", "Bogucice"]);
    carla.run(&["sync", "--until-idle"]).failed(3, "kiez invite");
    // With the cable pulled.
    cable.pull().unwrap();
    let _listening = anna.listen();
    ben.run(&["sync"]).failed(3, "Nobody could be reached");
    cable.plug().unwrap();
    assert_eq!(ben.ask(&["sync"])["even"], 1);
}

#[test]
fn a_second_command_is_done_by_the_process_that_has_the_profile() {
    let anna = Laptop::new().of("Anna");
    let group = anna.id(&["group", "found", "Zawodzie"]);
    let other = anna.id(&["group", "found", "Bogucice"]);
    let in_group = |arguments: &[&str]| {
        let all: Vec<&str> = ["--group", &group].iter().chain(arguments).copied().collect();
        anna.run(&all)
    };
    let wrong_passphrase = || {
        let mut command = anna.command(&["status"]);
        command.env("KIEZ_PASSPHRASE", "an der Ecke rechts");
        Running::start(command).finish().failed(4, "passphrase is wrong");
    };
    let mut listening: Option<Running> = None;
    for title in ["Benches", "Trees"] {
        anna.run(&["idea", "add", title]).failed(2, "--group");
        assert_eq!(in_group(&["idea", "add", title]).code, Some(0));
        // The beginning of an id is enough.
        anna.ask(&["--group", &other[..8], "idea", "add", title]);
        anna.run(&["--group", "0000", "status"]).failed(1, "no group");
        wrong_passphrase();
        if let Some(listening) = listening.take() {
            anna.run(&["sync", "--listen"])
                .failed(1, "listening with this profile already");
            assert_eq!(listening.stop().code, Some(0));
        } else {
            listening = Some(anna.listen());
        }
    }
    assert_eq!(in_group(&["idea", "list"]).done().as_array().unwrap().len(), 2);
}

#[test]
fn the_profile_may_lie_in_a_folder_of_a_long_name() {
    let anna = Laptop::new().deep().of("Anna");
    anna.ask(&["group", "found", "Zawodzie"]);
    let listening = anna.listen();
    anna.ask(&["idea", "add", "Benches"]);
    assert_eq!(listening.stop().code, Some(0));
}

/// How long it took is printed and not asserted: the machine may be busy.
fn stops_soon(listening: Running) {
    let begun = instant();
    assert_eq!(listening.stop().code, Some(0));
    eprintln!("it ended within {:?}", begun.elapsed());
}

/// Who is told to end lets the profile go at once, whether the others are there, away, or do not answer.
#[test]
fn a_listener_ends_soon() {
    let Some(cable) = cable() else { return };
    let (anna, ben) = neighbours(&cable);
    // As soon as it says that it listens.
    stops_soon(anna.listen());
    // Ben is dialled where he was, and is not there.
    let listening = anna.listen();
    anna.ask(&["status"]);
    stops_soon(listening);
    // They talk, and have the same.
    let ben_listens = ben.listen();
    let listening = anna.listen();
    assert_eq!(anna.ask(&["sync"])["even"], 1);
    stops_soon(listening);
    // Ben's laptop does not answer.
    let listening = anna.listen();
    assert_eq!(anna.ask(&["sync"])["even"], 1);
    cable.pull().unwrap();
    stops_soon(listening);
    stops_soon(ben_listens);
}

/// A program that connects and says nothing, because it was stopped or is none of ours.
#[cfg(unix)]
#[test]
fn who_connects_and_says_nothing_holds_up_nobody() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixStream;
    let anna = Laptop::new().of("Anna");
    anna.ask(&["group", "found", "Zawodzie"]);
    let listening = anna.listen();
    let socket = anna.home().join("socket");
    let silent = [(); 3].map(|()| UnixStream::connect(&socket).unwrap());
    anna.ask(&["idea", "add", "Benches"]);
    for (path, mode) in [(anna.home(), 0o700), (socket, 0o600)] {
        let is = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(is, mode, "{}: {is:o}", path.display());
    }
    assert_eq!(listening.stop().code, Some(0));
    drop(silent);
}

/// dash-chat 566: a group that was made offline is carried onward by a member.
#[test]
fn a_third_person_gets_everything_from_the_second_while_the_founder_is_away() {
    let Some(cable) = cable() else { return };
    cable.pull().unwrap();
    let anna = Laptop::new().on(&cable, Side::Left).of("Anna");
    anna.ask(&["group", "found", "Zawodzie"]);
    let benches = anna.id(&["idea", "add", "Benches"]);
    anna.ask(&["idea", "comment", &benches, "Green ones"]);
    cable.plug().unwrap();
    let ben = Laptop::new().on(&cable, Side::Right).of("Ben");
    let anna_listens = anna.listen();
    join(&anna, &ben);
    ben.ask(&["idea", "add", "Trees"]);
    // Anna goes, and has not met Ben's idea.
    assert_eq!(anna_listens.stop().code, Some(0));

    let ben_listens = ben.listen();
    let carla = Laptop::new().on(&cable, Side::Left).of("Carla");
    join(&ben, &carla);
    assert_eq!(carla.digest(), ben.digest());
    carla.ask(&["idea", "add", "A book box"]);
    let all = ["A book box", "Benches", "Trees"].map(str::to_owned);
    assert_eq!(carla.ask(&["sync"])["even"], 1);
    assert_eq!(titles(&ben), all.clone().into());

    // Anna comes back when Carla is gone, and has hers from Ben.
    assert_eq!(anna.ask(&["sync"])["even"], 1);
    assert_eq!(titles(&anna), all.into());
    // She is the steward: her device has given both ideas their numbers before it said that it was even.
    assert_eq!(anna.digest(), ben.digest());
    let plates = |laptop: &Laptop| {
        let ideas = laptop.ask(&["idea", "list"]);
        let ideas = ideas.as_array().unwrap().iter();
        let numbers = ideas.map(|idea| idea["plate"]["number"].as_u64());
        numbers.collect::<Option<BTreeSet<_>>>()
    };
    assert_eq!(plates(&ben), Some([1, 2, 3].into()));
    // And so does Carla, when she comes back, from Ben.
    assert_eq!(carla.ask(&["sync"])["even"], 1);
    assert_eq!(anna.digest(), carla.digest());
    let people = anna.ask(&["people"]);
    let names: BTreeSet<&str> = people
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|person| person["name"].as_str())
        .collect();
    assert_eq!(names, ["Anna", "Ben", "Carla"].into());
    assert_eq!(ben_listens.stop().code, Some(0));
}
