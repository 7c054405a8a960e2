//! The network: an iroh endpoint without public servers, discovery on the local link, and one session a peer and group.
//!
//! Every known device that can be found is dialled and kept; what changes here is pushed at once.

mod frames;
mod join;
mod running;
mod sessions;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::sync::Arc;
use std::time::Duration;

use iroh::endpoint::presets;
use iroh::{Endpoint, EndpointAddr, EndpointId, RelayMode, SecretKey, TransportAddr};
use tokio::sync::{Notify, broadcast, watch};
use tokio::task::JoinSet;

use crate::domain::id::{DeviceId, GroupId};
use crate::host::discovery::{Discovery, Sighting};
use crate::host::keystore::Passphrase;
use crate::host::node::{Changed, Node, NodeError};
use crate::host::random::SystemRandom;

pub use join::{JoinFailure, Joined, join};

/// The protocol of a sync session.
const SYNC: &[u8] = b"kiez/sync/1";

/// The protocol of coming in.
const JOIN: &[u8] = b"kiez/join/1";

/// How long one attempt to reach a device may take.
const DIAL: Duration = Duration::from_secs(4);

/// How long after an attempt that failed the next one follows, where nothing new is heard of the device.
const DIAL_AGAIN: Duration = Duration::from_secs(5);

/// How many connections are answered at the same time; members dial again.
const ANSWERS_MAX: usize = 256;

/// How often the preferred port is tried, and how long after the last time.
const PORT_ATTEMPTS: u32 = 5;
const PORT_AGAIN: Duration = Duration::from_millis(50);

/// How long finding this device's own addresses may take.
const OWN_ADDRESSES: Duration = Duration::from_secs(2);

/// Why there is no network.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// No socket.
    #[error("the network cannot be used: {0}")]
    Bind(String),
    /// The node.
    #[error(transparent)]
    Node(#[from] NodeError),
}

/// How a session with a device in a group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contact {
    /// Being dialled for the first time, or talking, and not known to be even.
    Busy,
    /// Both have the same.
    Even,
    /// The last session ended when both had the same.
    EndedEven,
    /// Not reached, or the last session ended before both had the same.
    Lost,
}

/// Where each device is seen nearby.
type Nearby = BTreeMap<DeviceId, BTreeSet<SocketAddr>>;

/// Every device that was tried or met, by group.
pub type Contacts = BTreeMap<(GroupId, DeviceId), Contact>;

/// The running network of a node. Dropping it ends its sessions.
#[derive(Debug)]
pub struct Network {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
    discovering: bool,
}

#[derive(Debug)]
struct Shared {
    node: Node,
    endpoint: Endpoint,
    /// Whether recovery words may be opened for an enrolment; held only as long as the network runs.
    passphrase: Option<Passphrase>,
    /// Where devices are seen nearby.
    nearby: watch::Sender<Nearby>,
    contacts: watch::Sender<Contacts>,
    sessions: running::Sessions,
    /// Who joined last.
    joined: watch::Sender<Option<Joined>>,
    /// Somebody may be there to be dialled.
    look: Notify,
    stop: watch::Sender<bool>,
}

impl Network {
    /// Starts: binds a socket, answers, looks for devices nearby, dials whoever is known.
    ///
    /// # Errors
    /// Where no socket can be had.
    pub async fn start(node: &Node, passphrase: Option<Passphrase>) -> Result<Self, NetError> {
        let endpoint = bind(node).await?;
        let (contacts, _) = watch::channel(Contacts::new());
        let (joined, _) = watch::channel(None);
        let (nearby, _) = watch::channel(Nearby::new());
        let (stop, _) = watch::channel(false);
        let shared = Arc::new(Shared {
            node: node.clone(),
            endpoint,
            passphrase,
            nearby,
            contacts,
            sessions: running::Sessions::default(),
            joined,
            look: Notify::new(),
            stop,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(answer(Arc::clone(&shared)));
        tasks.spawn(dial(Arc::clone(&shared)));
        let discovery = shared.discover();
        let discovering = discovery.is_some();
        if let Some(discovery) = discovery {
            tasks.spawn(watch_nearby(Arc::clone(&shared), discovery));
        }
        Ok(Self {
            shared,
            tasks,
            discovering,
        })
    }

    /// Whether devices nearby can be found. If not, known addresses are all there is.
    #[must_use]
    pub const fn is_discovering(&self) -> bool {
        self.discovering
    }

    /// How it stands with every device, as it changes.
    #[must_use]
    pub fn contacts(&self) -> watch::Receiver<Contacts> {
        self.shared.contacts.subscribe()
    }

    /// Who joined through this device last, and the code that both screens show.
    #[must_use]
    pub fn joined(&self) -> watch::Receiver<Option<Joined>> {
        self.shared.joined.subscribe()
    }

    /// Where this device can be reached, as far as it knows.
    pub async fn own_addresses(&self) -> Vec<SocketAddr> {
        own_addresses(&self.shared.endpoint).await
    }

    /// Ends all sessions properly: what was said arrives.
    pub async fn stop(mut self) {
        self.shared.stop.send_replace(true);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        // Whoever does not answer any more is left.
        tokio::time::timeout(Duration::from_secs(3), ended).await.ok();
        self.tasks.shutdown().await;
        tokio::time::timeout(Duration::from_secs(3), self.shared.endpoint.close())
            .await
            .ok();
    }
}

/// Where a device with this profile can be reached, without starting to sync: for an invitation.
///
/// # Errors
/// Where no socket can be had.
pub async fn addresses_of(node: &Node) -> Result<Vec<SocketAddr>, NetError> {
    let endpoint = bind(node).await?;
    let addresses = own_addresses(&endpoint).await;
    endpoint.close().await;
    Ok(addresses)
}

/// The port this profile prefers: the same each time, so that addresses in invitations stay right.
fn port_of(device: DeviceId) -> u16 {
    let hash = blake3::derive_key("kiez 1 port", &device.0);
    let [high, low, ..] = hash;
    // The dynamic range of RFC 6335 without its last 1,024.
    49_152_u16.saturating_add(u16::from_be_bytes([high, low]) % 15_360)
}

async fn bind(node: &Node) -> Result<Endpoint, NetError> {
    let preferred = port_of(node.me().device_id());
    let mut last = None;
    // Both families, then one: some machines have no IPv6. A socket that this process has just closed may take a moment to
    // go, and whoever keeps the address of another port dials it in vain later.
    for _ in 0..PORT_ATTEMPTS {
        for both in [true, false] {
            match bind_at(node, preferred, both).await {
                Ok(endpoint) => return Ok(endpoint),
                Err(error) => last = Some(error),
            }
        }
        tokio::time::sleep(PORT_AGAIN).await;
    }
    // Another program has the port.
    for both in [true, false] {
        match bind_at(node, 0, both).await {
            Ok(endpoint) => return Ok(endpoint),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| NetError::Bind("no address".to_owned())))
}

async fn bind_at(node: &Node, port: u16, both: bool) -> Result<Endpoint, NetError> {
    let failed = |error: &dyn std::fmt::Display| NetError::Bind(error.to_string());
    let mut builder = Endpoint::builder(presets::Minimal)
        .secret_key(SecretKey::from_bytes(&node.me().device.to_bytes()))
        .alpns(vec![SYNC.to_vec(), JOIN.to_vec()])
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

async fn own_addresses(endpoint: &Endpoint) -> Vec<SocketAddr> {
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

impl Shared {
    fn discover(&self) -> Option<Discovery> {
        let port = |v6| {
            let sockets = self.endpoint.bound_sockets();
            sockets
                .into_iter()
                .find(|socket| socket.is_ipv6() == v6)
                .map(|socket| socket.port())
        };
        let me = self.node.me().device_id();
        match Discovery::start(me, port(false)?, port(true), &mut SystemRandom) {
            Ok(discovery) => Some(discovery),
            Err(error) => {
                tracing::warn!("{error}");
                None
            }
        }
    }

    /// The other devices of a group, as its roster knows them.
    fn devices(&self, group: GroupId) -> BTreeSet<DeviceId> {
        let me = self.node.me().device_id();
        let devices = self.node.with_group(group, |replica| {
            let persons = replica.roster().persons();
            Ok::<_, NodeError>(
                persons
                    .values()
                    .flat_map(|p| p.devices.values().map(|d| d.device))
                    .collect(),
            )
        });
        let mut devices: BTreeSet<DeviceId> = devices.unwrap_or_default();
        devices.remove(&me);
        devices
    }

    fn all_devices(&self) -> BTreeSet<DeviceId> {
        let groups = self.node.groups().unwrap_or_default();
        groups.into_iter().flat_map(|group| self.devices(group)).collect()
    }

    /// Where devices may be: what was seen nearby, and where they were before.
    fn addresses_in(&self, group: GroupId) -> BTreeMap<DeviceId, BTreeSet<SocketAddr>> {
        let mut addresses = self.nearby.borrow().clone();
        let kept = self.node.store().group(Some(group)).contacts();
        for (device, kept) in kept.unwrap_or_default() {
            addresses.entry(device).or_default().extend(kept);
        }
        addresses
    }

    /// Waits until somebody may have come in. Most changes bring nobody, and going through everybody's devices after each
    /// would keep the node from the next one.
    async fn people_changed(&self, events: &mut broadcast::Receiver<Changed>, known: &mut usize) {
        loop {
            if let Err(broadcast::error::RecvError::Closed) = events.recv().await {
                return std::future::pending().await;
            }
            let count = self.count_control();
            if count != *known {
                *known = count;
                return;
            }
        }
    }

    /// How many control entries all groups hold.
    fn count_control(&self) -> usize {
        let groups = self.node.groups().unwrap_or_default();
        let counts = groups.into_iter().map(|group| {
            self.node
                .with_group(group, |replica| Ok::<_, NodeError>(replica.roster().len()))
                .unwrap_or_default()
        });
        counts.fold(0, usize::saturating_add)
    }

    fn set_contact(&self, group: GroupId, device: DeviceId, contact: Contact) {
        self.contacts
            .send_if_modified(|contacts| contacts.insert((group, device), contact) != Some(contact));
    }

    fn contact(&self, group: GroupId, device: DeviceId) -> Option<Contact> {
        self.contacts.borrow().get(&(group, device)).copied()
    }

    async fn stopped(&self) {
        let mut stop = self.stop.subscribe();
        // An error means that the network is gone: stopped as well.
        stop.wait_for(|stop| *stop).await.ok();
    }
}

/// Answers whoever dials.
async fn answer(shared: Arc<Shared>) {
    let mut sessions = JoinSet::new();
    loop {
        let incoming = tokio::select! {
            incoming = shared.endpoint.accept() => incoming,
            () = shared.stopped() => None,
        };
        let Some(incoming) = incoming else { break };
        while sessions.try_join_next().is_some() {}
        if sessions.len() >= ANSWERS_MAX {
            incoming.refuse();
            continue;
        }
        let shared = Arc::clone(&shared);
        sessions.spawn(async move {
            let Ok(connection) = incoming.await else { return };
            let ended = match connection.alpn() {
                SYNC => sessions::answer(&shared, &connection).await,
                _ => join::answer(&shared, &connection).await,
            };
            if let Err(error) = ended {
                tracing::debug!("a session ended: {error}");
            }
        });
    }
    while sessions.join_next().await.is_some() {}
}

/// Dials every known device that is not connected, whenever something new is heard of, and now and then anyway.
async fn dial(shared: Arc<Shared>) {
    let mut sessions: JoinSet<(GroupId, DeviceId)> = JoinSet::new();
    let mut under_way: BTreeSet<(GroupId, DeviceId)> = BTreeSet::new();
    let mut changed = shared.node.events();
    let mut known = 0;
    loop {
        for group in shared.node.groups().unwrap_or_default() {
            let mut addresses_in = shared.addresses_in(group);
            for device in shared.devices(group) {
                let place = (group, device);
                let talking = matches!(shared.contact(group, device), Some(Contact::Busy | Contact::Even))
                    || shared.sessions.any_with(place);
                let addresses = addresses_in.remove(&device).unwrap_or_default();
                if talking || addresses.is_empty() || !under_way.insert(place) {
                    continue;
                }
                let shared = Arc::clone(&shared);
                sessions.spawn(async move {
                    sessions::dial(&shared, group, device, addresses).await;
                    place
                });
            }
        }
        tokio::select! {
            () = shared.stopped() => break,
            () = shared.look.notified() => {}
            Some(ended) = sessions.join_next() => {
                if let Ok(place) = ended {
                    under_way.remove(&place);
                }
                // Not again at once: whoever is gone announces itself when it is back.
                tokio::select! {
                    () = shared.stopped() => break,
                    () = shared.look.notified() => {}
                    () = tokio::time::sleep(DIAL_AGAIN) => {}
                }
            }
            () = shared.people_changed(&mut changed, &mut known) => {}
            () = tokio::time::sleep(DIAL_AGAIN) => {}
        }
    }
    while sessions.join_next().await.is_some() {}
}

/// Learns from discovery where known devices are.
async fn watch_nearby(shared: Arc<Shared>, mut discovery: Discovery) {
    let mut changed = shared.node.events();
    let mut known = 0;
    loop {
        discovery.set_known(shared.all_devices());
        tokio::select! {
            () = shared.stopped() => break,
            sighting = discovery.next() => match sighting {
                None => break,
                Some(Sighting { device, addresses }) => {
                    tracing::debug!("seen nearby: {device:?} at {addresses:?}");
                    let here = !addresses.is_empty();
                    shared.nearby.send_modify(|nearby| {
                        nearby.insert(device, addresses.into_iter().collect());
                    });
                    if here {
                        shared.look.notify_one();
                    }
                }
            },
            () = shared.people_changed(&mut changed, &mut known) => {}
        }
    }
    // May block for a moment.
    tokio::task::spawn_blocking(move || discovery.stop()).await.ok();
}

/// The addresses worth dialling. Link-local ones only where there is nothing else: iroh 1.4 answers to them without
/// their scope, so the answer is lost, and with it the attempt, where that address was the fastest.
fn dialable(addresses: &BTreeSet<SocketAddr>) -> BTreeSet<SocketAddr> {
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
fn endpoint_address(device: DeviceId, addresses: &BTreeSet<SocketAddr>) -> Option<EndpointAddr> {
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
