//! One change from writer to reader: two nodes in one process, joined by iroh over the loopback.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use iroh::endpoint::presets;
use iroh::{Endpoint, EndpointAddr, RelayMode, TransportAddr};
use kiez_core::domain::id::{GroupId, ProposalId};
use kiez_core::host::clock::instant;
use kiez_core::host::keystore::Home;
use kiez_core::host::net::{Contact, Network};
use kiez_core::host::node::{Node, NodeError};
use kiez_core::host::store::Store;
use kiez_core::replica::document::Document;

use super::action::{CommitFloor, Said, apply, seal, sign};
use super::profiles::{Profiles, unlock};
use super::table::Table;
use super::{RUNS, median, timed};

/// How many changes a run sends.
const CHANGES: usize = 40;

/// A pause between changes, as between people's: nothing is batched.
const PAUSE: Duration = Duration::from_millis(10);

const ALPN: &[u8] = b"bench/echo";

pub fn measure(profiles: &Profiles, table: &mut Table) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run(profiles, table));
}

/// Writer and reader, connected and even.
struct Pair {
    writer: Node,
    reader: Node,
    at_writer: Network,
    at_reader: Network,
    group: GroupId,
    idea: ProposalId,
}

impl Pair {
    async fn new(profiles: &Profiles) -> Self {
        let writer = Node::open_unlocked(unlock(&profiles.founder)).unwrap();
        let at_writer = Network::start(&writer, None).await.unwrap();
        let unlocked = unlock(&profiles.quiet);
        let group = profiles.group;
        let port = at_writer.own_addresses().await[0].port();
        // Where it was before: discovery need not find it.
        let store = Store::open(&unlocked).unwrap();
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port).into();
        store
            .group(Some(group))
            .set_contact(writer.me().device_id(), &[address])
            .unwrap();
        drop(store);
        let reader = Node::open_unlocked(unlocked).unwrap();
        let at_reader = Network::start(&reader, None).await.unwrap();
        let idea = writer.ideas(group).unwrap()[0].id;
        let pair = Self {
            writer,
            reader,
            at_writer,
            at_reader,
            group,
            idea,
        };
        pair.even().await;
        pair
    }

    /// Waits until each knows that the other has the same.
    async fn even(&self) {
        for (network, other) in [(&self.at_writer, &self.reader), (&self.at_reader, &self.writer)] {
            let place = (self.group, other.me().device_id());
            let mut contacts = network.contacts();
            let even = contacts.wait_for(|contacts| contacts.get(&place) == Some(&Contact::Even));
            tokio::time::timeout(Duration::from_secs(30), even)
                .await
                .unwrap()
                .unwrap();
        }
    }

    /// The candidate: from before the writer's command until the reader has stored it, and until the writer knows.
    async fn one_change(&self, turn: usize) -> (Duration, Duration) {
        let mut told = self.reader.events();
        let place = (self.group, self.reader.me().device_id());
        let mut contacts = self.at_writer.contacts();
        let start = instant();
        let text = format!("Das wird allen helfen, und zwar zum {turn}. Mal, weil es allen etwas bringt.");
        tokio::task::block_in_place(|| self.writer.comment(self.group, self.idea, &text)).unwrap();
        told.recv().await.unwrap();
        let arrived = start.elapsed();
        // The writer was marked busy before the change left.
        contacts
            .wait_for(|contacts| contacts.get(&place) == Some(&Contact::Even))
            .await
            .unwrap();
        (arrived, start.elapsed())
    }
}

/// Both ends of an echo over iroh, bound as the node binds.
struct Echo {
    send: iroh::endpoint::SendStream,
    recv: iroh::endpoint::RecvStream,
    _ends: [Endpoint; 2],
}

async fn endpoint() -> Endpoint {
    Endpoint::builder(presets::Minimal)
        .alpns(vec![ALPN.to_vec()])
        .relay_mode(RelayMode::Disabled)
        .clear_ip_transports()
        .bind_addr(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .bind()
        .await
        .unwrap()
}

impl Echo {
    async fn new() -> Self {
        let (near, far) = (endpoint().await, endpoint().await);
        let addresses = far.bound_sockets().into_iter().map(TransportAddr::Ip);
        let address = EndpointAddr::from_parts(far.id(), addresses);
        let answering = far.clone();
        tokio::spawn(async move {
            let connection = answering.accept().await.unwrap().await.unwrap();
            let (mut send, mut recv) = connection.accept_bi().await.unwrap();
            let mut length = [0; 4];
            while recv.read_exact(&mut length).await.is_ok() {
                let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
                recv.read_exact(&mut bytes).await.unwrap();
                send.write_all(&[&length[..], &bytes].concat()).await.unwrap();
            }
        });
        let connection = near.connect(address, ALPN).await.unwrap();
        let (send, recv) = connection.open_bi().await.unwrap();
        Self {
            send,
            recv,
            _ends: [near, far],
        }
    }

    /// A floor: so many bytes there and back on an open stream.
    async fn round_trip(&mut self, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        self.send.write_all(&[&length[..], bytes].concat()).await.unwrap();
        let mut back = vec![0; bytes.len() + 4];
        self.recv.read_exact(&mut back).await.unwrap();
    }
}

/// The floors of one change, one after the other: sign (and seal), commit at the writer, round trip, verify, commit at
/// the reader, apply there.
async fn floors(
    said: &Said,
    before: &mut Document,
    commits: &mut [CommitFloor; 2],
    echo: &mut Echo,
) -> [Duration; 5] {
    let (signing, entry) = timed(|| sign(seal(&said.header, &said.payload, &said.key), &said.journal));
    let row = said.row(&entry);
    let [first, second] = commits;
    let (written, ()) = timed(|| first.one_full_commit(&row));
    let start = instant();
    echo.round_trip(&row).await;
    let trip = start.elapsed();
    let (verified, ()) = timed(|| verify(&entry));
    let (stored, ()) = timed(|| second.one_full_commit(&row));
    let change = said.change.clone();
    let (applied, ()) = timed(|| apply(before, change));
    [signing, written + stored, trip, verified, applied]
}

/// A floor: the signature of a received entry.
fn verify(entry: &kiez_core::replica::entry::Entry) {
    entry.verify(&entry.signature.unwrap()).unwrap();
}

async fn run(profiles: &Profiles, table: &mut Table) {
    let pair = Pair::new(profiles).await;
    let mut commits =
        ["floor-a", "floor-b"].map(|name| CommitFloor::new(&Home::at(profiles.quiet.directory().join(name))));
    let mut echo = Echo::new().await;
    let own = kiez_core::domain::document::DocumentId::Own(pair.writer.me().person);
    let mut runs = Vec::new();
    for run in 0..=RUNS {
        let mut changes = Vec::new();
        for turn in 0..CHANGES {
            pair.even().await;
            tokio::time::sleep(PAUSE).await;
            let mut before = pair
                .reader
                .with_group(pair.group, |r| Ok::<_, NodeError>(r.document(own)?.clone()))
                .unwrap();
            let (arrived, known) = pair.one_change(run * CHANGES + turn).await;
            let said = pair
                .writer
                .with_group(pair.group, |replica| Ok::<_, NodeError>(Said::last(replica)))
                .unwrap();
            let floor = floors(&said, &mut before, &mut commits, &mut echo).await;
            changes.push((arrived, known, floor));
        }
        // The first run only warms up.
        if run > 0 {
            let floor: [Duration; 5] =
                std::array::from_fn(|part| median(changes.iter().map(|change| change.2[part]).collect()));
            let arrived = median(changes.iter().map(|change| change.0).collect());
            let known = median(changes.iter().map(|change| change.1).collect());
            let sum: Duration = floor.iter().sum();
            runs.push((arrived.as_secs_f64() / sum.as_secs_f64(), arrived, known, floor));
        }
    }
    let ratio = median(runs.iter().map(|run| run.0).collect());
    let (_, arrived, known, floor) = median(runs);
    let sum: Duration = floor.iter().sum();
    let [signing, commits, trip, verified, applied] = floor.map(|part| part.as_micros());
    table.ratio(
        "one change from writer to reader, durable at both / sum of its floors",
        ratio,
        2.5,
        vec![
            format!(
                "durable at both after {} µs; floors {} µs; the writer knows it after {} µs, {:.2} of the floors",
                arrived.as_micros(),
                sum.as_micros(),
                known.as_micros(),
                known.as_secs_f64() / sum.as_secs_f64()
            ),
            format!(
                "floors: sign {signing}, two commits {commits}, round trip {trip}, verify {verified}, apply {applied} µs"
            ),
        ],
    );
    pair.at_reader.stop().await;
    pair.at_writer.stop().await;
}
