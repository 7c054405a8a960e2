//! Neighbours with replicas in memory, and sessions between them without a network.

#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "test code: a failure is a panic"
)]

pub mod counting;

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use kiez_core::domain::charter::{Charter, Role};
use kiez_core::domain::control::{ControlAct, Open};
use kiez_core::domain::id::{DeviceId, EntryId, EntryNumber, JournalId, PersonId, Timestamp};
use kiez_core::domain::proposal::Draft;
use kiez_core::replica::bundle::Compression;
use kiez_core::replica::control::{act_to_bytes, open_bytes, sign};
use kiez_core::replica::entry::{Entry, EntryKind, Header};
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::hold::{Me, Replica};
use kiez_core::replica::keys::{BoxSecret, GroupKey};
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::session::{Channel, Effect, Session, Side, hello};
use kiez_core::replica::storage::Storage;
use kiez_core::replica::wire::Frame;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

/// What every clock says.
pub const NOW: Timestamp = Timestamp(1_000);

/// A person with a device.
pub struct Neighbour {
    pub me: Me,
    pub person: SigningKey,
    pub box_secret: BoxSecret,
    pub rng: ChaCha20Rng,
}

impl Neighbour {
    pub fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let person = SigningKey::generate(&mut rng);
        let device = SigningKey::generate(&mut rng);
        let box_secret = BoxSecret::generate(&mut rng);
        let me = Me {
            person: PersonId(person.verifying_key().to_bytes()),
            device,
            box_key: box_secret.public(),
        };
        Self {
            me,
            person,
            box_secret,
            rng,
        }
    }

    /// The same person on the same device, with other randomness: who works on a copy of their profile.
    pub fn copied(&self, seed: u64) -> Self {
        let mut copy = Self::new(seed);
        copy.me = self.me.clone();
        copy
    }

    /// Founds a group.
    pub fn found(&mut self) -> Replica<MemoryStorage> {
        self.found_in(MemoryStorage::default())
    }

    /// Founds a group in a place.
    pub fn found_in<S: Storage>(&mut self, storage: S) -> Replica<S> {
        Replica::found(storage, &self.me, &self.person, Charter::circle(), &mut self.rng).unwrap()
    }

    /// Joins the group of an inviting neighbour.
    pub fn join<S: Storage>(&mut self, a: &mut Replica<S>, anna: &mut Self) -> Replica<MemoryStorage> {
        self.join_as(Role::Member, a, anna)
    }

    /// Joins in a role.
    pub fn join_as<S: Storage>(
        &mut self,
        role: Role,
        a: &mut Replica<S>,
        anna: &mut Self,
    ) -> Replica<MemoryStorage> {
        let invitation = a
            .invite(&anna.me, role, Timestamp(2_000), vec![], &mut anna.rng)
            .unwrap();
        let (to_a, to_b) = channels(self.me.device_id(), anna.me.device_id());
        let request = invitation.request(&self.me, &self.person, &to_a);
        let admission = a
            .admit(&request, &to_b, NOW, &mut anna.rng)
            .unwrap()
            .admission()
            .unwrap();
        let bundle = a.bundle(&Frontier::new(), Compression::Fast).unwrap();
        Replica::join(
            MemoryStorage::default(),
            &invitation,
            &self.me,
            &self.box_secret,
            &admission.boxes,
            &bundle,
            &mut self.rng,
        )
        .unwrap()
    }
}

/// An entry with whatever in it, after another one (number zero: the first) of the journal whose key signs it.
pub fn sealed(
    replica: &Replica<MemoryStorage>,
    signing: &SigningKey,
    after: (EntryNumber, EntryId),
    seen: BTreeSet<EntryId>,
    kind: EntryKind,
    key: &GroupKey,
    payload: &[u8],
) -> Entry {
    let header = Header {
        group: replica.group(),
        journal: JournalId(signing.verifying_key().to_bytes()),
        number: after.0.next(),
        prev: after.1,
        seen: seen.into_iter().collect(),
        kind,
        key: key.id(),
        payload_bytes: u32::try_from(payload.len()).unwrap(),
    };
    Entry::seal(header, payload, key).unwrap().signed(signing)
}

/// The first entry of a journal of a device by virtue of a grant, if there were one.
pub fn opened(
    at: &Replica<MemoryStorage>,
    of: &Neighbour,
    grant: EntryId,
    key: &GroupKey,
    journal: &SigningKey,
) -> Entry {
    let id = JournalId(journal.verifying_key().to_bytes());
    let act = ControlAct::Open(Open {
        grant,
        device: of.me.device_id(),
        device_signature: sign(&of.me.device, &open_bytes(at.group(), grant, id)),
    });
    let begin = (EntryNumber(0), EntryId::ZERO);
    let payload = act_to_bytes(&act);
    sealed(
        at,
        journal,
        begin,
        [grant].into(),
        EntryKind::Control,
        key,
        &payload,
    )
}

/// A key, always the same of a number.
pub fn fresh(seed: u64) -> SigningKey {
    SigningKey::from_bytes(blake3::hash(&seed.to_le_bytes()).as_bytes())
}

/// The key of a replica's own journal.
pub fn signing(replica: &Replica<MemoryStorage>) -> SigningKey {
    SigningKey::from_bytes(&replica.storage().own().unwrap().unwrap().seed)
}

/// An idea of which only the title is said.
pub fn idea(title: &str) -> Draft {
    Draft {
        title: title.to_owned(),
        ..Draft::default()
    }
}

/// The titles of all ideas that count, in order.
pub fn titles(replica: &mut Replica<MemoryStorage>) -> Vec<String> {
    let ideas = replica.ideas().unwrap();
    let mut titles: Vec<String> = ideas.into_iter().map(|idea| idea.title).collect();
    titles.sort();
    titles
}

/// The two ends of a connection.
pub fn channels(a: DeviceId, b: DeviceId) -> (Channel, Channel) {
    let exporter = [9; 32];
    (Channel { exporter, peer: b }, Channel { exporter, peer: a })
}

/// Runs a session until nothing is said any more, and both have the same; returns how many bytes were.
pub fn sync<A: Storage, B: Storage>(
    a: &mut Replica<A>,
    an: &mut Neighbour,
    b: &mut Replica<B>,
    bn: &mut Neighbour,
) -> usize {
    let (bytes, even) = meet(a, an, b, bn);
    assert!(even, "both sides know that they have the same");
    bytes
}

/// Runs a session until nothing is said any more; returns how many bytes were, and whether both know that they have the same.
pub fn meet<A: Storage, B: Storage>(
    a: &mut Replica<A>,
    an: &mut Neighbour,
    b: &mut Replica<B>,
    bn: &mut Neighbour,
) -> (usize, bool) {
    let (to_b, to_a) = channels(an.me.device_id(), bn.me.device_id());
    let mut at_a = Session::new(Side::Dialler, to_b);
    let mut at_b = Session::new(Side::Answerer, to_a);
    let mut for_b = vec![hello(a.keys(), &to_b, Side::Dialler, &mut an.rng)];
    let mut for_a: Vec<Frame> = vec![];
    let mut bytes = 0;
    while !for_a.is_empty() || !for_b.is_empty() {
        for frame in std::mem::take(&mut for_b) {
            let raw = frame.to_bytes();
            bytes += raw.len() + 4;
            let effects = at_b
                .on_frame(Frame::from_bytes(&raw).unwrap(), b, &mut bn.rng)
                .unwrap();
            for_a.extend(effects.into_iter().filter_map(sent));
        }
        for frame in std::mem::take(&mut for_a) {
            let raw = frame.to_bytes();
            bytes += raw.len() + 4;
            let effects = at_a
                .on_frame(Frame::from_bytes(&raw).unwrap(), a, &mut an.rng)
                .unwrap();
            for_b.extend(effects.into_iter().filter_map(sent));
        }
    }
    (bytes, at_a.is_even(a) && at_b.is_even(b))
}

fn sent(effect: Effect) -> Option<Frame> {
    match effect {
        Effect::Send(frame) => Some(frame),
        Effect::Close(why) => panic!("{why}"),
        Effect::Received(_)
        | Effect::PeerHas(_)
        | Effect::Progress { .. }
        | Effect::Published
        | Effect::NotPublished => None,
    }
}
