//! What a device has, to compare it with what it has after a restart, a rebuild, or on another device.

use std::collections::{BTreeMap, BTreeSet};

use kiez_core::domain::document::DocumentId;
use kiez_core::domain::id::{ChangeId, EntryId, EntryNumber};
use kiez_core::replica::hold::Replica;
use kiez_core::replica::storage::{JournalRow, Standing, Storage};

use super::disk::Disk;
use super::world::{Outcome, World, wrong};

/// Everything that counts on a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    applied: BTreeSet<EntryId>,
    heads: BTreeMap<DocumentId, Vec<ChangeId>>,
    pub(super) digest: [u8; 32],
}

impl State {
    /// What is on this device now.
    pub(super) fn of(replica: &mut Replica<Disk>) -> Outcome<Self> {
        let (Ok(census), Ok(documents)) = (replica.census(), replica.storage().documents()) else {
            wrong!("a store cannot be read")
        };
        let mut heads = BTreeMap::new();
        for id in documents {
            match replica.document(id) {
                Ok(document) => heads.insert(id, document.heads()),
                Err(error) => wrong!("{id} cannot be read: {error}"),
            };
        }
        let Ok(digest) = replica.digest() else {
            wrong!("no digest")
        };
        Ok(Self {
            applied: census.applied,
            heads,
            digest,
        })
    }

    /// In what it differs from another.
    pub(super) fn differs_from(&self, other: &Self) -> String {
        let entries: Vec<&EntryId> = self.applied.symmetric_difference(&other.applied).collect();
        let ids: BTreeSet<&DocumentId> = self.heads.keys().chain(other.heads.keys()).collect();
        let documents: Vec<String> = ids
            .into_iter()
            .filter(|id| self.heads.get(id) != other.heads.get(id))
            .map(ToString::to_string)
            .collect();
        format!(
            "{} entries count here and {} there, {} in one only; documents that differ: {documents:?}",
            self.applied.len(),
            other.applied.len(),
            entries.len()
        )
    }
}

impl World {
    /// Starts a device again between two events: nothing may change.
    pub(super) fn somebody_restarts(&mut self) -> Outcome {
        let Some(node) = self.some_node(|node| node.replica.is_some()) else {
            return Ok(());
        };
        let before = State::of(self.replica(node))?;
        self.restart(node)?;
        let name = self.nodes[node].name.clone();
        self.trace.event(format_args!("{name} starts again"));
        self.check_same(node, &before, "starting again")
    }

    /// How everything stands on two devices that have the same entries, where it stands differently; and whether judging
    /// everything anew makes them equal.
    pub(super) fn tell_difference(&mut self, first: usize, other: usize) {
        let standings = |node: usize| -> BTreeMap<EntryId, String> {
            let disk = &self.nodes[node].disk;
            let rows = disk.journals().unwrap_or_default().into_iter();
            let entries = rows.flat_map(|row| {
                disk.entries(row.id, EntryNumber(0), usize::MAX)
                    .unwrap_or_default()
            });
            entries
                .map(|held| {
                    let header = &held.entry.header;
                    let standing = match held.standing {
                        // In which order it was applied is each device's own.
                        Standing::Applied(_) => "Applied".to_owned(),
                        standing => format!("{standing:?}"),
                    };
                    let document = held.document.map(|document| document.to_string());
                    let what = format!("{:?} {} {document:?} {standing}", header.journal, header.number.0);
                    (held.entry.id, what)
                })
                .collect()
        };
        let (mine, theirs) = (standings(first), standings(other));
        for (id, here) in &mine {
            let there = theirs.get(id);
            if there != Some(here) {
                self.trace
                    .event(format_args!("{id:?}: {here} here, {there:?} there"));
            }
        }
        self.tell_acts();
        for node in [first, other] {
            let row = |row: JournalRow| (row.id, row.head.0, row.ended);
            let rows: Vec<_> = self.nodes[node].disk.journals().unwrap_or_default();
            let rows: Vec<_> = rows.into_iter().map(row).collect();
            let name = self.nodes[node].name.clone();
            self.trace.event(format_args!("{name} has {rows:?}"));
            let rebuilt = self.replica(node).rebuild().is_ok();
            let digest = self.replica(node).digest().map(blake3::Hash::from);
            self.trace
                .event(format_args!("{name} judges anew: {rebuilt}, {digest:?}"));
        }
    }

    /// Has this device the same as before?
    pub(super) fn check_same(&mut self, node: usize, before: &State, by: &str) -> Outcome {
        let after = State::of(self.replica(node))?;
        if after == *before {
            return Ok(());
        }
        let name = &self.nodes[node].name;
        wrong!(
            "{name} came to something else by {by}: {}",
            after.differs_from(before)
        )
    }

    /// The journal's row and the entries on the disk are of one commit.
    pub(super) fn check_disk(&self, node: usize) -> Outcome {
        let node = &self.nodes[node];
        for row in node.disk.journals().unwrap_or_default() {
            let entries = node.disk.entries(row.id, row.head.0, 1).unwrap_or_default();
            let head = node.disk.entry(row.id, row.head.0).ok().flatten();
            if !entries.is_empty() || head.is_none_or(|head| head.entry.id != row.head.1) {
                wrong!(
                    "on the disk of {} a journal and its entries do not fit together",
                    node.name
                );
            }
        }
        Ok(())
    }
}
