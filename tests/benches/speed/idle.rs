//! Memory of an idle node with the year on disk: this program again, as a process of its own that opens the profile,
//! starts the network as `kiez sync --listen` does, and waits.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use kiez_core::host::keystore::Home;
use kiez_core::host::net::Network;
use kiez_core::host::node::Node;

use kiez_tests::year::profile::passphrase;

use super::profiles::Profiles;
use super::table::Table;
use super::{RUNS, median};

pub const FLAG: &str = "--idle";

/// How long it stands before it is looked at.
const SETTLE: Duration = Duration::from_secs(3);

/// The other process: opens, lists the ideas once, listens.
pub fn stand(home: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let node = Node::open(&Home::at(home), &passphrase()).unwrap();
        for group in node.groups().unwrap() {
            assert!(!node.ideas(group).unwrap().is_empty());
        }
        let network = Network::start(&node, Some(passphrase())).await.unwrap();
        tokio::time::sleep(SETTLE).await;
        println!("settled");
        std::io::stdout().flush().unwrap();
        tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0]).ok())
            .await
            .unwrap();
        network.stop().await;
    });
}

/// Resident memory of a process and its peak, in MB of 1,000,000 bytes.
fn resident(child: &Child) -> (f64, f64) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib * 1_024.0 / 1e6
    };
    (field("VmRSS:"), field("VmHWM:"))
}

pub fn measure(profiles: &Profiles, table: &mut Table) {
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg(FLAG)
            .arg(profiles.founder.directory())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut said)
            .unwrap();
        assert_eq!(said.trim(), "settled");
        runs.push(resident(&child));
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }
    let (now, _) = median(runs.clone());
    let peak = median(runs.into_iter().map(|run| run.1).collect());
    table.line(
        "memory of an idle node",
        now,
        60.0,
        " MB",
        vec![format!(
            "resident; at its peak, while the key was derived, {peak:.0} MB"
        )],
    );
}
