//! The world of one run: its devices, and what happens next.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use ed25519_dalek::SigningKey;
use kiez_core::domain::charter::{Charter, Inviters, Role};
use kiez_core::domain::id::{EntryId, EntryNumber, JournalId, PersonId, Timestamp};
use kiez_core::replica::hold::Replica;
use kiez_core::replica::storage::Storage;
use rand_chacha::ChaCha20Rng;

use super::carry::File;
use super::dice::Dice;
use super::disk::{Disk, Fault};
use super::model::Model;
use super::network::Connection;
use super::node::{Node, Person};
use super::people::Offer;
use super::runner::{Options, Report};
use super::trace::Trace;

/// Something is not as it must be.
#[derive(Debug)]
pub(super) struct Wrong(pub(super) String);

/// What comes of anything here.
pub(super) type Outcome<T = ()> = Result<T, Wrong>;

/// Ends the run, saying why.
macro_rules! wrong {
    ($($text:tt)*) => {
        return Err($crate::simulation::world::Wrong(format!($($text)*)))
    };
}
pub(super) use wrong;

/// What can happen, each with how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Act,
    Burst,
    Page,
    Number,
    Deliver,
    Push,
    Connect,
    Disconnect,
    Invite,
    Join,
    Enrol,
    HandOver,
    Return,
    Export,
    Import,
    Courier,
    Restart,
    Backup,
    Restore,
    Look,
    Outlaw,
    Council,
    Own,
    Rejoin,
    Erase,
}

/// How often each event happens where nothing else is said.
const WEIGHTS: [(Event, usize); 25] = [
    (Event::Act, 100),
    (Event::Burst, 1),
    (Event::Page, 30),
    (Event::Number, 10),
    (Event::Deliver, 250),
    (Event::Push, 60),
    (Event::Connect, 16),
    (Event::Disconnect, 8),
    (Event::Invite, 12),
    (Event::Join, 20),
    (Event::Enrol, 12),
    (Event::HandOver, 8),
    (Event::Return, 20),
    (Event::Export, 5),
    (Event::Import, 6),
    (Event::Courier, 25),
    (Event::Restart, 4),
    (Event::Backup, 4),
    (Event::Restore, 3),
    (Event::Look, 10),
    (Event::Outlaw, 6),
    (Event::Council, 40),
    (Event::Own, 8),
    (Event::Rejoin, 6),
    (Event::Erase, 30),
];

/// So often a device tries to make a key, whatever its disk does.
const TRIES: usize = 50;

/// The rules of one group: friends mostly, sometimes stricter ones.
fn charter(dice: &mut Dice) -> Charter {
    let circle = Charter::circle();
    match dice.below(10) {
        0 => Charter {
            vouchers: 1,
            ..circle
        },
        1 => Charter {
            inviters: Inviters::Stewards,
            ..circle
        },
        _ => circle,
    }
}

/// What came of an attempt to write.
#[derive(Debug)]
pub(super) struct Attempt<T, E> {
    pub(super) result: Result<T, E>,
    /// Whether the disk failed on the way.
    pub(super) fault: bool,
    /// What the own journal holds now and did not before.
    pub(super) wrote: Vec<(JournalId, EntryNumber, EntryId)>,
}

/// One run.
#[derive(Debug)]
pub(super) struct World {
    pub(super) options: Options,
    pub(super) dice: Dice,
    pub(super) trace: Trace,
    /// Milliseconds since the beginning.
    pub(super) elapsed: u64,
    pub(super) persons: Vec<Person>,
    pub(super) nodes: Vec<Node>,
    pub(super) connections: BTreeMap<u64, Connection>,
    pub(super) connections_made: u64,
    pub(super) offers: Vec<Offer>,
    pub(super) files: Vec<File>,
    pub(super) model: Model,
    pub(super) report: Report,
    /// Entries that must not count, each with whether it ends its journal.
    pub(super) crimes: BTreeSet<EntryId>,
    /// How often a write fails, in percent.
    faults: usize,
    weights: Vec<(Event, usize)>,
    /// The rules with which the group begins.
    charter: Charter,
}

impl World {
    /// The world of a seed, before anything happened in it.
    pub(super) fn new(seed: u64, options: Options) -> Self {
        let mut dice = Dice::new(seed, 0);
        let mut persons = Vec::new();
        for name in ["Anna", "Ben", "Carla", "Dogan", "Elif", "Frida"] {
            let key = SigningKey::generate(dice.rng());
            let role = if dice.chance(15) {
                Role::Observer
            } else {
                Role::Member
            };
            persons.push(Person {
                name: name.to_owned(),
                id: PersonId(key.verifying_key().to_bytes()),
                key,
                role,
            });
        }
        persons.truncate(2 + dice.below(5));
        let charter = charter(&mut dice);
        let mut nodes = Vec::new();
        for person in 0..persons.len() {
            nodes.push(Node::new(seed, nodes.len(), person, true, &persons));
        }
        for person in 0..persons.len() {
            if dice.chance(50) {
                nodes.push(Node::new(seed, nodes.len(), person, false, &persons));
            }
        }
        // No two runs are alike: in one the network hardly works, in another people hardly write.
        let mut weights = WEIGHTS.to_vec();
        // In a third of them nobody touches the group itself.
        let is_governed = dice.chance(67);
        for (event, weight) in &mut weights {
            let factor = dice.pick(&[0, 1, 2, 2, 2, 4, 8]).unwrap();
            let factor = match event {
                Event::Act | Event::Deliver | Event::Connect | Event::Invite | Event::Join => factor.max(1),
                Event::Council | Event::Own | Event::Rejoin if !is_governed => 0,
                _ => factor,
            };
            *weight *= factor;
        }
        Self {
            options,
            trace: Trace::new(options.trace),
            elapsed: 0,
            persons,
            nodes,
            connections: BTreeMap::new(),
            connections_made: 0,
            offers: Vec::new(),
            files: Vec::new(),
            model: Model::default(),
            report: Report::default(),
            crimes: BTreeSet::new(),
            faults: dice.pick(&[0, 1, 3, 10]).unwrap(),
            weights,
            charter,
            dice,
        }
    }

    /// From the founding to the rest at the end.
    pub(super) fn live(&mut self) -> Outcome {
        self.found()?;
        for _ in 0..self.dice.below(4 * self.persons.len()) {
            self.somebody_invites()?;
            self.somebody_joins()?;
        }
        let events = 80 + self.dice.below(300);
        for _ in 0..events {
            self.elapsed += self.dice.below(60_000) as u64;
            self.step()?;
        }
        self.faults = 0;
        self.rest()?;
        self.check_all()
    }

    /// What it came to.
    pub(super) fn report(&self) -> Report {
        Report {
            trace: self.trace.hash(),
            ..self.report.clone()
        }
    }

    fn found(&mut self) -> Outcome {
        let node = &mut self.nodes[0];
        let person = &self.persons[0];
        let replica = Replica::found(
            node.disk.clone(),
            &node.me,
            &person.key,
            self.charter.clone(),
            node.dice.rng(),
        );
        match replica {
            Ok(replica) => node.replica = Some(Box::new(replica)),
            Err(error) => wrong!("founding failed: {error}"),
        }
        self.unlock(0)?;
        self.trace.event(format_args!("Anna founds the group"));
        Ok(())
    }

    fn step(&mut self) -> Outcome {
        let total: usize = self.weights.iter().map(|(_, weight)| weight).sum();
        let mut throw = self.dice.below(total);
        let mut event = Event::Act;
        for (candidate, weight) in &self.weights {
            event = *candidate;
            if throw < *weight {
                break;
            }
            throw -= weight;
        }
        self.report.events += 1;
        match event {
            Event::Act => self.somebody_acts(),
            Event::Burst => self.somebody_types(),
            Event::Page => self.somebody_writes_on_a_page(),
            Event::Number => self.somebody_numbers_ideas(),
            Event::Deliver => self.deliver_some(),
            Event::Push => self.push_some(),
            Event::Connect => self.connect_some(),
            Event::Disconnect => self.disconnect_some(),
            Event::Invite => self.somebody_invites(),
            Event::Join => self.somebody_joins(),
            Event::Enrol => self.somebody_enrols(),
            Event::HandOver => self.somebody_hands_over(),
            Event::Return => self.somebody_returns(),
            Event::Export => self.somebody_exports(),
            Event::Import => self.somebody_imports(),
            Event::Courier => self.courier_goes(),
            Event::Restart => self.somebody_restarts(),
            Event::Backup => self.somebody_backs_up(),
            Event::Restore => self.somebody_restores(),
            Event::Look => self.somebody_looks(),
            Event::Outlaw => self.somebody_breaks_rules(),
            Event::Council => self.council_meets(),
            Event::Own => self.somebody_acts_for_themselves(),
            Event::Rejoin => self.somebody_begins_anew(),
            Event::Erase => self.somebody_erases(),
        }
    }

    /// The devices for which this holds.
    pub(super) fn nodes_where(&self, holds: impl Fn(&Node) -> bool) -> Vec<usize> {
        (0..self.nodes.len())
            .filter(|node| holds(&self.nodes[*node]))
            .collect()
    }

    /// A device for which this holds.
    pub(super) fn some_node(&mut self, holds: impl Fn(&Node) -> bool) -> Option<usize> {
        let nodes = self.nodes_where(holds);
        self.dice.pick(&nodes)
    }

    /// What this device's clock shows.
    pub(super) fn now(&self, node: usize) -> Timestamp {
        self.nodes[node].clock.at(self.elapsed)
    }

    /// The group on a device that is in it.
    pub(super) fn replica(&mut self, node: usize) -> &mut Replica<Disk> {
        self.nodes[node].replica.as_mut().unwrap()
    }

    /// Perhaps plans a failure of this disk.
    pub(super) fn tempt(&mut self, node: usize) {
        if self.dice.chance(self.faults) {
            let fault = self.dice.pick(&Fault::ALL).unwrap();
            let after = self.dice.below(2) * self.dice.below(3);
            self.nodes[node].disk.plan(after, fault);
        }
    }

    /// After anything that may have written: where the power went, the device starts again. Says whether the disk failed.
    pub(super) fn settle(&mut self, node: usize) -> Outcome<bool> {
        let (fired, off) = self.nodes[node].disk.settle();
        if fired {
            self.report.faults += 1;
        }
        if off {
            let name = self.nodes[node].name.clone();
            self.trace.event(format_args!("{name}: the power goes"));
            self.restart(node)?;
        }
        self.reopen(node)?;
        self.mark_stale(node);
        Ok(fired)
    }

    /// Reads a group again whose replica could not judge anew what had changed: the host does so before anything else is asked
    /// of it, and its connections stay.
    pub(super) fn reopen(&mut self, node: usize) -> Outcome {
        let place = &mut self.nodes[node];
        if !place.replica.as_deref().is_some_and(Replica::is_stale) {
            return Ok(());
        }
        match Replica::open(place.disk.clone()) {
            Ok(replica) => place.replica = Some(Box::new(replica)),
            Err(error) => wrong!("{} does not open again: {error}", place.name),
        }
        self.unlock(node)
    }

    /// Starts a device again: what was only in memory is gone, and so are its connections.
    pub(super) fn restart(&mut self, node: usize) -> Outcome {
        self.connections.retain(|_, connection| !connection.is_of(node));
        let place = &mut self.nodes[node];
        place.disk.wake();
        place.replica = None;
        place.page = None;
        let is_in = matches!(place.disk.group(), Ok(Some(_))) && matches!(place.disk.own(), Ok(Some(_)));
        if is_in {
            match Replica::open(place.disk.clone()) {
                Ok(replica) => place.replica = Some(Box::new(replica)),
                Err(error) => wrong!("{} does not open again: {error}", place.name),
            }
            self.unlock(node)?;
        }
        Ok(())
    }

    /// The device's box secret is at hand again, as after a start with the passphrase.
    pub(super) fn unlock(&mut self, node: usize) -> Outcome {
        let place = &mut self.nodes[node];
        let secret = place.box_secret.clone();
        match place.replica.as_mut().unwrap().set_box_secret(secret) {
            Ok(()) => Ok(()),
            Err(error) => wrong!("{} could not take its box secret: {error}", place.name),
        }
    }

    /// Where somebody has gone, the group gets a new key before anything is written.
    pub(super) fn make_key(&mut self, node: usize) -> Outcome {
        let place = &self.nodes[node];
        if place.is_outlaw || place.behind.is_some() {
            return Ok(());
        }
        for _ in 0..TRIES {
            let replica = self.nodes[node].replica.as_ref();
            if !replica.is_some_and(|replica| replica.is_rekey_due()) {
                return Ok(());
            }
            let attempt = self.write(node, |replica, rng, _| replica.rekey_if_due(rng))?;
            let name = &self.nodes[node].name;
            self.trace
                .event(format_args!("{name} makes a new key: {}", attempt.result.is_ok()));
            if let (Err(error), false) = (&attempt.result, attempt.fault) {
                wrong!("{name} could not make a new key: {error}");
            }
            self.note(node, super::model::Act::Control, &attempt.wrote)?;
            self.report.rekeys += u64::from(attempt.result.is_ok());
        }
        wrong!("{} cannot make a new key", self.nodes[node].name)
    }

    /// Lets a device write something; its disk may fail on the way.
    pub(super) fn attempt<T, E: Debug>(
        &mut self,
        node: usize,
        run: impl FnOnce(&mut Replica<Disk>, &mut ChaCha20Rng, Timestamp) -> Result<T, E>,
    ) -> Outcome<Attempt<T, E>> {
        self.make_key(node)?;
        self.write(node, run)
    }

    pub(super) fn write<T, E: Debug>(
        &mut self,
        node: usize,
        run: impl FnOnce(&mut Replica<Disk>, &mut ChaCha20Rng, Timestamp) -> Result<T, E>,
    ) -> Outcome<Attempt<T, E>> {
        let now = self.now(node);
        let before = self.nodes[node].own_head();
        self.tempt(node);
        let place = &mut self.nodes[node];
        let result = run(place.replica.as_mut().unwrap(), place.dice.rng(), now);
        let fault = self.settle(node)?;
        let mut wrote = Vec::new();
        let place = &self.nodes[node];
        if let Some((journal, head)) = place.own_head() {
            let from = match before {
                Some((earlier, number)) if earlier == journal => number,
                _ => EntryNumber(0),
            };
            if head > from {
                let entries = place.disk.entries(journal, from, usize::MAX).unwrap_or_default();
                wrote.extend(
                    entries
                        .iter()
                        .map(|held| (journal, held.entry.header.number, held.entry.id)),
                );
            }
        }
        if result.is_ok() && fault {
            wrong!("{} said it was done, and the disk had failed", place.name);
        }
        Ok(Attempt { result, fault, wrote })
    }
}
