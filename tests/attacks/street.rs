//! Laptops whose programs meet over iroh, on the loopback; and a device that is driven by hand, frame by frame.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use iroh::endpoint::{Connection, RecvStream, SendStream, presets};
use iroh::{Endpoint, EndpointAddr, EndpointId, RelayMode, SecretKey, TransportAddr};
use kiez_core::domain::charter::Role;
use kiez_core::domain::control::CouncilAct;
use kiez_core::domain::id::{DeviceId, GroupId, PersonId, Timestamp};
use kiez_core::host::keystore::{Cost, Home, Passphrase};
use kiez_core::host::net::{JoinFailure, Network, join};
use kiez_core::host::node::{Node, NodeError};
use kiez_core::host::store::GroupStore;
use kiez_core::planted::inherit;
use kiez_core::replica::hold::Replica;
use kiez_core::replica::join::Invitation;
use kiez_core::replica::session::{Channel, Effect, Session, Side, hello};
use kiez_core::replica::wire::{Frame, JoinRefusal};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use tokio::runtime::{Builder, Runtime};

use super::common::NOW;
use super::{Outcome, held};

pub(crate) const SYNC: &[u8] = b"kiez/sync/1";
pub(crate) const JOIN: &[u8] = b"kiez/join/1";

/// Longer than anybody may take for anything here.
const LIMIT: Duration = Duration::from_secs(60);

fn passphrase() -> Passphrase {
    Passphrase::new("an der Ecke links")
}

pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, what).await.unwrap()
}

/// A program's profile, in a folder of its own.
pub(crate) struct Laptop {
    pub(crate) node: Node,
    _folder: tempfile::TempDir,
}

impl Laptop {
    pub(crate) fn of(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        let node = Node::create_at(&home, name, &passphrase(), Cost::LEAST).unwrap();
        Self {
            node,
            _folder: folder,
        }
    }

    pub(crate) fn person(&self) -> PersonId {
        self.node.me().person
    }

    pub(crate) fn random(&self) -> ChaCha20Rng {
        ChaCha20Rng::from_seed(self.person().0)
    }
}

/// Anna, who founded a group and listens.
pub(crate) struct Street {
    pub(crate) runtime: Runtime,
    pub(crate) anna: Laptop,
    _listening: Network,
    pub(crate) group: GroupId,
    at: SocketAddr,
}

impl Street {
    pub(crate) fn new() -> Self {
        // What is off on this thread is off on all of these.
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .on_thread_start(inherit())
            .build()
            .unwrap();
        let anna = Laptop::of("Anna");
        let group = anna.node.found("Zawodzie", "", &passphrase()).unwrap();
        let (listening, port) = runtime.block_on(async {
            let network = Network::start(&anna.node, None).await.unwrap();
            let port = network.own_addresses().await[0].port();
            (network, port)
        });
        Self {
            runtime,
            anna,
            _listening: listening,
            group,
            at: (Ipv4Addr::LOCALHOST, port).into(),
        }
    }

    /// Something done with Anna's copy.
    pub(crate) fn anna<T>(&self, action: impl FnOnce(&mut Replica<GroupStore>) -> T) -> T {
        at(&self.anna.node, self.group, action)
    }

    pub(crate) fn invitation(&self) -> Invitation {
        self.anna
            .node
            .invite(self.group, Role::Member, vec![self.at])
            .unwrap()
    }

    pub(crate) fn joins(&self, who: &Laptop, invitation: &Invitation) -> Result<(), JoinFailure> {
        let passphrase = passphrase();
        let joining = join(&who.node, invitation, &passphrase, LIMIT);
        self.runtime.block_on(joining).map(drop)
    }

    /// A further member.
    pub(crate) fn member(&self, name: &str) -> Laptop {
        let who = Laptop::of(name);
        self.joins(&who, &self.invitation()).unwrap();
        who
    }

    /// A device driven by hand: a member's, or a stranger's.
    pub(crate) fn by_hand(&self, of: Option<&Node>) -> ByHand {
        let mut builder = Endpoint::builder(presets::Minimal).relay_mode(RelayMode::Disabled);
        if let Some(node) = of {
            builder = builder.secret_key(SecretKey::from_bytes(&node.me().device.to_bytes()));
        }
        let endpoint = self.runtime.block_on(builder.bind()).unwrap();
        let id = EndpointId::from_bytes(&self.anna.node.me().device_id().0).unwrap();
        let anna = EndpointAddr::from_parts(id, [TransportAddr::Ip(self.at)]);
        ByHand { endpoint, anna }
    }

    /// A device of Ben's that has shown who it is, and to which nothing more is to be said.
    pub(crate) fn even(&self, ben: &Node) -> (ByHand, Line) {
        let by_hand = self.by_hand(Some(ben));
        let line = self.runtime.block_on(async {
            let mut line = by_hand.open(SYNC).await;
            let mut random = ChaCha20Rng::seed_from_u64(1);
            let mut session = Session::new(Side::Dialler, line.channel);
            let greeting = at(ben, self.group, |replica| {
                hello(replica.keys(), &line.channel, Side::Dialler, &mut random)
            });
            line.say(&greeting).await;
            loop {
                let frame = line.next().await.unwrap();
                let (effects, even) = at(ben, self.group, |replica| {
                    let effects = session.on_frame(frame, replica, &mut random).unwrap();
                    (effects, session.is_even(replica))
                });
                for effect in effects {
                    if let Effect::Send(frame) = effect {
                        line.say(&frame).await;
                    }
                }
                if even {
                    return line;
                }
            }
        });
        (by_hand, line)
    }

    /// Ben's device meets Anna's until both have everything; then it writes, and waits until Anna says that she has that, too:
    /// by then she has answered all that it showed.
    pub(crate) fn meets(&self, ben: &Node) {
        let by_hand = self.by_hand(Some(ben));
        self.runtime.block_on(async {
            let mut line = by_hand.open(SYNC).await;
            let mut random = ChaCha20Rng::seed_from_u64(1);
            let mut session = Session::new(Side::Dialler, line.channel);
            let greeting = at(ben, self.group, |replica| {
                hello(replica.keys(), &line.channel, Side::Dialler, &mut random)
            });
            line.say(&greeting).await;
            let mut said = None;
            loop {
                let frame = line.next().await.unwrap();
                let effects = at(ben, self.group, |replica| {
                    let mut effects = session.on_frame(frame, replica, &mut random).unwrap();
                    if said.is_none() && session.is_even(replica) {
                        let journal = replica.own_journal().unwrap();
                        let name = format!("here after {:?}", replica.head(journal));
                        replica.set_profile_name(&name, NOW).unwrap();
                        effects.extend(session.on_change(replica).unwrap());
                        said = Some((journal, replica.head(journal).unwrap()));
                    }
                    effects
                });
                for effect in effects {
                    match (effect, said) {
                        (Effect::Send(frame), _) => line.say(&frame).await,
                        (Effect::PeerHas(has), Some((journal, head))) if has.get(&journal) == Some(&head) => {
                            return;
                        }
                        _ => {}
                    }
                }
            }
        });
    }

    /// Asks to join with whatever request; the first answer.
    fn asks(&self, device: &Node, request: impl FnOnce(&Channel) -> Frame) -> Option<Frame> {
        let by_hand = self.by_hand(Some(device));
        self.runtime.block_on(async {
            let mut line = by_hand.open(JOIN).await;
            let request = request(&line.channel);
            line.say(&request).await;
            line.next().await
        })
    }

    fn removes(&self, person: PersonId) {
        self.anna(|replica| {
            let membership = replica.roster().membership(person).unwrap();
            replica
                .propose(CouncilAct::Remove { membership }, "", NOW)
                .unwrap();
            replica.rekey_if_due(&mut ChaCha20Rng::seed_from_u64(5)).unwrap();
        });
    }
}

pub(crate) fn at<T>(node: &Node, group: GroupId, action: impl FnOnce(&mut Replica<GroupStore>) -> T) -> T {
    node.with_group(group, |replica| Ok::<_, NodeError>(action(replica)))
        .unwrap()
}

/// An endpoint of which a test says every byte.
pub(crate) struct ByHand {
    endpoint: Endpoint,
    anna: EndpointAddr,
}

/// A stream of a connection.
pub(crate) struct Line {
    pub(crate) connection: Connection,
    pub(crate) channel: Channel,
    send: SendStream,
    recv: RecvStream,
}

impl ByHand {
    /// A stream to Anna. None where she refuses the connection.
    pub(crate) async fn try_open(&self, protocol: &[u8]) -> Option<Line> {
        let connection = soon(self.endpoint.connect(self.anna.clone(), protocol))
            .await
            .ok()?;
        let (send, recv) = connection.open_bi().await.ok()?;
        let mut exporter = [0; 32];
        connection
            .export_keying_material(&mut exporter, b"EXPORTER-kiez-session-1", &[])
            .unwrap();
        let channel = Channel {
            exporter,
            peer: DeviceId(*connection.remote_id().as_bytes()),
        };
        Some(Line {
            connection,
            channel,
            send,
            recv,
        })
    }

    pub(crate) async fn open(&self, protocol: &[u8]) -> Line {
        self.try_open(protocol).await.unwrap()
    }
}

impl Line {
    pub(crate) async fn say(&mut self, frame: &Frame) {
        let bytes = frame.to_bytes();
        self.say_bytes(&u32::try_from(bytes.len()).unwrap().to_le_bytes())
            .await;
        self.say_bytes(&bytes).await;
    }

    /// The other side may have hung up.
    pub(crate) async fn say_bytes(&mut self, bytes: &[u8]) {
        self.send.write_all(bytes).await.ok();
    }

    /// What is said next. None where the other side has ended it.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        let mut length = [0; 4];
        soon(self.recv.read_exact(&mut length)).await.ok()?;
        let mut bytes = vec![0; usize::try_from(u32::from_le_bytes(length)).unwrap()];
        soon(self.recv.read_exact(&mut bytes)).await.ok()?;
        Some(Frame::from_bytes(&bytes).unwrap())
    }
}

fn refused<T>(outcome: Result<T, JoinFailure>) -> bool {
    match outcome {
        Ok(_) => false,
        Err(JoinFailure::Refused(_)) => true,
        Err(other) => panic!("{other}"),
    }
}

pub(crate) fn used_twice() -> Outcome {
    let street = Street::new();
    let invitation = street.invitation();
    street.joins(&Laptop::of("Ben"), &invitation).unwrap();
    let second = street.joins(&Laptop::of("Carla"), &invitation);
    held(refused(second), "two came in on one invitation")
}

pub(crate) fn after_revocation() -> Outcome {
    let street = Street::new();
    let invitation = street.invitation();
    let invite = invitation.invite;
    street.anna(|replica| replica.propose(CouncilAct::Revoke { invite }, "", NOW).unwrap());
    let came = street.joins(&Laptop::of("Ben"), &invitation);
    held(
        refused(came),
        "Ben is in on an invitation that the council revoked",
    )
}

pub(crate) fn after_withdrawal() -> Outcome {
    let street = Street::new();
    let invitation = street.invitation();
    street.anna(|replica| replica.withdraw(invitation.invite).unwrap());
    let came = street.joins(&Laptop::of("Ben"), &invitation);
    held(refused(came), "Ben is in on an invitation that Anna took back")
}

pub(crate) fn expired() -> Outcome {
    let street = Street::new();
    let me = street.anna.node.me().clone();
    let mut random = street.anna.random();
    let at = vec![street.at];
    let long_ago = Timestamp(1_000);
    let mut invitation = street.anna(|replica| {
        replica
            .invite(&me, Role::Member, long_ago, at, &mut random)
            .unwrap()
    });
    // Ben's own software would not even ask.
    invitation.expires = Timestamp(u64::MAX);
    let came = street.joins(&Laptop::of("Ben"), &invitation);
    held(refused(came), "Ben is in on an invitation whose time was over")
}

pub(crate) fn wrong_key() -> Outcome {
    let street = Street::new();
    let mut invitation = street.invitation();
    invitation.secret = [9; 32];
    let came = street.joins(&Laptop::of("Mallory"), &invitation);
    held(refused(came), "Mallory is in without the invitation's secret")
}

pub(crate) fn request_replayed() -> Outcome {
    let street = Street::new();
    let invitation = street.invitation();
    let ben = Laptop::of("Ben");
    let person = ben.node.recovery_words(&passphrase()).unwrap().person_key();
    let answer = street.asks(&ben.node, |channel| {
        let other = Channel {
            exporter: [7; 32],
            ..*channel
        };
        Frame::JoinRequest(Box::new(invitation.request(ben.node.me(), &person, &other)))
    });
    held(
        answer == Some(Frame::NotAdmitted(JoinRefusal::Invalid)),
        "what was signed for one session is taken in another",
    )
}

pub(crate) fn asks_again() -> Outcome {
    let street = Street::new();
    let invitation = street.invitation();
    let ben = Laptop::of("Ben");
    street.joins(&ben, &invitation).unwrap();
    street.removes(ben.person());
    let person = ben.node.recovery_words(&passphrase()).unwrap().person_key();
    let answer = street.asks(&ben.node, |channel| {
        Frame::JoinRequest(Box::new(invitation.request(ben.node.me(), &person, channel)))
    });
    held(
        matches!(answer, Some(Frame::NotAdmitted(_))),
        "Ben, who was removed, is given the key that was made because he went",
    )
}
