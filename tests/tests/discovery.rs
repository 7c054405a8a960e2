//! Two devices find each other on a bare cable, without any route, and again when it is pulled and plugged.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test, also outside its functions"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "how long people wait is what is measured"
)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use kiez_core::domain::id::DeviceId;
use kiez_tests::namespaces::{Cable, NoCable, Side};

/// Longer than anything that works takes.
const DEADLINE: Duration = Duration::from_secs(20);

fn cable() -> Option<Cable> {
    match Cable::new() {
        Ok(cable) => Some(cable),
        Err(reason @ NoCable::NeedsRoot) => {
            println!("{reason}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn device(side: Side) -> DeviceId {
    DeviceId([if side == Side::Left { 1 } else { 2 }; 32])
}

/// A running peer that knows `known`.
struct Peer {
    child: Child,
    lines: Receiver<String>,
}

impl Peer {
    fn start(cable: &Cable, side: Side, me: DeviceId, known: DeviceId, port: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_discovery_peer"));
        command.args([&me.to_string(), &known.to_string(), port]);
        let mut child = cable
            .run_in(side, &command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || output.lines().try_for_each(|line| sender.send(line.unwrap())));
        Self { child, lines }
    }

    /// Waits until it sees `who` as wanted, and says how long that took.
    fn sees(&self, who: DeviceId, what: &str, wanted: impl Fn(&[&str]) -> bool) -> Duration {
        let started = Instant::now();
        loop {
            let left = DEADLINE.saturating_sub(started.elapsed());
            let line = self
                .lines
                .recv_timeout(left)
                .unwrap_or_else(|_| panic!("not seen: {what}"));
            let (seen, addresses) = line.split_once(' ').unwrap();
            assert_eq!(seen, who.to_string());
            let addresses: Vec<&str> = addresses
                .split(' ')
                .filter(|address| !address.is_empty())
                .collect();
            println!("{:>6} ms: {addresses:?}", started.elapsed().as_millis());
            if wanted(&addresses) {
                println!("{what} after {:?}", started.elapsed());
                return started.elapsed();
            }
        }
    }

    /// Ends it in an orderly way.
    fn stop(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn pair(cable: &Cable) -> (Peer, Peer) {
    let (left, right) = (device(Side::Left), device(Side::Right));
    (
        Peer::start(cable, Side::Left, left, right, "4401"),
        Peer::start(cable, Side::Right, right, left, "4402"),
    )
}

fn is_gone(addresses: &[&str]) -> bool {
    addresses.is_empty()
}

fn on_cable(side: Side, port: u16) -> impl Fn(&[&str]) -> bool {
    let address = format!("{}:{port}", side.address());
    move |addresses| addresses.contains(&address.as_str())
}

#[test]
fn two_devices_on_a_bare_cable_find_each_other_and_again_when_it_was_pulled() {
    let Some(cable) = cable() else { return };
    for side in Side::BOTH {
        let routes = cable.routes(side).unwrap();
        assert!(
            !routes.contains("default") && !routes.contains("224."),
            "{routes}"
        );
    }
    let (left, right) = pair(&cable);
    left.sees(
        device(Side::Right),
        "right, at first",
        on_cable(Side::Right, 4402),
    );
    right.sees(device(Side::Left), "left, at first", on_cable(Side::Left, 4401));
    println!("{} bytes on the cable", cable.bytes().unwrap());

    for _ in 0..2 {
        cable.pull().unwrap();
        left.sees(device(Side::Right), "right, gone", is_gone);
        right.sees(device(Side::Left), "left, gone", is_gone);
        cable.plug().unwrap();
        let plugged = Instant::now();
        left.sees(device(Side::Right), "right, again", on_cable(Side::Right, 4402));
        right.sees(device(Side::Left), "left, again", on_cable(Side::Left, 4401));
        assert!(
            plugged.elapsed() < Duration::from_secs(3),
            "{:?}",
            plugged.elapsed()
        );
    }

    // Who ends says so, and need not be waited for.
    right.stop();
    let gone = left.sees(device(Side::Right), "right, ended", is_gone);
    assert!(gone < Duration::from_secs(3), "{gone:?}");
}

#[test]
fn link_local_addresses_carry_their_scope() {
    let Some(cable) = cable() else { return };
    if !std::path::Path::new("/proc/net/if_inet6").exists() {
        println!("skipped: no IPv6 here");
        return;
    }
    let (left, _right) = pair(&cable);
    // "%2" is the number of the interface: without it the address cannot be dialled.
    left.sees(device(Side::Right), "a link-local address", |addresses| {
        addresses
            .iter()
            .any(|address| address.starts_with("[fe80::") && address.contains("%2]:4402"))
    });
}

#[test]
fn two_profiles_on_one_unplugged_computer_find_each_other() {
    let Some(cable) = cable() else { return };
    cable.pull().unwrap();
    let (one, two) = (device(Side::Left), device(Side::Right));
    let peer = Peer::start(&cable, Side::Left, one, two, "4401");
    let _other = Peer::start(&cable, Side::Left, two, one, "4402");
    peer.sees(two, "the other profile", |addresses| {
        addresses.contains(&"127.0.0.1:4402")
    });
}
