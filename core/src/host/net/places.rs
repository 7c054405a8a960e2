//! Where devices are: this one's socket, and what of others' addresses is worth dialling.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::time::Duration;

use ed25519_dalek::SigningKey;
use iroh::endpoint::presets;
use iroh::{Endpoint, EndpointAddr, EndpointId, RelayMode, SecretKey, TransportAddr};

use crate::domain::id::DeviceId;
use crate::host::node::Node;

use super::{DEVICE, JOIN, NetError, SYNC};

/// How often the preferred port is tried, and how long after the last time.
const PORT_ATTEMPTS: u32 = 5;
const PORT_AGAIN: Duration = Duration::from_millis(50);

/// How long finding this device's own addresses may take.
const OWN_ADDRESSES: Duration = Duration::from_secs(2);

/// How long closing may take. It waits for each connection's other side to take note, for three seconds where nobody is
/// there; whoever does not hear of it notices later that this device is gone.
const CLOSING: Duration = Duration::from_millis(300);

/// The port this profile prefers: the same each time, so that addresses in invitations stay right.
fn port_of(device: DeviceId) -> u16 {
    let hash = blake3::derive_key("kiez 1 port", &device.0);
    let [high, low, ..] = hash;
    // The dynamic range of RFC 6335 without its last 1,024.
    49_152_u16.saturating_add(u16::from_be_bytes([high, low]) % 15_360)
}

pub(super) async fn bind(node: &Node) -> Result<Endpoint, NetError> {
    bind_as(&node.me().device).await
}

/// The same for a device that has no profile yet.
pub(super) async fn bind_as(device: &SigningKey) -> Result<Endpoint, NetError> {
    let preferred = port_of(DeviceId(device.verifying_key().to_bytes()));
    let mut last = None;
    // Both families, then one: some machines have no IPv6. A socket that this process has just closed may take a moment to
    // go, and whoever keeps the address of another port dials it in vain later.
    for _ in 0..PORT_ATTEMPTS {
        for both in [true, false] {
            match bind_at(device, preferred, both).await {
                Ok(endpoint) => return Ok(endpoint),
                Err(error) => last = Some(error),
            }
        }
        tokio::time::sleep(PORT_AGAIN).await;
    }
    // Another program has the port.
    for both in [true, false] {
        match bind_at(device, 0, both).await {
            Ok(endpoint) => return Ok(endpoint),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| NetError::Bind("no address".to_owned())))
}

async fn bind_at(device: &SigningKey, port: u16, both: bool) -> Result<Endpoint, NetError> {
    let failed = |error: &dyn std::fmt::Display| NetError::Bind(error.to_string());
    let mut builder = Endpoint::builder(presets::Minimal)
        .secret_key(SecretKey::from_bytes(&device.to_bytes()))
        .alpns(vec![SYNC.to_vec(), JOIN.to_vec(), DEVICE.to_vec()])
        .relay_mode(RelayMode::Disabled)
        .clear_ip_transports()
        .bind_addr(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port))
        .map_err(|error| failed(&error))?;
    if both {
        builder = builder
            .bind_addr(SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, port, 0, 0))
            .map_err(|error| failed(&error))?;
    }
    builder.bind().await.map_err(|error| failed(&error))
}

pub(super) async fn own_addresses(endpoint: &Endpoint) -> Vec<SocketAddr> {
    use iroh::Watcher;
    let mut watcher = endpoint.watch_addr();
    let known = async {
        loop {
            let addresses: Vec<SocketAddr> = watcher.get().ip_addrs().copied().collect();
            if !addresses.is_empty() || watcher.updated().await.is_err() {
                return addresses;
            }
        }
    };
    tokio::time::timeout(OWN_ADDRESSES, known)
        .await
        .unwrap_or_default()
}

/// Closes an endpoint; does not wait long for those who do not answer.
pub(super) async fn close(endpoint: &Endpoint) {
    tokio::time::timeout(CLOSING, endpoint.close()).await.ok();
}

/// The addresses worth dialling. Link-local ones only where there is nothing else: iroh 1.4 answers to them without
/// their scope, so the answer is lost, and with it the attempt, where that address was the fastest.
pub(super) fn dialable(addresses: &BTreeSet<SocketAddr>) -> BTreeSet<SocketAddr> {
    let far = |address: &SocketAddr| match address {
        SocketAddr::V4(_) => true,
        SocketAddr::V6(address) => !address.ip().is_unicast_link_local(),
    };
    let others: BTreeSet<SocketAddr> = addresses.iter().copied().filter(far).collect();
    if others.is_empty() {
        addresses.clone()
    } else {
        others
    }
}

/// A device's address for iroh. None where its key is none.
pub(super) fn endpoint_address(device: DeviceId, addresses: &BTreeSet<SocketAddr>) -> Option<EndpointAddr> {
    let id = EndpointId::from_bytes(&device.0).ok()?;
    let addresses = dialable(addresses).into_iter().map(TransportAddr::Ip);
    Some(EndpointAddr::from_parts(id, addresses))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_local_addresses_are_dialled_only_where_there_is_nothing_else() {
        let set = |addresses: &[&str]| -> BTreeSet<SocketAddr> {
            addresses.iter().map(|address| address.parse().unwrap()).collect()
        };
        let (cable, local) = ("10.77.0.1:50301", "[fe80::1056:8aff:fef6:2b57%2]:50301");
        assert_eq!(dialable(&set(&[cable, local])), set(&[cable]));
        assert_eq!(
            dialable(&set(&["[fd00::1]:50301", local])),
            set(&["[fd00::1]:50301"])
        );
        assert_eq!(dialable(&set(&[local])), set(&[local]));
    }
}
