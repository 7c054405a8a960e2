//! A program for the tests of discovery: announces a device and prints who it sees, until its standard input ends.
//!
//! `discovery_peer ME KNOWN PORT`: device ids in hexadecimal. A line for each sighting: the device, then its addresses.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{Write, stdin, stdout};

use kiez_core::domain::id::DeviceId;
use kiez_core::host::discovery::Discovery;
use kiez_core::host::random::SystemRandom;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [me, known, port] = arguments.as_slice() else {
        return Err("see the head of discovery_peer.rs".into());
    };
    let (me, known): (DeviceId, DeviceId) = (me.parse()?, known.parse()?);
    let port = port.parse()?;
    let mut discovery = Discovery::start(me, port, Some(port), &mut SystemRandom)?;
    discovery.set_known(BTreeSet::from([known]));
    let (ended, mut end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        stdin().read_line(&mut String::new()).ok();
        ended.send(()).ok();
    });
    loop {
        tokio::select! {
            sighting = discovery.next() => {
                let Some(sighting) = sighting else { return Err("discovery ended".into()) };
                let addresses: Vec<String> = sighting.addresses.iter().map(ToString::to_string).collect();
                writeln!(stdout(), "{} {}", sighting.device, addresses.join(" "))?;
            }
            _ = &mut end => break,
        }
    }
    discovery.stop();
    Ok(())
}
