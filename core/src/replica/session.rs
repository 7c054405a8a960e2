//! A sync session with one peer, as a state machine: what happens goes in, what is to be done comes out. It does no I/O
//! and reads no clock; `host::net` drives it over iroh, the simulation over a fake network.
//!
//! The dialler greets with proofs of membership; the other side, where it knows the group, greets back and says who it
//! is; the dialler says who it is. Then both compare digests of their frontiers, exchange frontiers where they
//! differ, send what is missing, stay open and push.

mod branches;
mod greeting;
mod parts;

use std::collections::BTreeSet;

use ed25519_dalek::Signer;
use rand::CryptoRng;

use crate::domain::control::{ControlAct, Enrol};
use crate::domain::id::{DeviceId, EntryId, JournalId, KeyId, PersonId, Signature};
use crate::planted::{Bug, Guard, is_off, is_on};

use super::allowance::Road;
use super::bundle::{self, Compression};
use super::codec::Blob;
use super::entry::verify;
use super::fork::Branches;
use super::frontier::{Frontier, Holdings, advance};
use super::hold::{Replica, ReplicaError};
use super::limits::BUNDLE_BYTES_MAX;
use super::missing::Missing;
use super::receive::{ReceiveError, Received};
use super::storage::Storage;
use super::wire::{EntriesFrame, Frame, Goodbye, JoinRefusal, PROTOCOL_VERSION};

pub use greeting::{hello, is_member};
pub use parts::bundle_parts;

use greeting::{identify_bytes, keys_in_common};

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
    /// The keys that the peer has shown to hold. What is sealed under any other goes to it as it is.
    common: BTreeSet<KeyId>,
    /// The keys that the peer lacked when it said what it has, although it had the entries that brought them.
    lacks: BTreeSet<KeyId>,
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
            common: BTreeSet::new(),
            lacks: BTreeSet::new(),
        }
    }

    /// Has the peer shown who it is, and is the session not over?
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
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
            && replica.is_at(&self.has)
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
            (State::Open, frame) => self.on_sync_frame(frame, replica, rng),
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
        self.common = keys_in_common(greeting, replica.keys(), &self.channel, self.side.other());
        if self.common.is_empty() {
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
        let shown = verify(&journal.0, &message, signature) && !other_device;
        if !shown && !is_off(Guard::Identify) {
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
        rng: &mut impl CryptoRng,
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
                effects.extend(self.send_missing(replica)?);
                Ok(effects)
            }
            Frame::Entries(frame) => match frame.unpack(replica.group()) {
                Ok(entries) => {
                    self.take_in(entries.into_iter().map(|entry| (entry, None)).collect(), replica)
                }
                Err(fault) => Ok(self.close(Goodbye::Fault, &fault.to_string())),
            },
            Frame::BundlePart { total, bytes } => self.on_bundle_part(total, &bytes, replica),
            Frame::PublishEnrolment(enrol) => Ok(self.publish(*enrol, replica, rng)),
            Frame::NotAdmitted(_) => Ok(vec![Effect::NotPublished]),
            Frame::Hello { .. }
            | Frame::Identify { .. }
            | Frame::Goodbye(_)
            | Frame::JoinRequest(_)
            | Frame::Admitted { .. }
            | Frame::Member { .. } => Ok(self.close(Goodbye::Fault, "it spoke out of turn")),
        }
    }

    fn learned<S: Storage>(
        &mut self,
        theirs: &Holdings,
        replica: &Replica<S>,
    ) -> Result<Vec<Effect>, ReplicaError> {
        if !std::mem::replace(&mut self.known, true) {
            self.lacks = replica.lacked_by(&theirs.heads, &self.common);
        }
        // The whole of it, also journals that are not here yet; what is said of those later would only fill memory.
        self.has.clone_from(&theirs.heads);
        self.note(theirs, replica)?;
        let mut effects = vec![Effect::PeerHas(self.has.clone())];
        effects.extend(self.send_missing(replica)?);
        Ok(effects)
    }

    fn send_missing<S: Storage>(&mut self, replica: &Replica<S>) -> Result<Vec<Effect>, ReplicaError> {
        if !self.known {
            return Ok(vec![]);
        }
        let (leaves, whole) = self.branches_to_send(replica)?;
        let known = self.known_to_peer(replica, &whole);
        let frames = match replica.missing(&known, &leaves)? {
            Missing::Nothing => return Ok(vec![]),
            Missing::Entries(entries) => {
                EntriesFrame::pack(&entries).map(|frame| vec![Frame::Entries(frame)])
            }
            Missing::Many(entries) => replica
                .bundle_of(entries, &self.keys_for_bundle(replica.keys()), Compression::Fast)
                .ok()
                .map(|bundle| bundle_parts(&bundle)),
        };
        let Some(frames) = frames else {
            return Ok(self.close(Goodbye::Fault, "what it lacks could not be packed"));
        };
        let mine = replica.frontier();
        advance(&mut self.sent, &mine);
        if is_on(Bug::SessionSentIsStored) {
            advance(&mut self.has, &mine);
        }
        Ok(frames.into_iter().map(Effect::Send).collect())
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
        match replica.receive_by(Road::Session, entries) {
            Ok(received) => {
                let heads = carried.keys().filter_map(|j| Some((*j, replica.head(*j)?)));
                let stored = Holdings {
                    heads: heads.collect(),
                    branches: replica.branches(),
                };
                // Which branch of a forked journal counts there, the peer says itself.
                carried.retain(|journal, _| !replica.is_forked(*journal));
                advance(&mut self.has, &carried);
                advance(&mut self.sent, &carried);
                if is_on(Bug::SessionAllSent) {
                    advance(&mut self.sent, &replica.frontier());
                }
                let mut effects = vec![
                    Effect::Send(Frame::Stored(stored)),
                    Effect::PeerHas(self.has.clone()),
                ];
                effects.extend(self.tell_branches(replica));
                effects.extend(self.send_missing(replica)?);
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

    fn publish<S: Storage>(
        &mut self,
        enrol: Enrol,
        replica: &mut Replica<S>,
        rng: &mut impl CryptoRng,
    ) -> Vec<Effect> {
        // Only for the device that asks.
        if enrol.enrolled.device != self.channel.peer && !is_off(Guard::PublishOwn) {
            return self.close(Goodbye::Fault, "it asked to enrol another device");
        }
        // One that was published is on its way to them: else they could fill this device's journal.
        if replica.roster().unopened_grant(&enrol.enrolled).is_some() {
            return vec![Effect::Send(Frame::NotAdmitted(JoinRefusal::Unable))];
        }
        // Wrong signatures or a membership that is not theirs: nothing is written, and they are told.
        let written = replica
            .rekey_if_due(rng)
            .and_then(|_| replica.write_act(ControlAct::Enrol(enrol)));
        match written {
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
