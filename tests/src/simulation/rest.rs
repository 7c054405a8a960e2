//! The end of a run: the network heals, everybody meets everybody, and those who lost their journals get new ones.

use std::collections::BTreeSet;

use kiez_core::domain::id::{EntryNumber, KeyId};
use kiez_core::domain::roster::Roster;
use kiez_core::replica::hold::Replica;
use kiez_core::replica::keys::GroupKey;
use kiez_core::replica::storage::{Held, Standing, Storage};

use super::disk::{Disk, ids};
use super::network::{Connection, can_connect};
use super::node::Node;
use super::world::{Outcome, World, wrong};

/// So often everybody meets everybody at most.
const ROUNDS: usize = 16;

/// Is the owner of this device a member, as it knows? Who was admitted on a branch that does not count, or by somebody who
/// had gone, is none.
fn is_member(node: &Node) -> bool {
    let is_member = |replica: &Replica<Disk>| replica.roster().membership(node.me.person).is_some();
    !node.is_outlaw && node.replica.as_deref().is_some_and(is_member)
}

impl World {
    /// Until everybody has everything.
    pub(super) fn rest(&mut self) -> Outcome {
        self.trace.event(format_args!("the network heals"));
        for node in 0..self.nodes.len() {
            self.nodes[node].disk.settle();
        }
        self.connections.clear();
        for _ in 0..ROUNDS {
            self.meet()?;
            let mut came_back = false;
            for node in self.without_journal() {
                self.come_back(node)?;
                came_back = true;
            }
            self.drain()?;
            // Where forks took everybody's journal there is nobody left to enrol anybody.
            let somebody_writes = !self.nodes_where(|node| node.role().is_some()).is_empty();
            let is_settled = self.is_even() && self.nobody_waits();
            if somebody_writes && !came_back && is_settled {
                return self.last_words();
            }
            // Nobody is left: they have all gone.
            let may_be_empty = self.options.forks || !self.model.touched.is_empty();
            if !somebody_writes && may_be_empty && self.is_even() {
                return Ok(());
            }
        }
        self.tell_who_waits();
        wrong!("after {ROUNDS} rounds not everybody has everything")
    }

    /// Everybody can still do something, and everybody hears of it: nothing is wedged.
    fn last_words(&mut self) -> Outcome {
        // Twice: what is said first may come with new keys, which some are given only when they meet once more.
        for _ in 0..2 {
            for node in self.nodes_where(|node| node.role().is_some()) {
                self.somebody_says_goodbye(node)?;
                self.numbers_ideas(node)?;
            }
            self.drain()?;
            for _ in 0..ROUNDS {
                if self.is_even() && self.nobody_waits() {
                    break;
                }
                self.meet()?;
            }
        }
        let insiders = self.insiders();
        let outside: Vec<usize> = insiders
            .into_iter()
            .filter(|node| self.nodes[*node].role().is_none())
            .collect();
        if let Some(node) = outside.first() {
            wrong!("{} cannot write any more", self.nodes[*node].name);
        }
        if !self.is_even() || !self.nobody_waits() {
            self.tell_who_waits();
            wrong!("not everybody heard the last words");
        }
        self.connections.clear();
        Ok(())
    }

    /// Is this a device of somebody who is in the group, and has nobody retired it?
    pub(super) fn is_in_group(&self, node: &Node) -> bool {
        is_member(node) && !self.model.retired.contains(&node.me.device_id()) && !self.is_left_behind(node)
    }

    /// Can one not read an act that erases, which the other can?
    fn lacks_a_key_of(&self, node: &Node, peer: &Node) -> bool {
        let (Some(mine), Some(theirs)) = (node.replica.as_deref(), peer.replica.as_deref()) else {
            return false;
        };
        let control = peer.disk.control().unwrap_or_default();
        let is_act = |held: &Held| theirs.roster().erasure(held.entry.id).is_some();
        let mut unread = control.iter().filter(|held| is_act(held));
        unread.any(|held| mine.keys().get(held.entry.header.key).is_none())
    }

    /// Is this device out, as those know who are in (or is nobody left who is), and has not the key under which that or an erasure
    /// is said? Of what is without payload because of it, and of what follows that, it takes nothing.
    pub(super) fn is_left_behind(&self, node: &Node) -> bool {
        let somebody_writes = self.nodes.iter().any(|node| node.role().is_some());
        self.nodes.iter().any(|other| {
            let device = node.me.device_id();
            let person = other.role().and_then(|_| {
                let roster = other.replica.as_deref()?.roster();
                Some(roster.person(node.me.person))
            });
            let is_out = person.is_some_and(|person| {
                person.is_none_or(|person| person.devices.values().all(|of| of.device != device))
            });
            (is_out || !somebody_writes) && self.lacks_a_key_of(node, other)
        })
    }

    /// The devices that must be equal in the end.
    pub(super) fn insiders(&self) -> Vec<usize> {
        self.nodes_where(|node| self.is_in_group(node) && !self.cannot_know(node))
    }

    /// Has this device gone without the key under which that was said? Those who can read everything say that it is out.
    pub(super) fn cannot_know(&self, node: &Node) -> bool {
        let person = node.me.person;
        self.readers_of_all(node)
            .any(|roster| roster.membership(person).is_none())
    }

    /// Has this device lost its place, and not its person theirs, without the key under which that was said? Whoever enrolled it
    /// had gone, say. Its owner sees that it reads nothing new, and adds it once more.
    fn is_shut_out(&self, node: &Node) -> bool {
        let device = node.me.device_id();
        self.readers_of_all(node).any(|roster| {
            let person = roster.person(node.me.person);
            person.is_some_and(|person| person.devices.values().all(|of| of.device != device))
        })
    }

    /// What those say who hold all that a device holds which cannot read it all, and can: also where they are out themselves.
    fn readers_of_all<'a>(&'a self, node: &'a Node) -> impl Iterator<Item = &'a Roster> {
        let number = self.nodes.iter().position(|other| other.name == node.name);
        let number = number.unwrap();
        let cannot_read = self.waiting(number) > 0;
        let mut all = if cannot_read {
            ids(&node.disk.memory())
        } else {
            BTreeSet::new()
        };
        // What it goes on to write, those need not have who do not talk to it any more.
        if let Some((own, _)) = node.replica.as_deref().and_then(Replica::signing_journal) {
            let entries = node.disk.entries(own, EntryNumber(0), usize::MAX);
            for held in entries.unwrap_or_default() {
                all.remove(&held.entry.id);
            }
        }
        let others = (0..self.nodes.len()).filter(move |other| cannot_read && *other != number);
        others.filter_map(move |other| {
            let knows = &self.nodes[other];
            let replica = knows.replica.as_deref()?;
            let reads_all = self.waiting(other) == 0 && ids(&knows.disk.memory()).is_superset(&all);
            reads_all.then(|| replica.roster())
        })
    }

    /// Can all who are in the group read all that counts? (Where journals forked, what builds on a lost branch waits for ever.)
    fn nobody_waits(&self) -> bool {
        let has_all = |node: &usize| {
            let unread = self.unread(*node);
            unread == 0 && (self.options.forks || self.waiting(*node) == 0)
        };
        self.insiders().iter().all(has_all)
    }

    /// How many entries cannot be read on a device for want of a key, but for those that nobody can read who is left.
    fn unread(&self, node: usize) -> usize {
        let place = &self.nodes[node];
        let keys = place.replica.as_deref().map(Replica::keys);
        let is_unread = |held: &Held| {
            let is_held = keys.is_some_and(|keys| keys.get(held.entry.header.key).is_some());
            !is_held && !self.model.sealed.contains(&held.entry.id) && !self.has_gone(held.entry.header.key)
        };
        let control = place.disk.control().unwrap_or_default();
        let waiting = place.disk.waiting().unwrap_or_default();
        let counts = |held: &Held| matches!(held.standing, Standing::Applied(_));
        let control = control.iter().filter(|held| counts(held) && is_unread(held));
        control.count() + waiting.iter().filter(|held| is_unread(held)).count()
    }

    /// Has everybody gone who had this key? Then nobody is left who could give it to anybody.
    pub(super) fn has_gone(&self, key: KeyId) -> bool {
        let has = |node: &Node| {
            let keys = node.replica.as_deref().map(Replica::keys);
            self.is_in_group(node) && keys.is_some_and(|keys| keys.get(key).is_some())
        };
        !self.nodes.iter().any(has)
    }

    /// How many entries wait on a device, or cannot be read there, but for those that nobody can read.
    pub(super) fn waiting(&self, node: usize) -> usize {
        let place = &self.nodes[node];
        let keys = place.replica.as_deref().map(Replica::keys);
        let is_held = |held: &Held| keys.is_some_and(|keys| keys.get(held.entry.header.key).is_some());
        let waiting = place.disk.waiting().unwrap_or_default();
        let on_others = waiting.iter().filter(|held| is_held(held)).count();
        on_others + self.unread(node)
    }

    fn tell_who_waits(&mut self) {
        for node in 0..self.nodes.len() {
            let place = &self.nodes[node];
            let waiting = place.disk.census().map_or(0, |census| census.waiting);
            let (role, is_in) = (place.role(), self.is_in_group(place));
            let keys = place.replica.as_deref().map(Replica::keys);
            let keys: Vec<_> = keys.into_iter().flat_map(|keys| keys.iter()).collect();
            let keys: Vec<_> = keys.into_iter().map(GroupKey::id).collect();
            let name = &place.name;
            self.trace.event(format_args!(
                "{name}: {waiting} wait, writes as {role:?}, is in the group: {is_in}, holds {keys:?}"
            ));
            self.tell_unread(node);
        }
        self.tell_acts();
    }

    fn tell_unread(&mut self, node: usize) {
        let place = &self.nodes[node];
        let keys = place.replica.as_deref().map(Replica::keys);
        let is_held = |held: &Held| keys.is_some_and(|keys| keys.get(held.entry.header.key).is_some());
        let control = place.disk.control().unwrap_or_default();
        let all = control
            .into_iter()
            .chain(place.disk.waiting().unwrap_or_default());
        for held in all.filter(|held| !is_held(held)) {
            let (name, header) = (&place.name, &held.entry.header);
            self.trace.event(format_args!(
                "{name} cannot read {:?}, {:?} {} under {:?}: {:?}",
                held.entry.id, header.journal, header.number.0, header.key, held.standing
            ));
        }
    }

    /// What somebody who can read everything knows of who is in the group and of its keys.
    pub(super) fn tell_acts(&mut self) {
        let insiders = self.insiders();
        let Some(node) = insiders.into_iter().find(|node| self.waiting(*node) == 0) else {
            return;
        };
        let place = &self.nodes[node];
        let roster = place.replica.as_ref().unwrap().roster();
        for held in place.disk.control().unwrap_or_default() {
            let header = &held.entry.header;
            let Some(act) = roster.act(held.entry.id) else {
                continue;
            };
            let device = act.device().map(|device| device.device);
            let owner = self.nodes.iter().find(|node| Some(node.me.device_id()) == device);
            let boxes: Vec<_> = act.boxes().iter().map(|of| (of.enrolment, of.key)).collect();
            let what: String = format!("{act:?}").chars().take(60).collect();
            self.trace.event(format_args!(
                "{:?} {:?} {} under {:?}, lives: {}, {}: {what} {boxes:?}",
                held.entry.id,
                header.journal,
                header.number.0,
                header.key,
                roster.lives(held.entry.id),
                owner.map_or("", |node| &node.name),
            ));
        }
    }

    /// Everybody connects to everybody, and they talk until they have nothing more to say.
    fn meet(&mut self) -> Outcome {
        self.connections.clear();
        let mut nodes = self.nodes_where(can_connect);
        self.dice.shuffle(&mut nodes);
        for (number, a) in nodes.iter().enumerate() {
            for b in &nodes[number + 1..] {
                self.connect(*a, *b);
            }
        }
        self.drain()
    }

    fn without_journal(&self) -> Vec<usize> {
        self.nodes_where(|node| {
            let has_none = |replica: &Replica<Disk>| replica.own_journal().is_none();
            // Who is out and cannot read it asks in vain.
            let is_in = self.is_in_group(node) && !self.cannot_know(node);
            is_in && (node.replica.as_deref().is_some_and(has_none) || self.is_shut_out(node))
        })
    }

    /// Do all sessions say that both sides have the same?
    fn is_even(&self) -> bool {
        let reads = |node: &Node| can_connect(node) && !self.is_left_behind(node);
        let nodes = self.nodes_where(reads).len();
        let reading =
            |connection: &&Connection| connection.ends.iter().all(|end| reads(&self.nodes[end.node]));
        let connections: Vec<&Connection> = self.connections.values().filter(reading).collect();
        let is_whole = connections.len() == nodes * nodes.saturating_sub(1) / 2;
        is_whole
            && connections.iter().all(|connection| {
                connection.ends.iter().all(|end| {
                    let replica = self.nodes[end.node].replica.as_ref();
                    replica.is_some_and(|replica| end.session.is_even(replica))
                })
            })
    }
}
