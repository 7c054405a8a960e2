//! One Kiez stands open with a profile at a time: the window, `kiez serve` or `kiez sync --listen`. Commands go to it, and
//! a second window shows the first.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a failure is a panic"
)]

use std::process::Command;

use kiez_tests::browser::{Entered, Server};
use kiez_tests::display::Display;
use kiez_tests::laptop::{Laptop, PASSPHRASE, Running};
use serde_json::{Value, json};

/// `kiez` without a command, where there is no display.
fn window(laptop: &Laptop) -> Command {
    let none: [&str; 0] = [];
    let mut command = laptop.command(&none);
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    command
}

/// Opens a window, and waits until the page is in it.
fn open_window(laptop: &Laptop, display: &Display) -> Running {
    let mut command = window(laptop);
    display.show(&mut command).env("KIEZ_LOG", "info");
    let mut running = Running::start(command);
    running.wait_for("the window is open");
    running
}

fn unlock(server: &Server, entered: &Entered) {
    let action = json!({"act": "unlock", "passphrase": PASSPHRASE});
    assert_eq!(server.page(entered, "/api/act", &action).status, 200);
}

#[test]
fn commands_go_to_the_server_that_has_the_profile_open() {
    let ada = Laptop::new().of("Ada");
    let server = Server::start(&ada);
    let entered = server.enter();
    unlock(&server, &entered);
    let group = ada.id(&["group", "found", "Zawodzie"]);
    let idea = ada.id(&["idea", "add", "Benches"]);
    // What a command did is on the page, and the other way round.
    let ideas = json!({"ask": "ideas", "group": group});
    assert_eq!(server.page(&entered, "/api/ask", &ideas).json()[0]["id"], idea);
    let comment = json!({"act": "comment", "group": group, "id": idea, "text": "Green ones"});
    assert_eq!(server.page(&entered, "/api/act", &comment).status, 200);
    let shown = ada.ask(&["idea", "show", &idea]);
    assert_eq!(shown["comments"][0]["text"], "Green ones");
    // Whoever does not know the passphrase is not obeyed.
    let mut stranger = ada.command(&["idea", "list"]);
    stranger.env("KIEZ_PASSPHRASE", "an der Ecke rechts");
    Running::start(stranger).finish().failed(4, "passphrase");
    assert_eq!(server.running.stop().code, Some(0));
}

#[test]
fn commands_open_a_profile_themselves_that_is_locked_in_the_server() {
    let ada = Laptop::new();
    let server = Server::start(&ada);
    let entered = server.enter();
    let state = || server.page(&entered, "/api/ask", &json!({"ask": "door"})).json()["state"].clone();
    assert_eq!(state(), "new");
    ada.run(&["group", "list"]).failed(1, "");
    ada.ask(&["profile", "new", "Ada"]);
    assert_eq!(state(), "locked");
    ada.ask(&["group", "found", "Zawodzie"]);
    unlock(&server, &entered);
    assert_eq!(ada.ask(&["group", "list"])[0]["name"], "Zawodzie");
    let locked = server.page(&entered, "/api/act", &json!({"act": "lock"}));
    assert_eq!(locked.status, 200);
    ada.ask(&["idea", "add", "Benches"]);
    assert_eq!(server.running.stop().code, Some(0));
}

#[test]
fn one_stands_at_a_door() {
    let ada = Laptop::new().of("Ada");
    let mut server = Server::start(&ada);
    for other in [&["serve"][..], &["sync", "--listen"]] {
        ada.run(other).failed(1, "Another Kiez");
    }
    Running::start(window(&ada)).finish().failed(1, "browser");
    // Another profile's door is another one.
    let ben = Laptop::new();
    assert_eq!(Server::start(&ben).running.stop().code, Some(0));
    // A program that was killed leaves nothing in the way.
    server.running.kill();
    assert!(ada.home().join("socket").exists());
    let listening = ada.listen();
    ada.run(&["serve"]).failed(1, "Another Kiez");
    Running::start(window(&ada)).finish().failed(1, "sync --listen");
    assert_eq!(listening.stop().code, Some(0));
    assert!(!ada.home().join("socket").exists());
}

#[test]
fn a_second_window_shows_the_first() {
    let display = Display::open();
    let ada = Laptop::new();
    let first = open_window(&ada, &display);
    let mut second = window(&ada);
    display.show(&mut second);
    assert_eq!(Running::start(second).finish().done(), json!({"shown": true}));
    for other in [&["serve"][..], &["profile", "show"]] {
        assert_eq!(ada.run(other).code, Some(1), "{other:?}");
    }
    // Another profile has a window of its own.
    let ben = Laptop::new().of("Ben");
    for window in [open_window(&ben, &display), first] {
        let told = window.stop();
        assert_eq!(told.code, Some(0), "{told:?}");
        assert_eq!(told.out.trim(), json!({"stopped": true}).to_string());
    }
    assert!(!ada.home().join("socket").exists());
    // The one who closed it can open it again.
    assert_eq!(open_window(&ada, &display).stop().code, Some(0));
}

#[test]
fn without_a_display_it_says_what_to_do() {
    let ada = Laptop::new();
    let told = Running::start(window(&ada)).finish();
    told.failed(1, "`kiez serve`");
    let error: Value = serde_json::from_str(told.err.lines().last().unwrap()).unwrap();
    assert_eq!(error["error"]["code"], "no-window");
    assert!(!ada.home().exists(), "a look leaves nothing behind");
}
