//! Two computers on a cable, as network namespaces of this one: nothing else is on it, and there is no route anywhere.
//!
//! Between the two lies a switch in a third namespace. So both sides lose the carrier when the cable is pulled and keep
//! their addresses, as real computers do, and what goes over it can be counted. Linux only; needs root and iproute2.

use std::io;
use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A cable and the two computers on it. Dropping it takes all away; end the programs on it before.
#[derive(Debug)]
pub struct Cable {
    name: String,
}

/// One end of the cable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// 10.77.0.1.
    Left,
    /// 10.77.0.2.
    Right,
}

impl Side {
    /// Both ends.
    pub const BOTH: [Self; 2] = [Self::Left, Self::Right];

    /// Its address on the cable, of a network of 24 bits.
    #[must_use]
    pub const fn address(self) -> Ipv4Addr {
        match self {
            Self::Left => Ipv4Addr::new(10, 77, 0, 1),
            Self::Right => Ipv4Addr::new(10, 77, 0, 2),
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }
}

/// Why there is no cable here.
#[derive(Debug, thiserror::Error)]
pub enum NoCable {
    /// Say it, and skip the test.
    #[error("skipped: needs root and ip (iproute2)")]
    NeedsRoot,
    /// `ip` failed.
    #[error("{0}")]
    Failed(String),
    /// `ip` could not be started.
    #[error(transparent)]
    Io(#[from] io::Error),
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Cable {
    /// Lays a cable and plugs it in.
    ///
    /// # Errors
    /// [`NoCable::NeedsRoot`] is the one to skip a test for.
    pub fn new() -> Result<Self, NoCable> {
        let name = format!(
            "kiez-{}-{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        match ip(&["netns", "add", &format!("{name}-switch")]) {
            Err(NoCable::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                return Err(NoCable::NeedsRoot);
            }
            Err(NoCable::Failed(why)) if why.contains("not permitted") || why.contains("denied") => {
                return Err(NoCable::NeedsRoot);
            }
            other => drop(other?),
        }
        // From here on dropping it cleans up what there is.
        let cable = Self { name };
        let switch = cable.switch();
        ip(&[
            "-n",
            &switch,
            "link",
            "add",
            "switch",
            "type",
            "bridge",
            "forward_delay",
            "0",
            "mcast_snooping",
            "0",
        ])?;
        ip(&["-n", &switch, "link", "set", "switch", "up"])?;
        for side in Side::BOTH {
            let (port, namespace) = (side.word(), cable.namespace(side));
            ip(&["netns", "add", &namespace])?;
            ip(&["-n", &namespace, "link", "set", "lo", "up"])?;
            ip(&[
                "-n", &namespace, "link", "add", "cable", "type", "veth", "peer", "name", port, "netns",
                &switch,
            ])?;
            ip(&[
                "-n",
                &namespace,
                "addr",
                "add",
                &format!("{}/24", side.address()),
                "dev",
                "cable",
            ])?;
            ip(&["-n", &namespace, "link", "set", "cable", "up"])?;
            ip(&["-n", &switch, "link", "set", port, "master", "switch"])?;
        }
        cable.plug()?;
        Ok(cable)
    }

    /// The same command, to be started on that side.
    #[must_use]
    pub fn run_in(&self, side: Side, command: &Command) -> Command {
        let mut inside = Command::new("ip");
        inside
            .args(["netns", "exec", &self.namespace(side)])
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        command
            .get_current_dir()
            .map(|directory| inside.current_dir(directory));
        inside
    }

    /// Pulls the plug: both sides lose the carrier.
    ///
    /// # Errors
    /// Where `ip` fails.
    pub fn pull(&self) -> Result<(), NoCable> {
        self.set_ports("down")
    }

    /// Plugs it in again.
    ///
    /// # Errors
    /// Where `ip` fails.
    pub fn plug(&self) -> Result<(), NoCable> {
        self.set_ports("up")
    }

    /// All bytes that the two sides sent over the cable so far, with the Ethernet headers.
    ///
    /// # Errors
    /// Where `ip` fails.
    pub fn bytes(&self) -> Result<u64, NoCable> {
        let mut bytes: u64 = 0;
        for side in Side::BOTH {
            let told = ip(&["-n", &self.switch(), "-s", "-j", "link", "show", side.word()])?;
            let links: serde_json::Value = serde_json::from_str(&told).map_err(io::Error::from)?;
            let received = links
                .pointer("/0/stats64/rx/bytes")
                .and_then(serde_json::Value::as_u64);
            bytes = bytes.saturating_add(received.ok_or_else(|| NoCable::Failed(told.clone()))?);
        }
        Ok(bytes)
    }

    /// The routes of a side, of IPv4, one a line.
    ///
    /// # Errors
    /// Where `ip` fails.
    pub fn routes(&self, side: Side) -> Result<String, NoCable> {
        ip(&[
            "-n",
            &self.namespace(side),
            "route",
            "show",
            "table",
            "all",
            "type",
            "unicast",
        ])
    }

    fn set_ports(&self, state: &str) -> Result<(), NoCable> {
        for side in Side::BOTH {
            ip(&["-n", &self.switch(), "link", "set", side.word(), state])?;
        }
        Ok(())
    }

    fn namespace(&self, side: Side) -> String {
        format!("{}-{}", self.name, side.word())
    }

    fn switch(&self) -> String {
        format!("{}-switch", self.name)
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        // The links go with the namespaces. One that was never made is an error, and no matter.
        for namespace in [
            self.namespace(Side::Left),
            self.namespace(Side::Right),
            self.switch(),
        ] {
            ip(&["netns", "delete", &namespace]).ok();
        }
    }
}

fn ip(arguments: &[&str]) -> Result<String, NoCable> {
    let output = Command::new("ip").args(arguments).output()?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(NoCable::Failed(format!("ip {}: {why}", arguments.join(" "))))
    }
}
