//! The fake network: connections that come and go, frames that arrive in order within a connection and in any order
//! across them, and everything in flight lost when one breaks.

use std::collections::VecDeque;

use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::session::{Channel, Effect, Session, Side, hello};
use kiez_core::replica::wire::{Frame, WireEntry};
use rand::Rng;

use super::node::Node;
use super::world::{Outcome, World, wrong};

/// So many frames of one connection arrive one after the other at most.
const DELIVER_AT_ONCE: usize = 8;

/// So many connections there are for each device at most.
const CONNECTIONS_PER_NODE: usize = 2;

/// One end of a connection.
#[derive(Debug)]
pub(super) struct End {
    pub(super) node: usize,
    pub(super) session: Session,
    /// What is on its way to this end.
    inbox: VecDeque<Vec<u8>>,
    /// Whether something was stored on this device that the session has not been told.
    stale: bool,
    /// Whether the peer was given the keys it lacked.
    has_given: bool,
}

/// A connection of two devices. Two devices can have several.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) ends: [End; 2],
}

impl Connection {
    /// Is this device on one of its ends?
    pub(super) fn is_of(&self, node: usize) -> bool {
        self.ends.iter().any(|end| end.node == node)
    }
}

/// Can this device take part in a session?
pub(super) fn can_connect(node: &Node) -> bool {
    node.replica
        .as_ref()
        .is_some_and(|replica| replica.signing_journal().is_some())
}

impl World {
    /// What a connection of two devices gives each: the same secret, and the other's endpoint key.
    pub(super) fn channels(&mut self, a: usize, b: usize) -> (Channel, Channel) {
        let mut exporter = [0; 32];
        self.dice.rng().fill_bytes(&mut exporter);
        let channel = |peer: &Node| Channel {
            exporter,
            peer: peer.me.device_id(),
        };
        (channel(&self.nodes[b]), channel(&self.nodes[a]))
    }

    /// Connects two devices.
    pub(super) fn connect(&mut self, a: usize, b: usize) -> u64 {
        let (to_b, to_a) = self.channels(a, b);
        let dialler = &mut self.nodes[a];
        let keys = dialler.replica.as_ref().unwrap().keys().clone();
        let greeting = hello(&keys, &to_b, Side::Dialler, dialler.dice.rng());
        let end = |node, side, channel, inbox: Vec<Vec<u8>>| End {
            node,
            session: Session::new(side, channel),
            inbox: inbox.into(),
            stale: false,
            has_given: false,
        };
        let ends = [
            end(a, Side::Dialler, to_b, vec![]),
            end(b, Side::Answerer, to_a, vec![greeting.to_bytes()]),
        ];
        self.connections_made += 1;
        let id = self.connections_made;
        self.connections.insert(id, Connection { ends });
        let (a, b) = (&self.nodes[a].name, &self.nodes[b].name);
        self.trace.event(format_args!("{a} and {b} connect: {id}"));
        id
    }

    pub(super) fn connect_some(&mut self) -> Outcome {
        if self.connections.len() > CONNECTIONS_PER_NODE * self.nodes.len() {
            return self.disconnect_some();
        }
        if let Some(a) = self.some_node(can_connect) {
            let other = self.nodes[a].name.clone();
            if let Some(b) = self.some_node(|node| can_connect(node) && node.name != other) {
                self.connect(a, b);
            }
        }
        Ok(())
    }

    pub(super) fn disconnect_some(&mut self) -> Outcome {
        let ids: Vec<u64> = self.connections.keys().copied().collect();
        if self.dice.chance(10) {
            // A partition: one device is alone.
            let node = self.dice.below(self.nodes.len());
            self.connections.retain(|_, connection| !connection.is_of(node));
            self.trace
                .event(format_args!("{} is cut off", self.nodes[node].name));
        } else if let Some(id) = self.dice.pick(&ids) {
            self.connections.remove(&id);
            self.trace.event(format_args!("{id} breaks"));
        }
        Ok(())
    }

    /// Something was stored on this device: its sessions are to hear of it.
    pub(super) fn mark_stale(&mut self, node: usize) {
        for connection in self.connections.values_mut() {
            for end in &mut connection.ends {
                end.stale |= end.node == node;
            }
        }
    }

    /// The ends at which something is to be taken in, or to be told.
    fn ends_where(&self, holds: impl Fn(&End) -> bool) -> Vec<(u64, usize)> {
        let all = self.connections.iter().flat_map(|(id, connection)| {
            let ends = connection.ends.iter().enumerate();
            ends.map(|(side, end)| (*id, side, end))
        });
        all.filter(|(.., end)| holds(end))
            .map(|(id, side, _)| (id, side))
            .collect()
    }

    pub(super) fn deliver_some(&mut self) -> Outcome {
        let waiting = self.ends_where(|end| !end.inbox.is_empty());
        if let Some((id, side)) = self.dice.pick(&waiting) {
            for _ in 0..=self.dice.below(DELIVER_AT_ONCE) {
                self.deliver(id, side)?;
            }
        }
        Ok(())
    }

    pub(super) fn push_some(&mut self) -> Outcome {
        let stale = self.ends_where(|end| end.stale);
        if let Some((id, side)) = self.dice.pick(&stale) {
            self.push(id, side)?;
        }
        Ok(())
    }

    /// One of this device's sessions says all it has to say, and is heard.
    pub(super) fn tell(&mut self, node: usize) -> Outcome {
        let own = self.ends_where(|end| end.node == node);
        let Some((id, side)) = self.dice.pick(&own) else {
            return Ok(());
        };
        self.push(id, side)?;
        while self
            .connections
            .get(&id)
            .is_some_and(|connection| !connection.ends[1 - side].inbox.is_empty())
        {
            self.deliver(id, 1 - side)?;
        }
        Ok(())
    }

    /// Delivers and pushes until nobody has anything to say.
    pub(super) fn drain(&mut self) -> Outcome {
        const ENOUGH: usize = 1_000_000;
        for _ in 0..ENOUGH {
            let busy = self.ends_where(|end| end.stale || !end.inbox.is_empty());
            let Some((id, side)) = self.dice.pick(&busy) else {
                return Ok(());
            };
            let is_stale = self.connections[&id].ends[side].stale;
            if is_stale && (self.connections[&id].ends[side].inbox.is_empty() || self.dice.chance(50)) {
                self.push(id, side)?;
            } else {
                self.deliver(id, side)?;
            }
        }
        wrong!("the sessions talk without end")
    }

    /// The next frame arrives at this end.
    fn deliver(&mut self, id: u64, side: usize) -> Outcome {
        let Some(connection) = self.connections.get_mut(&id) else {
            return Ok(());
        };
        let end = &mut connection.ends[side];
        let Some(bytes) = end.inbox.pop_front() else {
            return Ok(());
        };
        let node = end.node;
        let frame = match Frame::from_bytes(&bytes) {
            Ok(frame) => frame,
            Err(error) => wrong!("a frame does not read back: {error}"),
        };
        let hash = blake3::hash(&bytes);
        let name = self.nodes[node].name.clone();
        let (kind, hash) = (kind_of(&frame), hash.to_hex().chars().take(8).collect::<String>());
        self.trace.event(format_args!(
            "{name} gets {kind} of {} bytes by {id}: {hash}",
            bytes.len()
        ));
        self.report.frames += 1;
        if matches!(frame, Frame::PublishEnrolment(_)) {
            self.make_key(node)?;
            // The power may have gone.
            if !self.connections.contains_key(&id) {
                return Ok(());
            }
        }
        self.tempt(node);
        let place = &mut self.nodes[node];
        let end = &mut self.connections.get_mut(&id).unwrap().ends[side];
        let replica = place.replica.as_mut().unwrap();
        let result = end.session.on_frame(frame, replica, place.dice.rng());
        let fault = self.settle_quietly(node)?;
        match result {
            Ok(effects) => {
                self.carry_out(id, side, effects)?;
                self.give_keys(id, side)
            }
            Err(error) => {
                self.connections.remove(&id);
                if !fault {
                    wrong!("{name} could not take in a frame: {error}");
                }
                Ok(())
            }
        }
    }

    /// A session has just learned who its peer is: the peer is given the keys it lacks.
    fn give_keys(&mut self, id: u64, side: usize) -> Outcome {
        let Some(end) = self.connections.get_mut(&id).map(|of| &mut of.ends[side]) else {
            return Ok(());
        };
        let (node, Some(peer)) = (end.node, end.session.peer()) else {
            return Ok(());
        };
        let is_first = !std::mem::replace(&mut end.has_given, true);
        let peer = (peer, end.session.device());
        let lacks = end.session.take_lacks();
        if self.nodes[node].role().is_none() || (!is_first && lacks.is_empty()) {
            return Ok(());
        }
        // As the host does: nothing of it needs a new key first.
        let attempt = self.write(node, |replica, rng, _| replica.give_keys_to(peer, &lacks, rng))?;
        if matches!(attempt.result, Ok(None)) {
            return Ok(());
        }
        let name = &self.nodes[node].name;
        self.trace
            .event(format_args!("{name} gives keys by {id}: {}", attempt.wrote.len()));
        if let (Err(error), false) = (&attempt.result, attempt.fault) {
            wrong!("{name} could not give keys: {error}");
        }
        self.note(node, super::model::Act::Control, &attempt.wrote)
    }

    /// As [`World::settle`], but leaves the sessions alone where nothing was stored.
    fn settle_quietly(&mut self, node: usize) -> Outcome<bool> {
        let (fired, off) = self.nodes[node].disk.settle();
        if fired {
            self.report.faults += 1;
            let name = self.nodes[node].name.clone();
            self.trace
                .event(format_args!("{name}: a write fails, power off: {off}"));
            if off {
                self.restart(node)?;
            }
        }
        self.reopen(node)?;
        Ok(fired)
    }

    /// A session hears that something was stored.
    fn push(&mut self, id: u64, side: usize) -> Outcome {
        let end = &mut self.connections.get_mut(&id).unwrap().ends[side];
        end.stale = false;
        let replica = self.nodes[end.node].replica.as_ref().unwrap();
        match end.session.on_change(replica) {
            Ok(effects) => self.carry_out(id, side, effects),
            Err(error) => wrong!("a session could not send on: {error}"),
        }
    }

    /// Asks the peer on this connection for something.
    pub(super) fn say(&mut self, id: u64, side: usize, effects: Vec<Effect>) -> Outcome {
        self.carry_out(id, side, effects)
    }

    fn carry_out(&mut self, id: u64, side: usize, effects: Vec<Effect>) -> Outcome {
        for effect in effects {
            // The power went meanwhile.
            let Some(connection) = self.connections.get_mut(&id) else {
                return Ok(());
            };
            let node = connection.ends[side].node;
            match effect {
                Effect::Send(frame) => connection.ends[1 - side].inbox.push_back(frame.to_bytes()),
                Effect::Received(received) => {
                    let waiting = self.replica(node).census().map_or(0, |census| census.waiting);
                    self.report.waited = self.report.waited.max(waiting);
                    if received.new > 0 || received.own_journal_left {
                        self.mark_stale(node);
                    }
                    self.note_ended(node, &received)?;
                }
                Effect::PeerHas(frontier) => {
                    let peer = connection.ends[1 - side].node;
                    self.check_promise(node, peer, &frontier)?;
                }
                Effect::Progress { .. } => {}
                Effect::NotPublished => {}
                Effect::Published => {
                    let peer = connection.ends[1 - side].node;
                    self.model
                        .lets_in(self.nodes[node].me.person, self.nodes[peer].me.person);
                    self.mark_stale(node);
                    let name = &self.nodes[node].name;
                    self.trace.event(format_args!("{name} publishes an enrolment"));
                }
                // Who does not know yet that a journal forked may send what the other cannot place. It must heal by itself.
                Effect::Close(why) if self.options.forks => {
                    self.trace.event(format_args!("{id} is closed: {why}"));
                    self.connections.remove(&id);
                }
                Effect::Close(why) => wrong!("{} closes {id}: {why}", self.nodes[node].name),
            }
        }
        Ok(())
    }

    /// What a session says the peer has, the peer must have on its disk.
    fn check_promise(&self, node: usize, peer: usize, frontier: &Frontier) -> Outcome {
        let peer = &self.nodes[peer];
        for (journal, (number, id)) in frontier {
            if !peer.holds((*journal, *number), *id) {
                let me = &self.nodes[node].name;
                wrong!("{me} believes {} has {number:?} of {journal:?}", peer.name);
            }
        }
        Ok(())
    }
}

fn kind_of(frame: &Frame) -> String {
    let kind = match frame {
        Frame::Entries(entries) => {
            let count = |place: usize| {
                let of = |entry: &&WireEntry| usize::try_from(entry.journal) == Ok(place);
                entries.entries.iter().filter(of).count()
            };
            let parts = entries.journals.iter().enumerate();
            let parts = parts
                .map(|(place, part)| format!("{:?} {} from {}", part.journal, count(place), part.first.0));
            return format!("entries ({})", parts.collect::<Vec<_>>().join(", "));
        }
        Frame::Hello { .. } => "a greeting",
        Frame::Identify { .. } => "a name",
        Frame::Digest(_) => "a digest",
        Frame::Frontier(_) => "a frontier",
        Frame::BundlePart { .. } => "a part of a bundle",
        Frame::Stored(_) => "a receipt",
        Frame::PublishEnrolment(_) => "a request to publish",
        Frame::Goodbye(_) => "a goodbye",
        Frame::JoinRequest(_) => "a request to join",
        Frame::Admitted { .. } => "an admission",
        Frame::NotAdmitted(_) => "a refusal",
        Frame::Member { .. } => "a request for an enrolment",
    };
    kind.to_owned()
}
