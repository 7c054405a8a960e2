//! The network: an iroh endpoint without public servers, discovery on the local link, and one session a peer and group.
//!
//! Every known device that can be found is dialled and kept; what changes here is pushed at once.

mod device;
mod frames;
mod join;
mod outgoing;
mod places;
mod running;
mod seek;
mod sessions;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use iroh::Endpoint;
use tokio::sync::{Notify, broadcast, watch};
use tokio::task::{JoinSet, block_in_place};

use crate::domain::id::{DeviceId, GroupId};
use crate::host::discovery::{Discovery, Sighting};
use crate::host::keystore::Passphrase;
use crate::host::node::{Changed, HeldPassphrase, Node, NodeError};
use crate::host::random::SystemRandom;
use crate::host::store::GroupStore;
use crate::planted::{Guard, is_off};
use crate::replica::hold::Replica;

pub use device::{DeviceFailure, MovedIn, Newcomer, Offer, OfferFault, move_in};
pub use join::{JoinFailure, Joined, join};
use places::{bind, close, own_addresses};

/// The protocol of a sync session.
const SYNC: &[u8] = b"kiez/sync/1";

/// The protocol of coming in.
const JOIN: &[u8] = b"kiez/join/1";

/// The protocol by which a further device of the same person comes in.
const DEVICE: &[u8] = b"kiez/device/1";

/// How long one attempt to reach a device may take.
const DIAL: Duration = Duration::from_secs(4);

/// How long after an attempt that failed the next one follows, where nothing new is heard of the device.
const DIAL_AGAIN: Duration = Duration::from_secs(5);

/// How long sessions may take to end when the network stops: a little longer than their last words may take.
const ENDING: Duration = Duration::from_millis(900);

/// How many connections are answered at the same time; members dial again.
const ANSWERS_MAX: usize = 256;

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
    passphrase: Option<Arc<HeldPassphrase>>,
    /// Where devices are seen nearby.
    nearby: watch::Sender<Nearby>,
    contacts: watch::Sender<Contacts>,
    sessions: running::Sessions,
    /// Who joined last.
    joined: watch::Sender<Option<Joined>>,
    /// The text for a further device of this person that is shown here.
    offered: device::Offered,
    /// Somebody may be there to be dialled.
    look: Notify,
    stop: watch::Sender<bool>,
}

impl Network {
    /// Starts: binds a socket, answers, looks for devices nearby, dials whoever is known. With the passphrase it enrols this
    /// device again where its journal was lost; where that is changed meanwhile, with the new one.
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
            passphrase: passphrase.map(|passphrase| node.hold_passphrase(passphrase)),
            nearby,
            contacts,
            sessions: running::Sessions::default(),
            joined,
            offered: device::Offered::default(),
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

    /// Looks for everybody's devices now, not only when the next time has come.
    pub fn look(&self) {
        self.shared.look.notify_one();
    }

    /// Ends all sessions properly: what was said arrives.
    pub async fn stop(mut self) {
        self.shared.stop.send_replace(true);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        // Whoever does not answer any more is left.
        tokio::time::timeout(ENDING, ended).await.ok();
        self.tasks.shutdown().await;
        close(&self.shared.endpoint).await;
    }
}

/// Where a device with this profile can be reached, without starting to sync: for an invitation.
///
/// # Errors
/// Where no socket can be had.
pub async fn addresses_of(node: &Node) -> Result<Vec<SocketAddr>, NetError> {
    let endpoint = bind(node).await?;
    let addresses = own_addresses(&endpoint).await;
    close(&endpoint).await;
    Ok(addresses)
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

    /// Does something with a group's replica, and lets the other tasks go on meanwhile: it may take long, and wait for
    /// whoever else has it.
    fn with_group<T, E: From<NodeError>>(
        &self,
        group: GroupId,
        action: impl FnOnce(&mut Replica<GroupStore>) -> Result<T, E>,
    ) -> Result<T, E> {
        block_in_place(|| self.node.with_group(group, action))
    }

    /// The groups of this profile; none where the store fails, which others say.
    fn groups(&self) -> Vec<GroupId> {
        block_in_place(|| self.node.groups()).unwrap_or_default()
    }

    /// The other devices of a group, as its roster knows them.
    fn devices(&self, group: GroupId) -> BTreeSet<DeviceId> {
        let me = self.node.me().device_id();
        let devices = self.with_group(group, |replica| {
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
        let groups = self.groups().into_iter();
        groups.flat_map(|group| self.devices(group)).collect()
    }

    /// Where devices may be: what was seen nearby, and where they were before.
    fn addresses_in(&self, group: GroupId) -> BTreeMap<DeviceId, BTreeSet<SocketAddr>> {
        let mut addresses = self.nearby.borrow().clone();
        let kept = block_in_place(|| self.node.store().group(Some(group)).contacts());
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
        let counts = self.groups().into_iter().map(|group| {
            self.with_group(group, |replica| Ok::<_, NodeError>(replica.roster().len()))
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

    /// Waits for somebody who has not said yet what they want, until stopped.
    async fn unless_stopped<T>(&self, waiting: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            came = waiting => Some(came),
            () = self.stopped() => None,
        }
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
        if sessions.len() >= ANSWERS_MAX && !is_off(Guard::AnswersMax) {
            incoming.refuse();
            continue;
        }
        let shared = Arc::clone(&shared);
        sessions.spawn(async move {
            let Some(Ok(connection)) = shared.unless_stopped(incoming.into_future()).await else {
                return;
            };
            let ended = match connection.alpn() {
                SYNC => sessions::answer(&shared, &connection).await,
                DEVICE => device::answer(&shared, &connection).await,
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
        for group in shared.groups() {
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
                // All that ended meanwhile may be dialled again, too.
                while let Some(ended) = sessions.try_join_next() {
                    if let Ok(place) = ended {
                        under_way.remove(&place);
                    }
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
