//! A sync session with one peer, as a state machine: what happens goes in, what is to be done comes out. It does no I/O
//! and reads no clock; `host::net` drives it over iroh, the simulation over a fake network.
//!
//! The dialler greets with proofs of membership; the other side, where it knows the group, greets back and says who it
//! is; the dialler says who it is. Then both compare digests of their frontiers, exchange frontiers where they
//! differ, send what is missing, stay open and push.

use std::collections::BTreeSet;

use ed25519_dalek::Signer;
use rand::CryptoRng;

use crate::domain::control::{ControlAct, Enrol};
use crate::domain::id::{DeviceId, EntryId, GroupId, JournalId, PersonId, Signature};
use crate::planted::{Bug, is_on};

use super::bundle::{self, Compression};
use super::codec::{Blob, encode};
use super::entry::verify;
use super::fork::Branches;
use super::frontier::{Frontier, Holdings, advance};
use super::hold::{Replica, ReplicaError};
use super::keys::{GroupKey, KeyRing};
use super::limits::{BUNDLE_BYTES_MAX, BUNDLE_PART_BYTES, PROOFS};
use super::missing::Missing;
use super::receive::{ReceiveError, Received};
use super::storage::Storage;
use super::wire::{EntriesFrame, Frame, Goodbye, JoinRefusal, PROTOCOL_VERSION};

/// Which side of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The one that dialled.
    Dialler,
    /// The one that answered.
    Answerer,
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Dialler => Self::Answerer,
            Self::Answerer => Self::Dialler,
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::Dialler => 0,
            Self::Answerer => 1,
        }
    }
}

/// What the connection gives: a secret of this very TLS session, and whose endpoint is on the other end.
#[derive(Debug, Clone, Copy)]
pub struct Channel {
    /// The TLS exporter (RFC 8446, 7.5).
    pub exporter: [u8; 32],
    /// The endpoint key of the other side.
    pub peer: DeviceId,
}

/// Something to be done.
#[derive(Debug)]
pub enum Effect {
    /// Send this.
    Send(Frame),
    /// Entries came in and are durable.
    Received(Received),
    /// The peer has stored this much: its word, in a session that proved who it is.
    PeerHas(Frontier),
    /// So much of a bundle has come.
    Progress {
        /// So many bytes
        bytes: u64,
        /// of so many.
        total: u64,
    },
    /// A device asks for its enrolment to be published, and it was.
    Published,
    /// The enrolment that this device asked for was not published.
    NotPublished,
    /// The session is over. The reason is the peer's or ours.
    Close(Close),
}

/// Why a session is over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Close {
    /// The peer said so.
    #[error("{0}")]
    Peer(Goodbye),
    /// What the peer sent made no sense.
    #[error("the other device broke the protocol: {0}")]
    PeerFault(String),
    /// We could not go on.
    #[error("{0}")]
    Ours(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The peer's greeting is awaited.
    Greeting,
    /// Both have proven membership; the peer's name is awaited.
    Naming,
    /// Syncing.
    Open,
    /// Over.
    Closed,
}

/// One session with one peer in one group.
#[derive(Debug)]
pub struct Session {
    side: Side,
    channel: Channel,
    state: State,
    peer: Option<JournalId>,
    /// What the peer said it has stored, and what it sent.
    has: Frontier,
    /// The branches that the peer said it keeps aside.
    branches: Branches,
    /// Journals of which the peer holds another branch for the one that counts.
    diverged: BTreeSet<JournalId>,
    /// The leaves of forked journals that were sent in this session.
    sent_leaves: BTreeSet<EntryId>,
    /// The branches kept aside here, as the peer was last told.
    told_branches: Branches,
    /// What the peer has and what is on its way to it.
    sent: Frontier,
    /// Whether its frontier is known: only then anything is sent.
    known: bool,
    /// Whether ours was sent.
    told: bool,
    incoming: Vec<u8>,
}

/// The proof that somebody on this side of this session holds a group key.
fn proof(key: &GroupKey, channel: &Channel, side: Side) -> [u8; 32] {
    let message = encode(&("kiez 1 proof", channel.exporter, side.number()));
    *blake3::keyed_hash(&key.session_key(), &message).as_bytes()
}

/// A greeting from this side, padded with randomness so that it tells a stranger nothing.
#[must_use]
pub fn hello(keys: &KeyRing, channel: &Channel, side: Side, rng: &mut impl CryptoRng) -> Frame {
    let mut proofs = Box::new([[0; 32]; PROOFS]);
    for tag in proofs.iter_mut() {
        rng.fill_bytes(tag);
    }
    for (tag, key) in proofs.iter_mut().zip(keys.iter()) {
        *tag = proof(key, channel, side);
    }
    Frame::Hello {
        version: PROTOCOL_VERSION,
        proofs,
    }
}

/// Does the other side's greeting prove membership to who holds these keys?
#[must_use]
pub fn is_member(frame: &Frame, keys: &KeyRing, channel: &Channel, their_side: Side) -> bool {
    let Frame::Hello { proofs, .. } = frame else {
        return false;
    };
    keys.iter().any(|key| {
        let expected = blake3::Hash::from(proof(key, channel, their_side));
        // Compared in constant time.
        proofs.iter().any(|tag| expected == blake3::Hash::from(*tag))
    })
}

fn identify_bytes(group: GroupId, channel: &Channel, side: Side, journal: JournalId) -> Vec<u8> {
    encode(&("kiez 1 identify", group, channel.exporter, side.number(), journal))
}

impl Session {
    /// A session in which nothing has been said. The dialler sends [`hello`] first; the answerer, once it has found the
    /// group by [`is_member`], hands that greeting to [`Session::on_frame`].
    #[must_use]
    pub const fn new(side: Side, channel: Channel) -> Self {
        Self {
            side,
            channel,
            state: State::Greeting,
            peer: None,
            has: Frontier::new(),
            branches: Branches::new(),
            diverged: BTreeSet::new(),
            sent_leaves: BTreeSet::new(),
            told_branches: Branches::new(),
            sent: Frontier::new(),
            known: false,
            told: false,
            incoming: Vec::new(),
        }
    }

    /// The journal that the peer has shown to be its own.
    #[must_use]
    pub const fn peer(&self) -> Option<JournalId> {
        self.peer
    }

    /// The person behind it, as far as the roster knows.
    #[must_use]
    pub fn person<S: Storage>(&self, replica: &Replica<S>) -> Option<PersonId> {
        replica.roster().author(self.peer?).map(|author| author.person)
    }

    /// Is everything that we hold held there, and everything that is held there here?
    #[must_use]
    pub fn is_even<S: Storage>(&self, replica: &Replica<S>) -> bool {
        self.state == State::Open
            && self.known
            && self.incoming.is_empty()
            && self.has == replica.frontier()
            && self.branches == replica.branches()
    }

    /// Takes in one frame.
    ///
    /// # Errors
    /// Where our own storage fails; the session is over then.
    pub fn on_frame<S: Storage>(
        &mut self,
        frame: Frame,
        replica: &mut Replica<S>,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<Effect>, ReplicaError> {
        match (self.state, frame) {
            (State::Closed, _) => Ok(vec![]),
            (_, Frame::Goodbye(reason)) => {
                self.state = State::Closed;
                Ok(vec![Effect::Close(Close::Peer(reason))])
            }
            (State::Greeting, Frame::Hello { version, .. }) if version != PROTOCOL_VERSION => Ok(self.close(
                Goodbye::Version,
                "it speaks another version of Kiez: one of both needs an update",
            )),
            (State::Greeting, frame @ Frame::Hello { .. }) => Ok(self.greeted(&frame, replica, rng)),
            (State::Naming, Frame::Identify { journal, signature }) => {
                Ok(self.named(journal, &signature, replica))
            }
            (State::Open, frame) => self.on_sync_frame(frame, replica),
            (State::Greeting | State::Naming, _) => Ok(self.close(Goodbye::Fault, "it spoke out of turn")),
        }
    }

    /// Sends on what has been stored here since, whoever wrote it.
    ///
    /// # Errors
    /// Where our own storage fails.
    pub fn on_change<S: Storage>(&mut self, replica: &Replica<S>) -> Result<Vec<Effect>, ReplicaError> {
        if self.state != State::Open || !self.known {
            return Ok(vec![]);
        }
        let mut effects = self.tell_branches(replica);
        effects.extend(self.send_missing(replica)?);
        Ok(effects)
    }

    /// Asks the peer to publish an enrolment that this device's person has signed.
    #[must_use]
    pub fn ask_to_publish(&self, enrol: Enrol) -> Vec<Effect> {
        if self.state == State::Open {
            vec![Effect::Send(Frame::PublishEnrolment(Box::new(enrol)))]
        } else {
            vec![]
        }
    }

    fn greeted<S: Storage>(
        &mut self,
        greeting: &Frame,
        replica: &Replica<S>,
        rng: &mut impl CryptoRng,
    ) -> Vec<Effect> {
        if !is_member(greeting, replica.keys(), &self.channel, self.side.other()) {
            return self.close(Goodbye::NoCommonGroup, "it is not in this group");
        }
        let Some((journal, key)) = replica.signing_journal() else {
            return self.close(
                Goodbye::Unidentified,
                "this device has no journal in this group yet",
            );
        };
        self.state = State::Naming;
        let message = identify_bytes(replica.group(), &self.channel, self.side, journal);
        let signature = Signature(key.sign(&message).to_bytes());
        let mut effects = Vec::new();
        if self.side == Side::Answerer {
            effects.push(Effect::Send(hello(replica.keys(), &self.channel, self.side, rng)));
        }
        effects.push(Effect::Send(Frame::Identify { journal, signature }));
        effects.push(Effect::Send(Frame::Digest(replica.holdings().digest())));
        effects
    }

    fn named<S: Storage>(
        &mut self,
        journal: JournalId,
        signature: &Signature,
        replica: &Replica<S>,
    ) -> Vec<Effect> {
        let message = identify_bytes(replica.group(), &self.channel, self.side.other(), journal);
        // Where the journal is known, its device must be the one on the other end of the connection.
        let other_device = replica
            .roster()
            .device_of_journal(journal)
            .is_some_and(|device| device.device != self.channel.peer);
        if !verify(&journal.0, &message, signature) || other_device {
            return self.close(Goodbye::Unidentified, "it could not show who it is");
        }
        self.peer = Some(journal);
        self.state = State::Open;
        vec![]
    }

    fn on_sync_frame<S: Storage>(
        &mut self,
        frame: Frame,
        replica: &mut Replica<S>,
    ) -> Result<Vec<Effect>, ReplicaError> {
        match frame {
            Frame::Digest(theirs) => {
                let mine = replica.holdings();
                if theirs == mine.digest() {
                    return self.learned(&mine, replica);
                }
                if std::mem::replace(&mut self.told, true) {
                    return Ok(vec![]);
                }
                Ok(vec![Effect::Send(Frame::Frontier(mine))])
            }
            Frame::Frontier(theirs) => {
                let mut effects = Vec::new();
                if !std::mem::replace(&mut self.told, true) {
                    effects.push(Effect::Send(Frame::Frontier(replica.holdings())));
                }
                effects.extend(self.learned(&theirs, replica)?);
                Ok(effects)
            }
            Frame::Stored(stored) => {
                self.note(&stored, replica)?;
                let mut effects = vec![Effect::PeerHas(self.has.clone())];
                effects.extend(self.send_branches(replica)?);
                Ok(effects)
            }
            Frame::Entries(frame) => match frame.unpack(replica.group()) {
                Ok(entries) => {
                    self.take_in(entries.into_iter().map(|entry| (entry, None)).collect(), replica)
                }
                Err(fault) => Ok(self.close(Goodbye::Fault, &fault.to_string())),
            },
            Frame::BundlePart { total, bytes } => self.on_bundle_part(total, &bytes, replica),
            Frame::PublishEnrolment(enrol) => Ok(self.publish(*enrol, replica)),
            Frame::NotAdmitted(_) => Ok(vec![Effect::NotPublished]),
            Frame::Hello { .. }
            | Frame::Identify { .. }
            | Frame::Goodbye(_)
            | Frame::JoinRequest(_)
            | Frame::Admitted { .. } => Ok(self.close(Goodbye::Fault, "it spoke out of turn")),
        }
    }

    fn learned<S: Storage>(
        &mut self,
        theirs: &Holdings,
        replica: &Replica<S>,
    ) -> Result<Vec<Effect>, ReplicaError> {
        self.known = true;
        self.note(theirs, replica)?;
        let mut effects = vec![Effect::PeerHas(self.has.clone())];
        effects.extend(self.send_missing(replica)?);
        Ok(effects)
    }

    /// Remembers what the peer says it holds. In a forked journal its head may move to a branch with fewer entries.
    fn note<S: Storage>(&mut self, theirs: &Holdings, replica: &Replica<S>) -> Result<(), ReplicaError> {
        let mine = replica.frontier();
        for (journal, (number, id)) in &theirs.heads {
            self.has.insert(*journal, (*number, *id));
            let Some((head, head_id)) = mine.get(journal) else {
                continue;
            };
            if number > head {
                continue;
            }
            let same = head_id == id || replica.entry_id(*journal, *number)? == Some(*id);
            if same {
                self.diverged.remove(journal);
            } else {
                self.diverged.insert(*journal);
            }
        }
        advance(&mut self.sent, &theirs.heads);
        self.branches.clone_from(&theirs.branches);
        Ok(())
    }

    /// Says what is held, where the branches kept aside have changed since the peer was last told.
    fn tell_branches<S: Storage>(&mut self, replica: &Replica<S>) -> Vec<Effect> {
        let branches = replica.branches();
        if branches == self.told_branches {
            return Vec::new();
        }
        self.told_branches = branches;
        vec![Effect::Send(Frame::Frontier(replica.holdings()))]
    }

    /// Sends the branches of forked journals that the peer does not hold: each whole, and once a session.
    fn send_branches<S: Storage>(&mut self, replica: &Replica<S>) -> Result<Vec<Effect>, ReplicaError> {
        let mine = replica.branches();
        let mut journals: BTreeSet<JournalId> = self.diverged.clone();
        journals.extend(
            mine.keys()
                .filter(|journal| mine.get(*journal) != self.branches.get(*journal)),
        );
        let mut effects = Vec::new();
        for journal in journals {
            let theirs = self.branches.get(&journal);
            let has = self.has.get(&journal).copied();
            let head = replica.head(journal);
            for leaf in mine.get(&journal).into_iter().flatten().copied().chain(head) {
                let held = has == Some(leaf) || theirs.is_some_and(|theirs| theirs.contains(&leaf));
                if held || !self.sent_leaves.insert(leaf.1) {
                    continue;
                }
                let frames = EntriesFrame::pack_in_pieces(&replica.branch(journal, leaf.1)?);
                effects.extend(
                    frames
                        .into_iter()
                        .map(|frame| Effect::Send(Frame::Entries(frame))),
                );
            }
        }
        Ok(effects)
    }

    /// What the peer has or will have, as far as it can be told by numbers: a forked journal only where its head lies on
    /// the branch that counts here, and one that diverged not at all.
    fn known_to_peer<S: Storage>(&self, replica: &Replica<S>) -> Frontier {
        let mut known = self.sent.clone();
        for journal in replica.forked() {
            known.remove(&journal);
            known.extend(self.has.get(&journal).map(|head| (journal, *head)));
        }
        for journal in &self.diverged {
            known.extend(replica.head(*journal).map(|head| (*journal, head)));
        }
        known
    }

    fn send_missing<S: Storage>(&mut self, replica: &Replica<S>) -> Result<Vec<Effect>, ReplicaError> {
        let mine = replica.frontier();
        let mut effects = self.send_branches(replica)?;
        let frames = match replica.missing(&self.known_to_peer(replica))? {
            Missing::Nothing => return Ok(effects),
            Missing::Entries(entries) => {
                EntriesFrame::pack(&entries).map(|frame| vec![Frame::Entries(frame)])
            }
            Missing::Many(entries) => replica
                .bundle_of(entries, Compression::Fast)
                .ok()
                .map(|bundle| bundle_parts(&bundle)),
        };
        let Some(frames) = frames else {
            return Ok(self.close(Goodbye::Fault, "what it lacks could not be packed"));
        };
        advance(&mut self.sent, &mine);
        if is_on(Bug::SessionSentIsStored) {
            advance(&mut self.has, &mine);
        }
        effects.extend(frames.into_iter().map(Effect::Send));
        Ok(effects)
    }

    fn on_bundle_part<S: Storage>(
        &mut self,
        total: u64,
        bytes: &Blob,
        replica: &mut Replica<S>,
    ) -> Result<Vec<Effect>, ReplicaError> {
        let length = self.incoming.len().saturating_add(bytes.0.len());
        let total_bytes = usize::try_from(total).unwrap_or(usize::MAX);
        if bytes.0.is_empty() || length > total_bytes || total_bytes > BUNDLE_BYTES_MAX {
            return Ok(self.close(Goodbye::Fault, "a bundle longer than it says"));
        }
        self.incoming.extend_from_slice(&bytes.0);
        if length < total_bytes {
            return Ok(vec![Effect::Progress {
                bytes: length as u64,
                total,
            }]);
        }
        let whole = std::mem::take(&mut self.incoming);
        match bundle::read(&whole, replica.keys()) {
            Ok(read) => {
                let entries = read.entries.into_iter().map(|e| (e.entry, e.payload)).collect();
                self.take_in(entries, replica)
            }
            Err(fault) => Ok(self.close(Goodbye::Fault, &fault.to_string())),
        }
    }

    fn take_in<S: Storage>(
        &mut self,
        entries: Vec<(super::entry::Entry, Option<Vec<u8>>)>,
        replica: &mut Replica<S>,
    ) -> Result<Vec<Effect>, ReplicaError> {
        let mut carried = Frontier::new();
        for (entry, _) in &entries {
            carried.insert(entry.header.journal, (entry.header.number, entry.id));
        }
        match replica.receive(entries) {
            Ok(received) => {
                // Which branch of a forked journal counts there, the peer says itself.
                carried.retain(|journal, _| !replica.is_forked(*journal));
                advance(&mut self.has, &carried);
                let sent = if is_on(Bug::SessionAllSent) { replica.frontier() } else { carried.clone() };
                advance(&mut self.sent, &sent);
                let mut stored = replica.holdings();
                stored.heads.retain(|journal, _| carried.contains_key(journal));
                let mut effects = vec![
                    Effect::Send(Frame::Stored(stored)),
                    Effect::PeerHas(self.has.clone()),
                ];
                effects.extend(self.tell_branches(replica));
                effects.extend(self.send_branches(replica)?);
                effects.push(Effect::Received(received));
                Ok(effects)
            }
            Err(ReceiveError::Carrier(fault)) => Ok(self.close(Goodbye::Fault, &fault.to_string())),
            Err(ReceiveError::Replica(error)) => {
                self.state = State::Closed;
                Err(error)
            }
        }
    }

    fn publish<S: Storage>(&mut self, enrol: Enrol, replica: &mut Replica<S>) -> Vec<Effect> {
        // Only for the device that asks.
        if enrol.enrolled.device != self.channel.peer {
            return self.close(Goodbye::Fault, "it asked to enrol another device");
        }
        // Wrong signatures or a membership that is not theirs: nothing is written, and they are told.
        match replica.write_act(ControlAct::Enrol(enrol)) {
            Ok(_) => vec![Effect::Published],
            Err(_) => vec![Effect::Send(Frame::NotAdmitted(JoinRefusal::Unable))],
        }
    }

    fn close(&mut self, reason: Goodbye, why: &str) -> Vec<Effect> {
        self.state = State::Closed;
        vec![
            Effect::Send(Frame::Goodbye(reason)),
            Effect::Close(Close::PeerFault(why.to_owned())),
        ]
    }
}

/// A bundle in pieces that fit into frames.
#[must_use]
pub fn bundle_parts(bundle: &[u8]) -> Vec<Frame> {
    let total = bundle.len() as u64;
    bundle
        .chunks(BUNDLE_PART_BYTES)
        .map(|part| Frame::BundlePart {
            total,
            bytes: Blob(part.to_vec()),
        })
        .collect()
}
