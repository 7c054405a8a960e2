//! A laptop with one profile, driven as a person would: by the real `kiez`, on the host's network or on a cable, on a
//! sound disk or on one that loses what was not synced.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "test code: a failure is a panic"
)]

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use kiez_core::host::keystore::{Cost, Home, Passphrase};
use kiez_core::host::node::Node;
use serde_json::Value;

use crate::lossy_disk::LossyDisk;
use crate::namespaces::{Cable, Side};

/// Every profile's passphrase.
pub const PASSPHRASE: &str = "an der Ecke links";

/// Longer than anything takes to say the next thing.
const LIMIT: Duration = Duration::from_secs(90);

/// The built `kiez`: the one beside the tests, or the one that `KIEZ` names.
#[must_use]
pub fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("KIEZ") {
        return named.into();
    }
    let test = std::env::current_exe().unwrap();
    let built = test.ancestors().nth(2).unwrap().join("kiez");
    assert!(
        built.exists(),
        "{} is not built: `cargo build --workspace` first",
        built.display()
    );
    built
}

/// One computer with one profile.
#[derive(Debug)]
pub struct Laptop {
    /// The name of the profile's folder.
    place: String,
    /// Its folder: the profile is `home` in it.
    directory: tempfile::TempDir,
    /// For files that are no part of the profile, and cannot be lost.
    papers: tempfile::TempDir,
    cable: Option<(Arc<Cable>, Side)>,
    disk: Option<LossyDisk>,
}

impl Laptop {
    /// A laptop on the host's network, without a profile yet.
    #[must_use]
    pub fn new() -> Self {
        // In memory where possible: what lasts is up to the system or to the model, not to the machine's disk.
        let directory = || tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        Self {
            directory: directory().unwrap(),
            papers: directory().unwrap(),
            cable: None,
            disk: None,
            place: "home".to_owned(),
        }
    }

    /// The same at one end of a cable, and on no other network.
    #[must_use]
    pub fn on(mut self, cable: &Arc<Cable>, side: Side) -> Self {
        self.cable = Some((Arc::clone(cable), side));
        self
    }

    /// The same with a disk that loses what was not synced.
    ///
    /// # Errors
    /// Where there can be no such disk here.
    pub fn lossy(mut self) -> Result<Self, crate::lossy_disk::NoLossyDisk> {
        self.disk = Some(LossyDisk::new(self.directory.path())?);
        Ok(self)
    }

    /// The same with a fresh profile. Its key is derived at the least cost: `kiez` reads from the profile how to derive
    /// it, and then each command takes a tenth of the time.
    #[must_use]
    pub fn of(mut self, name: &str) -> Self {
        let home = Home::at(self.home());
        drop(Node::create_at(&home, name, &Passphrase::new(PASSPHRASE), Cost::LEAST).unwrap());
        self.settle();
        self
    }

    /// The profile's folder.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.directory.path().join(&self.place)
    }

    /// The same with the profile in a folder of a very long name.
    #[must_use]
    pub fn deep(mut self) -> Self {
        self.place = "n".repeat(150);
        self
    }

    /// The path of a file that is no part of the profile.
    #[must_use]
    pub fn path(&self, name: &str) -> String {
        self.papers.path().join(name).to_str().unwrap().to_owned()
    }

    /// Writes such a file, and gives its path.
    #[must_use]
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// A `kiez` with these arguments, not started yet.
    #[must_use]
    pub fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = match &self.disk {
            Some(disk) => disk.command(program()),
            None => Command::new(program()),
        };
        command
            .env("KIEZ_PASSPHRASE", PASSPHRASE)
            .env_remove("KIEZ_HOME")
            .arg("--home")
            .arg(self.home())
            .arg("--json")
            .args(arguments);
        match &self.cable {
            Some((cable, side)) => cable.run_in(*side, &command),
            None => command,
        }
    }

    /// Starts a `kiez`.
    #[must_use]
    pub fn start<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Running {
        Running::start(self.command(arguments))
    }

    /// Starts a `kiez` that can be told something on its standard input.
    #[must_use]
    pub fn start_to_talk<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Running {
        Running::start_with(self.command(arguments), Stdio::piped())
    }

    /// Runs a `kiez` to its end.
    #[must_use]
    pub fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Told {
        self.start(arguments).finish()
    }

    /// What it answers; it must not fail.
    pub fn ask<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Value {
        self.run(arguments).done()
    }

    /// The `id` that it answers.
    pub fn id<A: AsRef<OsStr>>(&self, arguments: &[A]) -> String {
        let answer = self.ask(arguments);
        answer["id"].as_str().expect("an id").to_owned()
    }

    /// Starts `kiez sync --listen` and waits until it listens.
    #[must_use]
    pub fn listen(&self) -> Running {
        let mut running = self.start(&["sync", "--listen"]);
        running.wait_for("Listening");
        running
    }

    /// Opens the profile in this process. No other may have it open.
    #[must_use]
    pub fn node(&self) -> Node {
        Node::open(&Home::at(self.home()), &Passphrase::new(PASSPHRASE)).unwrap()
    }

    /// The power fails: what was not synced is lost, more or less of it with the seed. No program may run any more.
    pub fn lose_unsynced(&mut self, seed: u64) {
        if let Some(disk) = &mut self.disk {
            disk.lose_unsynced(seed).unwrap();
        }
    }

    /// What this process did in the profile counts as synced.
    pub fn settle(&mut self) {
        if let Some(disk) = &mut self.disk {
            disk.settle().unwrap();
        }
    }

    /// The bytes of a group's fingerprint, as `status` says it.
    #[must_use]
    pub fn digest(&self) -> String {
        let status = self.ask(&["status"]);
        status["digest"].as_str().unwrap().to_owned()
    }
}

impl Default for Laptop {
    fn default() -> Self {
        Self::new()
    }
}

/// A line that a program said.
enum Line {
    Out(String),
    Err(String),
}

/// A running program. Dropping it kills it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: Receiver<Line>,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Out(line) => write!(f, "out: {line}"),
            Self::Err(line) => write!(f, "err: {line}"),
        }
    }
}

fn read(stream: impl Read + Send + 'static, sender: Sender<Line>, line: fn(String) -> Line) {
    std::thread::spawn(move || {
        for bytes in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if sender.send(line(text)).is_err() {
                return;
            }
        }
    });
}

impl Running {
    /// Starts a program and listens to it.
    #[must_use]
    pub fn start(command: Command) -> Self {
        Self::start_with(command, Stdio::null())
    }

    fn start_with(mut command: Command, input: Stdio) -> Self {
        let mut child = command
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        read(child.stdout.take().unwrap(), sender.clone(), Line::Out);
        read(child.stderr.take().unwrap(), sender, Line::Err);
        Self { child, lines }
    }

    /// Tells it all that it is ever told.
    pub fn tell(&mut self, text: &str) {
        let mut input = self
            .child
            .stdin
            .take()
            .expect("it listens, and was told nothing yet");
        input.write_all(text.as_bytes()).unwrap();
    }

    /// Waits until it says a line with this in it, on either stream, and gives the line.
    pub fn wait_for(&mut self, what: &str) -> String {
        let mut said = Vec::new();
        loop {
            let line = match self.lines.recv_timeout(LIMIT) {
                Ok(Line::Out(line) | Line::Err(line)) => line,
                Err(RecvTimeoutError::Timeout) => panic!("{what:?} was not said, only {said:?}"),
                Err(RecvTimeoutError::Disconnected) => {
                    let ended = self.child.wait().unwrap();
                    panic!("{what:?} was not said, but {said:?}, then {ended}");
                }
            };
            if line.contains(what) {
                return line;
            }
            said.push(line);
        }
    }

    /// Lets it run to its end, or until the time is over: then it is killed, whatever it is doing.
    #[must_use]
    pub fn finish_or_kill(mut self, time: Duration) -> Option<Told> {
        let told = self.listen_to_end(time);
        if told.is_none() {
            self.kill();
        }
        told
    }

    /// Waits for its end.
    #[must_use]
    pub fn finish(mut self) -> Told {
        match self.listen_to_end(LIMIT) {
            Some(told) => told,
            None => panic!("it does not end"),
        }
    }

    fn listen_to_end(&mut self, limit: Duration) -> Option<Told> {
        let (mut out, mut err) = (String::new(), String::new());
        loop {
            match self.lines.recv_timeout(limit) {
                Ok(Line::Out(line)) => out = out + &line + "\n",
                Ok(Line::Err(line)) => err = err + &line + "\n",
                Err(RecvTimeoutError::Timeout) => return None,
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        assert!(!err.contains("panicked"), "{err}");
        Some(Told {
            code: self.child.wait().unwrap().code(),
            out,
            err,
        })
    }

    /// Kills it at once (SIGKILL).
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let panicked = |line: &Line| matches!(line, Line::Err(line) if line.contains("panicked"));
        if let Some(line) = self.lines.iter().find(panicked) {
            panic!("it {line:?}");
        }
    }

    /// Asks it to end (SIGTERM) and waits until it did.
    #[must_use]
    pub fn stop(self) -> Told {
        let number = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &number]).status().unwrap();
        assert!(sent.success());
        self.finish()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        if std::thread::panicking() {
            for line in &self.lines {
                eprintln!("{line:?}");
            }
        }
    }
}

/// How a program ended, and what it said.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its exit code; none if it was killed.
    pub code: Option<i32>,
    /// On its standard output.
    pub out: String,
    /// On its standard error.
    pub err: String,
}

impl Told {
    /// The answer: one JSON value, and nothing else; it must not have failed.
    #[must_use]
    pub fn done(&self) -> Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The message of a failure; it must have this exit code and name this.
    pub fn failed(&self, exit: i32, names: &str) -> String {
        assert_eq!(self.code, Some(exit), "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
        let last = self.err.lines().last().unwrap_or_default();
        let error: Value = serde_json::from_str(last).unwrap_or_else(|e| panic!("{e}: {self:?}"));
        let message = error["error"]["message"].as_str().expect("a message").to_owned();
        assert!(message.contains(names), "{names:?} is not in {message:?}");
        assert!(error["error"]["code"].is_string(), "{self:?}");
        message
    }
}
