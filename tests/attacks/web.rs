//! The local web server, by the real `kiez` over a real socket: pages of others, other users, names made to point here.

use kiez_core::planted::{Guard, VARIABLE, is_off};
use kiez_tests::browser::{Answer, Entered, Server};
use kiez_tests::laptop::{Laptop, Running};

use super::{Outcome, Stop, attacks, held};

attacks! {
    "a page on the web, open in the same browser", "another origin asks",
        "it is refused", Stop::By(Guard::WebOrigin), another_origin;
    "a page on the web, open in the same browser", "another site embeds what the server shows",
        "it is refused", Stop::By(Guard::WebSite), another_site;
    "a page on the web", "DNS rebinding: a foreign name is made to point here",
        "it is refused", Stop::By(Guard::WebHost), rebinding;
    "another user of the same machine", "another user opens the page",
        "they are refused", Stop::By(Guard::WebCookie), another_user;
    "another user of the same machine", "a server on another port, to which browsers send the cookie",
        "it has no pass, and is refused", Stop::By(Guard::WebPass), cookie_without_pass;
    "another user of the same machine", "the printed address used again",
        "it opens nothing", Stop::By(Guard::WebKey), key_again;
}

/// A running server with what is off on this thread left off there, and a page that came in.
struct Page {
    server: Server,
    entered: Entered,
    origin: String,
    _laptop: Laptop,
}

impl Page {
    fn new() -> Self {
        let laptop = Laptop::new().of("Ada");
        let mut command = laptop.command(&["serve"]);
        if let Some(guard) = Guard::ALL.iter().find(|guard| is_off(**guard)) {
            command.env(VARIABLE, format!("{guard:?}"));
        }
        let server = Server::of(Running::start(command));
        let entered = server.enter();
        let origin = format!("http://{}", server.host);
        Self {
            server,
            entered,
            origin,
            _laptop: laptop,
        }
    }

    /// A question with these headers.
    fn asked(&self, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![("Content-Type", "application/json")];
        all.extend(headers);
        self.server.request("POST /api/ask", &all, r#"{"ask":"door"}"#)
    }

    fn cookie(&self) -> (&str, &str) {
        ("Cookie", &self.entered.cookie)
    }

    fn pass(&self) -> (&str, &str) {
        ("Kiez-Pass", &self.entered.pass)
    }

    fn host(&self) -> (&str, &str) {
        ("Host", &self.server.host)
    }

    fn origin(&self) -> (&str, &str) {
        ("Origin", &self.origin)
    }
}

fn another_origin() -> Outcome {
    let page = Page::new();
    let own = page.asked(&[page.host(), page.origin(), page.cookie(), page.pass()]);
    assert_eq!(own.status, 200, "the page itself");
    let evil = ("Origin", "http://evil.example");
    let answer = page.asked(&[page.host(), evil, page.cookie(), page.pass()]);
    held(answer.status == 403, "a page of another origin is answered")
}

fn another_site() -> Outcome {
    let page = Page::new();
    let site = ("Sec-Fetch-Site", "cross-site");
    let answer = page
        .server
        .request("GET /", &[page.host(), site, page.cookie()], "");
    held(answer.status == 403, "what another site embeds is answered")
}

fn rebinding() -> Outcome {
    let page = Page::new();
    let evil = ("Host", "evil.example");
    let answer = page.server.request("GET /", &[evil, page.cookie()], "");
    held(
        answer.status == 403,
        "a foreign name that points here is answered",
    )
}

fn another_user() -> Outcome {
    let page = Page::new();
    let api = page.asked(&[page.host(), page.origin()]);
    assert_eq!(api.status, 403, "of cookie and pass, both are missing");
    let answer = page.server.request("GET /", &[page.host()], "");
    held(answer.status == 403, "another user of this computer is answered")
}

fn cookie_without_pass() -> Outcome {
    let page = Page::new();
    let answer = page.asked(&[page.host(), page.origin(), page.cookie()]);
    held(answer.status == 403, "who has seen the cookie is answered")
}

fn key_again() -> Outcome {
    let page = Page::new();
    let line = format!("GET /enter?key={}", page.server.key);
    let answer = page.server.request(&line, &[page.host()], "");
    held(
        answer.status == 403,
        "the address opens once more, for whoever has seen it",
    )
}
