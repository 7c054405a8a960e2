//! The end of a run: the network heals, everybody meets everybody, and those who lost their journals get new ones.

use kiez_core::replica::hold::Replica;

use super::disk::Disk;
use super::network::can_connect;
use super::node::Node;
use super::world::{Outcome, World, wrong};

/// So often everybody meets everybody at most.
const ROUNDS: usize = 12;

/// Is the owner of this device a member, as it knows? Who was admitted on a branch that does not count is none.
fn is_in_group(node: &Node) -> bool {
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
            if somebody_writes && !came_back && self.is_even() {
                return self.last_words();
            }
            if !somebody_writes && self.options.forks && self.is_even() {
                return Ok(());
            }
        }
        wrong!("after {ROUNDS} rounds not everybody has everything")
    }

    /// Everybody can still do something, and everybody hears of it: nothing is wedged.
    fn last_words(&mut self) -> Outcome {
        for node in self.nodes_where(|node| node.role().is_some()) {
            self.somebody_says_goodbye(node)?;
            self.numbers_ideas(node)?;
        }
        self.drain()?;
        let outside = self.nodes_where(|node| is_in_group(node) && node.role().is_none());
        if let Some(node) = outside.first() {
            wrong!("{} cannot write any more", self.nodes[*node].name);
        }
        if !self.is_even() {
            wrong!("not everybody heard the last words");
        }
        self.connections.clear();
        Ok(())
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
            is_in_group(node) && node.replica.as_deref().is_some_and(has_none)
        })
    }

    /// Do all sessions say that both sides have the same?
    fn is_even(&self) -> bool {
        let nodes = self.nodes_where(can_connect).len();
        let is_whole = self.connections.len() == nodes * nodes.saturating_sub(1) / 2;
        is_whole
            && self.connections.values().all(|connection| {
                connection.ends.iter().all(|end| {
                    let replica = self.nodes[end.node].replica.as_ref();
                    replica.is_some_and(|replica| end.session.is_even(replica))
                })
            })
    }
}
