//! Disks that are lost and come back as an older state of themselves.

use std::collections::BTreeSet;

use kiez_core::domain::id::{EntryId, EntryNumber, JournalId};
use kiez_core::replica::hold::{Replica, ReplicaError};
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::receive::Received;
use kiez_core::replica::storage::{OwnJournal, OwnState, Storage, Write};
use rand::Rng;

use super::disk::{Disk, ids};
use super::world::{Outcome, World, wrong};

impl World {
    /// A device's disk is copied. Not while something waits on it: what is waited for could be lost meanwhile.
    pub(super) fn somebody_backs_up(&mut self) -> Outcome {
        let Some(node) = self.some_node(|node| node.replica.is_some() && !node.is_outlaw) else {
            return Ok(());
        };
        let place = &mut self.nodes[node];
        let waiting = place.disk.census().map_or(0, |census| census.waiting);
        if waiting == 0 && place.behind.is_none() {
            place.backup = Some(place.disk.memory().clone());
            self.trace.event(format_args!("{} backs up", place.name));
        }
        Ok(())
    }

    /// A device's disk is lost, and its backup takes its place.
    pub(super) fn somebody_restores(&mut self) -> Outcome {
        let Some(node) = self.some_node(|node| node.backup.is_some() && !node.is_outlaw) else {
            return Ok(());
        };
        // Where all devices were restored at once nobody is left who could enrol anybody: R7, a new group is founded.
        let name = self.nodes[node].name.clone();
        if self
            .nodes_where(|other| other.name != name && other.role().is_some())
            .is_empty()
        {
            return Ok(());
        }
        let backup = self.nodes[node].backup.clone().unwrap();
        let lost = self.lost_by(node, &backup);
        if !self.may_be_lost(node, &lost) {
            return Ok(());
        }
        self.nodes[node].backup = None;
        self.nodes[node].behind = None;
        let with_secret = self.dice.chance(50) && self.can_keep_secret(node, &backup);
        self.nodes[node].disk = Disk::with(backup);
        if !with_secret {
            self.leave_journal(node)?;
        }
        self.restart(node)?;
        self.model.lose(&lost);
        // A file with what builds on it is lost, too.
        self.files.retain(|file| file.ids.is_disjoint(&lost));
        self.report.restores += 1;
        self.trace.event(format_args!(
            "{name} restores a backup, with its journal's secret: {with_secret}; {} entries are lost",
            lost.len()
        ));
        Ok(())
    }

    /// What only the disk of this device holds, and neither its backup nor anybody else.
    pub(super) fn lost_by(&self, node: usize, backup: &MemoryStorage) -> BTreeSet<EntryId> {
        let mut lost = ids(&self.nodes[node].disk.memory());
        let mut keep = |kept: BTreeSet<EntryId>| lost.retain(|id| !kept.contains(id));
        keep(ids(backup));
        for (number, other) in self.nodes.iter().enumerate() {
            // One who has not come in yet may never do so.
            if number != node && other.replica.is_some() {
                keep(ids(&other.disk.memory()));
            }
        }
        lost
    }

    /// Two disks lost at once can take with them what others' entries build on. That no software can mend, so it does not
    /// happen here: what is lost is of this device alone, and nobody waits for anything.
    pub(super) fn may_be_lost(&self, node: usize, lost: &BTreeSet<EntryId>) -> bool {
        let disk = &self.nodes[node].disk;
        let mut own = BTreeSet::new();
        for row in disk.journals().unwrap_or_default() {
            let device = self.nodes[node].replica.as_ref();
            let device = device.and_then(|replica| replica.roster().device_of_journal(row.id));
            if device.is_some_and(|device| device.device == self.nodes[node].me.device_id()) {
                let entries = disk
                    .entries(row.id, EntryNumber(0), usize::MAX)
                    .unwrap_or_default();
                own.extend(entries.iter().map(|held| held.entry.id));
            }
        }
        let nobody_waits = self
            .nodes
            .iter()
            .all(|node| node.disk.census().is_ok_and(|census| census.waiting == 0));
        lost.is_empty() || (nobody_waits && lost.is_subset(&own))
    }

    /// Does a backup with its journal's secret come to no fork, as long as the device syncs before it writes? Sets how
    /// far it must have synced.
    fn can_keep_secret(&mut self, node: usize, backup: &MemoryStorage) -> bool {
        let Ok(Some(own)) = backup.own() else { return false };
        if own.state != OwnState::Writing {
            return false;
        }
        let key = ed25519_dalek::SigningKey::from_bytes(&own.seed);
        let journal = JournalId(key.verifying_key().to_bytes());
        let head = |memory: &MemoryStorage| {
            let rows = memory.journals().unwrap_or_default();
            let row = rows.into_iter().find(|row| row.id == journal);
            row.map_or(EntryNumber(0), |row| row.head.0)
        };
        let others = || {
            self.nodes
                .iter()
                .enumerate()
                .filter(|(number, _)| *number != node)
                .map(|(_, other)| other)
        };
        let live = others()
            .filter(|other| other.replica.is_some() && !other.is_outlaw)
            .map(|other| head(&other.disk.memory()))
            .max();
        let put_away = others()
            .flat_map(|other| [Some(head(&other.disk.memory())), other.backup.as_ref().map(head)])
            .flatten();
        let in_files = self
            .files
            .iter()
            .filter_map(|file| file.heads.get(&journal).copied());
        let put_away = put_away.chain(in_files).max();
        let (mine, live) = (head(backup), live.unwrap_or(EntryNumber(0)));
        // What lies in a drawer alone would turn up too late.
        if put_away.is_some_and(|put_away| put_away > live.max(mine)) {
            return false;
        }
        if live > mine && !self.options.forks {
            self.nodes[node].behind = Some((journal, live));
        }
        true
    }

    /// Journal secrets are left out of backups.
    fn leave_journal(&mut self, node: usize) -> Outcome {
        let place = &mut self.nodes[node];
        let (Ok(Some(group)), Ok(Some(own))) = (place.disk.group(), place.disk.own()) else {
            wrong!("a backup of no group");
        };
        let mut seed = own.seed;
        if self.dice.chance(50) {
            self.dice.rng().fill_bytes(&mut seed);
        }
        let own = OwnJournal {
            seed,
            state: OwnState::Left,
        };
        place
            .disk
            .commit(group, vec![Write::Own(own)])
            .map_err(|error| super::world::Wrong(error.to_string()))
    }

    /// A device has taken something in: has it noticed that its journal is longer than it knew?
    pub(super) fn note_ended(&mut self, node: usize, received: &Received) -> Outcome {
        let place = &mut self.nodes[node];
        let replica = place.replica.as_ref().unwrap();
        // Nor does anybody leave a journal whose place in the group nobody touched.
        let may_leave = self.options.forks || !self.model.is_untouched(place.me.person);
        if received.own_journal_left && place.behind.is_none() && !may_leave {
            wrong!("{} believes it was restored, and it was not", place.name);
        }
        if !received.forked.is_empty() && !self.options.forks {
            wrong!("{} sees a fork where there is none", place.name);
        }
        if let Some((journal, _)) = place.behind
            && replica.own_journal() != Some(journal)
        {
            place.behind = None;
            self.trace
                .event(format_args!("{} notices that it was restored", place.name));
        }
        Ok(())
    }

    /// A device without a journal it may write asks for a fresh start, or makes it.
    pub(super) fn somebody_returns(&mut self) -> Outcome {
        let Some(node) = self.some_node(|node| {
            let lost_its_journal = |replica: &Replica<Disk>| replica.own_journal().is_none();
            !node.is_outlaw
                && node
                    .replica
                    .as_ref()
                    .is_some_and(|replica| lost_its_journal(replica))
        }) else {
            return Ok(());
        };
        self.come_back(node)
    }

    /// Opens a journal where there is a grant for it, otherwise asks the peers to publish one.
    pub(super) fn come_back(&mut self, node: usize) -> Outcome {
        let name = self.nodes[node].name.clone();
        let me = self.nodes[node].me.clone();
        if self.replica(node).grant_for(&me).is_some() {
            let attempt = self.attempt(node, |replica, rng, _| replica.open_journal(&me, rng))?;
            self.trace.event(format_args!(
                "{name} opens a fresh journal: {}",
                attempt.result.is_ok()
            ));
            // It may not make a key itself: whom it meets will give it one.
            if matches!(attempt.result, Err(ReplicaError::RekeyDue)) {
                return Ok(());
            }
            return self.note_control(node, &attempt);
        }
        let own_side =
            |side: usize| move |connection: &super::network::Connection| connection.ends[side].node == node;
        let mut asked: Vec<(u64, usize)> = Vec::new();
        for (id, connection) in &self.connections {
            let side = usize::from(!own_side(0)(connection));
            if connection.is_of(node) && self.nodes[connection.ends[1 - side].node].role().is_some() {
                asked.push((*id, side));
            }
        }
        let Some((id, side)) = self.dice.pick(&asked) else {
            return Ok(());
        };
        let Some(enrol) = self.enrolment(node, node) else {
            return Ok(());
        };
        let effects = self.connections[&id].ends[side].session.ask_to_publish(enrol);
        self.trace.event(format_args!(
            "{name} asks by {id} to be enrolled again: {}",
            effects.len()
        ));
        self.say(id, side, effects)
    }
}
