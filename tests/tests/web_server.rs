//! The local web server over a real socket: it answers its own page and nobody else.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a failure is a panic"
)]

use kiez_tests::browser::Server;
use kiez_tests::laptop::Laptop;
use serde_json::{Value, json};

/// What is asked, how, and the answer's status.
type Row<'a> = (&'a str, Vec<(&'a str, &'a str)>, u16);

#[test]
fn a_page_makes_a_profile_a_group_and_an_idea() {
    let server = Server::start(&Laptop::new());
    let entered = server.enter();
    let ask = |question: Value| server.page(&entered, "/api/ask", &question);
    let act = |action: Value| server.page(&entered, "/api/act", &action).json();
    assert_eq!(ask(json!({"ask": "door"})).json()["state"], "new");
    act(json!({"act": "profile-new", "name": "Ada", "passphrase": "an der Ecke links"}));
    let group = act(json!({"act": "found", "name": "Zawodzie", "purpose": ""}))["id"].clone();
    let idea = act(json!({
        "act": "idea-add", "group": group, "title": "<b>Bench</b>", "body": "", "cost": 400, "place": null
    }))["id"]
        .clone();
    let page = ask(json!({"ask": "idea", "group": group, "id": idea})).json();
    // An answer was lost: the page sends the same again.
    let typed = json!({
        "act": "idea-text", "group": group, "id": idea, "field": "body", "heads": page["body"]["heads"],
        "splices": [{"at": 0, "delete": 0, "insert": "By the lime tree."}], "once": "0".repeat(32)
    });
    let first = act(typed.clone());
    assert_eq!(first["text"], "By the lime tree.");
    assert_eq!(act(typed), first, "done once");
    let page = ask(json!({"ask": "idea", "group": group, "id": idea})).json();
    assert_eq!(page["card"]["title"], "<b>Bench</b>");
    assert_eq!(page["card"]["cost"], 400);
    act(json!({"act": "lock"}));
    assert_eq!(ask(json!({"ask": "door"})).json()["state"], "locked");
    let refused = ask(json!({"ask": "ideas", "group": group}));
    assert_eq!(
        (refused.status, refused.body.as_str()),
        (422, r#"{"code":"locked"}"#)
    );
    let wrong = server.page(
        &entered,
        "/api/act",
        &json!({"act": "unlock", "passphrase": "an der Ecke rechts"}),
    );
    assert_eq!(
        (wrong.status, wrong.body.as_str()),
        (422, r#"{"code":"wrong-passphrase"}"#)
    );
    act(json!({"act": "unlock", "passphrase": "an der Ecke links"}));
    assert_eq!(ask(json!({"ask": "ideas", "group": group})).json()[0]["id"], idea);
    assert_eq!(server.running.stop().code, Some(0));
}

#[test]
fn a_page_that_listens_does_not_keep_the_server_from_ending() {
    let server = Server::start(&Laptop::new().of("Ada"));
    let _listening = server.listen(&server.enter());
    assert_eq!(server.running.stop().code, Some(0));
}

#[test]
fn nobody_else_is_answered() {
    let server = Server::start(&Laptop::new().of("Ada"));
    let entered = server.enter();
    let host = server.host.as_str();
    let origin = format!("http://{host}");
    let json = ("Content-Type", "application/json");
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let (own, with) = (("Host", host), ("Cookie", entered.cookie.as_str()));
    let pass = ("Kiez-Pass", entered.pass.as_str());
    let door = r#"{"ask":"door"}"#;
    let rows: [Row<'_>; 10] = [
        (
            "the page itself",
            vec![own, ("Origin", &origin), with, pass, json],
            200,
        ),
        ("no cookie", vec![own, ("Origin", &origin), pass, json], 403),
        ("no pass", vec![own, ("Origin", &origin), with, json], 403),
        (
            "a wrong pass",
            vec![own, ("Origin", &origin), with, ("Kiez-Pass", "0123"), json],
            403,
        ),
        (
            "another origin",
            vec![own, ("Origin", "http://evil.example"), with, pass, json],
            403,
        ),
        ("a frame", vec![own, ("Origin", "null"), with, pass, json], 403),
        (
            "another host",
            vec![("Host", "evil.example"), ("Origin", &origin), with, pass, json],
            403,
        ),
        ("no origin", vec![own, with, pass, json], 403),
        ("a form", vec![own, ("Origin", &origin), with, pass, form], 415),
        (
            "a cross-site request",
            vec![
                own,
                ("Origin", &origin),
                ("Sec-Fetch-Site", "cross-site"),
                with,
                pass,
                json,
            ],
            403,
        ),
    ];
    for (what, headers, status) in rows {
        let answer = server.request("POST /api/ask", &headers, door);
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
        for header in ["frame-ancestors 'none'", "x-frame-options: deny", "nosniff"] {
            assert!(answer.headers.contains(header), "{what}: {header}");
        }
    }
    // The key opened once.
    for key in [server.key.as_str(), "", "0123"] {
        let again = server.request(&format!("GET /enter?key={key}"), &[own], "");
        assert_eq!(again.status, 403, "{key}");
    }
    let large = server.request(
        "POST /api/ask",
        &[own, ("Origin", &origin), with, pass, json],
        &format!(r#"{{"ask":"{}"}}"#, "x".repeat(2 * 1024 * 1024)),
    );
    assert_eq!(
        (large.status, large.body.as_str()),
        (413, r#"{"code":"too-large"}"#)
    );
    assert_eq!(server.running.stop().code, Some(0));
}

#[test]
fn other_computers_are_let_in_only_where_that_is_wanted() {
    let laptop = Laptop::new().of("Ada");
    laptop
        .run(&["serve", "--listen", "192.0.2.1:0"])
        .failed(2, "--beyond-this-computer");
    // Nobody can type this one, so nobody could be answered there.
    laptop
        .run(&["serve", "--listen", "0.0.0.0:0", "--beyond-this-computer"])
        .failed(2, "one address");
}
