//! Who may talk to the local web server: only a page that it served itself, in a browser to which this person has brought
//! the address from the terminal.
//!
//! The address that is printed holds a key that opens once; it is exchanged for a cookie that no script can read and no other
//! site can send along, and for a pass that the page keeps. Browsers send a cookie to every port of this computer, so whoever
//! else has a server on it may see the cookie; the pass belongs to the origin with its port, and both are needed. Every request
//! must name this server as its host (else a foreign name that was made to point here could be used), and every request of a
//! page this server as its origin.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use kiez_core::host::random;
use kiez_core::planted::{Guard as Switch, is_off};

/// The cookie's name. It holds the port too, since browsers do not part cookies by port.
fn cookie_name(port: u16) -> String {
    format!("kiez-{port}")
}

/// What an address without a port means.
const HTTP_PORT: u16 = 80;

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// It names another host than this server.
    #[error("This address is not Kiez'. Use the one that was printed.")]
    Host,
    /// Another page than this server's sent it.
    #[error("Another page asked. Kiez answers only to its own.")]
    Origin,
    /// Its key is wrong, or was used before.
    #[error("This address was used already, or is wrong. Start `kiez serve` again for a new one.")]
    Key,
    /// It brings no cookie of this server.
    #[error("Open the address that `kiez serve` printed.")]
    Cookie,
    /// It brings no pass of this server.
    #[error("Open the address that `kiez serve` printed, in this browser.")]
    Pass,
}

/// What of a request decides.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Asking<'a> {
    /// `Host`.
    pub(crate) host: Option<&'a str>,
    /// `Origin`.
    pub(crate) origin: Option<&'a str>,
    /// `Sec-Fetch-Site`, which a page cannot set.
    pub(crate) site: Option<&'a str>,
    /// `Cookie`.
    pub(crate) cookies: Option<&'a str>,
    /// What the page shows of itself.
    pub(crate) pass: Option<&'a str>,
    /// Does it change something?
    pub(crate) changes: bool,
}

/// The guard of one running server.
#[derive(Debug)]
pub(crate) struct Guard {
    hosts: Vec<String>,
    port: u16,
    /// Gone once it was used.
    key: Mutex<Option<String>>,
    session: String,
    pass: String,
}

/// What a browser gets for the key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entered {
    /// The cookie's text.
    pub(crate) cookie: String,
    /// For the page.
    pub(crate) pass: String,
}

fn secret() -> String {
    crate::execute::hex(&random::bytes::<32>())
}

impl Guard {
    /// For a server that listens there.
    pub(crate) fn new(listens: SocketAddr) -> Self {
        let port = listens.port();
        let mut hosts = vec![listens.to_string()];
        if listens.ip().is_loopback() {
            hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(|name| format!("{name}:{port}")));
        }
        if port == HTTP_PORT {
            // Browsers leave it away.
            let bare = hosts.iter().filter_map(|host| host.strip_suffix(":80"));
            hosts.extend(bare.map(str::to_owned).collect::<Vec<_>>());
        }
        Self {
            hosts,
            port,
            key: Mutex::new(Some(secret())),
            session: secret(),
            pass: secret(),
        }
    }

    /// The key that opens once.
    pub(crate) fn key(&self) -> Option<String> {
        self.key.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Exchanges the key for cookie and pass.
    pub(crate) fn enter(&self, asking: &Asking<'_>, key: &str) -> Result<Entered, Refused> {
        self.check_host(asking)?;
        let mut kept = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.as_deref().is_some_and(|kept| is_same(kept, key)) {
            return Err(Refused::Key);
        }
        if !is_off(Switch::WebKey) {
            *kept = None;
        }
        Ok(Entered {
            cookie: format!(
                "{}={}; Path=/; HttpOnly; SameSite=Strict",
                cookie_name(self.port),
                self.session
            ),
            pass: self.pass.clone(),
        })
    }

    /// May this question or action of a page be answered?
    pub(crate) fn check_page(&self, asking: &Asking<'_>) -> Result<(), Refused> {
        self.check(asking)?;
        let is_own = asking.pass.is_some_and(|pass| is_same(&self.pass, pass));
        if is_own || is_off(Switch::WebPass) {
            Ok(())
        } else {
            Err(Refused::Pass)
        }
    }

    /// May this request be answered with a file of the page?
    pub(crate) fn check(&self, asking: &Asking<'_>) -> Result<(), Refused> {
        self.check_host(asking)?;
        let is_own = |origin: &str| {
            let host = origin.strip_prefix("http://");
            host.is_some_and(|host| self.hosts.iter().any(|own| own == host) && asking.host == Some(host))
        };
        match asking.origin {
            Some(origin) if !is_own(origin) && !is_off(Switch::WebOrigin) => return Err(Refused::Origin),
            // A browser says the origin of whatever changes something.
            None if asking.changes => return Err(Refused::Origin),
            Some(_) | None => {}
        }
        let elsewhere = |site: &str| site != "same-origin" && site != "none";
        if asking.site.is_some_and(elsewhere) && !is_off(Switch::WebSite) {
            return Err(Refused::Origin);
        }
        let name = cookie_name(self.port);
        let cookies = asking.cookies.unwrap_or_default().split(';');
        let mut pairs = cookies.filter_map(|cookie| cookie.trim().split_once('='));
        let is_own = pairs.any(|(of, value)| of == name && is_same(&self.session, value));
        if is_own || is_off(Switch::WebCookie) {
            Ok(())
        } else {
            Err(Refused::Cookie)
        }
    }

    fn check_host(&self, asking: &Asking<'_>) -> Result<(), Refused> {
        let is_own = asking
            .host
            .is_some_and(|host| self.hosts.iter().any(|own| own == host));
        if is_own || is_off(Switch::WebHost) {
            Ok(())
        } else {
            Err(Refused::Host)
        }
    }
}

/// Are they equal? Says nothing by the time it takes, as far as their hashes go.
fn is_same(one: &str, other: &str) -> bool {
    blake3::hash(one.as_bytes()) == blake3::hash(other.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "127.0.0.1:4321";
    const ORIGIN: &str = "http://127.0.0.1:4321";

    fn guard() -> Guard {
        Guard::new(HOST.parse().unwrap())
    }

    /// A request of the page itself.
    fn own(cookies: &str) -> Asking<'_> {
        Asking {
            host: Some(HOST),
            origin: Some(ORIGIN),
            site: Some("same-origin"),
            cookies: Some(cookies),
            pass: None,
            changes: true,
        }
    }

    /// Cookie and pass.
    fn entered(guard: &Guard) -> (String, String) {
        let key = guard.key().unwrap();
        let entered = guard.enter(&own(""), &key).unwrap();
        let cookie = entered.cookie.split(';').next().unwrap();
        (cookie.to_owned(), entered.pass)
    }

    #[test]
    fn only_the_own_page_is_answered() {
        let guard = guard();
        let (cookie, pass) = entered(&guard);
        let own = Asking {
            pass: Some(&pass),
            ..own(&cookie)
        };
        assert_eq!(guard.check_page(&own), Ok(()));
        let other_session = format!("kiez-4321={}", "0".repeat(64));
        let other_port = cookie.replace("4321", "4322");
        let rows = [
            (
                "another host, made to point here",
                Asking {
                    host: Some("evil.example:4321"),
                    ..own
                },
                Refused::Host,
            ),
            (
                "the same without a port",
                Asking {
                    host: Some("127.0.0.1"),
                    ..own
                },
                Refused::Host,
            ),
            ("no host", Asking { host: None, ..own }, Refused::Host),
            (
                "another origin",
                Asking {
                    origin: Some("http://evil.example"),
                    ..own
                },
                Refused::Origin,
            ),
            (
                "another port's origin",
                Asking {
                    origin: Some("http://127.0.0.1:4322"),
                    ..own
                },
                Refused::Origin,
            ),
            (
                "this origin by another of its names",
                Asking {
                    origin: Some("http://localhost:4321"),
                    ..own
                },
                Refused::Origin,
            ),
            (
                "an origin that begins like this one",
                Asking {
                    origin: Some("http://127.0.0.1:4321.evil.example"),
                    ..own
                },
                Refused::Origin,
            ),
            (
                "https",
                Asking {
                    origin: Some("https://127.0.0.1:4321"),
                    ..own
                },
                Refused::Origin,
            ),
            (
                "a page in a frame without origin",
                Asking {
                    origin: Some("null"),
                    ..own
                },
                Refused::Origin,
            ),
            (
                "a change without origin",
                Asking { origin: None, ..own },
                Refused::Origin,
            ),
            (
                "a form of another site",
                Asking {
                    origin: None,
                    site: Some("cross-site"),
                    ..own
                },
                Refused::Origin,
            ),
            (
                "a picture on another site",
                Asking {
                    origin: None,
                    site: Some("cross-site"),
                    changes: false,
                    ..own
                },
                Refused::Origin,
            ),
            (
                "a page on another port of this computer",
                Asking {
                    origin: None,
                    site: Some("same-site"),
                    changes: false,
                    ..own
                },
                Refused::Origin,
            ),
            ("no cookie", Asking { cookies: None, ..own }, Refused::Cookie),
            (
                "a cookie of another session",
                Asking {
                    cookies: Some(&other_session),
                    ..own
                },
                Refused::Cookie,
            ),
            (
                "a cookie of another server here",
                Asking {
                    cookies: Some(&other_port),
                    ..own
                },
                Refused::Cookie,
            ),
        ];
        for (what, asking, refused) in rows {
            assert_eq!(guard.check(&asking), Err(refused), "{what}");
            assert_eq!(guard.check_page(&asking), Err(refused), "{what}");
        }
        // Who has a server on another port of this computer may have seen the cookie.
        for pass in [None, Some(""), Some("0123"), Some(cookie.as_str())] {
            assert_eq!(guard.check_page(&Asking { pass, ..own }), Err(Refused::Pass));
        }
        let among_others = format!("a=b; {cookie}; c=d");
        let read = Asking {
            origin: None,
            site: None,
            cookies: Some(&among_others),
            changes: false,
            ..own
        };
        assert_eq!(guard.check(&read), Ok(()), "typed into the address line");
    }

    #[test]
    fn a_browser_leaves_port_80_away() {
        let guard = Guard::new("127.0.0.1:80".parse().unwrap());
        for (host, origin) in [
            ("127.0.0.1", "http://127.0.0.1"),
            ("localhost:80", "http://localhost:80"),
        ] {
            let own = Asking {
                host: Some(host),
                ..own("")
            };
            let key = guard.key().unwrap_or_default();
            let cookie = guard.session.clone();
            assert_ne!(guard.enter(&own, &key).err(), Some(Refused::Host), "{host}");
            let cookies = format!("kiez-80={cookie}");
            let own = Asking {
                origin: Some(origin),
                cookies: Some(&cookies),
                ..own
            };
            assert_eq!(guard.check(&own), Ok(()), "{host}");
        }
    }

    #[test]
    fn the_key_opens_once() {
        let guard = guard();
        let key = guard.key().unwrap();
        let asking = own("");
        assert_eq!(guard.enter(&asking, ""), Err(Refused::Key));
        assert_eq!(guard.enter(&asking, &"0".repeat(64)), Err(Refused::Key));
        let elsewhere = Asking {
            host: Some("evil.example:4321"),
            ..asking
        };
        assert_eq!(guard.enter(&elsewhere, &key), Err(Refused::Host));
        let cookie = guard.enter(&asking, &key).unwrap().cookie;
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
        assert_eq!(guard.enter(&asking, &key), Err(Refused::Key), "used");
    }

    #[test]
    fn key_cookie_and_pass_say_nothing_of_each_other() {
        let (one, other) = (guard(), guard());
        assert_ne!(one.key(), other.key());
        let key = one.key().unwrap();
        let (cookie, pass) = entered(&one);
        assert!(!cookie.contains(&key) && !cookie.contains(&pass) && key != pass);
    }
}
