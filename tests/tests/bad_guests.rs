//! Who comes with a bad invitation, and who comes with bad intentions: each is told why, or let go; the listening `kiez`
//! keeps serving everybody else, and loses nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "test code: a failure is a panic"
)]

use std::future::Future;
use std::time::Duration;

use iroh::endpoint::{Connection, presets};
use iroh::{Endpoint, EndpointAddr, EndpointId, RelayMode, TransportAddr};
use kiez_core::domain::charter::Role;
use kiez_core::domain::id::Timestamp;
use kiez_core::host::node::NodeError;
use kiez_core::replica::join::Invitation;
use kiez_core::replica::limits::{FRAME_BYTES_MAX, PROOFS};
use kiez_core::replica::wire::{Frame, Goodbye, PROTOCOL_VERSION};
use kiez_tests::laptop::{Laptop, Running};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

const SYNC: &[u8] = b"kiez/sync/1";
const JOIN: &[u8] = b"kiez/join/1";

/// Longer than anybody may take to greet.
const LIMIT: Duration = Duration::from_secs(30);

fn letters(inviting: &Laptop) -> String {
    let answer = inviting.ask(&["invite"]);
    answer["invitation"].as_str().unwrap().to_owned()
}

fn founded() -> Laptop {
    let anna = Laptop::new().of("Anna");
    anna.ask(&["group", "found", "Zawodzie"]);
    anna.ask(&["idea", "add", "Benches"]);
    anna
}

#[test]
fn an_invitation_that_is_not_whole() {
    let (anna, ben) = (founded(), Laptop::new().of("Ben"));
    let whole = letters(&anna);
    for length in (1..whole.len()).step_by(10) {
        let part = &whole[..length];
        let told = ben.run(&["join", part, "--timeout", "1"]);
        // The first letters alone could be of anything.
        let begins = length >= "kiez1".len();
        told.failed(
            if begins { 5 } else { 2 },
            if begins {
                "copy it again, whole"
            } else {
                "begins with"
            },
        );
    }
    for place in (5..whole.len()).step_by(23) {
        let mut typed: Vec<char> = whole.chars().collect();
        typed[place] = if typed[place] == 'a' { 'b' } else { 'a' };
        let typed: String = typed.into_iter().collect();
        ben.run(&["join", &typed, "--timeout", "1"]).failed(5, "mistyped");
    }
    for other in [
        "",
        "hello",
        "https://example.org",
        "kiez",
        "kiez9abc",
        &"a".repeat(100_000),
    ] {
        let told = ben.run(&["join", other, "--timeout", "1"]);
        assert!(matches!(told.code, Some(1 | 2 | 5)), "{told:?}");
    }
    // Nobody answers: also where it was copied with line breaks and capitals.
    let copied = format!(" {}\n{} ", whole[..40].to_uppercase(), &whole[40..]);
    ben.run(&["join", &copied, "--timeout", "1"])
        .failed(3, "kiez sync --listen");
    assert_eq!(ben.ask(&["group", "list"]), serde_json::json!([]));
}

#[test]
fn an_invitation_that_is_over() {
    let (anna, ben, carla) = (founded(), Laptop::new().of("Ben"), Laptop::new().of("Carla"));
    let (old, altered) = {
        let node = anna.node();
        let group = node.groups().unwrap()[0];
        let invite = |replica: &mut kiez_core::replica::hold::Replica<_>| {
            let mut random = ChaCha20Rng::seed_from_u64(7);
            let addresses = vec!["127.0.0.1:9".parse().unwrap()];
            Ok::<_, NodeError>(replica.invite(
                node.me(),
                Role::Member,
                Timestamp(1_000),
                addresses,
                &mut random,
            )?)
        };
        let old = node.with_group(group, invite).unwrap();
        let mut altered = old.clone();
        altered.expires = Timestamp(u64::MAX / 2);
        (old, altered)
    };
    ben.run(&["join", &old.to_text()]).failed(1, "ask for a new one");
    let listening = anna.listen();
    let good = letters(&anna);
    // Altered so that it seems good for ever: the inviting device knows better.
    let mut altered = altered;
    altered.addresses = Invitation::parse(&good).unwrap().addresses.clone();
    ben.run(&["join", &altered.to_text()])
        .failed(1, "ask for a new one");

    ben.ask(&["join", &good]);
    carla.run(&["join", &good]).failed(1, "used already");
    ben.run(&["join", &good]).failed(1, "already");
    let second = letters(&anna);
    ben.run(&["join", &second]).failed(1, "already");
    anna.run(&["join", &second]).failed(1, "already");
    // Of a group that the other device does not have.
    let mut foreign = Invitation::parse(&second).unwrap();
    foreign.group.0[0] ^= 1;
    carla
        .run(&["join", &foreign.to_text()])
        .failed(1, "ask for a new one");
    // None of that used it up.
    carla.ask(&["join", &second]);
    assert_eq!(anna.ask(&["people"]).as_array().unwrap().len(), 3);
    assert_eq!(carla.ask(&["sync"])["unfinished"], 0);
    assert_eq!(listening.stop().code, Some(0));
}

/// Waits, but not for ever.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, what)
        .await
        .expect("it takes too long")
}

struct Stranger {
    endpoint: Endpoint,
    listening: EndpointAddr,
}

impl Stranger {
    async fn new(invitation: &Invitation) -> Self {
        let endpoint = Endpoint::builder(presets::Minimal)
            .relay_mode(RelayMode::Disabled)
            .bind()
            .await
            .unwrap();
        let id = EndpointId::from_bytes(&invitation.inviter.0).unwrap();
        let addresses = invitation.addresses.iter().copied().map(TransportAddr::Ip);
        Self {
            endpoint,
            listening: EndpointAddr::from_parts(id, addresses),
        }
    }

    async fn connect(&self, protocol: &[u8]) -> Connection {
        soon(self.endpoint.connect(self.listening.clone(), protocol))
            .await
            .unwrap()
    }

    /// Says these bytes, and gives what is answered until the other side ends it.
    async fn say(&self, protocol: &[u8], bytes: &[u8]) -> Vec<u8> {
        let connection = self.connect(protocol).await;
        let (mut send, mut recv) = connection.open_bi().await.unwrap();
        // It may be cut off in the middle.
        send.write_all(bytes).await.ok();
        send.finish().ok();
        soon(recv.read_to_end(1 << 20)).await.unwrap_or_default()
    }
}

fn framed(frame: &Frame) -> Vec<u8> {
    let bytes = frame.to_bytes();
    let mut whole = u32::try_from(bytes.len()).unwrap().to_le_bytes().to_vec();
    whole.extend(bytes);
    whole
}

fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let too_long = u32::try_from(FRAME_BYTES_MAX + 1).unwrap().to_le_bytes();
    let hello = |version| {
        framed(&Frame::Hello {
            version,
            proofs: Box::new([[7; 32]; PROOFS]),
        })
    };
    let mut beyond = too_long.to_vec();
    beyond.extend(vec![0; FRAME_BYTES_MAX + 1]);
    let mut trailing = framed(&Frame::Digest([0; 32]));
    trailing[0] += 1;
    trailing.push(0);
    vec![
        ("nothing", vec![]),
        ("half a length", vec![1, 0]),
        ("the longest length", vec![0xff; 4]),
        ("a frame beyond its limit", beyond),
        ("an empty frame", vec![0; 4]),
        ("an unknown frame", vec![1, 0, 0, 0, 200]),
        (
            "a frame that ends early",
            [&100_u32.to_le_bytes()[..], &[0; 10]].concat(),
        ),
        ("a frame with more behind it", trailing),
        (
            "random bytes",
            (0..5_000_u32)
                .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0])
                .collect(),
        ),
        ("a web browser", b"GET / HTTP/1.1\r\nHost: kiez\r\n\r\n".to_vec()),
        ("out of turn", framed(&Frame::Digest([0; 32]))),
        ("goodbye", framed(&Frame::Goodbye(Goodbye::Done))),
        ("wrong proofs", hello(PROTOCOL_VERSION)),
        ("another version", hello(u16::MAX)),
    ]
}

async fn visit(stranger: &Stranger) {
    for (name, bytes) in hostile() {
        for protocol in [SYNC, JOIN] {
            let answer = stranger.say(protocol, &bytes).await;
            // At most a goodbye or a no: nothing about a group.
            assert!(answer.len() <= 16, "{name}: {answer:?}");
        }
    }
    assert!(
        stranger
            .endpoint
            .connect(stranger.listening.clone(), b"other/1")
            .await
            .is_err()
    );
}

#[test]
fn strangers_who_say_nonsense_or_nothing_are_in_nobodys_way() {
    let (anna, ben) = (founded(), Laptop::new().of("Ben"));
    let listening = anna.listen();
    ben.ask(&["join", &letters(&anna)]);
    let before = anna.ask(&["status"])["digest"].clone();
    let invitation = Invitation::parse(&letters(&anna)).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let stranger = runtime.block_on(Stranger::new(&invitation));
    runtime.block_on(visit(&stranger));

    // Half-open: no stream, a stream without a word, half a frame. They stay, and the others are served.
    let mut held = Vec::new();
    for number in 0..24 {
        let protocol = if number % 2 == 0 { SYNC } else { JOIN };
        held.push(runtime.block_on(async {
            let connection = stranger.connect(protocol).await;
            let (mut send, recv) = connection.open_bi().await.unwrap();
            if number % 3 > 0 {
                send.write_all(&[0, 1, 0, 0, 9][..number % 3 * 2]).await.unwrap();
            }
            (connection, send, recv)
        }));
    }
    ben.ask(&["idea", "add", "Trees"]);
    assert_eq!(ben.ask(&["sync"])["even"], 1);
    let carla = Laptop::new().of("Carla");
    carla.ask(&["join", &invitation.to_text()]);
    assert_eq!(anna.ask(&["idea", "list"]).as_array().unwrap().len(), 2);
    assert_ne!(anna.ask(&["status"])["digest"], before);
    drop(held);
    runtime.block_on(stranger.endpoint.close());
    assert_eq!(Running::stop(listening).code, Some(0));
    assert_eq!(anna.ask(&["people"]).as_array().unwrap().len(), 3);
}
