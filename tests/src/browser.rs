//! `kiez serve`, and a browser that asks it over a real socket.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "test code: a failure is a panic"
)]

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::laptop::{Laptop, Running};

/// A running `kiez serve`.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub host: String,
    /// What opens once.
    pub key: String,
    /// The program.
    pub running: Running,
}

/// What a browser gets for the key.
#[derive(Debug)]
pub struct Entered {
    /// Name and value.
    pub cookie: String,
    /// What the page shows of itself.
    pub pass: String,
}

/// An answer: the status, all headers as they came, the body.
#[derive(Debug)]
pub struct Answer {
    /// 200 and so on.
    pub status: u16,
    /// In small letters.
    pub headers: String,
    /// As it came.
    pub body: String,
}

impl Answer {
    /// What it says; it must be no refusal.
    #[must_use]
    pub fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Server {
    /// Starts it, and waits until it says where it is.
    #[must_use]
    pub fn start(laptop: &Laptop) -> Self {
        Self::of(laptop.start(&["serve"]))
    }

    /// One that was just started; waits until it says where it is.
    #[must_use]
    pub fn of(mut running: Running) -> Self {
        let address = running.wait_for("http://");
        let (host, key) = address
            .trim()
            .strip_prefix("http://")
            .unwrap()
            .split_once("/enter?key=")
            .unwrap();
        Self {
            host: host.to_owned(),
            key: key.to_owned(),
            running,
        }
    }

    /// Sends any request.
    #[must_use]
    pub fn request(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let mut request = format!(
            "{line} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n",
            body.len()
        );
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        stream
            .write_all(format!("{request}\r\n{body}").as_bytes())
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            headers: head.to_lowercase(),
            body: body.to_owned(),
        }
    }

    /// Opens the address that was printed.
    #[must_use]
    pub fn enter(&self) -> Entered {
        let entered = self.request(
            &format!("GET /enter?key={}", self.key),
            &[("Host", &self.host)],
            "",
        );
        assert_eq!(entered.status, 303);
        let cookie = entered.headers.split("set-cookie: ").nth(1).unwrap();
        let pass = entered.headers.split("location: /#pass=").nth(1).unwrap();
        Entered {
            cookie: cookie.split(';').next().unwrap().to_owned(),
            pass: pass.lines().next().unwrap().to_owned(),
        }
    }

    /// Asks as the page does.
    #[must_use]
    pub fn page(&self, entered: &Entered, path: &str, body: &Value) -> Answer {
        let origin = format!("http://{}", self.host);
        let headers = [
            ("Host", self.host.as_str()),
            ("Origin", &origin),
            ("Cookie", &entered.cookie),
            ("Kiez-Pass", &entered.pass),
            ("Content-Type", "application/json"),
        ];
        self.request(&format!("POST {path}"), &headers, &body.to_string())
    }

    /// Listens for events as the page does. The connection stays open while what is given lives.
    #[must_use]
    pub fn listen(&self, entered: &Entered) -> TcpStream {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let request = format!(
            "GET /api/events?pass={} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\n\r\n",
            entered.pass, self.host, entered.cookie
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        assert_eq!(&status, b"HTTP/1.1 200");
        stream
    }
}
