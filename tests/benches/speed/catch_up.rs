//! Catching up when a hundredth behind: bytes on the wire, and how many round trips until it is known what is missing.

use automerge::Change;
use kiez_core::replica::content::Content;
use kiez_core::replica::entry::EntryKind;
use kiez_core::replica::hold::Replica;
use kiez_core::replica::keys::GroupKey;
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::session::{Channel, Effect, Session, Side, hello};
use kiez_core::replica::storage::Storage;
use kiez_core::replica::wire::Frame;
use kiez_tests::year::{Member, Year};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use kiez_tests::year::profile::own;

use super::profiles::me;
use super::table::Table;

/// What every way of catching up has to carry: the raw changes.
#[derive(Default)]
struct Needed {
    entries: usize,
    journals: usize,
    raw_bytes: usize,
}

impl Needed {
    /// The floor: the raw changes, and 120 bytes for each entry.
    fn raw_changes_and_120_bytes_an_entry(&self) -> usize {
        self.raw_bytes + 120 * self.entries
    }

    fn of(ahead: &Replica<MemoryStorage>, behind: &Replica<MemoryStorage>) -> Self {
        let mut needed = Self::default();
        for (journal, after) in ahead.beyond(&behind.frontier()) {
            needed.journals += 1;
            for held in ahead.storage().entries(journal, after, usize::MAX).unwrap() {
                needed.entries += 1;
                let key = ahead.keys().get(held.entry.header.key).unwrap();
                let payload = held.entry.open(key).unwrap();
                if held.entry.header.kind == EntryKind::Content {
                    let content = Content::from_bytes(&payload).unwrap();
                    let raw = content.changes.into_iter().map(|change| change.0);
                    needed.raw_bytes += raw
                        .map(|raw| Change::from_bytes(raw).unwrap().raw_bytes().len())
                        .sum::<usize>();
                }
            }
        }
        needed
    }
}

fn replica(year: &Year, bundle: &[u8], member: &Member) -> Replica<MemoryStorage> {
    let keys = vec![GroupKey::from_bytes(year.key)];
    let replica = Replica::from_bundle(MemoryStorage::default(), year.group, keys, bundle).unwrap();
    let mut storage = replica.into_storage();
    storage.commit(year.group, vec![own(member)]).unwrap();
    Replica::open(storage).unwrap()
}

/// One side of a session without a network.
struct End {
    replica: Replica<MemoryStorage>,
    session: Session,
    rng: ChaCha20Rng,
}

impl End {
    /// Takes in a frame as bytes; gives what is sent for it.
    fn take(&mut self, frame: &[u8]) -> Vec<Frame> {
        let frame = Frame::from_bytes(frame).unwrap();
        let effects = self
            .session
            .on_frame(frame, &mut self.replica, &mut self.rng)
            .unwrap();
        effects
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Send(frame) => Some(frame),
                Effect::Close(why) => panic!("{why}"),
                Effect::Received(_)
                | Effect::PeerHas(_)
                | Effect::Progress { .. }
                | Effect::Published
                | Effect::NotPublished => None,
            })
            .collect()
    }
}

/// A frame on its way.
struct Sent {
    name: &'static str,
    bytes: usize,
    /// On which one-way trip since both knew each other it went.
    trip: usize,
}

/// Runs a session to its end, trip by trip: what was sent while the other side's frames were on their way goes together.
fn run(dialler: &mut End, answerer: &mut End, first: Frame) -> Vec<Sent> {
    let mut log = Vec::new();
    let mut to_answerer = vec![first];
    let mut to_dialler: Vec<Frame> = Vec::new();
    let mut trip = 0;
    while !to_answerer.is_empty() || !to_dialler.is_empty() {
        let (forth, back) = (std::mem::take(&mut to_answerer), std::mem::take(&mut to_dialler));
        for (frames, end, answers) in [
            (forth, &mut *answerer, &mut to_dialler),
            (back, &mut *dialler, &mut to_answerer),
        ] {
            for frame in frames {
                let bytes = frame.to_bytes();
                log.push(Sent {
                    name: name(&frame),
                    bytes: bytes.len() + 4,
                    trip,
                });
                answers.extend(end.take(&bytes));
            }
        }
        trip += 1;
    }
    log
}

fn name(frame: &Frame) -> &'static str {
    match frame {
        Frame::Hello { .. } => "hello",
        Frame::Identify { .. } => "identify",
        Frame::Digest(_) => "digest",
        Frame::Frontier(_) => "frontier",
        Frame::Entries(_) => "entries",
        Frame::BundlePart { .. } => "bundle",
        Frame::Stored(_) => "stored",
        Frame::PublishEnrolment(_)
        | Frame::Goodbye(_)
        | Frame::JoinRequest(_)
        | Frame::Admitted { .. }
        | Frame::NotAdmitted(_)
        | Frame::Member { .. } => "other",
    }
}

pub fn measure(year: &Year, table: &mut Table) {
    let ahead = replica(year, &year.ahead, &year.founder);
    let behind = replica(year, &year.behind, &year.quiet);
    let needed = Needed::of(&ahead, &behind);
    let exporter = [7; 32];
    let end = |replica, side, peer| End {
        replica,
        session: Session::new(side, Channel { exporter, peer }),
        rng: ChaCha20Rng::seed_from_u64(1),
    };
    let mut answerer = end(ahead, Side::Answerer, me(&year.quiet).device_id());
    let mut dialler = end(behind, Side::Dialler, me(&year.founder).device_id());
    let channel = Channel {
        exporter,
        peer: me(&year.founder).device_id(),
    };
    let first = hello(dialler.replica.keys(), &channel, Side::Dialler, &mut dialler.rng);
    let log = run(&mut dialler, &mut answerer, first);
    assert!(dialler.session.is_even(&dialler.replica) && answerer.session.is_even(&answerer.replica));
    let bytes: usize = log.iter().map(|sent| sent.bytes).sum();
    let floor = needed.raw_changes_and_120_bytes_an_entry();
    let trip_of = |name: &str| log.iter().find(|sent| sent.name == name).unwrap().trip;
    let frames: Vec<String> = log
        .iter()
        .map(|sent| format!("{} {}", sent.name, sent.bytes))
        .collect();
    table.ratio(
        "bytes to catch up, 1 % of the year behind / raw changes + 120 an entry",
        bytes as f64 / floor as f64,
        1.3,
        vec![
            format!(
                "{bytes} bytes both ways; floor {floor}: {} entries of {} journals, raw changes {}",
                needed.entries, needed.journals, needed.raw_bytes
            ),
            format!("frames: {}", frames.join(", ")),
        ],
    );
    // From the first digest out to the moment before the entries leave.
    let trips = trip_of("entries") - trip_of("digest");
    table.line(
        "round trips to know what is missing",
        trips as f64 / 2.0,
        1.0,
        "",
        vec!["from the first digest to the entries' leaving".to_owned()],
    );
}
