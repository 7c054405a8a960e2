//! Sessions over the real network, on the loopback: who is silent, who has much to say, and who is busy.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a failure is a panic"
)]

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use iroh::endpoint::{Connection, RecvStream, SendStream, presets};
use iroh::{Endpoint, EndpointAddr, EndpointId, RelayMode, SecretKey, TransportAddr};
use kiez_core::domain::charter::Role;
use kiez_core::domain::id::{DeviceId, EntryNumber, GroupId};
use kiez_core::domain::proposal::Draft;
use kiez_core::host::keystore::{Cost, Home, Passphrase};
use kiez_core::host::net::{Contact, Network, join};
use kiez_core::host::node::{Node, NodeError};
use kiez_core::host::store::GroupStore;
use kiez_core::replica::hold::Replica;
use kiez_core::replica::session::{Channel, Side, hello};
use kiez_core::replica::wire::{Frame, Goodbye, PROTOCOL_VERSION};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;
use tokio::runtime::{Builder, Runtime};

/// Longer than anybody may take for anything here.
const LIMIT: Duration = Duration::from_secs(60);

fn runtime() -> Runtime {
    // One worker: whoever keeps it busy keeps everybody busy.
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

fn passphrase() -> Passphrase {
    Passphrase::new("an der Ecke links")
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, what).await.unwrap()
}

/// A node in a folder of its own.
struct Laptop {
    node: Node,
    _folder: tempfile::TempDir,
}

impl Laptop {
    fn of(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        let node = Node::create_at(&home, name, &passphrase(), Cost::LEAST).unwrap();
        Self {
            node,
            _folder: folder,
        }
    }
}

/// A copy of a profile that nobody has open.
fn copied(of: &Home) -> (Home, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("home");
    std::fs::create_dir(&copy).unwrap();
    for file in std::fs::read_dir(of.directory()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
    }
    (Home::at(copy), folder)
}

/// Waits until this network says that both have the same.
async fn even(network: &Network, group: GroupId, other: DeviceId) {
    let mut contacts = network.contacts();
    let even = contacts.wait_for(|contacts| contacts.get(&(group, other)) == Some(&Contact::Even));
    drop(soon(even).await.unwrap());
}

async fn address(network: &Network) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, network.own_addresses().await[0].port()).into()
}

/// Anna's group with Ben in it; Anna listens.
async fn neighbours() -> (Laptop, Network, Laptop, GroupId) {
    let (anna, ben) = (Laptop::of("Anna"), Laptop::of("Ben"));
    let group = anna.node.found("Zawodzie", "", &passphrase()).unwrap();
    let listening = Network::start(&anna.node, None).await.unwrap();
    let reachable = vec![address(&listening).await];
    let invitation = anna.node.invite(group, Role::Member, reachable).unwrap();
    join(&ben.node, &invitation, &passphrase(), LIMIT).await.unwrap();
    (anna, listening, ben, group)
}

/// Ben's device, driven by hand.
struct ByHand {
    endpoint: Endpoint,
    anna: EndpointAddr,
}

impl ByHand {
    async fn new(ben: &Node, anna: &Node, listening: &Network) -> Self {
        let endpoint = Endpoint::builder(presets::Minimal)
            .secret_key(SecretKey::from_bytes(&ben.me().device.to_bytes()))
            .relay_mode(RelayMode::Disabled)
            .bind()
            .await
            .unwrap();
        let id = EndpointId::from_bytes(&anna.me().device_id().0).unwrap();
        let place = TransportAddr::Ip(address(listening).await);
        Self {
            endpoint,
            anna: EndpointAddr::from_parts(id, [place]),
        }
    }

    async fn open(&self, protocol: &[u8]) -> (Connection, SendStream, RecvStream) {
        let connection = soon(self.endpoint.connect(self.anna.clone(), protocol))
            .await
            .unwrap();
        let (send, recv) = connection.open_bi().await.unwrap();
        (connection, send, recv)
    }

    /// A session in which Ben's device has proven that it is in the group.
    async fn greet(&self, ben: &Node, group: GroupId) -> (Connection, SendStream, RecvStream) {
        let (connection, mut send, recv) = self.open(b"kiez/sync/1").await;
        let mut exporter = [0; 32];
        connection
            .export_keying_material(&mut exporter, b"EXPORTER-kiez-session-1", &[])
            .unwrap();
        let channel = Channel {
            exporter,
            peer: DeviceId(*connection.remote_id().as_bytes()),
        };
        let greeting = ben
            .with_group(group, |replica| {
                let mut random = ChaCha20Rng::seed_from_u64(1);
                Ok::<_, NodeError>(hello(replica.keys(), &channel, Side::Dialler, &mut random))
            })
            .unwrap();
        send.write_all(&framed(&greeting)).await.unwrap();
        (connection, send, recv)
    }
}

fn framed(frame: &Frame) -> Vec<u8> {
    let bytes = frame.to_bytes();
    let mut whole = u32::try_from(bytes.len()).unwrap().to_le_bytes().to_vec();
    whole.extend(bytes);
    whole
}

/// Everything that is said until the other side ends it.
async fn heard(recv: &mut RecvStream) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut length = [0; 4];
    while soon(recv.read_exact(&mut length)).await.is_ok() {
        let mut bytes = vec![0; usize::try_from(u32::from_le_bytes(length)).unwrap()];
        recv.read_exact(&mut bytes).await.unwrap();
        frames.push(Frame::from_bytes(&bytes).unwrap());
    }
    frames
}

#[test]
fn whoever_does_not_say_who_it_is_is_let_go() {
    runtime().block_on(async {
        let (anna, listening, ben, group) = neighbours().await;
        let by_hand = ByHand::new(&ben.node, &anna.node, &listening).await;
        // Nothing at all, or a part of a greeting or a request.
        let mut silent = Vec::new();
        for protocol in [&b"kiez/sync/1"[..], b"kiez/join/1"] {
            for bytes in [&[][..], &[0, 1], &[0, 1, 0, 0, 9]] {
                let (connection, mut send, recv) = by_hand.open(protocol).await;
                send.write_all(bytes).await.unwrap();
                silent.push((connection, send, recv));
            }
        }
        // A proof of membership, and then a part of a name.
        let (connection, mut send, mut recv) = by_hand.greet(&ben.node, group).await;
        send.write_all(&[0, 1, 0, 0, 1]).await.unwrap();
        let said = heard(&mut recv).await;
        let version = PROTOCOL_VERSION;
        assert!(matches!(said[0], Frame::Hello { version: theirs, .. } if theirs == version));
        assert_eq!(
            said.last(),
            Some(&Frame::Goodbye(Goodbye::Unidentified)),
            "{said:?}"
        );
        soon(connection.closed()).await;
        for (connection, _send, _recv) in silent {
            soon(connection.closed()).await;
        }
        listening.stop().await;
    });
}

/// More than a connection holds on its way.
fn write_much(laptop: &Laptop, group: GroupId, seed: u64) {
    let mut random = ChaCha20Rng::seed_from_u64(seed);
    let draft = Draft {
        title: "Benches".to_owned(),
        ..Draft::default()
    };
    let about = laptop.node.add_idea(group, &draft).unwrap();
    for _ in 0..30 {
        // So that it cannot be compressed to nothing.
        let text: String = (0..60_000)
            .map(|_| char::from(random.random_range(b'!'..b'~')))
            .collect();
        laptop.node.comment(group, about, &text).unwrap();
    }
}

#[test]
fn two_who_have_much_to_say_to_each_other_both_say_it() {
    runtime().block_on(async {
        let (anna, listening, ben, group) = neighbours().await;
        tokio::task::block_in_place(|| {
            write_much(&anna, group, 1);
            write_much(&ben, group, 2);
        });
        let dialling = Network::start(&ben.node, None).await.unwrap();
        for (network, other) in [(&listening, &ben), (&dialling, &anna)] {
            even(network, group, other.node.me().device_id()).await;
        }
        for laptop in [&anna, &ben] {
            for idea in laptop.node.ideas(group).unwrap() {
                assert_eq!(laptop.node.idea(group, idea.id).unwrap().comments.len(), 30);
            }
            assert_eq!(laptop.node.ideas(group).unwrap().len(), 2);
        }
        dialling.stop().await;
        listening.stop().await;
    });
}

/// Somebody who has a group and does not let go of it.
struct Holding {
    release: Sender<()>,
    holder: JoinHandle<()>,
}

impl Holding {
    /// Comes back once they have it.
    fn of(node: &Node, group: GroupId) -> Self {
        let (is_held, held) = channel();
        let (release, released) = channel::<()>();
        let node = node.clone();
        let holder = std::thread::spawn(move || {
            node.with_group(group, |_| {
                is_held.send(()).unwrap();
                released.recv().ok();
                Ok::<_, NodeError>(())
            })
            .unwrap();
        });
        held.recv().unwrap();
        Self { release, holder }
    }

    fn end(self) {
        drop(self.release);
        self.holder.join().unwrap();
    }
}

/// While somebody else has the group, whoever wants it waits, and nobody else.
#[test]
fn a_busy_group_keeps_only_those_waiting_who_want_it() {
    let (runtime, elsewhere) = (runtime(), runtime());
    let (anna, listening, ben, group) = runtime.block_on(neighbours());
    let by_hand = elsewhere.block_on(ByHand::new(&ben.node, &anna.node, &listening));
    let holding = Holding::of(&anna.node, group);
    let others_go_on = || {
        let (done, is_done) = channel();
        runtime.spawn(async move { done.send(()).ok() });
        is_done.recv_timeout(Duration::from_secs(10)).unwrap();
    };
    // One that dials: which group it means can only be told with the group.
    let _dialled = elsewhere.block_on(async {
        let (connection, send, mut recv) = by_hand.greet(&ben.node, group).await;
        let mut byte = [0; 1];
        let waited = tokio::time::timeout(Duration::from_secs(1), recv.read_exact(&mut byte)).await;
        assert!(waited.is_err(), "{waited:?}");
        (connection, send, recv)
    });
    others_go_on();
    // A network that starts: whom to dial, too.
    let started = runtime.block_on(Network::start(&anna.node, None)).unwrap();
    others_go_on();
    holding.end();
    runtime.block_on(started.stop());
    runtime.block_on(listening.stop());
}

/// A device whose journal was lost is enrolled again by its person's words, which only the passphrase opens.
#[test]
fn a_running_network_goes_on_with_a_new_passphrase() {
    let runtime = runtime();
    let (anna, listening, ben, group) = runtime.block_on(neighbours());
    let anna_device = anna.node.me().device_id();
    let write_and_meet = |node: &Node| {
        let draft = Draft {
            title: "Benches".to_owned(),
            ..Draft::default()
        };
        node.add_idea(group, &draft).unwrap();
        let network = runtime.block_on(Network::start(node, None)).unwrap();
        runtime.block_on(even(&network, group, anna_device));
        runtime.block_on(network.stop());
    };
    write_and_meet(&ben.node);
    let home = ben.node.home().clone();
    drop(ben.node);
    let (restored, _restored_folder) = copied(&home);
    let later = Node::open(&home, &passphrase()).unwrap();
    write_and_meet(&later);
    drop(later);

    let ben = Node::open(&restored, &passphrase()).unwrap();
    let new = Passphrase::new("am Markt rechts");
    let holding = Holding::of(&anna.node, group);
    // Anna's device says nothing yet, so nothing is enrolled before the passphrase is another one.
    let mut changed = ben.events();
    let network = runtime
        .block_on(Network::start(&ben, Some(passphrase())))
        .unwrap();
    ben.change_passphrase(&passphrase(), &new).unwrap();
    holding.end();
    let writes = || {
        let own = |replica: &mut Replica<GroupStore>| {
            let number = replica.own_journal().map(|own| replica.frontier()[&own].0);
            Ok::<_, NodeError>(number)
        };
        ben.with_group(group, own).unwrap() == Some(EntryNumber::FIRST)
    };
    runtime.block_on(soon(async {
        while !tokio::task::block_in_place(writes) {
            changed.recv().await.unwrap();
        }
    }));
    runtime.block_on(even(&network, group, anna_device));
    runtime.block_on(network.stop());
    runtime.block_on(listening.stop());
    drop(ben);
    assert!(Node::open(&restored, &passphrase()).is_err());
    let ideas = Node::open(&restored, &new).unwrap().ideas(group).unwrap();
    assert_eq!(ideas.len(), 2);
}

/// A laptop is lost; its owner has the recovery words, and a neighbour who invites them again.
#[test]
fn a_restored_profile_comes_back_into_its_group() {
    let runtime = runtime();
    let (anna, listening, ben, group) = runtime.block_on(neighbours());
    let words = ben.node.recovery_words(&passphrase()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().join("home"));
    let restored = Node::restore(&home, "Ben", &passphrase(), &words).unwrap();
    let joined = runtime.block_on(async {
        let reachable = vec![address(&listening).await];
        let invitation = anna.node.invite(group, Role::Member, reachable).unwrap();
        join(&restored, &invitation, &passphrase(), LIMIT).await.unwrap()
    });
    assert_eq!(joined.group, group);
    let idea = Draft {
        title: "Benches".to_owned(),
        ..Draft::default()
    };
    restored.add_idea(group, &idea).unwrap();
    let network = runtime.block_on(Network::start(&restored, None)).unwrap();
    runtime.block_on(even(&network, group, anna.node.me().device_id()));
    runtime.block_on(network.stop());
    assert_eq!(anna.node.ideas(group).unwrap().len(), 1);
    let people = anna
        .node
        .with_group(group, |replica| Ok::<_, NodeError>(replica.roster().persons()));
    let people = people.unwrap();
    assert_eq!(people.len(), 2, "nobody new");
    assert_eq!(people[&ben.node.me().person].devices.len(), 2);
    runtime.block_on(listening.stop());
}
